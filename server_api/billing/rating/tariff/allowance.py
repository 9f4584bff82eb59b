"""What a price list says about a whole month: included units, tiers, caps. Model, reader and document. Pure.

A package of units (``included``) covers calls from their beginning in whole counting units. It belongs to a product, or
is shared by all products an account pays for, by all of a customer, or by a named pool. Where several may be drawn on,
the soonest to expire goes first, then the lower priority, then the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from shared_models.values.money import MicroYuan


class Scope(StrEnum):
    """Whose usage draws on the same units."""

    PRODUCT = "product"
    ACCOUNT = "account"
    CUSTOMER = "customer"
    POOL = "pool"


class Part(StrEnum):
    """What a product gets of a month it has the tariff for a part of."""

    FULL = "full"
    DAYS = "days"
    NONE = "none"


class TierKind(StrEnum):
    """How a price depends on the month's sum: by the stretch a unit falls in, by the sum for all units, by blocks."""

    GRADUATED = "graduated"
    VOLUME = "volume"
    PACKAGES = "packages"


@dataclass(frozen=True)
class PartMonth:
    """The policy for part months. The month a product moves between tariffs in is by days, so that two packages are
    never handed out whole."""

    first: Part = Part.FULL
    last: Part = Part.FULL
    change: Part = Part.DAYS


@dataclass(frozen=True)
class Included:
    """Units available each month on the rows named, drawn in whole ``counted_in``.

    Free, unless ``price_micro_yuan`` (for each counting unit begun) or ``percent_off`` says what they cost. What is
    left at the month's end lives on for ``carry_months``. ``by_pack``: only packs granted by date bring units.
    ``adds_up``: each product with the tariff brings its quantity into the shared units.
    """

    code: str
    rows: tuple[str, ...]
    quantity: int
    counted_in: int
    shared_by: Scope = Scope.PRODUCT
    priority: int = 100
    part_month: PartMonth = PartMonth()
    carry_months: int = 0
    price_micro_yuan: int = 0
    percent_off: int = 100
    by_pack: bool = False
    adds_up: bool = False


@dataclass(frozen=True)
class Tier:
    """A stretch of the month's sum up to ``until`` (none: without end): a price per ``per`` and a flat amount when the
    stretch is begun."""

    until: int | None
    price_micro_yuan: int
    flat_micro_yuan: int = 0


@dataclass(frozen=True)
class Tiers:
    """Prices by the month's sum of all rows that name the same ``counter``. ``packages``: ``per`` is the block."""

    kind: TierKind
    per: int
    tiers: tuple[Tier, ...]
    counter: str
    shared_by: Scope = Scope.PRODUCT


@dataclass(frozen=True)
class PeriodCap:
    """The most a month's calls on the rows named may cost together."""

    code: str
    rows: tuple[str, ...]
    amount_micro_yuan: int
    shared_by: Scope = Scope.PRODUCT


class Reads(Protocol):
    """What of the tariff reader is needed here."""

    def wrong(self, row: str, field: str, problem: str, value: object = "") -> None: ...
    def code(self, row: str, field: str, value: Any) -> str: ...
    def size(self, row: str, field: str, value: Any, *, least: int = 1) -> int: ...
    def price(self, row: str, field: str, value: Any) -> int: ...
    def listed(self, row: str, field: str, value: Any) -> list[Any]: ...
    def known(self, row: str, table: Mapping[str, Any], fields: set[str]) -> None: ...


_INCLUDED_FIELDS = {
    "code",
    "rows",
    "quantity",
    "counted_in",
    "shared_by",
    "priority",
    "part_month",
    "carry_months",
    "price",
    "percent_off",
    "by_pack",
    "adds_up",
}
_TIERS_FIELDS = {"kind", "per", "block", "price", "steps", "counter", "shared_by"}
_TIER_FIELDS = {"until", "price", "flat"}
_CAP_FIELDS = {"code", "rows", "amount", "shared_by"}
MOST_CARRIED_MONTHS = 12
MOST_TIERS = 20


def read_included(reader: Reads, table: Mapping[str, Any], row_codes: Sequence[str]) -> Included:
    """A package of included units from its table."""
    name = str(table.get("code", "?"))
    reader.known(name, table, _INCLUDED_FIELDS)
    by_pack = _flag(reader, name, "by_pack", table)
    counted_in = reader.size(name, "counted_in", table.get("counted_in", "1"))
    least = 0 if by_pack else 1
    quantity = reader.size(name, "quantity", table.get("quantity", "0" if by_pack else None), least=least)
    if quantity % counted_in:
        reader.wrong(name, "counted_in", "counted_in", counted_in)
    if "price" in table and "percent_off" in table:
        reader.wrong(name, "percent_off", "one_of_two", "price, percent_off")
    return Included(
        code=reader.code(name, "code", table.get("code")),
        rows=_rows(reader, name, table, row_codes),
        quantity=quantity,
        counted_in=counted_in,
        shared_by=_scope(reader, name, table),
        priority=_number(reader, name, "priority", table, 100, 0, 9_999),
        part_month=_part_month(reader, name, table.get("part_month")),
        carry_months=_number(reader, name, "carry_months", table, 0, 0, MOST_CARRIED_MONTHS),
        price_micro_yuan=reader.price(name, "price", table["price"]) if "price" in table else 0,
        percent_off=_number(reader, name, "percent_off", table, 100, 1, 100),
        by_pack=by_pack,
        adds_up=_flag(reader, name, "adds_up", table),
    )


def read_tiers(reader: Reads, row: str, value: Any, step: int) -> Tiers | None:
    """The tiers of a row from its field ``tiers``; bounds and blocks are whole steps of the row."""
    if not isinstance(value, dict):
        reader.wrong(row, "tiers", "list")
        return None
    reader.known(row, value, _TIERS_FIELDS)
    try:
        kind = TierKind(value.get("kind", "graduated"))
    except ValueError:
        reader.wrong(row, "kind", "tier_kind", value.get("kind"))
        return None
    counter = reader.code(row, "counter", value.get("counter", row))
    scope = _scope(reader, row, value)
    if kind is TierKind.PACKAGES:
        block = _steps(reader, row, "block", value.get("block"), step)
        return Tiers(kind, block, (Tier(None, reader.price(row, "price", value.get("price"))),), counter, scope)
    per = reader.size(row, "per", value["per"]) if "per" in value else step
    return Tiers(kind, per, _tiers(reader, row, value.get("steps"), step), counter, scope)


def _tiers(reader: Reads, row: str, value: Any, step: int) -> tuple[Tier, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        reader.wrong(row, "steps", "list")
        return (Tier(None, 0),)
    found: list[Tier] = []
    reached = 0
    for at, table in enumerate(value[:MOST_TIERS]):
        reader.known(row, table, _TIER_FIELDS)
        until = _steps(reader, row, "until", table["until"], step) if "until" in table else None
        if (until is None) != (at == len(value) - 1) or (until is not None and until <= reached):
            reader.wrong(row, "until", "tier_order", table.get("until", ""))
        reached = until or reached
        price = reader.price(row, "price", table.get("price", "0"))
        flat = reader.price(row, "flat", table["flat"]) if "flat" in table else 0
        found.append(Tier(until, price, flat))
    if len(value) > MOST_TIERS:
        reader.wrong(row, "steps", "too_many_tiers", len(value))
    return tuple(found)


def read_period_cap(reader: Reads, table: Mapping[str, Any], row_codes: Sequence[str]) -> PeriodCap:
    """A month's cap from its table."""
    name = str(table.get("code", "?"))
    reader.known(name, table, _CAP_FIELDS)
    return PeriodCap(
        reader.code(name, "code", table.get("code")),
        _rows(reader, name, table, row_codes),
        reader.price(name, "amount", table.get("amount")),
        _scope(reader, name, table),
    )


def _steps(reader: Reads, row: str, field: str, value: Any, step: int) -> int:
    size = reader.size(row, field, value)
    if size % step:
        reader.wrong(row, field, "counted_in", step)
    return size


def _rows(reader: Reads, name: str, table: Mapping[str, Any], row_codes: Sequence[str]) -> tuple[str, ...]:
    named = reader.listed(name, "rows", table.get("rows"))
    if named == ["*"]:
        return tuple(row_codes)
    for code in named:
        if code not in row_codes:
            reader.wrong(name, "rows", "row", code)
    return tuple(str(code) for code in named)


def _scope(reader: Reads, name: str, table: Mapping[str, Any]) -> Scope:
    try:
        return Scope(table.get("shared_by", "product"))
    except ValueError:
        reader.wrong(name, "shared_by", "scope", table.get("shared_by"))
        return Scope.PRODUCT


def _part_month(reader: Reads, name: str, value: Any) -> PartMonth:
    if value is None:
        return PartMonth()
    words = dict.fromkeys(("first", "last", "change"), value) if isinstance(value, str) else value
    if not isinstance(words, dict) or set(words) - {"first", "last", "change"}:
        reader.wrong(name, "part_month", "part_month", value)
        return PartMonth()
    try:
        return PartMonth(**{field: Part(word) for field, word in words.items()})
    except ValueError:
        reader.wrong(name, "part_month", "part_month", value)
        return PartMonth()


def _number(reader: Reads, name: str, field: str, table: Mapping[str, Any], usual: int, least: int, most: int) -> int:
    value = table.get(field)
    if value is None:
        return usual
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and least <= int(value) <= most):
        reader.wrong(name, field, "number", f"{value} ({least} … {most})")
        return usual
    return int(value)


def _flag(reader: Reads, name: str, field: str, table: Mapping[str, Any]) -> bool:
    value = table.get(field, "no")
    if value not in ("yes", "no", "true", "false"):
        reader.wrong(name, field, "yes_or_no", value)
    return value in ("yes", "true")


# ---- back to the words of the format ---------------------------------------------------------------------------------
def included_document(one: Included) -> dict[str, Any]:
    """The table ``read_included`` reads the same package from; what is usual is left out."""
    table: dict[str, Any] = {
        "code": one.code,
        "rows": list(one.rows),
        "quantity": str(one.quantity),
        "counted_in": str(one.counted_in),
    }
    usual = Included(one.code, one.rows, one.quantity, one.counted_in)
    if one.shared_by is not usual.shared_by:
        table["shared_by"] = one.shared_by.value
    for name in ("priority", "carry_months", "percent_off"):
        if getattr(one, name) != getattr(usual, name):
            table[name] = str(getattr(one, name))
    for name in ("by_pack", "adds_up"):
        if getattr(one, name):
            table[name] = "yes"
    if one.part_month != usual.part_month:
        table["part_month"] = {field: getattr(one.part_month, field).value for field in ("first", "last", "change")}
    if one.price_micro_yuan:
        table["price"] = str(MicroYuan(one.price_micro_yuan))
    return table


def tiers_document(tiers: Tiers) -> dict[str, Any]:
    """The value ``read_tiers`` reads the same tiers from."""
    table: dict[str, Any] = {"kind": tiers.kind.value, "counter": tiers.counter}
    if tiers.shared_by is not Scope.PRODUCT:
        table["shared_by"] = tiers.shared_by.value
    if tiers.kind is TierKind.PACKAGES:
        return table | {"block": str(tiers.per), "price": str(MicroYuan(tiers.tiers[0].price_micro_yuan))}
    steps = []
    for tier in tiers.tiers:
        step = {"price": str(MicroYuan(tier.price_micro_yuan))}
        if tier.until is not None:
            step["until"] = str(tier.until)
        if tier.flat_micro_yuan:
            step["flat"] = str(MicroYuan(tier.flat_micro_yuan))
        steps.append(step)
    return table | {"per": str(tiers.per), "steps": steps}


def period_cap_document(cap: PeriodCap) -> dict[str, Any]:
    """The table ``read_period_cap`` reads the same cap from."""
    table: dict[str, Any] = {"code": cap.code, "rows": list(cap.rows), "amount": str(MicroYuan(cap.amount_micro_yuan))}
    return table if cap.shared_by is Scope.PRODUCT else table | {"shared_by": cap.shared_by.value}
