"""Rate decks: every conflict by its line, and a deck in billing that makes its tariffs follow."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from server_api.billing.rating.calendars import read_calendar
from server_api.billing.rating.deck_service import import_calendar, import_deck
from server_api.billing.rating.decks import Deck, check_deck, read_deck
from server_api.billing.rating.guide import tariffs_by_number
from server_api.billing.rating.service import import_tariffs
from server_api.billing.rating.tariff.read import read_tariffs
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from shared_models.contracts.work import system_context
from shared_models.values.faults.rating import CalendarNotValid, DeckNotValid, TariffNotValid
from shared_models.values.ids import new_id

TARIFF = """
tariff: AZ-TEST
effective_from: 2026-01-01
rows:
  - {row: all, deck: AZ, item: voice.international, step: 6 s, per: 1 min}
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lines", "line", "field", "problem"),
    [
        ("86x,1,,", 2, "prefix", "deck_prefix"),
        (",1,,", 2, "prefix", "deck_prefix"),
        ("44,0.1234567,,", 2, "price", "price_too_fine"),
        ("44,-1,,", 2, "price", "price"),
        ("44,1,,\n44,2,,", 3, "prefix", "deck_double"),
        ("44,1,2026-01-01,2026-03-01\n44,2,2026-02-01,", 2, "effective_until", "deck_overlap"),
        ("44,1,2026-03-01,2026-01-01", 2, "effective_until", "until_before_from"),
        ("44,1,2026-02-30,", 2, "effective_from", "day"),
        ("44,1,,,9", 2, "-", "deck_fields"),
    ],
)
def test_conflicts_are_named(lines: str, line: int, field: str, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path, "D.csv", f"prefix,price,effective_from,effective_until\n{lines}\n")
    _deck, problems = check_deck(path)
    assert (problems[0].line, problems[0].field, problems[0].problem) == (line, field, problem)
    with pytest.raises(DeckNotValid):
        read_deck(path)


def test_a_deck_is_the_same_however_it_came(tmp_path: Path) -> None:
    one = read_deck(written(tmp_path, "a.csv", "prefix,price\n+44,1.5\n0086,0.07\n44,1.50\n"), "D")
    other = read_deck(written(tmp_path, "b.csv", "\ufeff前缀;价格\n86;0.070\n44;1.5\n"), "D")
    assert one.digest == other.digest == Deck.kept("D", one.content).digest
    assert one.repeated == 1


def test_a_kept_deck_makes_its_tariffs_follow(tmp_path: Path) -> None:
    database = Database("billing", f"sqlite:///{tmp_path / 'billing.db'}", secrets=Secrets(bytes(32)), label="decks")
    try:
        database.create_all()

        def act(work: object) -> None:
            perform(database, Act(new_id(), "t", digest_of(new_id()), system_context("test")), work)  # type: ignore[arg-type]

        tariffs = read_tariffs(written(tmp_path, "t.yaml", TARIFF))
        with pytest.raises(TariffNotValid):
            act(lambda uow: import_tariffs(uow, tariffs=tariffs))
        for day, price in ((date(2026, 1, 1), "1"), (date(2026, 6, 1), "2")):
            deck = read_deck(written(tmp_path, "AZ.csv", f"prefix,price\n44,{price}\n"))
            act(lambda uow, deck=deck, day=day: import_deck(uow, deck=deck, effective_on=day))
            act(lambda uow: import_tariffs(uow, tariffs=tariffs))
        with database.reading() as conn:
            kept = tariffs_by_number(conn).values()
        prices = [(str(tariff.effective_on), tariff.decks["AZ"].rows["price"].to_list()) for tariff in kept]
        assert prices == [("2026-01-01", [1_000_000]), ("2026-06-01", [2_000_000])]
        days = read_calendar(written(tmp_path, "C.csv", "day,kind,name\n2026-10-01,holiday,x\n"))
        act(lambda uow: import_calendar(uow, calendar=days))
    finally:
        database.close()


@pytest.mark.parametrize("line", ["2026-02-30,holiday,", "2026-10-01,feast,", "2026-10-01,holiday,\n2026-10-01,sun,"])
def test_a_bad_calendar_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(CalendarNotValid):
        read_calendar(written(tmp_path, "C.csv", f"day,kind,name\n{line}\n"))
