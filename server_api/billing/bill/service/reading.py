"""Bills as they are read: a list, a whole bill, a line opened down to the calls or charges that made it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection

from server_api.billing.bill.service.adjust import adjustments_of
from server_api.billing.bill.service.document import charge_view, document_of, head_view, line_view
from server_api.billing.bill.store import bills
from server_api.billing.bill.words import rounding_words
from server_api.billing.rating import service as rating
from server_api.platform import audit
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import (
    BillDocument,
    BillPage,
    LineKind,
    LineOpening,
)
from shared_models.contracts.rating import RatedCall
from shared_models.values.faults.common import InputNotValid, NotFound

_HIDDEN_DIGITS = 4
#: A paper with the calls of one line holds so many; more are read page by page.
MOST_CALLS_ON_PAPER = 5000


def bills_of_account(
    conn: Connection,
    account_id: str,
    limit: int,
    cursor: str | None = None,
    today: date | None = None,
) -> BillPage:
    """An account's bills, newest first. Raises InputNotValid for a cursor that is none."""
    rows = bills.bills_of_account(conn, account_id, _before(cursor), limit + 1)
    items = tuple(head_view(row, today) for row in rows[:limit])
    more = len(rows) > limit
    return BillPage(items=items, next_cursor=items[-1].bill_id if more else None)


def _before(cursor: str | None) -> tuple[int, str] | None:
    if not cursor:
        return None
    if len(cursor) != 32 or not cursor[:6].isdecimal():
        raise InputNotValid(field="cursor", reason="not one of ours")
    return int(cursor[:6]), cursor


def read_bill(
    conn: Connection,
    bill_id: str,
    language: str,
    secrets: Secrets,
    today: date | None = None,
) -> BillDocument:
    """A whole bill as issued, with what is open now. Raises NotFound."""
    row = bills.read_bill(conn, bill_id)
    if row is None:
        raise NotFound(what="bill")
    _account_id, adjustments = adjustments_of(conn, bill_id)
    return document_of(row, bills.lines_of(conn, bill_id), language, secrets, today, adjustments)


def find_bill(conn: Connection, which: str) -> str:
    """The id of a bill given by its id or its number (month, account number, which). Raises NotFound."""
    found = which if bills.read_bill(conn, which) is not None else bills.id_by_number(conn, which)
    if found is None:
        raise NotFound(what="bill")
    return found


def account_of_bill(conn: Connection, bill_id: str) -> tuple[str, str]:
    """The account and customer a bill belongs to. Raises NotFound."""
    row = bills.read_bill(conn, bill_id)
    if row is None:
        raise NotFound(what="bill")
    return row.account_id, row.customer_id


def open_line(
    conn: Connection,
    bill_id: str,
    line_no: int,
    limit: int,
    cursor: str | None,
    language: str,
    reveal: bool = False,
    with_calls: bool = True,
) -> LineOpening:
    """What made a line: its charges, or a page of its calls. Other numbers are masked unless ``reveal``.

    Raises NotFound, InputNotValid.
    """
    head, line = bills.read_bill(conn, bill_id), bills.read_line(conn, bill_id, line_no)
    if head is None or line is None:
        raise NotFound(what="bill line")
    calls: tuple[RatedCall, ...] = ()
    next_cursor = None
    if line.kind == LineKind.USAGE and with_calls:
        calls, next_cursor = _calls(conn, head, line, limit, cursor, language, reveal)
    charges = tuple(charge_view(row, language) for row in bills.charges_of_line(conn, bill_id, line_no))
    return LineOpening(
        line=line_view(line, language),
        charges=charges,
        calls=calls,
        next_cursor=next_cursor,
        rounding=rounding_words(line.kind, line.charge_micro_yuan, line.amount_fen, language),
    )


def note_calls_viewed(uow: UnitOfWork, *, bill_id: str, line_no: int, revealed: bool = False) -> None:
    """Leave the line in the audit trail that viewing call details must leave. Raises NotFound."""
    if bills.read_line(uow.conn, bill_id, line_no) is None:
        raise NotFound(what="bill line")
    audit.note(
        uow, "bill.calls_viewed", subject=f"bill:{bill_id}", remark=f"line {line_no}" + (" in full" if revealed else "")
    )


def mask_number(number: str) -> str:
    """A number with four of its last digits hidden but the last one or two: enough to be recognised, not to be called.

    >>> mask_number("13909371234"), mask_number("110")
    ('1390937****', '110')
    """
    if len(number) <= _HIDDEN_DIGITS + 1:
        return number
    return number[:-_HIDDEN_DIGITS] + "*" * _HIDDEN_DIGITS


def _calls(
    conn: Connection,
    head: Any,
    line: Any,
    limit: int,
    cursor: str | None,
    language: str,
    reveal: bool,
) -> tuple[tuple[RatedCall, ...], str | None]:
    items: list[RatedCall] = []
    while True:
        page = rating.calls_of_line(
            conn, head.period, head.account_id, line.product_id, line.item_code,
            cursor=cursor, limit=limit - len(items), language=language,
        )  # fmt: skip
        items += page.items
        cursor = page.next_cursor
        if cursor is None or len(items) >= limit:
            break
    shown = items if reveal else [call.model_copy(update={"peer_no": mask_number(call.peer_no)}) for call in items]
    return tuple(shown), cursor
