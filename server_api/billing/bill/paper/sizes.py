"""The sizes bills come in, and what changes with them. Millimetres and points."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Paper(StrEnum):
    """The sizes bills come in."""

    A4 = "A4"
    A5 = "A5"


@dataclass(frozen=True, slots=True)
class Measures:
    """What changes with the size of the paper."""

    margin: float
    base: float
    small: float
    large: float
    huge: float
    row: float


#: Width and height by ISO 216.
SIZES_MM = {Paper.A4: (210, 297), Paper.A5: (148, 210)}
MEASURES = {
    Paper.A4: Measures(margin=16, base=9.5, small=8, large=13, huge=20, row=6.2),
    Paper.A5: Measures(margin=10, base=7.6, small=6.6, large=10.5, huge=15, row=4.9),
}
