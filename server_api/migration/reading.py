"""Reading old files into records: every cell converted, every bad row set aside with file, row, field and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from server_api.migration.mapping import KINDS, SystemMapping
from server_api.migration.rules import (
    AccountRecord,
    BalanceRecord,
    BillRecord,
    CustomerRecord,
    ProductRecord,
    Record,
    Source,
)
from server_api.platform.tabular import Row, TableNotReadable, read_table, row_error
from shared_models.contracts.catalog import RowError
from shared_models.values.faults.base import Fault
from shared_models.values.money import Fen

_CLASSES: dict[str, type[Any]] = {
    "customer": CustomerRecord, "account": AccountRecord, "product": ProductRecord, "balance": BalanceRecord,
    "bill": BillRecord,
}  # fmt: skip
_REQUIRED = {
    "customer": ("old_key", "name"), "account": ("old_key", "customer_key"),
    "product": ("old_key", "customer_key", "account_key", "offering", "installed_on"),
    "balance": ("account_key", "amount"), "bill": ("account_key", "month", "item", "amount"),
}  # fmt: skip
_LENGTHS = {
    "old_key": 60, "customer_key": 60, "account_key": 60, "group_key": 60, "bundle_key": 60, "name": 120,
    "address": 200, "phone": 60, "document_no": 40, "tax_no": 40, "access": 64, "label": 80, "shown_as": 60,
}  # fmt: skip
_DATES = ("since_on", "opened_on", "installed_on", "state_since_on")
_DATE_FORMS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d %H:%M:%S", "%Y年%m月%d日")
_MONTH = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])")


@dataclass
class OldFiles:
    """What was read of one system: good records by kind, and what was set aside."""

    mapping: SystemMapping
    records: dict[str, list[Any]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    errors: list[RowError] = field(default_factory=list)
    rows_read: int = 0
    #: old keys of rows set aside, by kind: what hangs on them is set aside too
    lost: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})


class _CellWrong(Exception):
    """A cell that cannot be taken, with the code of its error."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def read_system(mapping: SystemMapping, folder: Path) -> OldFiles:
    """Read every file of a system."""
    found = OldFiles(mapping)
    for kind in KINDS:
        if kind in mapping.kinds:
            _read_kind(found, kind, folder)
    return found


def read_bills(mapping: SystemMapping, folder: Path) -> OldFiles:
    """Read a system's bill file alone, as it is brought for a parallel run."""
    found = OldFiles(mapping)
    if "bill" in mapping.kinds:
        _read_kind(found, "bill", folder)
    return found


def _read_kind(found: OldFiles, kind: str, folder: Path) -> None:
    file = found.mapping.file_of(kind, folder)
    if file is None:
        if kind in ("customer", "account", "product"):
            found.errors.append(row_error(found.mapping.kinds[kind].file, 0, "", "file_missing"))
        return
    columns = found.mapping.kinds[kind].columns
    first = True
    try:
        for row in read_table(file):
            if first:
                missing = [heading for heading in columns.values() if heading not in row.cells]
                found.errors += [row_error(file.name, 1, heading, "column_missing") for heading in missing]
                if missing:
                    return
                first = False
            found.rows_read += 1
            record, errors = _record(found.mapping, kind, file.name, row)
            found.errors += errors
            if record is None:
                found.lost[kind].add(row.text(columns.get("old_key", columns.get("account_key", ""))))
            else:
                found.records[kind].append(record)
    except TableNotReadable as error:
        found.errors.append(row_error(file.name, 0, "", "file_not_readable", reason=str(error)))


def _record(mapping: SystemMapping, kind: str, file: str, row: Row) -> tuple[Record | None, list[RowError]]:
    errors: list[RowError] = []
    values: dict[str, Any] = {}
    headings = mapping.kinds[kind].columns
    for name, heading in headings.items():
        text = row.text(heading)
        try:
            if text == "":
                if name in _REQUIRED[kind]:
                    raise _CellWrong("field_missing")
                continue
            values[name] = _value(mapping, name, text)
        except _CellWrong as wrong:
            errors.append(row_error(file, row.row_no, heading, wrong.code, **wrong.params))
    if errors:
        return None, errors
    fixed = {name: _value(mapping, name, text) for name, text in mapping.kinds[kind].fixed.items()}
    return _CLASSES[kind](source=Source(file, row.row_no), **{**fixed, **values}), []


def _value(mapping: SystemMapping, name: str, text: str) -> Any:
    if name in mapping.codes:
        if text not in mapping.codes[name]:
            raise _CellWrong("code_not_mapped", value=text[:40])
        return mapping.codes[name][text]
    if name in _DATES:
        return _date(text)
    if name == "amount":
        return _amount(text, mapping.amounts_in)
    if name == "call_count":
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise _CellWrong("field_not_valid", reason=text[:40])
        return int(text)
    if name == "month":
        digits = text.replace("-", "").replace("/", "")
        if not _MONTH.fullmatch(digits):
            raise _CellWrong("month_not_valid", value=text[:40])
        return int(digits)
    if len(text) > _LENGTHS.get(name, 60):
        raise _CellWrong("field_too_long", most=_LENGTHS.get(name, 60))
    return text


def _date(text: str) -> date:
    for form in _DATE_FORMS:
        try:
            # Old files hold calendar days of the town, without a zone.
            on = datetime.strptime(text, form).date()  # noqa: DTZ007
        except ValueError:
            continue
        if 1949 <= on.year <= 2100:
            return on
    raise _CellWrong("date_not_valid", value=text[:40])


def _amount(text: str, unit: str) -> Fen:
    try:
        if unit == "fen":
            return Fen(int(text)) if len(text) <= 14 else Fen.parse(text)
        return Fen.parse(text)
    except (ValueError, Fault):
        raise _CellWrong("amount_not_valid", value=text[:40]) from None


def doubled(records: list[Any], kind: str) -> Iterator[tuple[Any, RowError]]:
    """Records whose old key came before in the same file."""
    seen: set[str] = set()
    for one in records:
        if one.old_key in seen:
            yield one, row_error(one.source.file, one.source.row_no, kind, "key_twice", value=one.old_key)
        seen.add(one.old_key)
