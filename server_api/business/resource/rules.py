"""Which states a thing has, what leads from one to the other, and when somebody may have it. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta

from shared_models.values.numbers import Phone, SmartCard

#: A number that was in use rests before somebody else gets it, so that its callers learn of the change.
COOLING = timedelta(days=90)

#: Which table of states a kind lives by.
FAMILY = {
    "number": "access", "login": "access",
    "pair": "line", "port": "line", "circuit": "line", "onu": "line", "ip": "line",
    "card": "device", "set_top_box": "device", "cable_modem": "device",
}  # fmt: skip

#: (state, event) → state. What is not here cannot happen.
STATES: dict[str, dict[tuple[str, str], str]] = {
    "access": {
        ("new", "open"): "available",
        ("available", "reserve"): "reserved",
        ("reserved", "release"): "available",
        ("available", "occupy"): "in_use",
        ("reserved", "occupy"): "in_use",
        ("in_use", "quit"): "cooling",
        ("cooling", "rested"): "available",
        ("new", "withdraw"): "withdrawn",
        ("available", "withdraw"): "withdrawn",
        ("cooling", "withdraw"): "withdrawn",
        ("withdrawn", "open"): "available",
    },
    "line": {
        ("available", "reserve"): "reserved",
        ("reserved", "release"): "available",
        ("available", "occupy"): "in_use",
        ("reserved", "occupy"): "in_use",
        ("in_use", "quit"): "available",
        ("available", "fail"): "faulty",
        ("in_use", "fail"): "faulty",
        ("faulty", "mend"): "available",
        ("faulty", "back"): "in_use",
        ("available", "withdraw"): "withdrawn",
        ("faulty", "withdraw"): "withdrawn",
        ("withdrawn", "open"): "available",
    },
    "device": {
        ("stock", "open"): "available",
        ("available", "store"): "stock",
        ("available", "reserve"): "reserved",
        ("reserved", "release"): "available",
        ("available", "occupy"): "in_use",
        ("reserved", "occupy"): "in_use",
        ("in_use", "quit"): "returned",
        ("in_use", "lose"): "lost",
        ("available", "lose"): "lost",
        ("lost", "find"): "returned",
        ("lost", "back"): "in_use",
        ("returned", "open"): "available",
        ("returned", "fail"): "to_repair",
        ("available", "fail"): "to_repair",
        ("to_repair", "repair"): "in_repair",
        ("in_repair", "mend"): "available",
        ("to_repair", "scrap"): "scrapped",
        ("in_repair", "scrap"): "scrapped",
        ("returned", "scrap"): "scrapped",
    },
}
#: Events a person may bring about by hand; the others belong to orders and products.
BY_HAND = frozenset({"open", "withdraw", "fail", "mend", "store", "lose", "find", "repair", "scrap"})
#: The states in which a thing of a family first appears in an import.
FIRST_STATES = {"access": ("available", "new"), "line": ("available",), "device": ("available", "stock")}
#: What ends a way from the exchange to the customer, by the kind of place it lies at.
HOP_KIND = {"exchange": "port", "cabinet": "pair", "box": "pair", "pon_port": "onu"}
#: The kinds a caller may reserve, and what each of them holds in the end.
WANTED_KINDS = frozenset({*FAMILY, "line"} - {"pair", "port"})

#: A number's end that people pay for, best first: level → pattern (吉祥号).
_LEVELS = (
    (5, re.compile(r"(\d)\1{3,}$")),
    (4, re.compile(r"(\d)\1{2}$")),
    (3, re.compile(r"(\d)\1(\d)\2$|(\d\d)\3$")),
    (2, re.compile(r"0123$|1234$|2345$|3456$|4567$|5678$|6789$")),
    (1, re.compile(r"(\d)\1$|[68]$")),
)


def compact_access(access_kind: str, access_key: str, area_code: str) -> str:
    """The form in which a number, login or card is stored and compared; raises ValueError when it cannot be right."""
    if access_kind == "number":
        number = Phone.compact(access_key, area_code)
        if not (number.isascii() and number.isalnum() and 3 <= len(number) <= 32):
            raise ValueError("digits")
        return number.upper()
    if access_kind == "card":
        return SmartCard.validate(access_key)
    login = access_key.strip().lower() if access_kind == "login" else access_key.strip().upper()
    if not login.isascii() or not login or any(char.isspace() or not char.isprintable() for char in login):
        raise ValueError("printable ASCII without blanks")
    return login


def state_after(kind: str, state: str, event: str) -> str | None:
    """The state an event leads to; None where it cannot happen."""
    return STATES[FAMILY[kind]].get((state, event))


def by_hand(kind: str, state: str, event: str, *, has_product: bool) -> str | None:
    """The state a person's event leads to; what is mended or found and still belongs to a product goes back to it."""
    if event not in BY_HAND:
        return None
    back = has_product and event in ("mend", "find")
    return state_after(kind, state, "back" if back else event)


def level_of(number: str) -> int:
    """How good a number is by its end: 5 four alike, 4 three alike, 3 AABB or ABAB, 2 a run, 1 a pair or 6/8, 0 any."""
    return next((level for level, pattern in _LEVELS if pattern.search(number)), 0)


def is_free(
    state: str, reserved_until_at: datetime | None, cooling_until_on: date | None, *, now: datetime, on: date
) -> bool:
    """True when anybody may have it: free, a reservation that has run out, or a number that has rested."""
    if state == "reserved":
        return reserved_until_at is not None and reserved_until_at <= now
    if state == "cooling":
        return cooling_until_on is not None and cooling_until_on <= on
    return state == "available"


def plain_address(text: str) -> str:
    """An address as it is compared: half-width, without blanks and punctuation, lower case."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(char for char in folded if char.isalnum() or char in "-#")[:100]


def beginnings(address: str) -> list[str]:
    """Every beginning of an address of two characters or more, longest first."""
    plain = plain_address(address)
    return [plain[:end] for end in range(len(plain), 1, -1)]


def drawn(family: str) -> str:
    """A table of states as lines of text, for the README."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in STATES[family].items():
        arrows.setdefault((state, after), []).append(event)
    return "\n".join(f"{state} --{', '.join(events)}--> {after}" for (state, after), events in arrows.items())
