"""Bills that were overdue in a month, with how much of their principal was open from which day on.

A bill that is open is found by its account; one that was settled too late, by the day it was settled: few either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from server_api.billing.bill.rules.inputs import OverdueInput
from shared_models.tables.billing.bill import bill, bill_line
from shared_models.tables.billing.charges import bill_adjustment
from shared_models.tables.billing.payment import applied_payment
from shared_models.values.clock import town_day
from shared_models.values.money import ZERO_FEN
from shared_models.values.period import Cycle, Month

#: Lines that are no principal: a late fee bears no late fee.
NO_PRINCIPAL = ("late_fee", "waived")
_IN_LIST = 900
_B, _L, _A, _D = bill.c, bill_line.c, applied_payment.c, bill_adjustment.c

_HEAD = (_B.account_id, _B.bill_id, _B.bill_no, _B.due_on, _B.frozen_at, _B.period)
_OPEN = select(*_HEAD).where(
    _B.account_id >= bindparam("b_from"),
    _B.account_id < bindparam("b_until"),
    _B.state == "open",
    _B.due_on < bindparam("b_before"),
)
_SETTLED_LATE = select(*_HEAD).where(
    _B.settled_at >= bindparam("b_since"), _B.due_on < _B.settled_at, _B.total_fen > ZERO_FEN
)

#: account_id, bill_id, bill_no, due_on, frozen_at, period of bills, by account and bill
LateBills = Mapping[str, Mapping[str, Any]]
#: The clocks of two machines of one installation differ by no more.
_CLOCKS_APART = timedelta(seconds=10)


class SettledLate:
    """Bills settled on or after a month's first day and after they were due, by account; read on as a run goes on.

    A bill settled while the run is under way is neither open any more nor in what was read at its beginning.
    """

    def __init__(self, month: Month | Cycle, account_id: str = "") -> None:
        self.by_account: dict[str, dict[str, Any]] = {}
        self._query = _SETTLED_LATE.where(_B.account_id == account_id) if account_id else _SETTLED_LATE
        self._since = month.starts_at

    def read_on(self, conn: Connection, now: datetime | None = None) -> None:
        """Add what was settled since the last time; ``now`` lets the next time begin here."""
        for row in conn.execute(self._query, {"b_since": self._since}):
            self.by_account.setdefault(row.account_id, {})[row.bill_id] = row
        if now is not None:
            self._since = max(self._since, now - _CLOCKS_APART)


def overdue_between(
    conn: Connection, month: Month | Cycle, from_id: str, until_id: str, late: LateBills
) -> dict[str, tuple[OverdueInput, ...]]:
    """The bills of a half-open range of accounts that were overdue at some time of a month, oldest first."""
    span = {"b_from": from_id, "b_until": until_id, "b_before": month.until_on}
    rows = {row.bill_id: row for row in conn.execute(_OPEN, span) if row.period < month.yyyymm}
    for account_id, settled in late.items():
        if from_id <= account_id < until_id:
            rows.update((bill_id, row) for bill_id, row in settled.items() if row.period < month.yyyymm)
    if not rows:
        return {}
    steps = _steps(conn, rows)
    found: dict[str, list[OverdueInput]] = {}
    for row in sorted(rows.values(), key=lambda each: (each.account_id, each.due_on, each.bill_id)):
        owed = _owed(min(town_day(row.frozen_at), row.due_on), steps[row.bill_id])
        found.setdefault(row.account_id, []).append(OverdueInput(row.bill_id, row.bill_no, row.due_on, owed))
    return {account_id: tuple(each) for account_id, each in found.items()}


def _steps(conn: Connection, rows: Mapping[str, Any]) -> dict[str, list[tuple[date | None, int]]]:
    """Of each bill its principal (day None) and what took it down, by day."""
    steps: dict[str, list[tuple[date | None, int]]] = {bill_id: [] for bill_id in rows}
    free: set[tuple[str, int]] = set()
    for where, ids in _pages(rows):
        lines = select(_L.bill_id, _L.line_no, _L.kind, _L.amount_fen, _L.netted_fen).where(
            _L.period.in_(where), _L.bill_id.in_(ids)
        )
        for line in conn.execute(lines):
            if line.kind in NO_PRINCIPAL:
                free.add((line.bill_id, line.line_no))
            else:
                steps[line.bill_id].append((None, (line.amount_fen - line.netted_fen).amount_fen))
        for columns, table in (
            ((_A.bill_id, _A.bill_line_no, _A.applied_on), applied_payment),
            ((_D.bill_id, _D.line_no, _D.booked_on), bill_adjustment),
        ):
            query = (
                select(*columns, func.sum(table.c.amount_fen).label("amount_fen"))
                .where(table.c.period.in_(where), table.c.bill_id.in_(ids))
                .group_by(*columns)
            )
            for bill_id, line_no, on, amount in conn.execute(query):
                if (bill_id, line_no) not in free:
                    steps[bill_id].append((on, -amount.amount_fen))
    return steps


def _pages(rows: Mapping[str, Any]) -> Iterator[tuple[list[int], list[str]]]:
    """Bill ids in lists short enough for every engine, each with the periods they lie in."""
    ids: Iterable[str] = sorted(rows)
    ordered = list(ids)
    for start in range(0, len(ordered), _IN_LIST):
        page = ordered[start : start + _IN_LIST]
        yield sorted({rows[bill_id].period for bill_id in page}), page


def _owed(begins: date, steps: Sequence[tuple[date | None, int]]) -> tuple[tuple[date, int], ...]:
    """What was open as of the end of each day on which it changed."""
    changes: dict[date, int] = {begins: 0}
    for on, amount in steps:
        day = begins if on is None else max(on, begins)
        changes[day] = changes.get(day, 0) + amount
    owed, left = [], 0
    for day in sorted(changes):
        left += changes[day]
        owed.append((day, left))
    return tuple(owed)
