"""The journal: acts and plans not yet confirmed, on disk before anything is sent.

The client makes the act's id, writes it here (SQLite, one durable commit), and only then sends. A crash, a power cut or
a lost reply is mended by sending the same id again: the server books it once and gives the stored reply. An entry
leaves when its reply has been used (the receipt is printed, or the teller has seen the refusal).

What it is not: an offline till. No receipt exists before the server answered.

States of an act::

    waiting --send--> sent --reply--> confirmed --clear--> (gone)
       |                |-- refused --> refused --clear--> (gone)
       '-- withdraw (only while nothing can have reached the server) --> (gone)

Contents (who pays what) are sealed with AES-GCM; the act id is bound to its contents.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from desktop_client.work.acts import ActState, Entry, JournalNotUsable, Step
from desktop_client.work.journal_key import journal_key
from shared_models.values.clock import Clock, SystemClock
from shared_models.values.ids import derived_id, is_id, new_id

_NONCE_BYTES = 12
_SCHEMA = """
create table if not exists entry (
    act_id text primary key, operation_id text not null, step_no integer not null, state text not null,
    owner text not null, made_at text not null, tries integer not null default 0, sealed blob not null, reply blob
);
create index if not exists ix_entry_operation on entry (operation_id, step_no);
create table if not exists about (name text primary key, value text not null);
"""
_FORMAT = "1"


class Journal:
    """Opens (or makes) the journal in a folder. Safe to use from several threads; every write is durable on return.

    Every method raises JournalNotUsable where the disk or the file does not do its part.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None, use_keyring: bool = True) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        with _as_journal_trouble():
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / "journal.sqlite"
            self._key = journal_key(folder, journal_exists=file.exists(), use_keyring=use_keyring)
            self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_SCHEMA)
            self._check_format()

    def _check_format(self) -> None:
        row = self._db.execute("select value from about where name = 'format'").fetchone()
        if row is None:
            self._db.execute("insert or ignore into about values ('format', ?)", (_FORMAT,))
        elif row[0] != _FORMAT:
            raise JournalNotUsable("newer_client", row[0])

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def record(self, steps: list[Step], *, owner: str, operation_id: str | None = None) -> list[Entry]:
        """Write a plan (or one act) down before anything is sent; all of its steps or none.

        ``owner`` is who may resume it (server, staff number, counter). The id of a step is
        ``derived_id(operation, step name)``. Idempotent by ``operation_id``.
        """
        operation = operation_id or new_id()
        if not is_id(operation):
            raise ValueError("an operation id is 32 hex digits")
        if len({step.name for step in steps}) != len(steps) or not steps:
            raise ValueError("a plan has at least one step, each with its own name")
        made_at = self._clock.now()
        with self._transaction():
            for number, step in enumerate(steps):
                act_id = derived_id(operation, step.name)
                self._db.execute(
                    "insert or ignore into entry (act_id, operation_id, step_no, state, owner, made_at, sealed)"
                    " values (?, ?, ?, 'waiting', ?, ?, ?)",
                    (act_id, operation, number, owner, made_at.isoformat(), self._seal(act_id, _step_data(step))),
                )
        return self.plan(operation)

    def plan(self, operation_id: str) -> list[Entry]:
        """The steps of one operation that are still here, in order."""
        return self._select("where operation_id = ? order by step_no", (operation_id,))

    def open_entries(self, owner: str | None = None) -> list[Entry]:
        """Everything still here, oldest first; of one owner, or of all."""
        if owner is None:
            return self._select("order by made_at, operation_id, step_no", ())
        return self._select("where owner = ? order by made_at, operation_id, step_no", (owner,))

    def unconfirmed_operations(self, owner: str) -> list[str]:
        """Operations with an act of which the outcome is not known, oldest first."""
        with self._lock, _as_journal_trouble():
            rows = self._db.execute(
                "select operation_id, min(made_at) from entry where owner = ? and state in ('waiting', 'sent')"
                " group by operation_id order by 2, 1", (owner,),
            ).fetchall()
        return [row[0] for row in rows]

    def mark_sent(self, act_id: str) -> None:
        """Say, before the first byte leaves, that the server may have heard of this act from now on."""
        self._update("update entry set state = 'sent', tries = tries + 1 where act_id = ?", (act_id,))

    def mark_unsent(self, act_id: str) -> None:
        """Say that this attempt surely never left the machine (no connection). Only the first attempt can say so."""
        self._update("update entry set state = 'waiting', tries = 0 where act_id = ? and tries = 1", (act_id,))

    def confirm(self, act_id: str, reply: dict[str, Any]) -> None:
        """Keep the server's reply until it has been used."""
        self._update(
            "update entry set state = 'confirmed', reply = ? where act_id = ?",
            (self._seal(act_id + "/reply", reply), act_id),
        )

    def refuse(self, act_id: str, refusal: dict[str, Any]) -> None:
        """Keep the server's refusal until the teller has seen it. Nothing was stored there; the id is free."""
        self._update(
            "update entry set state = 'refused', reply = ? where act_id = ?",
            (self._seal(act_id + "/reply", refusal), act_id),
        )

    def clear(self, operation_id: str) -> None:
        """Forget an operation of which every act has an outcome. One that has not stays: ValueError."""
        with self._transaction():
            row = self._db.execute(
                "select count(*) from entry where operation_id = ? and state = 'sent'", (operation_id,)
            ).fetchone()
            if row[0]:
                raise ValueError("an act whose outcome is not known is never forgotten")
            self._db.execute("delete from entry where operation_id = ?", (operation_id,))

    def withdraw(self, operation_id: str) -> bool:
        """Take an operation back. True when nothing of it can have reached the server; else it stays and resumes."""
        with self._transaction():
            row = self._db.execute(
                "select count(*) from entry where operation_id = ? and state <> 'waiting'", (operation_id,)
            ).fetchone()
            if row[0]:
                return False
            self._db.execute("delete from entry where operation_id = ?", (operation_id,))
            return True

    # ---- inside --------------------------------------------------------------------------------------------------
    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, _as_journal_trouble():
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _update(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._transaction():
            self._db.execute(statement, values)

    def _select(self, tail: str, values: tuple[Any, ...]) -> list[Entry]:
        with self._lock, _as_journal_trouble():
            rows = self._db.execute(
                "select act_id, operation_id, step_no, state, owner, made_at, tries, sealed, reply from entry " + tail,
                values,
            ).fetchall()
        return [self._entry(row) for row in rows]

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        act_id, operation_id, step_no, state, owner, made_at, tries, sealed, reply = row
        return Entry(
            act_id=act_id, operation_id=operation_id, step_no=step_no, step=Step(**self._open(act_id, sealed)),
            state=ActState(state), owner=owner, made_at=datetime.fromisoformat(made_at), tries=tries,
            reply=None if reply is None else self._open(act_id + "/reply", reply),
        )

    def _seal(self, name: str, content: dict[str, Any]) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8")
        return nonce + AESGCM(self._key).encrypt(nonce, plain, name.encode("ascii"))

    def _open(self, name: str, sealed: bytes) -> dict[str, Any]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        plain = AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode("ascii"))
        content: dict[str, Any] = json.loads(plain)
        return content


@contextmanager
def _as_journal_trouble() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise JournalNotUsable("cannot_write", str(problem)) from problem


def _step_data(step: Step) -> dict[str, Any]:
    return {
        "name": step.name, "path": step.path, "body": step.body, "title_key": step.title_key,
        "title_params": step.title_params, "reason": step.reason,
    }
