"""Rate decks and calendars into billing, each import one act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from server_api.billing.rating.calendars import Calendar
from server_api.billing.rating.decks import Deck
from server_api.billing.rating.kept import followers, keep_calendar, keep_deck
from server_api.billing.rating.service import import_tariffs
from server_api.billing.rating.store import decks as store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rating import CalendarImported, DeckImported


def import_deck(uow: UnitOfWork, *, deck: Deck, effective_on: date) -> DeckImported:
    """Keep a deck version from a day on; the tariffs that name it get versions of that day that price with it."""
    report = keep_deck(uow, deck=deck, effective_on=effective_on)
    if not report.added:
        return report
    followed = import_tariffs(uow, tariffs=followers(uow.conn, deck.code, effective_on))
    return report.model_copy(update={"tariffs": followed.added})


def import_calendar(uow: UnitOfWork, *, calendar: Calendar) -> CalendarImported:
    """Keep the days of a calendar. Raises CalendarDayBilled."""
    return keep_calendar(uow, calendar=calendar)


def kept_decks(conn: Connection) -> Sequence[Row[Any]]:
    """The heads of all deck versions."""
    return store.decks(conn)


def kept_calendar_days(conn: Connection) -> Sequence[Row[Any]]:
    """The days of all calendars."""
    return store.calendar_days(conn)
