"""Tariffs from an Excel workbook: a sheet of rows as a price list is usually kept, errors by sheet row.

Columns: tariff, effective_from, quantity, name_zh, name_en, source (on the first row of each tariff, or on all), row,
zones, item, first, first_price, step, price, per, connect, minimum, cap, and ``price:<window>`` or
``first_price:<window>`` for each window. An optional sheet ``windows`` has tariff, window, from, until, days; an
optional sheet ``included`` has tariff, code, rows, quantity, counted_in. A number cell is read as it is shown, with at
most six decimals; whatever needs more is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.read import tariff_of
from server_api.billing.rating.tariff.reader import Problem, all_in_words, in_words
from shared_models.values.faults.rating import TariffNotValid

_ROW = (
    "row", "zones", "prefixes", "deck", "from", "in_trunk", "out_trunk", "call_type", "priority", "item", "first",
    "first_price", "step", "price", "per", "flat", "connect", "minimum", "cap", "surcharge", "discount",
)  # fmt: skip


def read_workbook(path: Path) -> list[Tariff]:
    """Read all tariffs of a workbook. Raises TariffNotValid naming the first problem of all."""
    from openpyxl import load_workbook  # a fifth of a second that no server should start with

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a zip that is none, XML that is none: openpyxl lets its libraries' errors through
        raise _wrong(path, "-", "-", "workbook", type(error).__name__) from error
    documents: dict[str, dict[str, Any]] = {}
    lines: dict[tuple[str, str], int] = {}
    first = book.sheetnames[0]
    for number, cells in _table(path, book[first]):
        document = documents.setdefault(cells.get("tariff", ""), {"tariff": cells.get("tariff"), "rows": []})
        for name in ("effective_from", "quantity", "source", "calendar"):
            if name in cells:
                document[name] = cells[name]
        names = {
            language: cells[column] for language, column in (("zh_CN", "name_zh"), ("en", "name_en")) if column in cells
        }
        if names:
            document["name"] = names
        document["rows"].append(_row(cells))
        lines.setdefault((cells.get("tariff", ""), cells.get("row", "?")), number)
    if "windows" in book.sheetnames:
        for _number, cells in _table(path, book["windows"]):
            windows = documents.get(cells.pop("tariff", ""), {}).setdefault("windows", {})
            windows.setdefault(cells.pop("window", "?"), []).append(cells)
    if "included" in book.sheetnames:
        for _number, cells in _table(path, book["included"]):
            documents.get(cells.pop("tariff", ""), {}).setdefault("included", []).append(cells)
    book.close()
    return [_checked(path, document, lines) for document in documents.values()]


def _checked(path: Path, document: dict[str, Any], lines: dict[tuple[str, str], int]) -> Tariff:
    tariff, problems = tariff_of(document)
    if problems:
        one = problems[0]
        line = lines.get((str(document.get("tariff")), one.row))
        where = f"{line} ({one.row})" if line else one.row or "-"

        def place(other: Problem) -> str:
            found = lines.get((str(document.get("tariff")), other.row))
            return f"{found} ({other.row})" if found else other.row or "-"

        raise TariffNotValid(
            file=path.name,
            row=where,
            field=one.field,
            problem=all_in_words(problems, place),
            others=len(problems) - 1,
        )
    return tariff


def _row(cells: dict[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {name: cells[name] for name in _ROW if name in cells}
    for name in ("price", "first_price", "flat", "step"):
        by_window = {key.partition(":")[2]: value for key, value in cells.items() if key.startswith(f"{name}:")}
        if by_window:
            row[name] = by_window
    return row


def _table(path: Path, sheet: Any) -> Iterator[tuple[int, dict[str, str]]]:
    """The filled cells of each row by their heading, all as text; rows without any are skipped."""
    headings: list[str] = []
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number == 1:
            headings = [str(value).strip() if value is not None else "" for value in values]
            continue
        cells = {}
        for heading, value in zip(headings, values, strict=False):
            if heading and value is not None and str(value).strip():
                cells[heading] = _text(path, number, heading, value)
        if cells:
            yield number, cells


def _text(path: Path, number: int, heading: str, value: Any) -> str:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or (not isinstance(value, (str, int)) and not _short(value)):
        raise _wrong(path, str(number), heading, "price_too_fine", str(value))
    return str(value).strip()


def _short(value: Any) -> bool:
    """True for a number that is written with at most six decimals: what a person typed into a number cell."""
    decimals = str(value).partition(".")[2]
    return decimals.isdigit() and len(decimals) <= 6


def _wrong(path: Path, row: str, field: str, problem: str, value: str) -> TariffNotValid:
    return TariffNotValid(file=path.name, row=row, field=field, problem=in_words(problem, value[:60]), others=0)
