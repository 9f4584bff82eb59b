"""Taking something off a line of an issued bill (账后调账): what had been paid of it goes back to the books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

import resources
from server_api.billing.account import store as account_store
from server_api.billing.account.giving import allow_giving
from server_api.billing.account.rules import advance_book_id
from server_api.billing.account.service import lock_account
from server_api.billing.account.store import AccountState
from server_api.billing.bill.rules.adjustment import Credit
from server_api.billing.bill.service import adjust
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.billing.payment import rules, store
from server_api.billing.payment.fapiao.service import require_red
from server_api.billing.payment.service.paper import account_paper
from server_api.billing.payment.service.settle import settle_accounts
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.adjustment import CreditLine, LineCredited
from shared_models.contracts.receipt import Receipt, ReceiptKind, ReceiptLine
from shared_models.values.fapiao import RedReason
from shared_models.values.giving import Giving
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month

LATE_FEE = "late_fee"
#: Above the numbers of rows that settle, so that one act may give back and settle on one bill.
_FIRST_RETURN = 9_001


@dataclass(frozen=True, slots=True)
class _Return:
    """So much of what one book paid for the line goes back to it."""

    book_id: str
    amount: Fen


def credit_line(uow: UnitOfWork, *, bill_id: str, line_no: int, request: CreditLine) -> LineCredited:
    """Take an amount off an issued line: a record of its own with mirror postings; the bill itself stays as issued.

    What is open of the line shrinks first; what had been paid goes back to the books it came from (own money first)
    and settles what else is open. Against the caller's limits a late fee counts as a waiver, anything else as a credit.

    Raises BillLineNotFound, BillCancelled, CreditTooMuch, AccountBeingBilled, AccountClosed, LimitReached and what is
    wrong with an approval.
    """
    seen = adjust.line_to_credit(uow.conn, bill_id=bill_id, line_no=line_no)
    state = lock_account(uow, seen.account_id)
    adjust.refuse_while_billed(state)
    cashdesk.lock_live_till(uow)
    line = adjust.line_to_credit(uow.conn, bill_id=bill_id, line_no=line_no)
    credit = adjust.work_out_credit(uow.conn, line, request.amount_fen)
    kind = Giving.WAIVER if line.kind == LATE_FEE else Giving.CREDIT
    allowed = allow_giving(uow, kind, account_id=line.account_id, amount=credit.amount)
    paid = store.paid_of_line(uow.conn, line.period, bill_id, line_no)
    returned = max(ZERO_FEN, Fen.total(row.amount_fen for row in paid) - credit.left)
    returns = _returns(state, paid, returned)
    receipt = _paper(uow, state, line, credit, request.reason)
    adjustment_id = adjust.record_credit(
        uow,
        line,
        credit,
        kind="late_fee_waived" if kind is Giving.WAIVER else "credit",
        reason=request.reason,
        returned=returned,
        book_id=returns[0].book_id if returns else "",
        approval_id=allowed.approval_id,
        receipt_no=receipt.receipt_no if receipt else "",
    )
    _give_back(uow, state, line, returns, adjustment_id)
    left_open = line.open_fen - (credit.amount - returned)
    store.set_bills(uow.conn, [(line.period, bill_id, left_open, uow.now)])
    settle_accounts(uow, [line.account_id])
    require_red(
        uow,
        account_id=line.account_id,
        bills=[(line.period, bill_id)],
        why="credited",
        reason_code=RedReason.ALLOWANCE,
    )
    audit.note(uow, "bill.line_credited", f"bill:{bill_id}", f"{line_no}: {credit.amount}, {returned} returned")
    return LineCredited(
        adjustment_id=adjustment_id,
        bill_id=bill_id,
        line_no=line_no,
        amount_fen=credit.amount,
        returned_fen=returned,
        left_of_line_fen=credit.left,
        open_fen=left_open,
        receipt=receipt,
        limit_warning=allowed.warning,
    )


def _returns(state: AccountState, paid: Sequence[Row[Any]], returned: Fen) -> list[_Return]:
    """Which books get back how much: the account's own advance first, then the books used last."""
    own = advance_book_id(state.row.account_id)
    order = {item.book.book_id: (item.book.spend_order, item.book.book_id) for item in state.books}
    found: list[_Return] = []
    left = returned
    rows = [row for row in paid if row.amount_fen > ZERO_FEN]
    rows.sort(key=lambda row: order[row.book_id], reverse=True)
    rows.sort(key=lambda row: row.book_id != own)
    for row in rows:
        part = min(left, row.amount_fen)
        if part:
            found.append(_Return(row.book_id, part))
            left -= part
    return found


def _give_back(
    uow: UnitOfWork, state: AccountState, line: Row[Any], returns: Sequence[_Return], adjustment_id: str
) -> None:
    if not returns:
        return
    sums = {item.book.book_id: item for item in state.books}
    account_store.move_books(
        uow.conn,
        [(each.book_id, sums[each.book_id].in_sum, sums[each.book_id].out_sum - each.amount) for each in returns],
    )
    store.insert_applied(
        uow.conn,
        [
            {
                "period": line.period,
                "bill_id": line.bill_id,
                "bill_line_no": line.line_no,
                "act_id": uow.act_id,
                "seq_no": seq_no,
                "account_id": line.account_id,
                "book_id": each.book_id,
                "payment_id": None,
                "amount_fen": -each.amount,
                "applied_on": uow.today,
            }
            for seq_no, each in enumerate(returns, _FIRST_RETURN)
        ],
    )
    owed = LedgerName(LedgerCode.RECEIVABLE, line.account_id)
    post(
        uow,
        [Posting(LedgerName(LedgerCode.ADVANCE, each.book_id), owed, each.amount, adjustment_id) for each in returns],
        first_line=11,
    )


def take_back_returns(
    uow: UnitOfWork, *, account_id: str, book_id: str, bill_ids: Iterable[tuple[int, str]], first_line: int
) -> dict[str, Fen]:
    """After a reversal: where a line was credited and its money given back, the book pays the line again as far as the
    reversed payment had; returns what the book gave to each bill. The caller checks that the book holds it, and moves
    the book and the bills.
    """
    rows: list[dict[str, Any]] = []
    postings: list[Posting] = []
    given: dict[str, Fen] = {}
    owed, book = LedgerName(LedgerCode.RECEIVABLE, account_id), LedgerName(LedgerCode.ADVANCE, book_id)
    for period, bill_id in sorted(bill_ids):
        for row in store.overdrawn_lines(uow.conn, period, bill_id, book_id):
            amount = -row.amount_fen
            rows.append(
                {
                    "period": period,
                    "bill_id": bill_id,
                    "bill_line_no": row.bill_line_no,
                    "act_id": uow.act_id,
                    "seq_no": _FIRST_RETURN + len(rows),
                    "account_id": account_id,
                    "book_id": book_id,
                    "payment_id": None,
                    "amount_fen": amount,
                    "applied_on": uow.today,
                }
            )
            postings.append(Posting(owed, book, amount, bill_id))
            given[bill_id] = given.get(bill_id, ZERO_FEN) + amount
    store.insert_applied(uow.conn, rows)
    post(uow, postings, first_line=first_line)
    return given


def _paper(uow: UnitOfWork, state: AccountState, line: Row[Any], credit: Credit, reason: str) -> Receipt | None:
    label = resources.text("adjustment.credit_label", "zh_CN", label=line.label)
    owed = rules.owing_of(store.open_bills(uow.conn, line.account_id)).owed
    return account_paper(
        uow,
        state,
        kind=ReceiptKind.ADJUSTMENT,
        lines=(
            ReceiptLine(
                label=label, detail=f"{line.shown_as or ''} {Month(line.period)}".strip(), amount_fen=-credit.amount
            ),
        ),
        method="account",
        note=reason,
        bill_refs=(line.bill_no,),
        owed_after=max(ZERO_FEN, owed - credit.amount),
    )
