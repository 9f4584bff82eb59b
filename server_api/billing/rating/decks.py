"""Rate decks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True)
class Deck:
    """A deck."""

    code: str
    effective_on: date
    rows: pl.DataFrame
