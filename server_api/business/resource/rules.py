"""When a number may be given to somebody. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from shared_models.values.numbers import Phone, SmartCard

#: A number that was in use rests before somebody else gets it, so that its callers learn of the change.
COOLING = timedelta(days=90)


def compact_access(access_kind: str, access_key: str, area_code: str) -> str:
    """The form in which a number, login or card is stored and compared; raises ValueError when it cannot be right."""
    if access_kind == "number":
        number = Phone.compact(access_key, area_code)
        if not (number.isascii() and number.isalnum() and 3 <= len(number) <= 32):
            raise ValueError("digits")
        return number.upper()
    if access_kind == "card":
        return SmartCard.validate(access_key)
    login = access_key.strip().lower()
    if not login.isascii() or not login or any(char.isspace() or not char.isprintable() for char in login):
        raise ValueError("printable ASCII without blanks")
    return login


def may_take(state: str, product_id: str | None, cooling_until_on: date | None, wanted_by: str, on: date) -> bool:
    """True when a product may have a number that stands so."""
    if state == "in_use":
        return product_id == wanted_by
    if state == "cooling":
        return cooling_until_on is not None and on >= cooling_until_on
    return state in ("available", "reserved") and product_id in (None, wanted_by)
