"""A tariff: what a stranger can read off a published price list. Pure.

A call is charged in blocks: a first block, then steps, whose length and price may change after a time; a block's price
is that of the window in which the block begins. Prices are micro-yuan; a price may be stated per a larger quantity than
the step (``per``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from server_api.billing.rating.tariff.allowance import Included as Included
from server_api.billing.rating.tariff.allowance import PeriodCap, Tiers

if TYPE_CHECKING:
    from server_api.billing.rating.decks import Deck

DAY_S = 86_400
ALL_DAYS = 127
#: The bit of a window's days that stands for the holidays of the tariff's calendar.
HOLIDAY = 128
#: The window of a tariff that names none.
WHOLE_DAY = "all"
#: The zone of a row that prices whatever no other row does.
ANY_ZONE = "*"
#: Any zone abroad not named by another row.
ABROAD = "international"
#: A whole charge in millionths: what a row without surcharge or discount has.
WHOLE_PPM = 1_000_000
#: The step of a price for a whole call, however long.
WHOLE_CALL = 2**53


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
class Steps:
    """Steps of another length or price that hold from ``after`` into the call (in the row's quantity)."""

    after: int
    step: int
    per: int
    prices_micro_yuan: dict[str, int]


@dataclass(frozen=True)
class Row:
    """One line of a price list. Prices by window code, in micro-yuan; ``first`` 0 means no first block of its own.

    The destination is any of ``zones``, ``prefixes`` and the prefixes of ``deck``, which then brings the prices. An
    empty condition holds for every call. ``window_steps`` are steps of another length by window; prices are then per
    step where ``per`` is 0. ``adjust_ppm`` is the part of the charge that is asked, in millionths.
    """

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
    then: tuple[Steps, ...] = ()
    adjust_ppm: int = WHOLE_PPM
    quantity: Quantity | None = None
    prefixes: tuple[str, ...] = ()
    deck: str = ""
    from_zones: tuple[str, ...] = ()
    in_trunks: tuple[int, ...] = ()
    out_trunks: tuple[int, ...] = ()
    call_types: tuple[int, ...] = ()
    priority: int = 0
    tiers: Tiers | None = None
    window_steps: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Tariff:
    """One version of a tariff: in force from a day until the next version of the same code.

    ``decks`` and ``calendar_days`` (day number since 1970 to a bit of ``Window.days``) are what the codes in the file
    stand for; who reads the file fetches them.
    """

    code: str
    effective_on: date
    quantity: Quantity
    rows: tuple[Row, ...]
    windows: tuple[Window, ...] = (Window(WHOLE_DAY, 0, DAY_S),)
    included: tuple[Included, ...] = ()
    period_caps: tuple[PeriodCap, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    source: str = ""
    calendar: str = ""
    deck_versions: dict[str, int] = field(default_factory=dict)
    decks: Mapping[str, Deck] = field(default_factory=dict, compare=False, repr=False)
    calendar_days: Mapping[int, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def version(self) -> str:
        """The version as people name it: ``VOICE-STD@2026-01-01``."""
        return f"{self.code}@{self.effective_on.isoformat()}"

    def quantity_of(self, row: Row) -> Quantity:
        """What a row charges for."""
        return row.quantity or self.quantity

    @property
    def deck_codes(self) -> tuple[str, ...]:
        """The rate decks its rows name, in order."""
        return tuple(dict.fromkeys(row.deck for row in self.rows if row.deck))
