"""Billing days: who has which, and which cycles are billed already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.bill import account_cycle, bill_aside, bill_period, bill_run
from shared_models.values.period import closing_day

BillingDays = tuple[tuple[int, int], ...]

_Y, _R, _S = account_cycle.c, bill_run.c, bill_aside.c


_P = bill_period.c
_BILLED_MONTHS = Prepared(
    select(_P.period, _P.billing_since).where(
        _P.period < bindparam("b_before"), _P.state != bindparam("b_open"), _P.billing_since.is_not(None)
    )
)
_BILLED_OWN = Prepared(
    select(_R.period, _R.billing_day, _R.began_at).where(
        _R.period < bindparam("b_before"), _R.billing_day != bindparam("b_calendar")
    )
)
_DAYS_OF_ONE = Prepared(
    select(_Y.account_id, _Y.from_month, _Y.billing_day)
    .where(_Y.account_id == bindparam("b_account"))
    .order_by(_Y.from_month)
)
_ASIDE_OF_ONE = Prepared(
    select(_S.account_id, _S.period).where(_S.period < bindparam("b_before"), _S.account_id == bindparam("b_account"))
)


def billing_days(conn: Connection, account_id: str = "") -> dict[str, BillingDays]:
    """The billing days of accounts that have another than the 1st, as (from month, day) in order of month."""
    query = select(_Y.account_id, _Y.from_month, _Y.billing_day).order_by(_Y.account_id, _Y.from_month)
    one = _DAYS_OF_ONE.all(conn, {"b_account": account_id}) if account_id else None
    found: dict[str, BillingDays] = {}
    for row in conn.execute(query).all() if one is None else one:
        found[row[0]] = (*found.get(row[0], ()), (row[1], row[2]))
    return found


def put_billing_day(conn: Connection, values: dict[str, Any]) -> None:
    """An account's billing day from a month on; what was set for that month or later is replaced."""
    account_id, from_month = values["account_id"], values["from_month"]
    conn.execute(delete(account_cycle).where(_Y.account_id == account_id, _Y.from_month >= from_month))
    conn.execute(insert(account_cycle).values(**values))


def count_open_accounts(conn: Connection) -> int:
    """How many accounts are not closed."""
    query = select(func.count()).select_from(billing_account).where(billing_account.c.closed_at.is_(None))
    return int(conn.execute(query).scalar_one())


def open_with_days(conn: Connection) -> dict[str, BillingDays]:
    """The billing days of accounts that are not closed."""
    closed = select(billing_account.c.account_id).where(billing_account.c.closed_at.is_not(None))
    shut = set(conn.execute(closed.where(billing_account.c.account_id.in_(select(_Y.account_id)))).scalars())
    return {account_id: days for account_id, days in billing_days(conn).items() if account_id not in shut}


@dataclass(frozen=True, slots=True)
class Billed:
    """Which cycles of earlier months were billed, and since when: by month for the calendar's, by (month, day)."""

    months: tuple[tuple[int, datetime], ...] = ()
    own: Mapping[tuple[int, int], datetime] = field(default_factory=dict)

    def of(self, days: BillingDays) -> tuple[tuple[int, datetime], ...]:
        """The months billed already for an account with these billing days, with the instant their billing began."""
        if not days:
            return self.months
        calendar = [pair for pair in self.months if closing_day(pair[0], days) == 1]
        own = [(month, since) for (month, day), since in self.own.items() if closing_day(month, days) == day]
        return tuple(sorted([*calendar, *own]))


def billed_before(conn: Connection, yyyymm: int) -> Billed:
    """What was billed of the months before this one."""
    months = _BILLED_MONTHS.all(conn, {"b_before": yyyymm, "b_open": "open"})
    own = _BILLED_OWN.all(conn, {"b_before": yyyymm, "b_calendar": 1})
    return Billed(tuple((row[0], row[1]) for row in months), {(row[0], row[1]): row[2] for row in own})


def shut_from(conn: Connection, yyyymm: int) -> set[tuple[int, int]]:
    """(month, day) of all cycles from this month on that no charge may enter any more."""
    c = bill_period.c
    months = conn.execute(select(c.period).where(c.period >= yyyymm, c.state != "open")).scalars()
    own = conn.execute(select(_R.period, _R.billing_day).where(_R.period >= yyyymm, _R.billing_day != 1))
    return {(month, 1) for month in months} | {(row[0], row[1]) for row in own}


def months_aside(conn: Connection, before: int, account_id: str = "") -> dict[str, frozenset[int]]:
    """The earlier months each account is still set aside in: their bills are still to be made."""
    query = select(_S.account_id, _S.period).where(_S.period < before)
    one = _ASIDE_OF_ONE.all(conn, {"b_before": before, "b_account": account_id}) if account_id else None
    found: dict[str, frozenset[int]] = {}
    for row in conn.execute(query).all() if one is None else one:
        found[row[0]] = found.get(row[0], frozenset()) | {row[1]}
    return found


def runs_of_month(conn: Connection, yyyymm: int) -> Sequence[Any]:
    """The runs of a month with their billing day and state."""
    return conn.execute(select(_R.billing_day, _R.state).where(_R.period == yyyymm).order_by(_R.billing_day)).all()
