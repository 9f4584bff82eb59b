"""Operators, trunk groups and settlement rates: read from a file, checked whole, dated. Pure but for the reading.

A file that would settle one call twice, or name an operator nobody knows, is refused with the place of each mistake.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from server_api.billing.usage.traffic.words import INCOMING, OUTGOING
from shared_models.values.faults.usage import AgreementNotValid
from shared_models.values.money import AmountNotUnderstood, MicroYuan, PriceTooFine

#: Types of call by the names a file uses.
CALL_TYPES = {
    "other": 0,
    "international_transit": 2,
    "local": 3,
    "national": 5,
    "international": 6,
    "national_in": 7,
    "international_in": 8,
    "transit": 9,
}
DIRECTIONS = {"in": INCOMING, "out": OUTGOING}
#: What is counted, by the column of the statistics that has it.
UNITS = {"call": "answered_count", "second": "talked_s", "six_seconds": "six_second_count", "minute": "minute_count"}
PAYS_US, PAY_THEM = "them", "us"
_FOREVER = date(9999, 1, 1)
_LONG_AGO = date(1900, 1, 1)


@dataclass(frozen=True)
class Trunk:
    """A trunk group of an exchange, from when until when it leads to whom. ``operator`` '' is none: our own."""

    switch: str
    number: int
    name: str
    operator: str
    circuits: int
    from_on: date
    until_on: date


@dataclass(frozen=True)
class Rate:
    """What a unit costs: ``price_micro_yuan`` for ``per`` of them. ``payer`` says who owes: them or us."""

    code: str
    operator: str
    direction: int
    call_types: tuple[int, ...]
    unit: str
    price_micro_yuan: int
    per: int
    payer: str
    from_hour: int
    until_hour: int
    from_on: date
    until_on: date

    def holds(self, direction: int, call_type: int, hour: int, on: date) -> bool:
        """True for traffic of this direction and type at that hour of that day."""
        return (
            self.direction == direction
            and call_type in self.call_types
            and self.from_hour <= hour < self.until_hour
            and self.from_on <= on < self.until_on
        )


@dataclass(frozen=True)
class Agreements:
    """Everything traffic is named and settled by."""

    operators: dict[str, str] = field(default_factory=dict)
    trunks: tuple[Trunk, ...] = ()
    rates: tuple[Rate, ...] = ()

    def trunk_of(self, switch: str, number: int, on: date) -> Trunk | None:
        """The trunk group as it was on a day."""
        return next(
            (
                one
                for one in self.trunks
                if (one.switch, one.number) == (switch, number) and one.from_on <= on < one.until_on
            ),
            None,
        )


def read_agreements(text: str, file: str) -> tuple[Agreements, dict[str, Any]]:
    """The agreements of a TOML text, and the document to keep. Raises AgreementNotValid, naming the place."""
    try:
        document: dict[str, Any] = _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AgreementNotValid(file=file, place="TOML", problem=str(error)) from None
    return agreements_of(document, file), document


def agreements_of(document: dict[str, Any], file: str = "") -> Agreements:
    """The agreements of a document as kept. Raises AgreementNotValid."""
    read = _Reader(file)
    operators = {
        read.text(row, place, "code"): read.text(row, place, "name") for row, place in read.rows(document, "operator")
    }
    trunks = tuple(read.trunk(row, place, operators) for row, place in read.rows(document, "trunk"))
    rates = tuple(read.rate(row, place, operators) for row, place in read.rows(document, "rate"))
    for at, one in enumerate(trunks):
        for other in trunks[:at]:
            if (one.switch, one.number) == (other.switch, other.number) and _overlap(one, other):
                read.wrong(f"trunk {at + 1}", f"{one.switch} {one.number} is there twice for the same days")
    for at, rate in enumerate(rates):
        for other_rate in rates[:at]:
            if _both_hold(rate, other_rate):
                read.wrong(f"rate {at + 1}", f"the same calls are settled by {other_rate.code}")
    return Agreements(operators, trunks, rates)


def _plain(value: Any) -> Any:
    """The document with dates as text, as it is kept."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _overlap(one: Trunk | Rate, other: Trunk | Rate) -> bool:
    return one.from_on < other.until_on and other.from_on < one.until_on


def _both_hold(one: Rate, other: Rate) -> bool:
    return (
        (one.operator, one.direction) == (other.operator, other.direction)
        and bool(set(one.call_types) & set(other.call_types))
        and one.from_hour < other.until_hour
        and other.from_hour < one.until_hour
        and _overlap(one, other)
    )


@dataclass(frozen=True)
class _Reader:
    """Reads rows of a document; every mistake names file, row and field."""

    file: str

    def wrong(self, place: str, problem: str) -> None:
        """Refuse."""
        raise AgreementNotValid(file=self.file, place=place, problem=problem)

    def rows(self, document: dict[str, Any], name: str) -> list[tuple[dict[str, Any], str]]:
        """The rows of a kind with their places."""
        found = document.get(name, [])
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            self.wrong(name, f"[[{name}]] rows are needed")
        return [(row, f"{name} {at}") for at, row in enumerate(found, start=1)]

    def text(self, row: dict[str, Any], place: str, name: str, default: str | None = None) -> str:
        """A text that is not empty, unless it may be left out."""
        value = row.get(name, default)
        if not isinstance(value, str) or (not value and default is None) or len(value) > 100:
            self.wrong(place, f"{name}: a text is needed, not {value!r}")
        return str(value)

    def whole(self, row: dict[str, Any], place: str, name: str, default: int | None, least: int, most: int) -> int:
        """A whole number."""
        value = row.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(place, f"{name}: a whole number from {least} to {most} is needed, not {value!r}")
        return int(value or 0)

    def day(self, row: dict[str, Any], place: str, name: str, default: date) -> date:
        """A day."""
        value = row.get(name)
        try:
            return default if value is None else date.fromisoformat(str(value))
        except ValueError:
            self.wrong(place, f"{name}: a day (2026-01-31) is needed, not {value!r}")
        return default

    def trunk(self, row: dict[str, Any], place: str, operators: dict[str, str]) -> Trunk:
        """A trunk group."""
        operator = self.text(row, place, "operator", "")
        if operator and operator not in operators:
            self.wrong(place, f"operator: there is no operator {operator!r}")
        return Trunk(
            switch=self.text(row, place, "switch"),
            number=self.whole(row, place, "no", None, 1, 2**31 - 1),
            name=self.text(row, place, "name", ""),
            operator=operator,
            circuits=self.whole(row, place, "circuits", 0, 0, 10_000_000),
            from_on=self.day(row, place, "from_on", _LONG_AGO),
            until_on=self.day(row, place, "until_on", _FOREVER),
        )

    def rate(self, row: dict[str, Any], place: str, operators: dict[str, str]) -> Rate:
        """A settlement rate."""
        operator = self.text(row, place, "operator")
        if operator not in operators:
            self.wrong(place, f"operator: there is no operator {operator!r}")
        direction = self.text(row, place, "direction")
        if direction not in DIRECTIONS:
            self.wrong(place, f"direction: in or out is needed, not {direction!r}")
        unit = self.text(row, place, "unit")
        if unit not in UNITS:
            self.wrong(place, f"unit: one of {', '.join(UNITS)} is needed, not {unit!r}")
        names = row.get("call_types", list(CALL_TYPES))
        if not isinstance(names, list) or not names or any(name not in CALL_TYPES for name in names):
            self.wrong(place, f"call_types: of {', '.join(CALL_TYPES)}, not {names!r}")
        payer = self.text(row, place, "pays", PAYS_US if direction == "in" else PAY_THEM)
        if payer not in (PAYS_US, PAY_THEM):
            self.wrong(place, f"pays: them or us is needed, not {payer!r}")
        return Rate(
            code=self.text(row, place, "code", place.replace(" ", "-")),
            operator=operator,
            direction=DIRECTIONS[direction],
            call_types=tuple(sorted(CALL_TYPES[name] for name in names)),
            unit=unit,
            price_micro_yuan=self.price(row, place),
            per=self.whole(row, place, "per", 1, 1, 1_000_000),
            payer=payer,
            from_hour=self.whole(row, place, "from_hour", 0, 0, 23),
            until_hour=self.whole(row, place, "until_hour", 24, 1, 24),
            from_on=self.day(row, place, "from_on", _LONG_AGO),
            until_on=self.day(row, place, "until_on", _FOREVER),
        )

    def price(self, row: dict[str, Any], place: str) -> int:
        """A price in yuan written as text, in whole micro-yuan."""
        text = self.text(row, place, "yuan")
        try:
            price = MicroYuan.parse(text)
        except PriceTooFine:
            price = MicroYuan(0)
            self.wrong(place, f"yuan: {text} is finer than a millionth; give it for several units with per")
        except AmountNotUnderstood:
            price = MicroYuan(-1)
        if price < MicroYuan(0):
            self.wrong(place, f'yuan: a price as text ("0.06") is needed, not {text!r}')
        return price.amount_micro_yuan
