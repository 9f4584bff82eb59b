"""What a tariff names by code, fetched: rate decks and calendars as files beside it, or as billing keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import resources
from server_api.billing.rating.calendars import Calendar, read_calendar
from server_api.billing.rating.decks import Deck, read_deck
from server_api.billing.rating.tariff.compile import compile_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.reader import in_words
from shared_models.values.faults.rating import TariffNotValid

_DECK_FILES = (".csv", ".xlsx", ".xlsm")


def with_files(tariffs: Sequence[Tariff], folder: Path, more: Iterable[Path] = ()) -> list[Tariff]:
    """The tariffs with the decks and calendars they name, from ``CODE.csv`` or ``CODE.xlsx`` in the folder, or from the
    files given. Raises TariffNotValid where one is missing, and what is wrong with a file."""
    named = {path.stem: path for path in more}
    shipped = resources.path("catalog", "calendars")

    def deck(code: str) -> Deck | None:
        places = [named.get(code), *(folder / f"{code}{ending}" for ending in _DECK_FILES)]
        found = next((place for place in places if place is not None and place.is_file()), None)
        return read_deck(found, code) if found else None

    def calendar(code: str) -> Calendar | None:
        places = [named.get(code), folder / f"{code}.csv", shipped / f"{code}.csv"]
        found = next((place for place in places if place is not None and place.is_file()), None)
        return read_calendar(found, code) if found else None

    return with_named(tariffs, deck, calendar)


def with_files_there(tariffs: Sequence[Tariff], folder: Path) -> list[Tariff]:
    """The same for looking at a tariff file: laid out with the decks and calendars found, and left alone where what it
    names is kept elsewhere. Raises TariffNotValid for charges that might not fit, and what is wrong with a file."""
    found = []
    for tariff in tariffs:
        there = [folder / f"{code}{ending}" for code in tariff.deck_codes for ending in _DECK_FILES]
        beside = sum(place.is_file() for place in there) >= len(tariff.deck_codes)
        calendar = not tariff.calendar or any(
            (place / f"{tariff.calendar}.csv").is_file() for place in (folder, resources.path("catalog", "calendars"))
        )
        if beside and calendar:
            tariff = with_files([tariff], folder)[0]
            compile_tariffs({1: tariff}, [(tariff.code,)], {})
        found.append(tariff)
    return found


def with_named(
    tariffs: Sequence[Tariff],
    deck_of: Callable[[str], Deck | None],
    calendar_of: Callable[[str], Calendar | None],
) -> list[Tariff]:
    """The tariffs with what they name; each deck and calendar is fetched once. Raises TariffNotValid."""
    decks: dict[str, Deck | None] = {}
    calendars: dict[str, Calendar | None] = {}
    found = []
    for tariff in tariffs:
        for code in tariff.deck_codes:
            if code not in decks:
                decks[code] = deck_of(code)
        if tariff.calendar and tariff.calendar not in calendars:
            calendars[tariff.calendar] = calendar_of(tariff.calendar)
        found.append(_attached(tariff, decks, calendars))
    return found


def _attached(tariff: Tariff, decks: Mapping[str, Deck | None], calendars: Mapping[str, Calendar | None]) -> Tariff:
    mine: dict[str, Deck] = {}
    for row in tariff.rows:
        deck = decks[row.deck] if row.deck else None
        if row.deck and deck is None:
            words = in_words("no_deck", row.deck)
            raise TariffNotValid(file=tariff.version, row=row.code, field="deck", problem=words, others=0)
        if deck is not None:
            mine[row.deck] = deck
    calendar = calendars[tariff.calendar] if tariff.calendar else None
    if tariff.calendar and calendar is None:
        words = in_words("no_calendar", tariff.calendar)
        raise TariffNotValid(file=tariff.version, row="-", field="calendar", problem=words, others=0)
    if not mine and calendar is None:
        return tariff
    return replace(tariff, decks=mine, calendar_days=calendar.bits if calendar else {})
