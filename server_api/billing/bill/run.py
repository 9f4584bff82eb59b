"""The month run: chunks of accounts, each drafted outside and frozen inside short write turns.

Killed anywhere it goes on where the last turn committed: a chunk's place moves in the transaction of its bills. An
account that cannot be billed is set aside with its reason; one that moved since it was read is drafted again.
"""

from __future__ import annotations

import gc
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from server_api.billing.account import service as account_service
from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.news import BillsDrafted, BillsIssued, IssuedBill
from server_api.billing.bill.policy import BillingPolicy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import AccountInput, BillDraft
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.bill.store import bills, runs
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import (
    AFTER_ALL,
    AccountHead,
    Common,
    Loaded,
    load_account,
    load_accounts,
    read_common,
)
from server_api.billing.ledger import store as ledger_store
from server_api.platform.database import Database
from server_api.platform.dialects.sqlite import SQLite
from server_api.platform.facts.outbox import store_told
from server_api.platform.locks import queued
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.faults.base import Fault
from shared_models.values.faults.bill import BillMoved
from shared_models.values.faults.common import TooBusy
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen

#: A turn aims at this much writing, so that a teller waits for it no longer than the platform promises.
_TURN_AIM_S = 0.008
#: While nobody else has written for a while the commits are what holds a run up, so turns are longer.
_LONE_TURN_AIM_S = 0.060
_COMPANY_S = 2.0
_TURN_LEAST, _TURN_MOST = 40, 1_000
_TRIES = 4
_PACE_WINDOW_S = 60.0
_PACE_EVERY_S = 1.0


class RunStopped(Exception):
    """The run was cancelled, or this worker lost its chunk: what was frozen stays, the rest is left for later."""


@dataclass
class Pace:
    """How fast the run went in the last minute, from the run's own count, so that all workers' work is in it."""

    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def per_minute(self, done: int) -> int | None:
        """Note the count and return accounts a minute; None before there is anything to tell from."""
        now = time.monotonic()
        self.seen.append((now, done))
        while len(self.seen) > 2 and now - self.seen[0][0] > _PACE_WINDOW_S:
            self.seen.popleft()
        since, first = self.seen[0]
        return int((done - first) * 60 / (now - since)) if now - since > 0.2 else None


@dataclass
class _Held:
    """A chunk in hand: its accounts as read, which of them is next, and how often each was found moved."""

    chunk: runs.Chunk
    loaded: Loaded
    aside: set[str]
    index: int = 0
    tries: dict[str, int] = field(default_factory=dict)

    def place_after(self, count: int) -> str:
        """Where the chunk stands once ``count`` more accounts are done."""
        index = self.index + count
        if index < len(self.loaded.heads):
            return self.loaded.heads[index].account_id
        return self.chunk.until_account or AFTER_ALL


@dataclass
class MonthRun:
    """One worker's share of a month run."""

    database: Database
    policy: BillingPolicy
    issue: Issue
    on_progress: Callable[[int, int], None] = lambda done, total: None
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        with self.database.reading() as conn:
            self.book: PriceBook = load_book(conn, self.policy)
            self._common = read_common(conn, self.issue.month)
        self._turn_size = self.policy.run.turn_accounts
        self._paced_at = 0.0
        self._day = lru_cache(maxsize=512)(self.database.dialect.raw_day)
        self._worker = f"{self.database.worker_name}:{id(self):x}"[:80]
        self._turns = getattr(self.database.writer, "turns", None)
        self.context = system_context("month run")

    # ---- chunks ------------------------------------------------------------------------------------------------------
    def work(self) -> None:
        """Do chunks until none is free. Raises RunStopped when the run was cancelled."""
        with without_cycles():
            while (chunk := self._claim()) is not None:
                try:
                    self._do(chunk)
                except BaseException:
                    self._end(chunk, runs.WAITING)
                    raise
                gc.collect()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A write turn of this run: its workers wait for one another here, so that they meet only others there."""
        dialect = self.database.dialect
        apart: AbstractContextManager[None] = nullcontext()
        if isinstance(dialect, SQLite):
            apart = queued(dialect.file, "billrun")
        with apart, self.database.batch() as conn:
            yield conn

    def _claim(self) -> runs.Chunk | None:
        now = self.database.clock.now()
        with self._write() as conn:
            return runs.claim_chunk(conn, self.issue.month.yyyymm, self.issue.run_id, self._worker, now, self._lease())

    def _end(self, chunk: runs.Chunk, state: str) -> None:
        with self._write() as conn:
            runs.end_chunk(conn, chunk, self._worker, state)

    def _lease(self) -> Any:
        return self.database.clock.now() + timedelta(seconds=self.policy.run.lease_s)

    def _do(self, chunk: runs.Chunk) -> None:
        with self.database.reading() as conn:
            self._common.late.read_on(conn, self.database.clock.now())
            loaded = load_accounts(conn, self.issue.month, chunk.next_account, chunk.until_account, self._common)
            if self._common.cycles or self.issue.billing_day != 1:
                loaded = of_day(loaded, self._common, self.issue)
            aside = bills.aside_ids(conn, chunk.period, [head.account_id for head in loaded.heads])
        held = _Held(chunk, loaded, aside)
        while held.index < len(loaded.heads):
            moved = self._turn_patiently(held)
            if moved is not None:
                held.tries[moved] = held.tries.get(moved, 0) + 1
                self._read_again(held, moved)
            self._tell_progress()
        self._end(held.chunk, runs.DONE)

    def _turn_patiently(self, held: _Held) -> str | None:
        """A turn; one that met a deadlock or a queue is taken again, for nothing of it was stored."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._turn(held)
            except TooBusy:
                if attempt == _TRIES:
                    raise
                time.sleep(0.05 * 2**attempt)
        raise AssertionError("unreachable")

    def _read_again(self, held: _Held, account_id: str) -> None:
        """An account moved between reading and freezing: take it as it is now; one that was closed is left out."""
        with self.database.reading() as conn:
            fresh = load_account(conn, self.issue.month, account_id)
        if not fresh.heads:
            del held.loaded.heads[held.index]
            return
        held.loaded.heads[held.index] = fresh.heads[0]
        held.loaded.inputs.update(fresh.inputs)

    # ---- one turn ----------------------------------------------------------------------------------------------------
    def _turn(self, held: _Held) -> str | None:
        """Freeze the bills of the next accounts and move the chunk on; returns the account that moved, if one did."""
        heads = held.loaded.heads[held.index : held.index + self._turn_size]
        drafts = [self._draft(held.loaded, head) for head in heads]
        now = self.database.clock.now()
        ready = self._frozen(heads, drafts, now)
        reckoned = self._reckoned(heads, ready)
        with self._write() as conn:
            began = time.monotonic()
            moved = self._first_moved(conn, heads)
            count = len(heads) if moved is None else moved
            if moved is not None:
                ready = self._frozen(heads[:count], drafts[:count], now)
            asides = self._asides(heads[:count], drafts[:count])
            if moved is not None and held.tries.get(heads[moved].account_id, 0) >= _TRIES:
                asides.append((heads[moved].account_id, BillMoved()))
                count += 1
            following = held.place_after(count)
            if count:
                self._store(conn, held, heads[0].account_id, ready, reckoned, asides, count, following)
            # without the commit: its time is the disk's and does not grow with the turn
            self._fit_turn(len(heads), time.monotonic() - began)
        held.chunk = held.chunk._replace(next_account=following)
        held.index += count
        return heads[count].account_id if count < len(heads) else None

    def _fit_turn(self, accounts: int, elapsed_s: float) -> None:
        """Make the next turn as large as fits what a turn may take."""
        alone = self._turns is None or time.monotonic() - self._turns.company_at > _COMPANY_S
        fitting = accounts * (_LONE_TURN_AIM_S if alone else _TURN_AIM_S) / max(elapsed_s, 1e-4)
        self._turn_size = int(min(_TURN_MOST, 2 * self._turn_size, max(_TURN_LEAST, fitting)))

    def _reckoned(self, heads: list[AccountHead], ready: Frozen) -> dict[str, Any]:
        """What the slices above work out about the drafts, while nobody waits."""
        news = BillsDrafted(
            _issued(self.issue, ready),
            {head.account_id: head.standing for head in heads},
            frozenset(head.account_id for head in heads if head.has_money),
        )
        with self.database.reading() as conn:
            uow = UnitOfWork(self.database, conn, self.context, self.issue.run_id, self.database.clock.now())
            uow.announce(news)
        return news.reckoned

    def _store(
        self, conn: Connection, held: _Held, first_id: str, ready: Frozen, reckoned: dict[str, Any],
        asides: list[tuple[str, Fault]], count: int, following: str,
    ) -> None:  # fmt: skip
        period, run_id = self.issue.month.yyyymm, self.issue.run_id
        total = Fen(sum(each[2] for each in ready.bills))
        step = runs.ChunkStep(following, count, len(ready.bills), len(asides), total)
        if not runs.step_chunk(conn, held.chunk, self._worker, step, self._lease()):
            raise RunStopped(run_id)
        store_bills(self.database, conn, self.issue, ready, derived_id(run_id, first_id), self.context, reckoned)
        now = self.database.clock.now()
        rows = [(period, one, run_id, fault.code or "defect", remark_of(fault), now) for one, fault in asides]
        bills.set_aside(conn, rows)
        bills.forget_asides(conn, period, [each[0] for each in ready.bills if each[0] in held.aside])

    def _first_moved(self, conn: Connection, heads: list[AccountHead]) -> int | None:
        """Lock the accounts in order of id; the first whose version is not the one its bill was drafted from."""
        versions = runs.lock_versions(self.database, conn, heads[0].account_id, heads[-1].account_id)
        for index, head in enumerate(heads):
            if versions.get(head.account_id) != head.version:
                return index
        return None

    # ---- drafting ----------------------------------------------------------------------------------------------------
    def _draft(self, loaded: Loaded, head: AccountHead) -> BillDraft | Fault | None:
        account = loaded.inputs.get(head.account_id)
        if account is None or head.account_id in loaded.billed:
            return None
        return draft_or_reason(self.book, self.policy, self.issue, account)

    def _frozen(self, heads: list[AccountHead], drafts: list[BillDraft | Fault | None], now: Any) -> Frozen:
        frozen = Frozen.empty(self._day, self.database.dialect.raw_instant)
        for head, draft in zip(heads, drafts, strict=True):
            if isinstance(draft, BillDraft) and draft.lines:
                days = self._common.cycles.get(head.account_id, ())
                freeze(frozen, self.issue, head, draft, now, span=self.issue.span(days))
        return frozen

    def _asides(self, heads: list[AccountHead], drafts: list[BillDraft | Fault | None]) -> list[tuple[str, Fault]]:
        return [(head.account_id, draft) for head, draft in zip(heads, drafts, strict=True) if isinstance(draft, Fault)]

    # ---- progress ----------------------------------------------------------------------------------------------------
    def _tell_progress(self) -> None:
        """Once a second: store the pace, look whether the run was cancelled, tell who watches. Raises RunStopped."""
        if time.monotonic() - self._paced_at < _PACE_EVERY_S:
            return
        self._paced_at = time.monotonic()
        period, run_id = self.issue.month.yyyymm, self.issue.run_id
        with self.database.reading() as conn:
            run = runs.read_run(conn, run_id)
            sums = runs.chunk_sums(conn, period, run_id)
        if run is None or run.state != runs.RUNNING:
            raise RunStopped(run_id)
        pace = self.pace.per_minute(int(sums.done or 0))
        now = self.database.clock.now()
        with self._write() as conn:
            runs.set_run(conn, period, run_id, accounts_per_min=pace, paced_at=now)
        self.on_progress(int(sums.done or 0), run.account_count)


def of_day(loaded: Loaded, common: Common, issue: Issue) -> Loaded:
    """Without the accounts that another run of the month bills."""
    month, day = issue.month.yyyymm, issue.billing_day
    return replace(loaded, heads=[head for head in loaded.heads if common.bills(head.account_id, month, day)])


def draft_or_reason(book: PriceBook, policy: BillingPolicy, issue: Issue, account: AccountInput) -> BillDraft | Fault:
    """The draft, or the refusal that sets the account aside. A defect sets it aside too: the run goes on without it."""
    try:
        return draft_bill(book, policy.bill, issue.month, account)
    except Fault as fault:
        return fault
    except (ArithmeticError, LookupError, TypeError, ValueError) as defect:
        return Fault(what=f"{type(defect).__name__}: {defect}"[:200])


def remark_of(fault: Fault) -> str:
    """A refusal's parameters as short JSON, so that its words can be made in any language later."""
    return json.dumps({name: str(value)[:60] for name, value in list(fault.params.items())[:3]}, ensure_ascii=False)


def store_bills(
    database: Database, conn: Connection, issue: Issue, ready: Frozen, act_id: str, context: Any,
    reckoned: dict[str, Any],
) -> None:  # fmt: skip
    """Store frozen bills and their postings, book credits as advance, and let the slices above settle from books."""
    if not ready.bills:
        return
    bills.insert_bills(database, conn, ready.rows)
    ledger_store.post_bulk(database, conn, ready.postings)
    uow = UnitOfWork(database, conn, context, act_id, database.clock.now())
    credits = {bill_id: (account_id, -total) for account_id, bill_id, total in ready.bills if total < 0}
    if credits:
        lines = {row[1]: row[2] for row in ready.postings if row[1] in credits}
        for bill_id, (account_id, credit) in credits.items():
            account_service.add_credit(
                uow,
                account_id,
                amount=Fen(credit),
                ref_id=bill_id,
                act_id=bill_id,
                first_line=lines.get(bill_id, 0) + 1,
            )
    uow.announce(BillsIssued(issue.run_id, issue.month, _issued(issue, ready), reckoned))
    store_told(uow)


def _issued(issue: Issue, ready: Frozen) -> tuple[IssuedBill, ...]:
    return tuple(
        IssuedBill(account_id, bill_id, Fen(total), issue.due_on) for account_id, bill_id, total in ready.bills
    )


@contextmanager
def without_cycles() -> Iterator[None]:
    """Keep the collector of reference cycles from walking over what a chunk holds; it took a third of the run.

    Millions of tuples are made and dropped, none of them in a cycle. What the process held before is set apart, so that
    the collection after each chunk is short.
    """
    if not gc.isenabled():
        yield
        return
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
