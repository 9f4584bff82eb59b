"""Rate decks and calendars kept in billing: imported, listed, and handed to the tariffs that name them.

A tariff version is bound to one version of each deck it names, so that a charge can be explained for ever. A new deck
version therefore makes new versions of the tariffs naming it, from its day on.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from server_api.billing.rating.attached import with_named
from server_api.billing.rating.calendars import Calendar, CalendarDay
from server_api.billing.rating.decks import Deck
from server_api.billing.rating.store import closed_periods, tariff_rows
from server_api.billing.rating.store import decks as store
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.read import tariff_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rating import CalendarImported, DeckImported
from shared_models.values.faults.rating import CalendarDayBilled

#: Bytes of a part: far below what any driver refuses in one value.
_PART_BYTES = 1_000_000
_DECKS_AT_HAND = 8


def keep_deck(uow: UnitOfWork, *, deck: Deck, effective_on: date) -> DeckImported:
    """Keep a deck version; the same content from the same day is left alone. The tariffs that name it follow."""
    digest = deck.digest
    for row in store.decks(uow.conn):
        if (row.deck_code, row.effective_on, row.digest) == (deck.code, effective_on, digest):
            return DeckImported(code=deck.code, deck_no=row.deck_no, line_count=row.line_count, added=False)
    packed = zlib.compress(deck.content, 6)
    number = store.add_deck(
        uow.conn,
        [packed[at : at + _PART_BYTES] for at in range(0, len(packed), _PART_BYTES)],
        deck_code=deck.code,
        effective_on=effective_on,
        digest=digest,
        line_count=len(deck.rows),
        imported_at=uow.now,
    )
    return DeckImported(code=deck.code, deck_no=number, line_count=len(deck.rows), added=True)


def followers(conn: Connection, code: str, effective_on: date) -> list[Tariff]:
    """The tariffs that must follow a deck version: those in force on its day, and later versions, that name it.

    The version in force is to be kept once more from the deck's day; each is bound anew when it is imported.
    """
    latest: dict[tuple[str, date], Tariff] = {}
    for row in tariff_rows(conn):
        latest[row.tariff_code, row.effective_on] = replace(tariff_of(row.document)[0], deck_versions={})
    found = []
    for tariff_code in sorted({key[0] for key in latest}):
        days = sorted(on for named, on in latest if named == tariff_code)
        in_force = max((on for on in days if on <= effective_on), default=None)
        wanted = [(on, on) for on in days if on > effective_on]
        if in_force is not None:
            wanted.insert(0, (in_force, effective_on))
        for on, from_on in wanted:
            tariff = latest[tariff_code, on]
            if code in tariff.deck_codes:
                found.append(replace(tariff, effective_on=from_on))
    return found


def bound(conn: Connection, tariffs: Sequence[Tariff]) -> list[Tariff]:
    """The tariffs with the deck versions of their day, and once more from the day of each later deck version.

    A deck that begins later than the tariff holds from the tariff's day. Raises TariffNotValid for what is not kept.
    """
    days: dict[str, list[tuple[date, int]]] = {}
    for row in store.decks(conn):
        days.setdefault(row.deck_code, []).append((row.effective_on, row.deck_no))
    known = sorted({(row.tariff_code, row.effective_on) for row in tariff_rows(conn)})
    found: list[Tariff] = []
    for tariff in tariffs:
        if not tariff.deck_codes:
            found.append(tariff)
            continue
        versions_on = [on for code, on in known if code == tariff.code]
        versions_on += [one.effective_on for one in tariffs if one.code == tariff.code]
        begin, end = tariff.effective_on, min((on for on in versions_on if on > tariff.effective_on), default=date.max)
        changes = {on for code in tariff.deck_codes for on, _no in days.get(code, ()) if begin < on < end}
        for on in (begin, *sorted(changes)):
            versions = {}
            for code in tariff.deck_codes:
                kept = days.get(code, [])
                if kept:
                    versions[code] = max((one for one in kept if one[0] <= on), default=kept[0])[1]
            found.append(replace(tariff, effective_on=on, deck_versions=versions))
    return found


def attached(conn: Connection, tariffs: Sequence[Tariff]) -> list[Tariff]:
    """The tariffs with their deck versions and calendars as kept here. Raises TariffNotValid for what is not."""
    codes = sorted({tariff.calendar for tariff in tariffs if tariff.calendar})
    calendars = {code: kept_calendar(conn, code) for code in codes}
    found = []
    for tariff in tariffs:
        if tariff.deck_codes or tariff.calendar:
            decks = {code: _deck(conn, code, number) for code, number in tariff.deck_versions.items()}
            found += with_named([tariff], decks.get, calendars.get)
        else:
            found.append(tariff)
    return found


def _deck(conn: Connection, code: str, deck_no: int) -> Deck | None:
    head = store.deck_head(conn, deck_no)
    return _at_hand(conn, code, head.deck_no, head.digest) if head is not None else None


_kept_decks: dict[str, Deck] = {}


def _at_hand(conn: Connection, code: str, deck_no: int, digest: str) -> Deck:
    """The deck, unpacked once a process: it never changes, and its digest names it in every database."""
    if digest not in _kept_decks:
        while len(_kept_decks) >= _DECKS_AT_HAND:
            _kept_decks.pop(next(iter(_kept_decks)))
        _kept_decks[digest] = Deck.kept(code, zlib.decompress(store.deck_content(conn, deck_no)))
    return _kept_decks[digest]


def kept_calendar(conn: Connection, code: str) -> Calendar | None:
    """A calendar as kept; None for one nobody imported."""
    rows = store.calendar_days(conn, code)
    days = tuple(CalendarDay(row.day_on, row.kind, row.day_name or "") for row in rows)
    return Calendar(code, days) if days else None


def keep_calendar(uow: UnitOfWork, *, calendar: Calendar) -> CalendarImported:
    """Keep the days of a calendar; days kept before and not named now stay.

    Raises CalendarDayBilled where a day of a billed month would be added or become another kind.
    """
    known = {row.day_on: (row.kind, row.day_name or "") for row in store.calendar_days(uow.conn, calendar.code)}
    closed = closed_periods(uow.conn)
    fresh, changed, unchanged = [], 0, 0
    for day in calendar.days:
        if known.get(day.on, ("",))[0] != day.kind and day.on.year * 100 + day.on.month in closed:
            raise CalendarDayBilled(calendar=calendar.code, day=day.on)
        values = {"kind": day.kind, "day_name": day.name, "imported_at": uow.now}
        if day.on not in known:
            fresh.append({"calendar_code": calendar.code, "day_on": day.on, **values})
        elif known[day.on] != (day.kind, day.name):
            changed += 1
            store.change_calendar_day(uow.conn, calendar.code, day.on, **values)
        else:
            unchanged += 1
    store.add_calendar_days(uow.conn, fresh)
    return CalendarImported(code=calendar.code, added=len(fresh), changed=changed, unchanged=unchanged)
