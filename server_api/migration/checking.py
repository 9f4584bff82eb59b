"""What must be right before a record is taken over: keys, references, documents, numbers. Bad rows are set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from server_api.business.party.service import area_code
from server_api.business.resource.rules import compact_access
from server_api.migration.mapping import KINDS
from server_api.migration.reading import OldFiles
from server_api.migration.rules import BillRecord, CustomerRecord, ProductRecord, digest_of_record
from server_api.platform.tabular import row_error
from shared_models.values.ids import derived_id
from shared_models.values.numbers import ResidentId


class Wrong(Exception):
    """Why a record is set aside: the field as we call it, the code, and what the words need."""

    def __init__(self, field: str, code: str, **params: object) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.params = params


class World:
    """What the records are checked against: halls, offerings, bundles, bill items, numbers in use."""

    def __init__(
        self, halls: Mapping[str, str], offerings: set[str], bundles: Mapping[str, set[str]], items: set[str],
        taken: dict[str, str], digests: Mapping[str, Mapping[str, str]],
    ) -> None:  # fmt: skip
        self.halls = halls
        self.offerings = offerings
        self.bundles = bundles
        self.items = items
        self.taken = taken
        #: what records taken over before said, by kind and old key
        self.digests = digests


def check(files: OldFiles, world: World) -> None:
    """Set aside every record that cannot be taken; what hangs on it goes with it, each with its own error."""
    good: dict[str, set[str]] = {kind: set(world.digests.get(kind, ())) for kind in KINDS}
    checks: dict[str, Callable[[OldFiles, World, Any, dict[str, set[str]]], None]] = {
        "customer": _check_customer, "account": _check_account, "product": _check_product, "balance": _check_balance,
        "bill": _check_bill,
    }  # fmt: skip
    for kind in KINDS:
        records = files.records[kind]
        if kind == "customer":  # a member names its group: groups are looked at first
            records.sort(key=lambda one: (one.customer_class != "group", one.source.row_no))
        kept, seen = [], set()
        for record in records:
            try:
                if kind != "bill" and record.old_key in seen:
                    raise Wrong("old_key", "key_twice", value=record.old_key)
                checks[kind](files, world, record, good)
            except Wrong as wrong:
                _set_aside(files, kind, record, wrong)
                continue
            before = world.digests.get(kind, {}).get(record.old_key)
            if before is not None and before != digest_of_record(record):
                _complain(files, kind, record, Wrong("old_key", "changed_since", value=record.old_key))
            seen.add(record.old_key)
            good[kind].add(record.old_key)
            kept.append(record)
        files.records[kind] = kept


def _set_aside(files: OldFiles, kind: str, record: Any, wrong: Wrong) -> None:
    files.lost[kind].add(record.old_key)
    _complain(files, kind, record, wrong)


def _complain(files: OldFiles, kind: str, record: Any, wrong: Wrong) -> None:
    heading = files.mapping.kinds[kind].columns.get(wrong.field, wrong.field)
    files.errors.append(row_error(record.source.file, record.source.row_no, heading, wrong.code, **wrong.params))


def _need_parent(files: OldFiles, good: set[str], kind: str, field: str, key: str) -> None:
    if key in good:
        return
    raise Wrong(field, "parent_set_aside" if key in files.lost[kind] else "parent_unknown", value=key)


def _check_customer(files: OldFiles, world: World, record: CustomerRecord, good: dict[str, set[str]]) -> None:
    if record.document_no and record.document_kind == "resident_id" and not ResidentId.is_valid(record.document_no):
        raise Wrong("document_no", "document_not_valid")
    if record.hall not in world.halls:
        raise Wrong("hall", "code_unknown", value=record.hall or "-")
    if record.group_key:
        _need_parent(files, good["customer"], "customer", "group_key", record.group_key)


def _check_account(files: OldFiles, world: World, record: Any, good: dict[str, set[str]]) -> None:
    _need_parent(files, good["customer"], "customer", "customer_key", record.customer_key)


def _check_product(files: OldFiles, world: World, record: ProductRecord, good: dict[str, set[str]]) -> None:
    _need_parent(files, good["customer"], "customer", "customer_key", record.customer_key)
    _need_parent(files, good["account"], "account", "account_key", record.account_key)
    if record.offering not in world.offerings:
        raise Wrong("offering", "code_unknown", value=record.offering)
    if record.bundle and record.offering not in world.bundles.get(record.bundle, ()):
        raise Wrong("bundle", "code_unknown", value=f"{record.bundle}/{record.offering}")
    if not record.access:
        return
    try:
        key = compact_access(files.mapping.access_kind, record.access, area_code())
    except ValueError:
        raise Wrong("access", "number_not_valid", value=record.access) from None
    product_id = derived_id("product", files.mapping.system, record.old_key)
    if world.taken.setdefault(key, product_id) != product_id:
        raise Wrong("access", "number_taken", value=record.access)


def _check_balance(files: OldFiles, world: World, record: Any, good: dict[str, set[str]]) -> None:
    _need_parent(files, good["account"], "account", "account_key", record.account_key)
    if record.amount.amount_fen < 0:
        raise Wrong("amount", "balance_below_zero", value=str(record.amount))


def _check_bill(files: OldFiles, world: World, record: BillRecord, good: dict[str, set[str]]) -> None:
    _need_parent(files, good["account"], "account", "account_key", record.account_key)
    if record.amount.amount_fen <= 0:
        raise Wrong("amount", "bill_not_above_zero", value=str(record.amount))
    if record.item not in world.items:
        raise Wrong("item", "code_unknown", value=record.item)
