"""Rate decks and calendars as billing keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from shared_models.tables.billing.decks import rating_calendar, rating_deck, rating_deck_part


def decks(conn: Connection) -> Sequence[Row[Any]]:
    """All deck versions, by code, in the order of their days; of one day the later import last."""
    c = rating_deck.c
    return conn.execute(select(rating_deck).order_by(c.deck_code, c.effective_on, c.deck_no)).all()


def add_deck(conn: Connection, parts: Sequence[bytes], **values: Any) -> int:
    """Keep a deck version with its content; its number."""
    number = int(conn.execute(insert(rating_deck).values(**values).returning(rating_deck.c.deck_no)).scalar_one())
    rows = [{"deck_no": number, "part_no": at, "content": part} for at, part in enumerate(parts)]
    conn.execute(insert(rating_deck_part), rows)
    return number


def deck_head(conn: Connection, deck_no: int) -> Row[Any] | None:
    """A deck version without its prices."""
    return conn.execute(select(rating_deck).where(rating_deck.c.deck_no == deck_no)).one_or_none()


def deck_content(conn: Connection, deck_no: int) -> bytes:
    """The parts of a deck version, joined."""
    c = rating_deck_part.c
    return b"".join(
        bytes(part)
        for part in conn.execute(select(c.content).where(c.deck_no == deck_no).order_by(c.part_no)).scalars()
    )


def calendar_days(conn: Connection, calendar_code: str | None = None) -> Sequence[Row[Any]]:
    """The days of one calendar or of all, in order."""
    c = rating_calendar.c
    query = select(rating_calendar).order_by(c.calendar_code, c.day_on)
    return conn.execute(query if calendar_code is None else query.where(c.calendar_code == calendar_code)).all()


def add_calendar_days(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep days."""
    if rows:
        conn.execute(insert(rating_calendar), list(rows))


def change_calendar_day(conn: Connection, calendar_code: str, on: date, **values: Any) -> None:
    """Make a day another kind."""
    c = rating_calendar.c
    conn.execute(update(rating_calendar).where(c.calendar_code == calendar_code, c.day_on == on).values(**values))
