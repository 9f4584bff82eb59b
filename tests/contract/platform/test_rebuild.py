"""Copies are rebuilt from the other side's log; what was different is reported."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from server_api.platform.database import Database, Databases
from server_api.platform.facts.dispatcher import Crossing, deliver_all
from server_api.platform.facts.rebuild import rebuild
from server_api.platform.facts.receiver import Envelope
from server_api.platform.registry import Copy, CopyRow
from server_api.platform.unit_of_work import UnitOfWork
from tests.support.facts import account_news, tell


def _keep(uow: UnitOfWork, envelope: Envelope, payload: Any) -> None:
    """The copy of the test: for each aggregate the number in the last account_no told."""
    table = uow.platform.number_counter
    value = int(payload.account_no[1:])
    name = f"copy {envelope.aggregate}"
    if uow.conn.execute(update(table).where(table.c.counter_name == name).values(next_value=value)).rowcount == 0:
        uow.conn.execute(insert(table).values(counter_name=name, next_value=value))


def _rows(database: Database) -> list[CopyRow]:
    table = database.platform.number_counter
    with database.reading() as connection:
        return [CopyRow(row.counter_name, str(row.next_value)) for row in connection.execute(
            select(table).where(table.c.counter_name.like("copy%")))]


def _forget(uow: UnitOfWork, aggregate: str) -> None:
    table = uow.platform.number_counter
    uow.conn.execute(delete(table).where(table.c.counter_name == f"copy {aggregate}"))


COPY = Copy("tests", "business", ("AccountRecorded",), rows=_rows, forget=_forget)


@pytest.fixture
def crossing(databases: Databases) -> Crossing:
    """Forty aggregates told and heard; one more fact is told but not heard yet."""
    way = Crossing(databases.billing, databases.business, {"AccountRecorded": (_keep,)})
    for number in range(40):
        tell(databases.billing, f"account:{number:02d}", account_news(number))
    tell(databases.billing, "account:07", account_news(700))
    deliver_all([way])
    tell(databases.billing, "account:08", account_news(800))
    return way


def test_a_right_copy_has_no_differences(crossing: Crossing) -> None:
    done = rebuild(crossing, COPY)
    assert (done.facts, done.differences) == (41, [])
    assert {row.key: row.content for row in _rows(crossing.target)}["copy account:07"] == "700"


def test_a_spoilt_copy_is_mended_and_what_was_different_is_said(crossing: Crossing) -> None:
    table = crossing.target.platform.number_counter
    crossing.target.write(lambda connection: connection.execute(
        update(table).where(table.c.counter_name == "copy account:03").values(next_value=99)))
    crossing.target.write(lambda connection: connection.execute(
        delete(table).where(table.c.counter_name == "copy account:05")))
    done = rebuild(crossing, COPY)
    assert done.differences == ["- copy account:03 99", "+ copy account:03 3", "+ copy account:05 5"]
    assert rebuild(crossing, COPY).differences == []


def test_a_copy_that_is_its_own_record_is_compared_only(crossing: Crossing) -> None:
    own = Copy("own", "business", ("AccountRecorded",), rows=_rows,
               truth=lambda database: [CopyRow("copy account:00", "1")])
    before = _rows(crossing.target)
    done = rebuild(crossing, own)
    assert "+ copy account:00 1" in done.differences
    assert _rows(crossing.target) == before
