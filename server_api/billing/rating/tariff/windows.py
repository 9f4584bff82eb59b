"""The windows of a tariff: parts of the day by weekday and holiday, each moment in exactly one of them."""

from __future__ import annotations

from typing import Any

from server_api.billing.rating.tariff.model import ALL_DAYS, DAY_S, HOLIDAY, WHOLE_DAY, Window
from server_api.billing.rating.tariff.reader import Reader

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS = {"weekdays": 31, "weekend": 96, "holiday": HOLIDAY, "holidays": HOLIDAY}
#: A window that takes whatever time no other takes.
REST = "rest"
Span = tuple[int, int, int]


def read_windows(reader: Reader, table: Any, calendar: str) -> tuple[Window, ...]:
    """The windows of a tariff in the order of the day; with a calendar its holidays are a kind of day of their own."""
    every_day = ALL_DAYS | (HOLIDAY if calendar else 0)
    if not isinstance(table, dict):
        reader.wrong("", "windows", "list")
        table = {}
    spans: dict[str, list[Span]] = {}
    rest: list[str] = []
    for code, value in table.items():
        name = reader.code(str(code), "windows", code)
        spans[name] = []
        for span in value if isinstance(value, list) else [value]:
            if span == REST:
                rest.append(name)
            elif isinstance(span, dict):
                spans[name] += _spans(reader, name, span, every_day)
            else:
                reader.wrong(name, "windows", "list")
    if not spans:
        if calendar:
            reader.wrong("", "windows", "calendar_without_holiday")
        return (Window(WHOLE_DAY, 0, DAY_S, every_day),)
    if len(rest) > 1:
        reader.wrong(rest[1], "windows", "double", REST)
    if calendar and not any(days != every_day and days & HOLIDAY for some in spans.values() for _f, _u, days in some):
        reader.wrong("", "windows", "calendar_without_holiday")
    uncovered = _uncovered(reader, spans, every_day, bool(rest))
    for name in rest[:1]:
        spans[name] += uncovered
    found = [Window(code, begin, end, days) for code, some in spans.items() for begin, end, days in some]
    return tuple(sorted(found, key=lambda window: (window.from_s, window.until_s, window.days)))


def _spans(reader: Reader, name: str, table: dict[str, Any], every_day: int) -> list[Span]:
    """A span of the day; one that ends before it begins goes on after midnight, on all days alike."""
    reader.known(name, table, {"from", "until", "days"})
    days = _days(reader, name, table["days"], every_day) if "days" in table else every_day
    begin = reader.clock(name, "from", table.get("from", "00:00"))
    end = reader.clock(name, "until", table.get("until", "24:00"))
    if begin < end:
        return [(begin, end, days)]
    if days != every_day:
        reader.wrong(name, "until", "over_midnight")
    return [(begin, DAY_S, days), (0, end, days)] if end else [(begin, DAY_S, days)]


def _days(reader: Reader, name: str, value: Any, every_day: int) -> int:
    days = 0
    for word in reader.listed(name, "days", value):
        first, dash, last = str(word).partition("-")
        if word in _GROUPS:
            days |= _GROUPS[word]
        elif first in _DAYS and (last in _DAYS if dash else True):
            at, end = _DAYS.index(first), _DAYS.index(last or first)
            for bit in range(at, end + 1 if end >= at else end + 8):
                days |= 1 << bit % 7
        else:
            reader.wrong(name, "days", "weekday", word)
    if days & ~every_day:
        reader.wrong(name, "days", "holiday_without_calendar")
    return days & every_day


def _uncovered(reader: Reader, spans: dict[str, list[Span]], every_day: int, wanted: bool) -> list[Span]:
    """The time no window takes, kinds of days with the same gaps together; overlaps and unwanted gaps are problems."""
    gaps: dict[tuple[int, int], int] = {}
    for bit in range(8):
        if not every_day >> bit & 1:
            continue
        at = 0
        for begin, end in sorted((b, e) for some in spans.values() for b, e, days in some if days >> bit & 1):
            if begin < at or (begin > at and not wanted):
                reader.wrong("", "windows", "windows_cover", (*_DAYS, "holiday")[bit])
                return []
            if begin > at:
                gaps[at, begin] = gaps.get((at, begin), 0) | 1 << bit
            at = end
        if at < DAY_S:
            if not wanted:
                reader.wrong("", "windows", "windows_cover", (*_DAYS, "holiday")[bit])
                return []
            gaps[at, DAY_S] = gaps.get((at, DAY_S), 0) | 1 << bit
    return [(begin, end, days) for (begin, end), days in sorted(gaps.items())]


def day_words(days: int) -> str:
    """A mask of days in the words of the format."""
    names = [name for bit, name in enumerate(_DAYS) if days >> bit & 1]
    return ",".join([*names, *(["holiday"] if days & HOLIDAY else [])])
