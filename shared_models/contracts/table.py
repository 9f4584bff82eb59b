"""A generic report: columns, rows, totals. The client and the portal both draw it; neither knows the report.

Cells are plain values; the column says how to show them, so that money is formatted in one place per face.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from shared_models.contracts.base import Contract


class CellKind(StrEnum):
    """How the cells of a column are to be shown and summed."""

    TEXT = "text"
    CODE = "code"
    COUNT = "count"
    MONEY_FEN = "money_fen"
    DATE = "date"
    INSTANT = "instant"


class Column(Contract):
    """One column."""

    key: str
    label: str = Field(description="already in the reader's language")
    kind: CellKind = CellKind.TEXT


Cell = int | str | None


class Table(Contract):
    """A report as data. Money cells are integer fen, dates ISO text, instants ISO text in UTC."""

    title: str
    subtitle: str = ""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    totals: tuple[Cell, ...] = Field(default=(), description="one cell per column, None where nothing is summed")
    made_at: datetime | None = None
    next_cursor: str | None = None

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        width = len(self.columns)
        if any(len(row) != width for row in self.rows) or (self.totals and len(self.totals) != width):
            raise ValueError("every row of a table has one cell per column")
        return self
