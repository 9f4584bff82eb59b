"""Open bills of old systems: taken over as they were, a line each, settled by payments like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from server_api.billing.account import store as account_store
from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.news import BillsIssued, IssuedBill
from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.rules.house import Item
from server_api.billing.bill.rules.inputs import BillDraft, ProductInput
from server_api.billing.bill.rules.lines import imported_line
from server_api.billing.bill.store import bills
from server_api.billing.bill.store.inputs import bare_heads
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.bill_ids import MAX_BILLS_A_MONTH, bill_id_of
from shared_models.values.faults.bill import BillImportRefused
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
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

    Locks the account. Raises BillImportRefused for an unknown account, no lines, an amount not above zero, or an
    unknown item.
    """
    known = account_store.touch(uow.conn, bill.account_id)
    heads = bare_heads(uow.conn, bill.account_id, f"{bill.account_id}0", {}, {}) if known else []
    if not heads:
        raise BillImportRefused(reason=f"no account {bill.account_id}")
    if not 1 <= bill.bill_seq < MAX_BILLS_A_MONTH:
        raise BillImportRefused(reason=f"bill {bill.bill_seq} of {bill.month}")
    bill_id = bill_id_of(bill.month, bill.account_id, bill.bill_seq)
    if bill_id in bills.bills_in_month(uow.conn, bill.month.yyyymm, bill.account_id):
        return bill_id
    policy = billing_policy()
    issue = Issue(
        bill.month, "", bill.issued_on or policy.issued_on(bill.month), bill.due_on or policy.due_on(bill.month)
    )
    draft = _draft(policy.bill.items, bill)
    frozen = Frozen.empty(uow.database.dialect.raw_day, uow.database.dialect.raw_instant)
    freeze(frozen, issue, heads[0], draft, uow.now, bill.bill_seq)
    bills.insert_bills(uow.database, uow.conn, frozen.rows)
    total = Fen(draft.total_fen)
    opening = LedgerName(LedgerCode.OPENING, bill.source)
    owed = LedgerName(LedgerCode.RECEIVABLE, bill.account_id)
    post(uow, [Posting(opening, owed, total, bill_id)], act_id=bill_id)
    issued = IssuedBill(bill.account_id, bill_id, total, issue.due_on)
    uow.announce(BillsIssued(f"import:{bill.source}", bill.month, (issued,)))
    return bill_id


def _draft(items: Mapping[str, Item], bill: OpenBill) -> BillDraft:
    """The old bill as a draft: its amounts as they are, only the tax inside them is worked out."""
    if not bill.lines or any(line.amount <= ZERO_FEN for line in bill.lines):
        raise BillImportRefused(reason="every line of an open bill is above zero")
    lines = []
    for line in bill.lines:
        item = items.get(line.item_code)
        if item is None:
            raise BillImportRefused(reason=f"item {line.item_code}")
        service = line.service or item.item_group
        product = ProductInput(line.product_id, "", service, line.shown_as, "")
        named = replace(item, label=line.label or item.label, label_en=line.label or item.label_en)
        lines.append(imported_line(bill.month, product, line.item_code, named, line.amount))
    return BillDraft(
        bill.account_id,
        tuple(lines),
        sum(line.amount_fen for line in lines),
        sum(line.net_fen for line in lines),
        sum(line.tax_fen for line in lines),
    )
