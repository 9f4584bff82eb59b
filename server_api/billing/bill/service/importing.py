"""Open bills of old systems: taken over as they were, a line each, settled by payments like any other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from server_api.billing.account import store as account_store
from server_api.billing.bill.news import BillsIssued, IssuedBill
from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.store import bills
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.bill_ids import MAX_BILLS_A_MONTH, bill_id_of, bill_no_of
from shared_models.values.faults.bill import BillImportRefused
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen, MicroYuan, split_tax
from shared_models.values.period import Month


@dataclass(frozen=True, slots=True)
class OpenBillLine:
    """What is still owed for one item in the old system."""

    item_code: str
    amount: Fen
    label: str = ""
    service: str = ""
    shown_as: str = ""
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill an old system left unpaid; its amounts are what is still open there."""

    source: str
    account_id: str
    month: Month
    lines: tuple[OpenBillLine, ...]
    issued_on: date | None = None
    due_on: date | None = None
    #: which of the account's bills of that month, from 1; two old systems may each have billed it
    bill_seq: int = 1


def import_open_bill(uow: UnitOfWork, *, bill: OpenBill) -> str:
    """Take over one open bill: frozen rows and an opening posting. Returns its id; one that is there is left alone.

    Raises BillImportRefused for an unknown account, no lines, an amount not above zero, or an unknown item.
    """
    state = account_store.read(uow.conn, bill.account_id)
    if state is None:
        raise BillImportRefused(reason=f"no account {bill.account_id}")
    if not 1 <= bill.bill_seq < MAX_BILLS_A_MONTH:
        raise BillImportRefused(reason=f"bill {bill.bill_seq} of {bill.month}")
    bill_id = bill_id_of(bill.month, bill.account_id, bill.bill_seq)
    if bill_id in bills.bills_in_month(uow.conn, bill.month.yyyymm, bill.account_id):
        return bill_id
    rows = _rows(uow, bill, bill_id, state.row)
    bills.insert_bills(uow.database, uow.conn, rows)
    total = Fen.total(line.amount for line in bill.lines)
    post(
        uow,
        [
            Posting(
                LedgerName(LedgerCode.OPENING, bill.source),
                LedgerName(LedgerCode.RECEIVABLE, bill.account_id),
                total,
                bill_id,
            )
        ],
        act_id=bill_id,
    )
    uow.announce(
        BillsIssued(f"import:{bill.source}", bill.month, (IssuedBill(bill.account_id, bill_id, total, _due(bill)),))
    )
    return bill_id


def _due(bill: OpenBill) -> date:
    return bill.due_on or billing_policy().due_on(bill.month)


def _rows(uow: UnitOfWork, bill: OpenBill, bill_id: str, account: object) -> bills.BillRows:
    if not bill.lines or any(line.amount.amount_fen <= 0 for line in bill.lines):
        raise BillImportRefused(reason="every line of an open bill is above zero")
    items = billing_policy().bill.items
    period = bill.month.yyyymm
    lines, nets, total = [], 0, 0
    for line_no, line in enumerate(bill.lines, 1):
        item = items.get(line.item_code)
        if item is None:
            raise BillImportRefused(reason=f"item {line.item_code}")
        net, tax = split_tax(line.amount, item.tax_per_mille)
        nets, total = nets + net.amount_fen, total + line.amount.amount_fen
        label = line.label or item.label
        lines.append(
            (
                period,
                bill_id,
                line_no,
                "imported",
                line.product_id or None,
                None,
                line.service or item.item_group,
                line.shown_as or None,
                None,
                line.item_code,
                item.item_group,
                label,
                line.label or item.label_en,
                None,
                None,
                None,
                bill.month.first_on,
                bill.month.until_on,
                0,
                0,
                MicroYuan.of_fen(line.amount).amount_micro_yuan,
                line.amount.amount_fen,
                item.tax_per_mille,
                net.amount_fen,
                tax.amount_fen,
                0,
            )
        )
    at = uow.now.replace(tzinfo=None)
    account_no, customer_id = account.account_no, account.customer_id  # type: ignore[attr-defined]
    payer = account_store.payers_of(uow.conn, [customer_id]).get(customer_id)
    head = (
        period,
        bill_id,
        bill_no_of(bill.month, account_no, bill.bill_seq),
        bill.account_id,
        account_no,
        customer_id,
        None,
        "import",
        "open",
        bill.month.first_on,
        bill.month.until_on,
        bill.issued_on or billing_policy().issued_on(bill.month),
        _due(bill),
        getattr(payer, "customer_no", None),
        getattr(payer, "sealed_name", None),
        getattr(payer, "sealed_address", None),
        getattr(payer, "sealed_tax_no", None),
        0,
        0,
        total,
        nets,
        total - nets,
        total,
        len(lines),
        at,
        None,
    )
    return bills.BillRows([head], lines, [])
