"""Rate decks and holiday calendars as imported into billing; tariffs name them by code."""

from __future__ import annotations

from sqlalchemy import Column, Identity, Integer, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Bytes, Code, Count, Day, Instant, Serial, Words

#: A version of a rate deck, never changed; a tariff version names the one it prices with.
rating_deck = Table(
    "rating_deck",
    billing_metadata,
    Column("deck_no", Serial, Identity(start=1), primary_key=True),
    Column("deck_code", Code(40), nullable=False),
    Column("effective_on", Day, nullable=False),
    Column("digest", Code(64), nullable=False),
    Column("line_count", Count, nullable=False),
    Column("imported_at", Instant, nullable=False),
    UniqueConstraint("deck_code", "effective_on", "digest", name="uq_rating_deck_version"),
)

#: Its prices: the deck's one text form, compressed, in parts of a bounded size. Read whole, never searched.
rating_deck_part = Table(
    "rating_deck_part",
    billing_metadata,
    Column("deck_no", Count, primary_key=True, autoincrement=False),
    Column("part_no", Integer, primary_key=True, autoincrement=False),
    Column("content", Bytes, nullable=False),
)

#: Days of a calendar that are not what their weekday says.
rating_calendar = Table(
    "rating_calendar",
    billing_metadata,
    Column("calendar_code", Code(40), primary_key=True),
    Column("day_on", Day, primary_key=True),
    # holiday, workday, or the weekday it counts as
    Column("kind", Code(8), nullable=False),
    Column("day_name", Words(40)),
    Column("imported_at", Instant, nullable=False),
)
