"""The journal: durable before sending, sealed, never forgetting what has no outcome; crashes by killing processes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from desktop_client.work.acts import ActState, JournalNotUsable, Step
from desktop_client.work.journal import Journal
from shared_models.values.ids import derived_id, new_id

#: A long form kills hundreds of times.
KILLS = int(os.environ.get("ONEHALL_KILLS", "6"))
OWNER = "http://127.0.0.1 1001 03"


def step(name: str = "take_payment", **body: Any) -> Step:
    return Step(name, "/api/hall/payments", {"amount_fen": 100, **body}, "ui.act.take_payment", {"who": "王建国"})


def open_journal(folder: Path) -> Journal:
    return Journal(folder, use_keyring=False)


def test_an_act_is_there_after_opening_again(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    operation = new_id()
    entry, = journal.record([step()], owner=OWNER, operation_id=operation)
    assert entry.act_id == derived_id(operation, "take_payment")
    journal.close()
    again, = open_journal(tmp_path).plan(operation)
    assert again == entry
    assert again.state is ActState.WAITING


def test_the_steps_of_a_plan_are_kept_in_order_with_derived_ids(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    operation = new_id()
    names = ["create_customer", "open_account", "take_payment"]
    entries = journal.record([step(name) for name in names], owner=OWNER, operation_id=operation)
    assert [entry.step.name for entry in entries] == names
    assert [entry.act_id for entry in entries] == [derived_id(operation, name) for name in names]
    assert journal.record([step(name) for name in names], owner=OWNER, operation_id=operation) == entries


def test_contents_are_sealed_and_the_key_is_the_users_alone(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.record([step(note="王建国的秘密")], owner=OWNER)
    journal.close()
    for file in tmp_path.iterdir():
        assert "王建国".encode() not in file.read_bytes(), file.name
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "journal.key").stat().st_mode) == 0o600


def test_contents_moved_to_another_act_do_not_open(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    first, = journal.record([step(amount_fen=1)], owner=OWNER)
    second, = journal.record([step(amount_fen=999)], owner=OWNER)
    journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        sealed = database.execute("select sealed from entry where act_id = ?", (second.act_id,)).fetchone()[0]
        database.execute("update entry set sealed = ? where act_id = ?", (sealed, first.act_id))
    database.close()
    with pytest.raises(InvalidTag):
        open_journal(tmp_path).plan(first.operation_id)


def test_a_journal_without_its_key_is_never_replaced(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    (tmp_path / "journal.key").unlink()
    with pytest.raises(JournalNotUsable, match="key_missing"):
        open_journal(tmp_path)
    (tmp_path / "journal.key").write_text("not a key")
    with pytest.raises(JournalNotUsable, match="key_missing"):
        open_journal(tmp_path)


def test_a_journal_of_a_newer_client_is_left_alone(tmp_path: Path) -> None:
    open_journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        database.execute("update about set value = '2'")
    database.close()
    with pytest.raises(JournalNotUsable, match="newer_client"):
        open_journal(tmp_path)


def test_what_has_no_outcome_is_never_forgotten(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    entry, = journal.record([step()], owner=OWNER)
    journal.mark_sent(entry.act_id)
    with pytest.raises(ValueError, match="never forgotten"):
        journal.clear(entry.operation_id)
    assert not journal.withdraw(entry.operation_id)
    assert journal.unconfirmed_operations(OWNER) == [entry.operation_id]
    journal.confirm(entry.act_id, {"payment_id": "p"})
    assert journal.unconfirmed_operations(OWNER) == []
    assert journal.plan(entry.operation_id)[0].reply == {"payment_id": "p"}
    journal.clear(entry.operation_id)
    assert journal.open_entries() == []


def test_only_what_surely_never_left_can_be_taken_back(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    entry, = journal.record([step()], owner=OWNER)
    journal.mark_sent(entry.act_id)
    journal.mark_unsent(entry.act_id)
    assert journal.withdraw(entry.operation_id)
    other, = journal.record([step()], owner=OWNER)
    journal.mark_sent(other.act_id)
    journal.mark_sent(other.act_id)
    journal.mark_unsent(other.act_id)
    assert not journal.withdraw(other.operation_id), "an earlier try may have reached the server"


def test_each_teller_resumes_only_their_own(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    mine, = journal.record([step()], owner=OWNER)
    journal.record([step()], owner="http://127.0.0.1 1002 03")
    assert journal.unconfirmed_operations(OWNER) == [mine.operation_id]
    assert len(journal.open_entries()) == 2
    assert len(journal.open_entries(OWNER)) == 1


def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.record([step()], owner=OWNER)
    pages = journal._db.execute("pragma page_count").fetchone()[0]
    journal._db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(JournalNotUsable, match="cannot_write"):
        journal.record([step("a", text="x" * 5000), step("b", text="x" * 5000)], owner=OWNER)
    assert len(journal.open_entries()) == 1
    journal._db.execute("pragma max_page_count = 100000")
    journal.record([step()], owner=OWNER)
    assert len(journal.open_entries()) == 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalNotUsable, match="cannot_write"):
        open_journal(tmp_path / "file" / "journal")


@pytest.mark.parametrize("steps", [[], [step(), step()]])
def test_a_plan_needs_steps_with_names_of_their_own(tmp_path: Path, steps: list[Step]) -> None:
    with pytest.raises(ValueError, match="own name"):
        open_journal(tmp_path).record(steps, owner=OWNER)


WRITER = """
import sys
from pathlib import Path
from desktop_client.work.acts import Step
from desktop_client.work.journal import Journal
journal = Journal(Path(sys.argv[1]), use_keyring=False)
number = 0
while True:
    entry, = journal.record([Step("pay", "/p", {"number": number})], owner="o")
    print(entry.operation_id, number, flush=True)
    journal.mark_sent(entry.act_id)
    if number % 3 == 0:
        journal.confirm(entry.act_id, {"number": number})
        journal.clear(entry.operation_id)
        print("cleared", entry.operation_id, flush=True)
    number += 1
"""


@pytest.mark.faults
def test_killing_the_client_at_random_loses_nothing_it_had_written(tmp_path: Path) -> None:
    """What was told to be written is there with its contents; what was told to be cleared is not."""
    chance = random.Random(20261124)
    for round_no in range(KILLS):
        folder = tmp_path / str(round_no)
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[3],
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        said = [first, *process.stdout.read().splitlines(keepends=True)]
        process.wait(10)
        process.stdout.close()
        lines = [line.split() for line in said if line.endswith("\n")]
        cleared = {words[1] for words in lines if words[0] == "cleared"}
        written = {words[0]: int(words[1]) for words in lines if words[0] != "cleared"}
        journal = open_journal(folder)
        there = {entry.operation_id: entry for entry in journal.open_entries()}
        assert not cleared & set(there)
        last = max(written.values())
        for operation, number in written.items():
            if operation in cleared or (number % 3 == 0 and number == last):
                continue
            assert there[operation].step.body == {"number": number}
        journal.close()
