"""Reading the values of a tariff: every value is the text it is, so that 0.07 never becomes a binary fraction.

Problems are collected; each names the row, the field and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import resources
from server_api.billing.rating.tariff.model import ABROAD, ANY_ZONE, DAY_S, WHOLE_PPM, Quantity
from server_api.billing.rating.zones import INLAND, town_zones
from shared_models.values.faults.base import Fault
from shared_models.values.money import MicroYuan

_UNITS = {
    Quantity.SECONDS: {"": 1, "s": 1, "sec": 1, "min": 60, "h": 3_600, "秒": 1, "分钟": 60, "小时": 3_600},
    Quantity.OCTETS: {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30},
    Quantity.SESSIONS: {"": 1},
}
_SIZE = re.compile(r"(\d{1,15})\s*([A-Za-z秒分钟小时]*)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
_PERCENT = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?\s*%")
_PREFIX = re.compile(r"(?:\+|00)?([1-9]\d{0,14})")
_NUMBER = re.compile(r"\d{1,9}")
#: Problems of one tariff that are listed.
MOST_LISTED = 50


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """The zones a call can go to, as the town's prefixes name them."""
    return INLAND | frozenset(town_zones().values())


@dataclass(frozen=True)
class Problem:
    """What is wrong and where. ``problem`` is a text key under ``ui.tariff_problem``."""

    row: str
    field: str
    problem: str
    value: str = ""


def in_words(problem: str, value: str) -> dict[str, str]:
    """A problem in both languages."""
    return {
        short: resources.text(f"ui.tariff_problem.{problem}", language, value=value)
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }


def all_in_words(problems: Sequence[Problem], where: Callable[[Problem], str]) -> dict[str, str]:
    """The first problem, and below it every other with its place, a line each."""
    words = in_words(problems[0].problem, problems[0].value)
    for one in problems[1:MOST_LISTED]:
        more = in_words(one.problem, one.value)
        words = {short: f"{text}\n  {where(one)}, {one.field}: {more[short]}" for short, text in words.items()}
    return words


class Reader:
    """Reads one document and collects its problems."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.quantity = Quantity.SECONDS

    def wrong(self, row: str, field: str, problem: str, value: object = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(row, field, problem, str(value)[:80]))

    def code(self, row: str, field: str, value: Any) -> str:
        """A code of letters, digits, dot, dash and underscore."""
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            self.wrong(row, field, "code", value)
            return "?"
        return value

    def zone(self, row: str, field: str, value: Any) -> str:
        """A zone's code, or ``*``."""
        if value in (ANY_ZONE, ABROAD):
            return str(value)
        code = self.code(row, field, value)
        if code != "?" and code not in known_zones():
            self.wrong(row, field, "zone", value)
        return code

    def size(self, row: str, field: str, value: Any, *, least: int = 1, quantity: Quantity | None = None) -> int:
        """A quantity with its unit (``3 min``) in seconds, octets or sessions."""
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        unit = _UNITS[quantity or self.quantity].get(match[2]) if match else None
        if match is None or unit is None or not least <= int(match[1]) * unit < 2**53:
            self.wrong(row, field, "size", value)
            return max(least, 1)
        return int(match[1]) * unit

    def price(self, row: str, field: str, value: Any) -> int:
        """A price in yuan, as micro-yuan."""
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

    def percent(self, row: str, field: str, value: Any) -> int:
        """A percentage (``12.5 %``) in millionths of the whole."""
        match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            self.wrong(row, field, "percent", value)
            return 0
        return int(match[1]) * (WHOLE_PPM // 100) + int((match[2] or "").ljust(4, "0"))

    def number(self, row: str, field: str, value: Any) -> int:
        """A whole number from 0 on."""
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            self.wrong(row, field, "number", value)
            return 0
        return int(value)

    def prefix(self, row: str, field: str, value: Any) -> str:
        """The beginning of a full number: country code and on, with or without ``+`` or ``00`` before it."""
        match = _PREFIX.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.wrong(row, field, "prefix", value)
            return "1"
        return match[1]

    def day(self, field: str, value: Any) -> date:
        """A day like 2026-01-01."""
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.wrong("", field, "day", value)
            return date(2000, 1, 1)

    def clock(self, row: str, field: str, value: Any) -> int:
        """A time of day in seconds from midnight."""
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0) if match else DAY_S + 1
        if seconds > DAY_S:
            self.wrong(row, field, "clock", value)
            return 0
        return seconds

    def listed(self, row: str, field: str, value: Any) -> list[Any]:
        """A list, or text parted by commas."""
        if isinstance(value, list):
            return value
        if isinstance(value, str) and value:
            return [part.strip() for part in value.split(",")]
        self.wrong(row, field, "missing")
        return []

    def known(self, row: str, table: Mapping[str, Any], fields: set[str]) -> None:
        """Note every field that is none of these."""
        for name in table:
            if name not in fields:
                self.wrong(row, str(name), "unknown_field", ", ".join(sorted(fields)))


def zone_level(named: tuple[str, ...], zone: str | None, inland: frozenset[str]) -> int:
    """How narrowly a list of zones names a zone: 3 by its code, 2 as abroad, 1 by ``*``, 0 not at all."""
    if zone is not None and zone in named:
        return 3
    if zone is not None and zone not in inland and ABROAD in named:
        return 2
    return 1 if ANY_ZONE in named else 0
