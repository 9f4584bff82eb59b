"""Tariffs from YAML: every value is read as the text it is, so that 0.07 never becomes a binary fraction.

All problems of a file are found in one go; each names the row, the field and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

import resources
from server_api.billing.rating.tariff.model import (
    ALL_DAYS,
    DAY_S,
    WHOLE_DAY,
    Included,
    Quantity,
    Row,
    Tariff,
    Window,
)
from shared_models.values.faults.base import Fault
from shared_models.values.faults.rating import TariffNotValid
from shared_models.values.money import MicroYuan

_UNITS = {
    Quantity.SECONDS: {"": 1, "s": 1, "sec": 1, "min": 60, "h": 3_600, "秒": 1, "分钟": 60, "小时": 3_600},
    Quantity.OCTETS: {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30},
    Quantity.SESSIONS: {"": 1},
}
_SIZE = re.compile(r"(\d{1,15})\s*([A-Za-z秒分钟小时]*)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
_DAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_ROW_FIELDS = {"row", "zones", "item", "step", "price", "per", "first", "first_price", "connect", "minimum", "cap"}
_FIELDS = {"tariff", "name", "effective_from", "quantity", "source", "windows", "rows", "included"}
MOST_ROWS = 999


@dataclass(frozen=True)
class Problem:
    """What is wrong and where. ``problem`` is a text key under ``ui.tariff_problem``."""

    row: str
    field: str
    problem: str
    value: str = ""


class _Reader:
    """Reads one document and collects its problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.quantity = Quantity.SECONDS

    def wrong(self, row: str, field: str, problem: str, value: object = "") -> None:
        self.problems.append(Problem(row, field, problem, str(value)[:60]))

    def code(self, row: str, field: str, value: Any) -> str:
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            self.wrong(row, field, "code", value)
            return "?"
        return value

    def size(self, row: str, field: str, value: Any, *, least: int = 1) -> int:
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        unit = _UNITS[self.quantity].get(match[2]) if match else None
        if match is None or unit is None or not least <= int(match[1]) * unit < 2**53:
            self.wrong(row, field, "size", value)
            return max(least, 1)
        return int(match[1]) * unit

    def price(self, row: str, field: str, value: Any) -> int:
        try:
            amount = MicroYuan.parse(value).amount_micro_yuan
        except (Fault, AttributeError) as error:
            self.wrong(
                row, field, "price_too_fine" if getattr(error, "code", "") == "price_too_fine" else "price", value
            )
            return 0
        if amount < 0:
            self.wrong(row, field, "price", value)
        return max(amount, 0)

    def day(self, field: str, value: Any) -> date:
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.wrong("", field, "day", value)
            return date(2000, 1, 1)

    def clock(self, row: str, field: str, value: Any) -> int:
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0) if match else DAY_S + 1
        if seconds > DAY_S:
            self.wrong(row, field, "clock", value)
            return 0
        return seconds

    def listed(self, row: str, field: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        if isinstance(value, str) and value:
            return [part.strip() for part in value.split(",")]
        self.wrong(row, field, "missing")
        return []

    def known(self, row: str, table: Mapping[str, Any], fields: set[str]) -> None:
        for name in table:
            if name not in fields:
                self.wrong(row, str(name), "unknown_field", ", ".join(sorted(fields)))


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
                problem=in_words(first.problem, first.value),
                others=len(problems) - 1,
            )
        found.append(tariff)
    return found


def in_words(problem: str, value: str) -> dict[str, str]:
    """A problem in both languages."""
    return {
        short: resources.text(f"ui.tariff_problem.{problem}", language, value=value)
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }


def tariff_of(document: Any) -> tuple[Tariff, list[Problem]]:
    """A tariff from its document (text values as YAML or JSON gives them), with everything that is wrong with it."""
    reader = _Reader()
    if not isinstance(document, dict):
        document = {}
    reader.known("", document, _FIELDS)
    try:
        reader.quantity = Quantity(document.get("quantity", "seconds"))
    except ValueError:
        reader.wrong("", "quantity", "quantity", document.get("quantity"))
    windows = _windows(reader, document.get("windows") or {})
    rows = tuple(_row(reader, table, windows) for table in _tables(reader, document, "rows"))
    if not rows:
        reader.wrong("", "rows", "missing")
    _no_doubles(reader, rows)
    names = document.get("name") or {}
    tariff = Tariff(
        code=reader.code("", "tariff", document.get("tariff")),
        effective_on=reader.day("effective_from", document.get("effective_from")),
        quantity=reader.quantity,
        rows=rows,
        windows=windows,
        included=tuple(_included(reader, table, rows) for table in _tables(reader, document, "included")),
        names=names if isinstance(names, dict) else {"zh_CN": str(names), "en": str(names)},
        source=str(document.get("source", "")),
    )
    return tariff, reader.problems


def _tables(reader: _Reader, document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name) or []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        reader.wrong("", name, "list")
        return []
    if len(found) > MOST_ROWS:
        reader.wrong("", name, "too_many_rows", len(found))
    return found[:MOST_ROWS]


def _windows(reader: _Reader, table: Any) -> tuple[Window, ...]:
    if not isinstance(table, dict):
        reader.wrong("", "windows", "list")
        table = {}
    found: list[Window] = []
    for code, spans in table.items():
        for span in spans if isinstance(spans, list) else [spans]:
            if not isinstance(span, dict):
                reader.wrong(str(code), "windows", "list")
                continue
            days = 0
            for name in reader.listed(str(code), "days", span.get("days", "mon,tue,wed,thu,fri,sat,sun")):
                if name not in _DAYS:
                    reader.wrong(str(code), "days", "weekday", name)
                days |= 1 << _DAYS.get(name, 0)
            found.append(
                Window(
                    reader.code(str(code), "windows", code),
                    reader.clock(str(code), "from", span.get("from")),
                    reader.clock(str(code), "until", span.get("until")),
                    days,
                )
            )
    if not found:
        return (Window(WHOLE_DAY, 0, DAY_S, ALL_DAYS),)
    for bit in range(7):
        at = 0
        for window in sorted((w for w in found if w.days >> bit & 1), key=lambda w: w.from_s):
            if window.from_s != at or window.until_s <= window.from_s:
                break
            at = window.until_s
        else:
            if at == DAY_S:
                continue
        reader.wrong("", "windows", "windows_cover", list(_DAYS)[bit])
        break
    return tuple(found)


def _row(reader: _Reader, table: dict[str, Any], windows: tuple[Window, ...]) -> Row:
    name = str(table.get("row", "?"))
    reader.known(name, table, _ROW_FIELDS)
    step = reader.size(name, "step", table.get("step"))
    first = reader.size(name, "first", table["first"]) if "first" in table else 0
    if first and "first_price" not in table:
        reader.wrong(name, "first_price", "missing")
    return Row(
        code=reader.code(name, "row", table.get("row")),
        zones=tuple(
            reader.code(name, "zones", zone) if zone != "*" else "*"
            for zone in reader.listed(name, "zones", table.get("zones"))
        ),
        item_code=reader.code(name, "item", table.get("item")),
        step=step,
        per=reader.size(name, "per", table["per"]) if "per" in table else step,
        prices_micro_yuan=_prices(reader, name, "price", table.get("price"), windows),
        first=first,
        first_prices_micro_yuan=_prices(reader, name, "first_price", table.get("first_price"), windows)
        if first
        else {},
        connect_micro_yuan=reader.price(name, "connect", table["connect"]) if "connect" in table else 0,
        minimum_micro_yuan=reader.price(name, "minimum", table["minimum"]) if "minimum" in table else 0,
        cap_micro_yuan=reader.price(name, "cap", table["cap"]) if "cap" in table else None,
    )


def _prices(reader: _Reader, row: str, field: str, value: Any, windows: tuple[Window, ...]) -> dict[str, int]:
    """One price for all windows, or one for each of them."""
    codes = list(dict.fromkeys(window.code for window in windows))
    if not isinstance(value, dict):
        amount = reader.price(row, field, value)
        return dict.fromkeys(codes, amount)
    for code in value:
        if code not in codes:
            reader.wrong(row, field, "window", code)
    missing = [code for code in codes if code not in value]
    if missing:
        reader.wrong(row, field, "window_price", ", ".join(missing))
    return {code: reader.price(row, field, value.get(code, "0")) for code in codes}


def _included(reader: _Reader, table: dict[str, Any], rows: tuple[Row, ...]) -> Included:
    name = str(table.get("code", "?"))
    reader.known(name, table, {"code", "rows", "quantity", "counted_in"})
    codes = [row.code for row in rows]
    named = reader.listed(name, "rows", table.get("rows"))
    for code in named:
        if code not in codes:
            reader.wrong(name, "rows", "row", code)
    quantity = reader.size(name, "quantity", table.get("quantity"))
    counted_in = reader.size(name, "counted_in", table.get("counted_in", "1"))
    if quantity % counted_in:
        reader.wrong(name, "counted_in", "counted_in", counted_in)
    return Included(reader.code(name, "code", table.get("code")), tuple(named), quantity, counted_in)


def _no_doubles(reader: _Reader, rows: tuple[Row, ...]) -> None:
    codes: set[str] = set()
    zones: dict[str, str] = {}
    for row in rows:
        if row.code in codes:
            reader.wrong(row.code, "row", "double", row.code)
        codes.add(row.code)
        for zone in row.zones:
            if zone in zones:
                reader.wrong(row.code, "zones", "double", f"{zone} ({zones[zone]})")
            zones[zone] = row.code
