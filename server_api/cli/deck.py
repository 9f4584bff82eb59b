"""``onehall deck`` (rate decks: check, import, list) and ``onehall calendar`` (import, list)."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from server_api.billing.rating.calendars import read_calendar
from server_api.billing.rating.deck_service import import_calendar, import_deck, kept_calendar_days, kept_decks
from server_api.billing.rating.decks import check_deck, read_deck
from server_api.billing.rating.tariff.reader import in_words
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import open_house
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.rating import CalendarImported, DeckImported
from shared_models.contracts.work import system_context
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.ids import new_id

_SHOWN = 50


def add_commands(subparsers: Any) -> None:
    """``deck check | import | list`` and ``calendar import | list``."""
    deck = subparsers.add_parser("deck", help=t("deck.help")).add_subparsers(
        dest="deck_verb", required=True, metavar="VERB"
    )
    check = deck.add_parser("check", help=t("deck.check_help"))
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help=t("deck.file"))
    check.set_defaults(run=_check)
    take = deck.add_parser("import", help=t("deck.import_help"))
    take.add_argument("file", type=Path, metavar="FILE", help=t("deck.file"))
    take.add_argument("--code", help=t("deck.code"))
    take.add_argument("--from", dest="from_on", type=date.fromisoformat, metavar="DAY", help=t("deck.from"))
    take.set_defaults(run=_import)
    deck.add_parser("list", help=t("deck.list_help")).set_defaults(run=_list)
    calendar = subparsers.add_parser("calendar", help=t("calendar.help")).add_subparsers(
        dest="calendar_verb", required=True, metavar="VERB"
    )
    days = calendar.add_parser("import", help=t("calendar.import_help"))
    days.add_argument("file", type=Path, metavar="FILE", help=t("calendar.file"))
    days.add_argument("--code", help=t("calendar.code"))
    days.set_defaults(run=_import_calendar)
    calendar.add_parser("list", help=t("calendar.list_help")).set_defaults(run=_list_calendar)


def _check(args: argparse.Namespace, console: Console) -> int:
    """List every problem of every file."""
    wrong = []
    for path in args.files:
        try:
            deck, problems = check_deck(path)
        except OSError as error:
            console.complain(f"{error.filename}: {error.strerror}")
            return REFUSED
        if not problems:
            prefixes = deck.rows["prefix"].n_unique()
            good = t("deck.good", code=deck.code, count=len(deck.rows), prefixes=prefixes, repeated=deck.repeated)
            console.say(good)
            continue
        short = "zh" if language().startswith("zh") else "en"
        for one in problems[:_SHOWN]:
            words = in_words(one.problem, one.value)[short]
            console.complain(f"{path.name}: {t('deck.problem', line=one.line, field=one.field, problem=words)}")
        if len(problems) > _SHOWN:
            console.complain(t("deck.more", count=len(problems) - _SHOWN))
        wrong += [{"file": path.name, "line": one.line, "field": one.field, "problem": one.problem} for one in problems]
    console.result(wrong)
    return REFUSED if wrong else OK


def _import(args: argparse.Namespace, console: Console) -> int:
    """Keep a deck from a day on."""
    deck = read_deck(args.file, args.code)
    from_on = args.from_on or town_day(SystemClock().now())
    act = Act(new_id(), "deck.import", digest_of([deck.digest, from_on.isoformat()]), system_context("deck import"))
    with open_house(args) as house:
        done = perform(house.databases.billing, act, lambda uow: import_deck(uow, deck=deck, effective_on=from_on))
    report = DeckImported.model_validate_json(done.reply)
    tariffs = ", ".join(report.tariffs) or t("deck.none")
    console.say(
        t("deck.imported", code=report.code, count=report.line_count, version=report.deck_no, tariffs=tariffs)
        if report.added
        else t("deck.unchanged", code=report.code)
    )
    console.result(report.model_dump(mode="json"))
    return OK


def _list(args: argparse.Namespace, console: Console) -> int:
    """List the deck versions."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        rows = kept_decks(conn)
    for row in rows:
        line = t("deck.line", code=row.deck_code, version=row.deck_no, count=row.line_count, on=row.effective_on)
        console.say(line)
    console.result(
        [{"code": row.deck_code, "version": row.deck_no, "from": row.effective_on.isoformat()} for row in rows]
    )
    return OK


def _import_calendar(args: argparse.Namespace, console: Console) -> int:
    """Keep the days of a calendar."""
    calendar = read_calendar(args.file, args.code)
    days = [[day.on.isoformat(), day.kind, day.name] for day in calendar.days]
    act = Act(new_id(), "calendar.import", digest_of([calendar.code, days]), system_context("calendar import"))
    with open_house(args) as house:
        done = perform(house.databases.billing, act, lambda uow: import_calendar(uow, calendar=calendar))
    report = CalendarImported.model_validate_json(done.reply)
    counts = {"added": report.added, "changed": report.changed, "unchanged": report.unchanged}
    console.say(t("calendar.imported", code=report.code, **counts))
    console.result(report.model_dump(mode="json"))
    return OK


def _list_calendar(args: argparse.Namespace, console: Console) -> int:
    """List the days of all calendars."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        rows = kept_calendar_days(conn)
    for row in rows:
        words = {"code": row.calendar_code, "on": row.day_on, "kind": row.kind, "name": row.day_name or ""}
        console.say(t("calendar.line", **words).rstrip())
    console.result([{"code": r.calendar_code, "day": r.day_on.isoformat(), "kind": r.kind} for r in rows])
    return OK
