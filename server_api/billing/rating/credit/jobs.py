"""What credit control does by itself: silent sessions settled, daily lines cut, debits of billed months released."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from server_api.billing.account.news import MoneyMoved
from server_api.billing.account.service import lock_account
from server_api.billing.rating import store as rating_store
from server_api.billing.rating.credit import checks, store
from server_api.billing.rating.credit.asks import Ask
from server_api.billing.rating.credit.policy import credit_policy
from server_api.billing.rating.credit.quote import QuoteStale
from server_api.billing.rating.credit.service import cut_account, reconsider, release_live_debits, settle_silent
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Wiring
from server_api.platform.unit_of_work import UnitOfWork

SILENT_JOB = "credit.silent"
CUT_JOB = "credit.cut"
RELEASE_JOB = "credit.release"
_AT_ONCE = 200


def wire(wiring: Wiring) -> None:
    """Say what credit control does and checks."""
    wiring.listen("billing", MoneyMoved, reconsider_balance)
    wiring.job("billing", SILENT_JOB, settle_silent_sessions)
    wiring.at("* * * * *", "billing", SILENT_JOB)
    wiring.job("billing", CUT_JOB, cut_the_day)
    wiring.at("5 0 * * *", "billing", CUT_JOB)
    wiring.job("billing", RELEASE_JOB, release_billed_months)
    wiring.at("35 * * * *", "billing", RELEASE_JOB)
    wiring.invariant("billing", "credit_account_is_its_sessions", checks.account_is_its_sessions)
    wiring.invariant("billing", "credit_month_is_its_sessions", checks.month_is_its_sessions)
    wiring.invariant("billing", "credit_cut_is_one_rounding", checks.cut_is_one_rounding)


def reconsider_balance(uow: UnitOfWork, news: MoneyMoved) -> None:
    """A top-up or a refund: whether calls are allowed again, or no more, is told in the same act."""
    reconsider(uow, account_id=news.account_id)


def settle_silent_sessions(run: JobRun) -> Mapping[str, Any]:
    """Settle sessions whose next message is overdue, as policy says."""
    database = run.database
    settled = 0
    seen: set[str] = set()
    while True:
        with database.reading() as conn:
            rows = [row for row in store.silent(conn, database.clock.now(), _AT_ONCE) if row.session_id not in seen]
        if not rows:
            return {"settled": settled}
        seen.update(row.session_id for row in rows)
        settled += _settle(run, rows)
        run.progress(settled, settled + 1)


def _settle(run: JobRun, rows: list[Any]) -> int:
    # Rating is loaded when a session did fall silent, not whenever the minute is over.
    from server_api.billing.rating.credit.pricing import Pricer

    database = run.database
    by_granted = credit_policy().settle_silent == "granted"
    asks = [
        Ask("end", row.session_id, used=int(row.granted_quantity if by_granted else row.used_quantity)) for row in rows
    ]
    settled = 0
    for ask, quote in zip(asks, Pricer(database).quotes(asks), strict=True):
        # The message number makes the act's id: a session that spoke again meanwhile is another matter.
        act_id = run.act_id(SILENT_JOB, ask.session_id, quote.request_no)
        act = Act(act_id, SILENT_JOB, digest_of([ask.session_id, ask.used]), run.context)
        try:
            done = perform(database, act, partial(settle_silent, quote=quote, used=ask.used))
        except QuoteStale:
            continue  # it spoke, or its included units moved: the next minute looks again
        settled += bool(done.reply)
    return settled


def cut_the_day(run: JobRun) -> Mapping[str, Any]:
    """Take the daily line of every account with live charges that wait."""
    database = run.database
    after: str | None = run.state.get("after")
    count = int(run.state.get("count", 0))
    while True:
        with database.reading() as conn:
            account_ids = store.months_due(conn, after, _AT_ONCE)
        if not account_ids:
            return {"accounts": count}
        for account_id in account_ids:
            act = Act(run.act_id(CUT_JOB, account_id), CUT_JOB, digest_of([account_id]), run.context)
            perform(database, act, partial(_cut, account_id=account_id))
        after, count = account_ids[-1], count + len(account_ids)
        run.remember(after=after, count=count)


def _cut(uow: UnitOfWork, account_id: str) -> None:
    cut_account(uow, account_id=account_id)


def release_billed_months(run: JobRun) -> Mapping[str, Any]:
    """Give back live debits of months that are billed already: those the month run itself did not come by."""
    database = run.database
    count = 0
    while rows := _left_over(database):
        for row in rows:
            act = Act(
                run.act_id(RELEASE_JOB, row.period, row.account_id, count),
                RELEASE_JOB,
                digest_of([row.period, row.account_id]),
                run.context,
            )
            perform(database, act, partial(_release, period=row.period, account_id=row.account_id))
            count += 1
        run.progress(count, count + 1)
    return {"accounts": count}


def _left_over(database: Database) -> list[Any]:
    with database.reading() as conn:
        closed = sorted(rating_store.closed_periods(conn))
        return list(store.unreleased_accounts(conn, closed, _AT_ONCE)) if closed else []


def _release(uow: UnitOfWork, period: int, account_id: str) -> None:
    lock_account(uow, account_id)
    release_live_debits(uow, period=period, account_ids=[account_id])
