"""A line of a price list: from its fields to a Row."""

from __future__ import annotations

from typing import Any

from server_api.billing.rating.tariff.allowance import read_tiers
from server_api.billing.rating.tariff.model import WHOLE_CALL, WHOLE_PPM, Quantity, Row, Steps, Window
from server_api.billing.rating.tariff.reader import Reader

ROW_FIELDS = {
    "row", "zones", "prefixes", "deck", "from", "in_trunk", "out_trunk", "call_type", "priority", "item", "quantity",
    "step", "price", "per", "first", "first_price", "then", "flat", "connect", "minimum", "cap", "surcharge",
    "discount", "tiers",
}  # fmt: skip
_THEN_FIELDS = {"after", "step", "price", "per"}
MOST_GROUPS = 6
Windows = tuple[Window, ...]


def read_row(reader: Reader, table: dict[str, Any], windows: Windows) -> Row:
    """A row of a tariff; problems are noted by its name."""
    name = str(table.get("row", "?"))
    reader.known(name, table, ROW_FIELDS)
    quantity = _quantity(reader, name, table)
    usual, reader.quantity = reader.quantity, quantity or reader.quantity
    priced = _flat(reader, name, table, windows) if "flat" in table else _stepped(reader, name, table, windows)
    row = Row(
        code=reader.code(name, "row", table.get("row")),
        item_code=reader.code(name, "item", table.get("item")),
        minimum_micro_yuan=reader.price(name, "minimum", table["minimum"]) if "minimum" in table else 0,
        cap_micro_yuan=reader.price(name, "cap", table["cap"]) if "cap" in table else None,
        adjust_ppm=_adjusted(reader, name, table),
        quantity=quantity,
        **priced,
        **_conditions(reader, name, table),
    )
    reader.quantity = usual
    if row.cap_micro_yuan is not None and row.cap_micro_yuan < row.minimum_micro_yuan:
        reader.wrong(name, "cap", "cap_below_minimum", table.get("cap"))
    return row


def _quantity(reader: Reader, name: str, table: dict[str, Any]) -> Quantity | None:
    try:
        return Quantity(table["quantity"]) if "quantity" in table else None
    except ValueError:
        reader.wrong(name, "quantity", "quantity", table["quantity"])
        return None


def _stepped(reader: Reader, name: str, table: dict[str, Any], windows: Windows) -> dict[str, Any]:
    """Steps, a first block before them, and steps of another length or price after a time."""
    deck = "deck" in table
    if isinstance(table.get("step"), dict) and not deck:
        return _window_stepped(reader, name, table, windows)
    step = reader.size(name, "step", table.get("step", "1" if reader.quantity is Quantity.SESSIONS else None))
    per = reader.size(name, "per", table["per"]) if "per" in table else step
    tiers = read_tiers(reader, name, table["tiers"], step) if "tiers" in table else None
    if deck or tiers:
        for field in ("price", "first_price", "then", *(("connect",) if deck else ("minimum", "cap", "first"))):
            if field in table:
                reader.wrong(name, field, "deck_or_tiers", "deck" if deck else "tiers")
        priced = dict.fromkeys(_codes(windows), 0)
    else:
        priced = read_prices(reader, name, "price", table.get("price"), windows)
    first = reader.size(name, "first", table["first"]) if "first" in table else 0
    if first and not deck and "first_price" not in table:
        reader.wrong(name, "first_price", "missing")
    if "first_price" in table and not first:
        reader.wrong(name, "first", "missing")
    own_first = first and not deck
    return {
        "step": step,
        "per": per,
        "prices_micro_yuan": priced,
        "first": first,
        "first_prices_micro_yuan": read_prices(reader, name, "first_price", table.get("first_price"), windows)
        if own_first
        else {},
        "connect_micro_yuan": reader.price(name, "connect", table["connect"]) if "connect" in table else 0,
        "then": _then(reader, name, table["then"], windows, first, step) if "then" in table and not deck else (),
        "tiers": tiers,
    }


def _window_stepped(reader: Reader, name: str, table: dict[str, Any], windows: Windows) -> dict[str, Any]:
    """Steps of another length in each window, as meters tick faster by day; a price is for the step, or ``per``."""
    for field in ("then", "tiers"):
        if field in table:
            reader.wrong(name, field, "with_window_steps", field)
    codes = _codes(windows)
    for code in table["step"]:
        if code not in codes:
            reader.wrong(name, "step", "window", code)
    if missing := [code for code in codes if code not in table["step"]]:
        reader.wrong(name, "step", "window_price", ", ".join(missing))
    steps = {code: reader.size(name, "step", table["step"].get(code, "1")) for code in codes}
    first = reader.size(name, "first", table["first"]) if "first" in table else 0
    if bool(first) != ("first_price" in table):
        reader.wrong(name, "first_price" if first else "first", "missing")
    return {
        "step": min(steps.values()),
        "per": reader.size(name, "per", table["per"]) if "per" in table else 0,
        "prices_micro_yuan": read_prices(reader, name, "price", table.get("price"), windows),
        "first": first,
        "first_prices_micro_yuan": read_prices(reader, name, "first_price", table.get("first_price"), windows)
        if first
        else {},
        "connect_micro_yuan": reader.price(name, "connect", table["connect"]) if "connect" in table else 0,
        "window_steps": steps,
    }


def _flat(reader: Reader, name: str, table: dict[str, Any], windows: Windows) -> dict[str, Any]:
    """One price for the whole call, however long: a single block without end that costs it."""
    for field in ("step", "price", "per", "first", "first_price", "then", "connect", "deck", "tiers"):
        if field in table:
            reader.wrong(name, field, "with_flat", field)
    whole = 1 if reader.quantity is Quantity.SESSIONS else WHOLE_CALL
    return {
        "step": whole,
        "per": whole,
        "prices_micro_yuan": read_prices(reader, name, "flat", table["flat"], windows),
    }


def _then(reader: Reader, name: str, value: Any, windows: Windows, first: int, step: int) -> tuple[Steps, ...]:
    """The later steps; each begins where a whole number of the steps before it ends."""
    if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
        reader.wrong(name, "then", "list")
        return ()
    if len(value) >= MOST_GROUPS:
        reader.wrong(name, "then", "too_many_steps", MOST_GROUPS)
    found: list[Steps] = []
    begin, length = first, step
    for table in value[: MOST_GROUPS - 1]:
        reader.known(name, table, _THEN_FIELDS)
        after = reader.size(name, "after", table.get("after"))
        if after <= begin or (after - begin) % length:
            reader.wrong(name, "after", "after_whole_steps", table.get("after"))
        begin, length = after, reader.size(name, "step", table.get("step"))
        per = reader.size(name, "per", table["per"]) if "per" in table else length
        found.append(Steps(after, length, per, read_prices(reader, name, "price", table.get("price"), windows)))
    return tuple(found)


def _adjusted(reader: Reader, name: str, table: dict[str, Any]) -> int:
    """The part of the charge that is asked: a surcharge adds to the whole, a discount takes off it."""
    if "surcharge" in table and "discount" in table:
        reader.wrong(name, "discount", "one_of_two", "surcharge, discount")
    more = reader.percent(name, "surcharge", table["surcharge"]) if "surcharge" in table else 0
    less = reader.percent(name, "discount", table["discount"]) if "discount" in table else 0
    if less > WHOLE_PPM:
        reader.wrong(name, "discount", "percent", table["discount"])
        less = 0
    return WHOLE_PPM + more - less


def _conditions(reader: Reader, name: str, table: dict[str, Any]) -> dict[str, Any]:
    """Where to and in which case the row holds."""
    if not any(field in table for field in ("zones", "prefixes", "deck")):
        reader.wrong(name, "zones", "missing")
    found: dict[str, Any] = {
        "zones": _zones(reader, name, "zones", table),
        "from_zones": _zones(reader, name, "from", table),
        "prefixes": tuple(
            reader.prefix(name, "prefixes", one) for one in reader.listed(name, "prefixes", table["prefixes"])
        )
        if "prefixes" in table
        else (),
        "deck": reader.code(name, "deck", table["deck"]) if "deck" in table else "",
        "priority": reader.number(name, "priority", table["priority"]) if "priority" in table else 0,
    }
    for field, key in (("in_trunk", "in_trunks"), ("out_trunk", "out_trunks"), ("call_type", "call_types")):
        values = reader.listed(name, field, table[field]) if field in table else []
        found[key] = tuple(reader.number(name, field, value) for value in values)
    return found


def _zones(reader: Reader, name: str, field: str, table: dict[str, Any]) -> tuple[str, ...]:
    if field not in table:
        return ()
    zones = tuple(reader.zone(name, field, zone) for zone in reader.listed(name, field, table[field]))
    if len(set(zones)) < len(zones):
        reader.wrong(name, field, "double", ", ".join(zones))
    return zones


def _codes(windows: Windows) -> list[str]:
    return list(dict.fromkeys(window.code for window in windows))


def read_prices(reader: Reader, row: str, field: str, value: Any, windows: Windows) -> dict[str, int]:
    """One price for all windows, or one for each of them."""
    codes = _codes(windows)
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
