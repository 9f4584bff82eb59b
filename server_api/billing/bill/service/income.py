"""The income of a booking month: what was billed and taken back, by service, region and product, held to the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server_api.billing.bill.freeze import DEPOSIT_ITEM
from server_api.billing.bill.store import income as store
from server_api.billing.ledger import store as ledger
from shared_models.contracts.income import IncomeBy, IncomeDifference, IncomeReport, IncomeRow
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month

#: Which of the store's keys tell rows apart; the item and the rate always do.
_SHOWN = {
    IncomeBy.ITEM: (),
    IncomeBy.SERVICE: ("service",),
    IncomeBy.REGION: ("region",),
    IncomeBy.OFFERING: ("offering_code",),
    IncomeBy.ALL: ("service", "region", "offering_code"),
}


class _Sum:
    """One row while it grows. Fen."""

    def __init__(self) -> None:
        self.lines = self.adjustments = 0
        self.gross = self.net = self.tax = 0

    def add(self, row: Any, sign: int) -> None:
        if sign > 0:
            self.lines += row.count
        else:
            self.adjustments += row.count
        self.gross += sign * row.gross.amount_fen
        self.net += sign * row.net.amount_fen
        self.tax += sign * row.tax.amount_fen


def income(conn: Connection, *, month: Month, by: IncomeBy = IncomeBy.ALL) -> IncomeReport:
    """What the month booked as income: lines of bills issued in it, less what was taken off issued lines in it.

    The sums by item and by tax rate are compared with the postings of the month; ``differences`` names what other
    bookings moved (nothing, where all income comes from bills).
    """
    sums = _summed(conn, month.first_on, month.until_on)
    rows: dict[tuple[str, ...], _Sum] = {}
    for key, one in sums.items():
        said = dict(zip(store.KEYS, key, strict=True))
        kept = tuple(said[name] if name in _SHOWN[by] else "" for name in store.KEYS[:3])
        total = rows.setdefault((*kept, said["item_code"], said["tax_per_mille"]), _Sum())
        for name in ("lines", "adjustments", "gross", "net", "tax"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return IncomeReport(
        yyyymm=month.yyyymm,
        by=by,
        rows=tuple(_row(key, one) for key, one in sorted(rows.items())),
        gross_fen=Fen(sum(one.gross for one in sums.values())),
        net_fen=Fen(sum(one.net for one in sums.values())),
        tax_fen=Fen(sum(one.tax for one in sums.values())),
        differences=tuple(_differences(conn, month, sums)),
    )


def _summed(conn: Connection, from_on: date, until_on: date) -> dict[tuple[Any, ...], _Sum]:
    sums: dict[tuple[Any, ...], _Sum] = {}

    def add(found: Iterable[Any], sign: int) -> None:
        for row in found:
            service, region, offering, item, rate = row[: len(store.KEYS)]
            if item == DEPOSIT_ITEM:
                continue  # owed back, no income
            sums.setdefault((service, region or "", offering or "", item, rate), _Sum()).add(row, sign)

    for period in store.billed_periods(conn, from_on, until_on):
        add(store.line_sums(conn, period, from_on, until_on), 1)
    add(store.adjustment_sums(conn, from_on, until_on), -1)
    return sums


def _row(key: tuple[Any, ...], one: _Sum) -> IncomeRow:
    service, region, offering, item, rate = key
    return IncomeRow(
        service=service,
        region=region,
        offering_code=offering,
        item_code=item,
        tax_per_mille=rate,
        line_count=one.lines,
        adjustment_count=one.adjustments,
        gross_fen=Fen(one.gross),
        net_fen=Fen(one.net),
        tax_fen=Fen(one.tax),
    )


def _differences(conn: Connection, month: Month, sums: dict[tuple[Any, ...], _Sum]) -> Iterable[IncomeDifference]:
    for code, place, amount in ((LedgerCode.REVENUE, 3, "net"), (LedgerCode.VAT, 4, "tax")):
        reported: dict[str, int] = {}
        for key, one in sums.items():
            owner = str(key[place])
            reported[owner] = reported.get(owner, 0) + getattr(one, amount)
        booked = ledger.sums_by_name(conn, code, month.yyyymm)
        for owner in sorted(reported.keys() | booked.keys()):
            in_ledger, in_report = -booked.get(owner, ZERO_FEN), Fen(reported.get(owner, 0))
            if in_ledger != in_report:
                yield IncomeDifference(ledger=f"{code.value}:{owner}", ledger_fen=in_ledger, report_fen=in_report)
