"""From a draft to what is stored: rows of the bill, its lines and charges, and its postings. Pure.

The same draft, head and dates always give the same rows; a run killed and begun again makes the same bills.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from server_api.billing.bill.rules.inputs import BillDraft, Charge, DraftLine
from server_api.billing.bill.store.bills import BillRows
from server_api.billing.bill.store.inputs import AccountHead
from shared_models.values.bill_ids import bill_id_of, bill_no_of
from shared_models.values.ledger import LedgerCode
from shared_models.values.period import Cycle, Month

#: The item deposits are asked for and given back under on bills.
DEPOSIT_ITEM = "deposit"
_REVENUE, _VAT, _RECEIVABLE = LedgerCode.REVENUE.value, LedgerCode.VAT.value, LedgerCode.RECEIVABLE.value


@dataclass(frozen=True, slots=True)
class Issue:
    """What all bills of one run share."""

    month: Month
    run_id: str
    issued_on: date
    due_on: date
    #: accounts whose cycle ends on this day; 1: the calendar month
    billing_day: int = 1

    def span(self, days: Sequence[tuple[int, int]] = ()) -> Month | Cycle:
        """The days a bill is about, for an account with these billing days."""
        return Cycle.of(self.month.yyyymm, days) if days else self.month


@dataclass(slots=True)
class Frozen:
    """Bills ready to be stored."""

    rows: BillRows
    postings: list[tuple[Any, ...]]
    #: (account, bill, total fen) of each
    bills: list[tuple[str, str, int]]
    #: days and instants as the database's array path takes them
    day: Callable[[date], Any]
    at: Callable[[datetime], Any]

    @classmethod
    def empty(cls, day: Callable[[date], Any] = lambda on: on, at: Callable[[datetime], Any] = lambda at: at) -> Frozen:
        return cls(BillRows([], [], []), [], [], day, at)


def freeze(
    frozen: Frozen,
    issue: Issue,
    head: AccountHead,
    draft: BillDraft,
    now: datetime,
    bill_seq: int = 0,
    span: Month | Cycle | None = None,
) -> str:
    """Add an account's bill to ``frozen`` and return its id. ``bill_seq`` above 0: one of an old system.

    ``span``: the days it is about, where they are not the calendar month's.
    """
    period, bill_id = issue.month.yyyymm, bill_id_of(issue.month, head.account_id, bill_seq)
    frozen.rows.bills.append(_bill_row(frozen, issue, bill_id, bill_seq, head, draft, now, span))
    for line_no, line in enumerate(draft.lines, 1):
        frozen.rows.lines.append(_line_row(frozen.day, period, bill_id, line_no, line))
        for charge_no, charge in enumerate(line.charges, 1):
            frozen.rows.charges.append((period, bill_id, line_no, charge_no, *_charge_row(frozen.day, charge)))
    if not bill_seq:
        frozen.postings += bill_postings(issue, head.account_id, bill_id, draft, frozen.day)
    frozen.bills.append((head.account_id, bill_id, draft.total_fen))
    return bill_id


# fmt: off
def _bill_row(
    frozen: Frozen, issue: Issue, bill_id: str, bill_seq: int, head: AccountHead, draft: BillDraft, now: datetime,
    span: Month | Cycle | None,
) -> tuple[Any, ...]:
    month, settled, day, at = issue.month, draft.total_fen <= 0, frozen.day, frozen.at(now)
    about = span or month
    return (
        month.yyyymm, bill_id, bill_no_of(month, head.account_no, bill_seq), head.account_id, head.account_no,
        head.customer_id, issue.run_id or None, "import" if bill_seq else "run", "settled" if settled else "open",
        day(about.first_on), day(about.until_on), day(issue.issued_on), day(issue.due_on), *head.payer,
        head.owed_before.amount_fen, head.advance_before.amount_fen, draft.total_fen, draft.net_fen, draft.tax_fen,
        0 if settled else draft.total_fen, len(draft.lines), at, at if settled else None,
    )


def _charge_row(day: Callable[[date], Any], charge: Charge) -> tuple[Any, ...]:
    return (
        charge.product_id, charge.event_id, charge.offering_code, charge.price_code, charge.price_version,
        charge.bundle_code or None, charge.bundle_instance or None, charge.charge_month, charge.kind, charge.rule,
        day(charge.from_on), day(charge.until_on), charge.price_micro_yuan, charge.numerator, charge.denominator,
        charge.share_per_mille, charge.amount_micro_yuan,
    )
# fmt: on


# fmt: off
def _line_row(
    day: Callable[[date], Any], period: int, bill_id: str, line_no: int, line: DraftLine,
) -> tuple[Any, ...]:
    product = line.product
    return (
        period, bill_id, line_no, line.kind, product.product_id or None, product.product_no or None, product.service,
        product.shown_as or None, product.region or None, line.item_code, line.item_group, line.label,
        line.label_en or None, line.offering_code or None, line.offering_label or None, line.offering_en or None,
        day(line.from_on), day(line.until_on), line.part_count, line.quantity, line.charge_micro_yuan, line.amount_fen,
        line.tax_per_mille, line.net_fen, line.tax_fen, line.netted_fen,
    )
# fmt: on


def income_ledger(item_code: str, account_id: str) -> tuple[LedgerCode, str]:
    """The ledger account an item's net amount is booked from: revenue, of a deposit what is owed back."""
    return (LedgerCode.DEPOSIT, account_id) if item_code == DEPOSIT_ITEM else (LedgerCode.REVENUE, item_code)


def bill_postings(
    issue: Issue, account_id: str, bill_id: str, draft: BillDraft, day: Callable[[date], Any] = lambda on: on
) -> list[tuple[Any, ...]]:
    """What a bill books: revenue by item and VAT by rate, to the account's receivable; credits the other way round.

    A deposit asked for on a bill is no revenue: it is owed back.

    In the order of ``ledger.store.POSTING_COLUMNS``. The postings of a bill belong to the act ``bill_id``.
    """
    sums: dict[tuple[str, str], int] = {}
    for line in draft.lines:
        item = line.item_code
        revenue = (_REVENUE, item) if item != DEPOSIT_ITEM else income_ledger(item, account_id)
        vat = (_VAT, str(line.tax_per_mille))
        sums[revenue] = sums.get(revenue, 0) + line.net_fen
        sums[vat] = sums.get(vat, 0) + line.tax_fen
    period, booked_on = Month.of(issue.issued_on).yyyymm, day(issue.issued_on)
    rows: list[tuple[Any, ...]] = []
    for (code, owner), amount in sums.items():
        if amount > 0:
            rows.append(
                (period, bill_id, len(rows) + 1, booked_on, code, owner, _RECEIVABLE, account_id, amount, bill_id)
            )
        elif amount < 0:
            rows.append(
                (period, bill_id, len(rows) + 1, booked_on, _RECEIVABLE, account_id, code, owner, -amount, bill_id)
            )
    return rows
