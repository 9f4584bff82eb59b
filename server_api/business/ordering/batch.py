"""A file of orders: one row an order, in CSV (UTF-8); what is wrong in a row is that row's alone."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from server_api.business.ordering.service.submit import quote_order, submit_order
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.ordering import OrderDone, SubmitOrder
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.ordering import OrderFileNotReadable
from shared_models.values.ids import derived_id

#: Columns of the order; the others are fields of its one item. number, login and card are accesses.
ORDER_COLUMNS = ("customer_id", "account_id", "pay_mode", "remark")
ITEM_COLUMNS = (
    "act", "product_id", "offering_code", "bundle_code", "address", "to_customer_id", "suspend_reason", "old_code",
    "new_code", "device_kind", "password", "when", "effective_on", "reason",
)  # fmt: skip
ACCESS_COLUMNS = ("number", "login", "card")
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class RowDone:
    """What became of a row: its order, or the refusal."""

    row_no: int
    done: OrderDone | None
    fault: Fault | None


def read_rows(raw: bytes) -> list[dict[str, str]]:
    """The rows of a file by column. Raises OrderFileNotReadable."""
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
        rows = [{name: (text or "").strip() for name, text in row.items() if name} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise OrderFileNotReadable(reason=type(error).__name__) from None
    known = {*ORDER_COLUMNS, *ITEM_COLUMNS, *ACCESS_COLUMNS}
    unknown = sorted(set(reader.fieldnames or ()) - known)
    if unknown or not rows or "act" not in (reader.fieldnames or ()) or len(rows) > _MOST_ROWS:
        raise OrderFileNotReadable(reason=", ".join(unknown) or f"{len(rows)} rows")
    return rows


def order_rows(database: Database, context: WorkContext, raw: bytes, *, dry_run: bool = False) -> Iterator[RowDone]:
    """Order row by row, each an act of its own whose id follows from file and row: begun again it orders nothing twice.

    Raises OrderFileNotReadable before the first row.
    """
    rows = read_rows(raw)
    digest = hashlib.sha256(raw).hexdigest()
    for row_no, row in enumerate(rows, start=1):
        yield _order_row(database, context, digest, row_no, row, dry_run)


def _order_row(
    database: Database, context: WorkContext, digest: str, row_no: int, row: dict[str, str], dry_run: bool
) -> RowDone:
    try:
        order = _order_of(digest, row_no, row)
        if dry_run:
            quote_order(database, context, order)
            return RowDone(row_no, None, None)
        act = Act(derived_id("order.batch", digest, str(row_no)), "submit_order", digest_of(order), context)
        return RowDone(row_no, OrderDone.model_validate_json(perform(database, act, _work(order)).reply), None)
    except Fault as fault:
        return RowDone(row_no, None, fault)


def _work(order: SubmitOrder) -> Callable[..., OrderDone]:
    return lambda uow: submit_order(uow, order=order)


def _order_of(digest: str, row_no: int, row: dict[str, str]) -> SubmitOrder:
    item = {name: row[name] for name in ITEM_COLUMNS if row.get(name)}
    if row.get("account_id"):
        item["account_id"] = row["account_id"]
    accesses = [{"access_kind": kind, "access_key": row[kind]} for kind in ACCESS_COLUMNS if row.get(kind)]
    document = {name: row[name] for name in ORDER_COLUMNS if row.get(name)}
    try:
        return SubmitOrder.model_validate({
            **document, "order_id": derived_id("order.batch", digest, str(row_no), "order"), "channel": "file",
            "items": [{**item, "accesses": accesses}],
        })  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][-1]) if first["loc"] else "-"
        raise InputNotValid(field=name, reason={"zh": first["msg"], "en": first["msg"]}) from None
