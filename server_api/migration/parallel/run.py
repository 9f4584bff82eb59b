"""A parallel run: old systems' bill files of a month compared with the bills our own run froze."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from server_api.migration import store as links
from server_api.migration.mapping import SystemMapping
from server_api.migration.parallel import store
from server_api.migration.parallel.rules import Finding, OldItem, Reason, compare_account
from server_api.migration.reading import read_bills
from server_api.migration.rules import BillRecord
from server_api.platform.database import Database
from shared_models.contracts.catalog import RowError
from shared_models.contracts.migration import ParallelDifference, ParallelReason, ParallelReport
from shared_models.values.money import Fen
from shared_models.values.period import Month

_NAMED = 50
#: An account of ours, or an old key that became none.
_Bills = dict[str, dict[str, OldItem]]


def compare_month(
    billing: Database,
    systems: Sequence[SystemMapping],
    folder: Path,
    month: Month,
    keep: Callable[[Finding], None] = lambda finding: None,
) -> ParallelReport:
    """Compare every account; ``keep`` is handed each item that differs. Reads only.

    An account billed by several old systems is compared with the sum of their bills.
    """
    old: _Bills = {}
    errors: list[RowError] = []
    rows_read = 0
    with billing.reading() as conn:
        for system in systems:
            found = read_bills(system, folder)
            errors += found.errors
            rows_read += found.rows_read
            _add(conn, old, system.system, [row for row in found.records["bill"] if row.month == month.yyyymm])
        tally = _Tally(keep)
        for ours in store.our_bills(conn, month.yyyymm):
            tally.account(compare_account(ours.account_no, old.pop(ours.account_id, None), ours.lines))
        numbers = store.account_numbers(conn, sorted(old))
    for key in sorted(old):
        tally.account(compare_account(numbers.get(key, key), old[key], None))
    return tally.report(month, tuple(system.system for system in systems), rows_read, errors)


def _add(conn: Connection, old: _Bills, system: str, rows: Iterable[BillRecord]) -> None:
    """Sum one system's rows up by our account and item."""
    accounts = links.all_links(conn, "billing", system, "account")
    for row in rows:
        key = accounts.get(row.account_key, f"{system}:{row.account_key}")
        items = old.setdefault(key, {})
        code, amount, calls = row.item, row.amount.amount_fen, row.call_count
        if (known := items.get(code)) is not None:
            amount += known.amount_fen
            calls = None if calls is None and known.call_count is None else (calls or 0) + (known.call_count or 0)
        items[code] = OldItem(code, amount, calls)


class _Tally:
    """Counts and sums while accounts go by; only the largest unexplained differences are kept."""

    def __init__(self, keep: Callable[[Finding], None]) -> None:
        self._keep = keep
        self._accounts = self._equal = self._old = self._ours = 0
        self._items: Counter[Reason] = Counter()
        self._fen: Counter[Reason] = Counter()
        self._unexplained: list[Finding] = []

    def account(self, findings: Iterable[Finding]) -> None:
        """Take one account's findings in."""
        equal = True
        for finding in findings:
            self._items[finding.reason] += 1
            self._fen[finding.reason] += finding.difference_fen
            self._old += finding.old_fen
            self._ours += finding.our_fen
            if finding.reason is not Reason.EQUAL:
                equal = False
                self._keep(finding)
            if finding.reason is Reason.UNEXPLAINED:
                self._unexplained.append(finding)
                if len(self._unexplained) > 20 * _NAMED:
                    self._unexplained = self._largest()
        self._accounts += 1
        self._equal += equal

    def _largest(self) -> list[Finding]:
        return sorted(self._unexplained, key=lambda one: (-abs(one.difference_fen), one))[:_NAMED]

    def report(
        self, month: Month, systems: tuple[str, ...], rows_read: int, errors: Sequence[RowError]
    ) -> ParallelReport:
        """What was found."""
        return ParallelReport(
            yyyymm=month.yyyymm,
            systems=systems,
            account_count=self._accounts,
            equal_account_count=self._equal,
            old_fen=Fen(self._old),
            our_fen=Fen(self._ours),
            reasons=tuple(
                ParallelReason(
                    reason=reason.value, item_count=self._items[reason], difference_fen=Fen(self._fen[reason])
                )
                for reason in Reason
                if self._items[reason]
            ),
            rows_read=rows_read,
            errors=tuple(errors),
            unexplained=tuple(
                ParallelDifference(
                    account_no=one.account_no,
                    item_code=one.item_code,
                    old_fen=Fen(one.old_fen),
                    our_fen=Fen(one.our_fen),
                    reason=one.reason.value,
                    detail=one.detail,
                )
                for one in self._largest()
            ),
        )
