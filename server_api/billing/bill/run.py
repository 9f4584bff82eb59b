"""The month run: chunks of accounts, each drafted outside and frozen inside short write turns.

Killed anywhere it goes on where the last turn committed: a chunk's place moves in the transaction of its bills. An
account that cannot be billed is set aside with its reason; one that moved since it was read is drafted again.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from server_api.billing.account import service as account_service
from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.news import BillsIssued, IssuedBill
from server_api.billing.bill.policy import BillingPolicy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import AccountInput, BillDraft
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.bill.store import bills, runs
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import AccountHead, Loaded, load_account, load_accounts
from server_api.billing.ledger import store as ledger_store
from server_api.platform.database import Database
from server_api.platform.facts.outbox import store_told
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.values.faults.base import Fault
from shared_models.values.faults.bill import BillMoved
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen

#: A turn aims at this much writing, so that a teller waits for it no longer than the platform promises.
_TURN_AIM_S = 0.008
_TURN_LEAST, _TURN_MOST = 10, 500
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
        self._turn_size = self.policy.run.turn_accounts
        self._paced_at = 0.0
        self._worker = f"{self.database.worker_name}:{id(self):x}"[:80]
        self.context = system_context("month run")

    # ---- chunks ------------------------------------------------------------------------------------------------------
    def work(self) -> None:
        """Do chunks until none is free. Raises RunStopped when the run was cancelled."""
        while (chunk := self._claim()) is not None:
            try:
                self._do(chunk)
            except BaseException:
                self.database.write(lambda conn, held=chunk: runs.end_chunk(conn, held, self._worker, runs.WAITING))  # type: ignore[misc]
                raise

    def _claim(self) -> runs.Chunk | None:
        period, run_id = self.issue.month.yyyymm, self.issue.run_id
        now = self.database.clock.now()
        return self.database.write(
            lambda conn: runs.claim_chunk(conn, period, run_id, self._worker, now, self._lease())
        )

    def _lease(self) -> Any:
        return self.database.clock.now() + timedelta(seconds=self.policy.run.lease_s)

    def _do(self, chunk: runs.Chunk) -> None:
        with self.database.reading() as conn:
            loaded = load_accounts(conn, self.issue.month, chunk.next_account, chunk.until_account)
            aside = bills.aside_ids(conn, chunk.period, [head.account_id for head in loaded.heads])
        tries: dict[str, int] = {}
        index = 0
        while index < len(loaded.heads):
            heads = loaded.heads[index : index + self._turn_size]
            done, moved = self._turn(chunk, loaded, heads, aside, tries)
            chunk = chunk._replace(next_account=self._place_after(loaded, index + done, chunk))
            index += done
            if moved is not None:
                tries[moved] = tries.get(moved, 0) + 1
                self._read_again(loaded, index, moved)
            self._tell_progress()
        self.database.write(lambda conn: runs.end_chunk(conn, chunk, self._worker, runs.DONE))

    def _place_after(self, loaded: Loaded, index: int, chunk: runs.Chunk) -> str:
        if index < len(loaded.heads):
            return loaded.heads[index].account_id
        return chunk.until_account or "g"

    def _read_again(self, loaded: Loaded, index: int, account_id: str) -> None:
        """An account moved between reading and freezing: take it as it is now."""
        with self.database.reading() as conn:
            fresh = load_account(conn, self.issue.month, account_id)
        if fresh.heads:
            loaded.heads[index] = fresh.heads[0]
            loaded.inputs.update(fresh.inputs)
            loaded.payers.update(fresh.payers)

    # ---- one turn ----------------------------------------------------------------------------------------------------
    def _turn(
        self,
        chunk: runs.Chunk,
        loaded: Loaded,
        heads: list[AccountHead],
        aside: set[str],
        tries: dict[str, int],
    ) -> tuple[int, str | None]:
        """Freeze the bills of some accounts. Returns how many are done with, and the account that moved, if one did."""
        drafts = [self._draft(loaded, head) for head in heads]
        now = self.database.clock.now()
        ready = self._frozen(loaded, heads, drafts, now)
        began = time.monotonic()
        with self.database.batch() as conn:
            began = time.monotonic()
            moved = self._first_moved(conn, heads)
            count = len(heads) if moved is None else moved
            if moved is not None:
                ready = self._frozen(loaded, heads[:count], drafts[:count], now)
            asides = self._asides(heads[:count], drafts[:count])
            if moved is not None and tries.get(heads[moved].account_id, 0) >= _TRIES:
                count, asides = count + 1, [*asides, (heads[moved].account_id, BillMoved())]
            if count:
                self._store(conn, chunk, loaded, heads, ready, asides, aside, count)
        elapsed = time.monotonic() - began
        self._turn_size = int(
            min(_TURN_MOST, max(_TURN_LEAST, self._turn_size * min(2.0, _TURN_AIM_S / max(elapsed, 1e-4))))
        )
        again = heads[count].account_id if count < len(heads) else None
        return count, again

    def _store(
        self,
        conn: Connection,
        chunk: runs.Chunk,
        loaded: Loaded,
        heads: list[AccountHead],
        ready: Frozen,
        asides: list[tuple[str, Fault]],
        aside_before: set[str],
        count: int,
    ) -> None:
        period, run_id = self.issue.month.yyyymm, self.issue.run_id
        following = heads[count].account_id if count < len(heads) else self._after(loaded, heads[count - 1], chunk)
        step = runs.ChunkStep(
            following, count, len(ready.bills), len(asides), Fen(sum(each[2] for each in ready.bills))
        )
        if not runs.step_chunk(conn, chunk, self._worker, step, self._lease()):
            raise RunStopped(run_id)
        store_bills(self.database, conn, self.issue, ready, derived_id(run_id, heads[0].account_id), self.context)
        if asides:
            now = self.database.clock.now()
            bills.set_aside(
                conn,
                [
                    (period, account_id, run_id, fault.code or "defect", remark_of(fault), now)
                    for account_id, fault in asides
                ],
            )
        bills.forget_asides(conn, period, [each[0] for each in ready.bills if each[0] in aside_before])

    def _after(self, loaded: Loaded, head: AccountHead, chunk: runs.Chunk) -> str:
        return self._place_after(loaded, loaded.heads.index(head) + 1, chunk)

    def _first_moved(self, conn: Connection, heads: list[AccountHead]) -> int | None:
        """Lock the accounts in order of id; the first whose version is not the one its bill was drafted from."""
        versions = runs.lock_versions(self.database, conn, [head.account_id for head in heads])
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

    def _frozen(
        self, loaded: Loaded, heads: list[AccountHead], drafts: list[BillDraft | Fault | None], now: Any
    ) -> Frozen:
        frozen = Frozen.empty()
        for head, draft in zip(heads, drafts, strict=True):
            if isinstance(draft, BillDraft) and draft.lines:
                freeze(frozen, self.issue, head, loaded.payers.get(head.customer_id), draft, now)
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
        self.database.write(lambda conn: runs.set_run(conn, period, run_id, accounts_per_min=pace, paced_at=now))
        self.on_progress(int(sums.done or 0), run.account_count)


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
    database: Database,
    conn: Connection,
    issue: Issue,
    ready: Frozen,
    act_id: str,
    context: Any,
) -> None:
    """Store frozen bills and their postings, book credits as advance, and let the slices above settle from books."""
    if not ready.bills:
        return
    bills.insert_bills(database, conn, ready.rows)
    ledger_store.post_bulk(database, conn, ready.postings)
    uow = UnitOfWork(database, conn, context, act_id, database.clock.now())
    lines: dict[str, int] = {}
    for row in ready.postings:
        lines[row[1]] = row[2]
    for account_id, bill_id, total in ready.bills:
        if total < 0:
            account_service.add_credit(
                uow,
                account_id,
                amount=Fen(-total),
                ref_id=bill_id,
                act_id=bill_id,
                first_line=lines.get(bill_id, 0) + 1,
            )
    uow.announce(
        BillsIssued(
            issue.run_id,
            issue.month,
            tuple(
                IssuedBill(account_id, bill_id, Fen(total), issue.due_on) for account_id, bill_id, total in ready.bills
            ),
        )
    )
    store_told(uow)
