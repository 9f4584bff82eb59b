"""Tariffs from YAML documents. All problems of a document are found in one go; the first is named, the rest counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from server_api.billing.rating.tariff.allowance import read_included, read_period_cap
from server_api.billing.rating.tariff.choice import Choice, NotClear
from server_api.billing.rating.tariff.model import Quantity, Row, Tariff
from server_api.billing.rating.tariff.reader import Problem, Reader, all_in_words, in_words
from server_api.billing.rating.tariff.rows import read_row
from server_api.billing.rating.tariff.windows import read_windows
from shared_models.values.faults.rating import TariffNotValid

_FIELDS = {
    "tariff", "name", "effective_from", "quantity", "source", "calendar", "windows", "rows", "included", "period_caps",
    "deck_versions",
}  # fmt: skip
MOST_ROWS = 999


def read_tariffs(path: Path) -> list[Tariff]:
    """Read a file of YAML documents, a tariff each. Raises TariffNotValid naming the first problem of all."""
    try:
        documents = list(yaml.load_all(path.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        words = in_words("yaml", str(getattr(error, "problem", error))[:60])
        raise TariffNotValid(
            file=path.name, row=str(mark.line + 1) if mark else "-", field="-", problem=words, others=0
        ) from error
    found: list[Tariff] = []
    for document in documents:
        tariff, problems = tariff_of(document)
        if problems:
            first = problems[0]
            raise TariffNotValid(
                file=path.name,
                row=first.row or "-",
                field=first.field,
                problem=all_in_words(problems, lambda one: one.row or "-"),
                others=len(problems) - 1,
            )
        found.append(tariff)
    return found


def tariff_of(document: Any) -> tuple[Tariff, list[Problem]]:
    """A tariff from its document (text values as YAML or JSON gives them), with everything that is wrong with it."""
    reader = Reader()
    if not isinstance(document, dict):
        document = {}
    reader.known("", document, _FIELDS)
    try:
        reader.quantity = Quantity(document.get("quantity", "seconds"))
    except ValueError:
        reader.wrong("", "quantity", "quantity", document.get("quantity"))
    calendar = reader.code("", "calendar", document["calendar"]) if "calendar" in document else ""
    windows = read_windows(reader, document.get("windows") or {}, calendar)
    rows = tuple(read_row(reader, table, windows) for table in _tables(reader, document, "rows"))
    if not rows:
        reader.wrong("", "rows", "missing")
    codes = [row.code for row in rows]
    names = document.get("name") or {}
    decks = document.get("deck_versions") or {}
    tariff = Tariff(
        code=reader.code("", "tariff", document.get("tariff")),
        effective_on=reader.day("effective_from", document.get("effective_from")),
        quantity=reader.quantity,
        rows=rows,
        windows=windows,
        included=tuple(read_included(reader, table, codes) for table in _tables(reader, document, "included")),
        period_caps=tuple(read_period_cap(reader, table, codes) for table in _tables(reader, document, "period_caps")),
        names=names if isinstance(names, dict) else {"zh_CN": str(names), "en": str(names)},
        source=str(document.get("source", "")),
        calendar=calendar,
        deck_versions={str(code): reader.number("", "deck_versions", number) for code, number in decks.items()}
        if isinstance(decks, dict)
        else {},
    )
    _no_doubles(reader, rows)
    if not reader.problems:
        _one_row_wins(reader, tariff)
    return tariff, reader.problems


def _tables(reader: Reader, document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name) or []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        reader.wrong("", name, "list")
        return []
    if len(found) > MOST_ROWS:
        reader.wrong("", name, "too_many_rows", len(found))
    return found[:MOST_ROWS]


def _no_doubles(reader: Reader, rows: tuple[Row, ...]) -> None:
    codes: set[str] = set()
    for row in rows:
        if row.code in codes:
            reader.wrong(row.code, "row", "double", row.code)
        codes.add(row.code)


def _one_row_wins(reader: Reader, tariff: Tariff) -> None:
    """For every situation one row is the narrowest; two that are equally narrow would leave the price to chance."""
    try:
        Choice(tariff).check()
    except NotClear as unclear:
        field = unclear.field
        if unclear.others is None:
            reader.wrong("", "rows", "too_many_conditions", unclear.situation)
        elif field in ("zones", "prefixes", "deck"):
            reader.wrong(unclear.row, field, "double", f"{unclear.situation} ({unclear.others})")
        else:
            reader.wrong(unclear.row, field, "not_clear", f"{unclear.others}; {unclear.situation}")
