"""The audit trail: whoever edits, adds or deletes an entry is found out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from server_api.platform import audit
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database, Databases
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id


@pytest.fixture
def trail(databases: Databases) -> Database:
    """Six entries, four of them sealed in two seals."""
    database = databases.business
    for number in range(1, 7):
        act = Act(new_id(), "tests.look", digest_of(number), system_context("tests"))
        perform(database, act, lambda uow, n=number: audit.note(uow, "customer.viewed", f"customer:{n}", "看了证件 "))
        if number in (2, 4):
            assert audit.seal(database) == 2
    return database


def _change(database: Database, statement: Any) -> None:
    database.write(lambda connection: connection.execute(statement))


def test_an_untouched_trail_is_whole(trail: Database) -> None:
    report = audit.verify(trail)
    assert (report.sealed, report.unsealed, report.seals, report.wrong) == (4, 2, 2, [])
    assert audit.seal(trail) == 2
    assert audit.seal(trail) == 0
    assert audit.verify(trail).wrong == []


@pytest.mark.parametrize("values", [{"staff_no": "1002"}, {"remark": None}, {"subject": "customer:9"}, {"what": "x"}])
@pytest.mark.parametrize("sealed", [True, False])
def test_a_changed_entry_is_named(trail: Database, values: dict[str, Any], sealed: bool) -> None:
    entry = trail.platform.audit_entry
    condition = entry.c.sealed_in.is_not(None) if sealed else entry.c.sealed_in.is_(None)
    with trail.reading() as connection:
        ids = select(entry.c.entry_id).where(condition).order_by(entry.c.entry_id)
        victim = connection.execute(ids).scalars().first()
    _change(trail, update(entry).where(entry.c.entry_id == victim).values(**values))
    assert audit.verify(trail).wrong == [f"entry {victim} was changed"]


def test_a_deleted_entry_is_missed(trail: Database) -> None:
    entry = trail.platform.audit_entry
    with trail.reading() as connection:
        victim = connection.execute(select(entry.c.entry_id).where(entry.c.sealed_in == 1)).scalars().first()
    _change(trail, delete(entry).where(entry.c.entry_id == victim))
    assert "seal 1 holds 2 entries, 1 are there" in audit.verify(trail).wrong


def test_an_added_entry_without_the_key_is_named(trail: Database) -> None:
    entry = trail.platform.audit_entry
    with trail.reading() as connection:
        row = connection.execute(select(entry).where(entry.c.sealed_in == 1)).first()
    assert row is not None
    forged = {**row._mapping, "what": "nothing.happened"}
    del forged["entry_id"]
    _change(trail, insert(entry).values(**forged))
    wrong = audit.verify(trail).wrong
    assert any("was changed" in line for line in wrong)
    assert "seal 1 holds 2 entries, 3 are there" in wrong


def test_a_removed_seal_and_a_bent_chain_are_named(trail: Database) -> None:
    seals = trail.platform.audit_seal
    _change(trail, delete(seals).where(seals.c.seal_no == 1))
    wrong = audit.verify(trail).wrong
    assert "seal 1 is gone" in wrong
    assert "2 entries belong to a seal that is gone" in wrong
    _change(trail, update(seals).values(previous_digest="f" * 64))
    assert any("does not fit its entries" in line for line in audit.verify(trail).wrong)
