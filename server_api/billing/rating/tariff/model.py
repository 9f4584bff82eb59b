"""A tariff: what a stranger can read off a published price list. Pure.

A call is charged in blocks: a first block, then steps; a block's price is that of the window in which the block begins.
Prices are micro-yuan; a price may be stated per a larger quantity than the step (``per``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

DAY_S = 86_400
ALL_DAYS = 127
#: The window of a tariff that names none.
WHOLE_DAY = "all"
#: The zone of a row that prices whatever no other row does.
ANY_ZONE = "*"
#: Any zone abroad not named by another row.
ABROAD = "international"


class Quantity(StrEnum):
    """What a tariff charges for."""

    SECONDS = "seconds"
    OCTETS = "octets"
    SESSIONS = "sessions"


@dataclass(frozen=True)
class Window:
    """A part of the day: seconds from midnight, half-open, on the weekdays of the mask (bit 0 is Monday)."""

    code: str
    from_s: int
    until_s: int
    days: int = ALL_DAYS


@dataclass(frozen=True)
class Row:
    """One line of a price list. Prices by window code, in micro-yuan; ``first`` 0 means no first block of its own."""

    code: str
    zones: tuple[str, ...]
    item_code: str
    step: int
    per: int
    prices_micro_yuan: dict[str, int]
    first: int = 0
    first_prices_micro_yuan: dict[str, int] = field(default_factory=dict)
    connect_micro_yuan: int = 0
    minimum_micro_yuan: int = 0
    cap_micro_yuan: int | None = None


@dataclass(frozen=True)
class Included:
    """Units a product has for nothing each month on the rows named, drawn in whole ``counted_in``."""

    code: str
    rows: tuple[str, ...]
    quantity: int
    counted_in: int


@dataclass(frozen=True)
class Tariff:
    """One version of a tariff: in force from a day until the next version of the same code."""

    code: str
    effective_on: date
    quantity: Quantity
    rows: tuple[Row, ...]
    windows: tuple[Window, ...] = (Window(WHOLE_DAY, 0, DAY_S),)
    included: tuple[Included, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def version(self) -> str:
        """The version as people name it: ``VOICE-STD@2026-01-01``."""
        return f"{self.code}@{self.effective_on.isoformat()}"
