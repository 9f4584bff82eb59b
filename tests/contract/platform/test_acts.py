"""Acts happen once: repeats, races, reuse, refusals; numbers without gaps."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from server_api.platform.acts import Act, Outcome, digest_of, perform
from server_api.platform.database import Database, Databases
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.base import Contract
from shared_models.contracts.work import system_context
from shared_models.values.faults.common import ActReused, InputNotValid, NotFound
from shared_models.values.ids import new_id


class Numbered(Contract):
    """A reply that shows whether the work was done again."""

    number: int
    words: str = "收讫"


def _act(act_id: str = "", content: Any = "content") -> Act:
    return Act(act_id or new_id(), "tests.number", digest_of(content), system_context("tests"))


def _number(uow: UnitOfWork) -> Numbered:
    return Numbered(number=next_number(uow, "receipts of 01/03"))


def _acts(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(database.platform.act)).scalar_one())


def test_a_repeat_gets_the_stored_reply(databases: Databases) -> None:
    act = _act()
    first = perform(databases.billing, act, _number)
    again = perform(databases.billing, act, _number)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.reply == again.reply == '{"number":1,"words":"收讫"}'
    with databases.billing.reading() as connection:
        stored = connection.execute(select(databases.billing.platform.act.c.reply)).scalar_one()
    assert "收讫" not in stored and stored.startswith("1:")  # personal data is not stored in the clear


def test_the_same_id_with_other_content_is_refused(databases: Databases) -> None:
    act = _act()
    perform(databases.billing, act, _number)
    with pytest.raises(ActReused):
        perform(databases.billing, _act(act.act_id, "other"), _number)
    assert _acts(databases.billing) == 1


def test_a_refusal_stores_nothing_and_leaves_id_and_number_free(databases: Databases) -> None:
    act = _act()

    def refuse(uow: UnitOfWork) -> None:
        next_number(uow, "receipts of 01/03")
        raise NotFound(what="account")

    with pytest.raises(NotFound):
        perform(databases.billing, act, refuse)
    assert _acts(databases.billing) == 0
    assert '"number":1' in perform(databases.billing, act, _number).reply


def test_an_odd_act_id_is_refused(databases: Databases) -> None:
    for odd in ("", "x" * 32, "A" * 32, "a" * 31, "'; drop table act; --"):
        with pytest.raises(InputNotValid):
            perform(databases.billing, Act(odd, "k", "d", system_context("tests")), _number)


def _together(count: int, do: Any) -> tuple[list[Any], list[Exception]]:
    results: list[Any] = []
    errors: list[Exception] = []
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results.append(do(index))
        except Exception as error:  # noqa: BLE001 - the test looks at them
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, errors


def test_a_race_of_identical_acts_does_the_work_once(databases: Databases) -> None:
    for _round in range(5):
        act = _act()
        outcomes, errors = _together(8, lambda _index, act=act: perform(databases.billing, act, _number))
        assert errors == []
        assert Counter(outcome.replayed for outcome in outcomes) == {False: 1, True: 7}
        assert len({outcome.reply for outcome in outcomes}) == 1


def test_numbers_have_no_gaps_and_no_doubles_under_a_rush(databases: Databases) -> None:
    def do(index: int) -> list[Outcome]:
        done = []
        for turn in range(10):
            act = _act()

            def work(uow: UnitOfWork, refuse: bool = (index + turn) % 3 == 0) -> Numbered:
                numbered = _number(uow)
                if refuse:
                    raise NotFound(what="x")
                return numbered

            try:
                done.append(perform(databases.billing, act, work))
            except NotFound:
                continue
        return done

    results, errors = _together(8, do)
    assert errors == []
    numbers = sorted(Numbered.model_validate_json(outcome.reply).number for done in results for outcome in done)
    assert numbers == list(range(1, len(numbers) + 1))


def test_money_in_words_and_hostile_text_come_back_as_they_went_in(databases: Databases) -> None:
    hostile = "'; DROP TABLE act; -- <script>alert(1)</script> \\ % _ [x] 张三\u3000\U0001f600"
    outcome = perform(databases.billing, _act(content=hostile), lambda uow: Numbered(number=1, words=hostile))
    assert Numbered.model_validate_json(outcome.reply).words == hostile
    assert _acts(databases.billing) == 1
