"""Adjusting (调账): one-off charges before billing, and the record of credits on issued lines.

A bill is never edited. Before billing a charge or credit waits in ``account_charge`` for the month's bill; afterwards a
credit is a row of its own with mirror postings, and a debit is a charge on the next bill that names the line.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.account.giving import Allowed, allow_giving
from server_api.billing.account.service import lock_account
from server_api.billing.bill.freeze import income_ledger
from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.rules.adjustment import Credit, left_of, split_credit
from server_api.billing.bill.store import adjust as store
from server_api.billing.bill.store import bills
from server_api.billing.bill.store.cycles import billing_days
from server_api.billing.ledger.rules import LedgerName, Posting
from server_api.billing.ledger.service import post
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.adjustment import (
    AccountCharged,
    AdjustmentRow,
    ChargeAccount,
    ChargeRow,
    UndoCharge,
)
from shared_models.values.bill_ids import month_of_bill
from shared_models.values.faults.adjustment import (
    AccountBeingBilled,
    BillCancelled,
    BillLineNotFound,
    ChargeAlreadyBilled,
    ChargeAlreadyUndone,
    ChargeNotFound,
    ChargeNotValid,
    CreditTooMuch,
)
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen, MicroYuan
from shared_models.values.period import Cycle, Month, cycle_label

_NO_ALLOWANCE = Allowed(False)


def charge_account(uow: UnitOfWork, *, request: ChargeAccount) -> AccountCharged:
    """Put a charge (or, below zero, a credit) on the account's next bill. A credit counts against the caller's limits.

    Raises ChargeNotValid, AccountNotFound, AccountClosed, LimitReached and what is wrong with an approval.
    """
    from_on = request.from_on or uow.today
    until_on = request.until_on or from_on + timedelta(days=1)
    _check_charge(request, from_on, until_on)
    lock_account(uow, request.account_id)
    if request.about_bill_id:
        _check_about(uow.conn, request)
    allowed = _NO_ALLOWANCE
    if request.amount_fen < ZERO_FEN:
        allowed = allow_giving(uow, Giving.CREDIT, account_id=request.account_id, amount=-request.amount_fen)
    month, _cycle = open_cycle(uow.conn, request.account_id, uow.today)
    charge_id = book_charge(
        uow,
        month,
        account_id=request.account_id,
        product_id=request.product_id or "",
        item_code=request.item_code,
        kind=request.kind,
        amount=MicroYuan.of_fen(request.amount_fen),
        from_on=from_on,
        until_on=until_on,
        reason=request.reason,
        about_bill_id=request.about_bill_id or "",
        about_line_no=request.about_line_no,
        approval_id=allowed.approval_id,
    )
    audit.note(uow, "account.charged", f"account:{request.account_id}", f"{request.item_code} {request.amount_fen}")
    return AccountCharged(
        charge_id=charge_id,
        account_id=request.account_id,
        yyyymm=month.yyyymm,
        item_code=request.item_code,
        kind=request.kind,
        amount_fen=request.amount_fen,
        limit_warning=allowed.warning,
    )


def undo_charge(uow: UnitOfWork, *, account_id: str, charge_id: str, request: UndoCharge) -> AccountCharged:
    """Take a one-off charge back while its month is open, by a mirror that names it.

    Raises ChargeNotFound, ChargeAlreadyUndone, ChargeAlreadyBilled, AccountNotFound, AccountClosed, LimitReached (the
    undoing of a charge gives something away).
    """
    lock_account(uow, account_id)
    charge = store.find_charge(uow.conn, account_id, charge_id)
    if charge is None:
        raise ChargeNotFound()
    if charge.undoes_id or store.undone(uow.conn, charge.period, account_id, charge_id):
        raise ChargeAlreadyUndone()
    month = Month(charge.period)
    if store.open_month(uow.conn, month, billing_days(uow.conn, account_id).get(account_id, ())) != month:
        raise ChargeAlreadyBilled(month=str(month))
    amount: Fen = charge.amount_micro_yuan.to_fen()
    allowed = _NO_ALLOWANCE
    if amount > ZERO_FEN:
        allowed = allow_giving(uow, Giving.CREDIT, account_id=account_id, amount=amount)
    mirror_id = book_charge(
        uow,
        month,
        account_id=account_id,
        product_id=charge.product_id or "",
        item_code=charge.item_code,
        kind=charge.kind,
        amount=-charge.amount_micro_yuan,
        from_on=charge.from_on,
        until_on=charge.until_on,
        reason=request.reason,
        about_bill_id=charge.about_bill_id or "",
        about_line_no=charge.about_line_no,
        undoes_id=charge_id,
        approval_id=allowed.approval_id,
    )
    audit.note(uow, "account.charge_undone", f"account:{account_id}", f"{charge.item_code} {amount}")
    return AccountCharged(
        charge_id=mirror_id,
        account_id=account_id,
        yyyymm=month.yyyymm,
        item_code=charge.item_code,
        kind=charge.kind,
        amount_fen=-amount,
        limit_warning=allowed.warning,
    )


def book_charge(
    uow: UnitOfWork,
    month: Month,
    *,
    account_id: str,
    item_code: str,
    kind: str,
    amount: MicroYuan,
    from_on: date,
    until_on: date,
    reason: str,
    product_id: str = "",
    about_bill_id: str = "",
    about_line_no: int | None = None,
    undoes_id: str = "",
    approval_id: str = "",
) -> str:
    """Keep one charge on a locked account; returns its id. The services of this side call it inside their act."""
    charge_id = derived_id(uow.act_id, "charge", account_id, item_code, kind, undoes_id, about_bill_id)
    store.insert_charges(
        uow.conn,
        [
            {
                "period": month.yyyymm,
                "account_id": account_id,
                "charge_id": charge_id,
                "product_id": product_id,
                "item_code": item_code,
                "kind": kind,
                "amount_micro_yuan": amount,
                "from_on": from_on,
                "until_on": until_on,
                "reason": reason,
                "about_bill_id": about_bill_id,
                "about_line_no": about_line_no,
                "undoes_id": undoes_id,
                "approval_id": approval_id,
                "act_id": uow.act_id,
                "staff_id": uow.context.staff_id,
                "hall_code": uow.context.hall_code,
                "booked_at": uow.now,
            }
        ],
    )
    return charge_id


# ---- issued lines ---------------------------------------------------------------------------------------------------
def line_to_credit(conn: Connection, *, bill_id: str, line_no: int) -> Row[Any]:
    """An issued line with the head of its bill. Raises BillLineNotFound, BillCancelled."""
    try:
        period = month_of_bill(bill_id).yyyymm
    except ValueError:
        raise BillLineNotFound() from None
    row = store.line_to_adjust(conn, period, bill_id, line_no)
    if row is None:
        raise BillLineNotFound()
    if row.bill_state == "cancelled":
        raise BillCancelled(bill_no=row.bill_no)
    return row


def work_out_credit(conn: Connection, line: Row[Any], amount: Fen) -> Credit:
    """The credit with its tax. The account must be locked. Raises CreditTooMuch."""
    adjusted, adjusted_tax = store.adjusted_of_line(conn, line.period, line.bill_id, line.line_no)
    left = left_of(line.amount_fen, line.netted_fen, adjusted)
    if amount > left:
        raise CreditTooMuch(amount=str(amount), left=str(max(left, ZERO_FEN)))
    return split_credit(
        amount,
        line_amount=line.amount_fen,
        line_tax=line.tax_fen,
        adjusted=adjusted,
        adjusted_tax=adjusted_tax,
        left=left,
    )


def record_credit(
    uow: UnitOfWork,
    line: Row[Any],
    credit: Credit,
    *,
    kind: str,
    reason: str,
    returned: Fen,
    book_id: str,
    approval_id: str,
    receipt_no: str,
) -> str:
    """Keep a credit on a line of a locked account and post its mirror: revenue and VAT back to the receivable."""
    adjustment_id = derived_id(uow.act_id, "adjustment")
    store.insert_adjustment(
        uow.conn,
        {
            "period": line.period,
            "bill_id": line.bill_id,
            "line_no": line.line_no,
            "adjustment_id": adjustment_id,
            "account_id": line.account_id,
            "kind": kind,
            "amount_fen": credit.amount,
            "net_fen": credit.net,
            "tax_fen": credit.tax,
            "tax_per_mille": line.tax_per_mille,
            "returned_fen": returned,
            "book_id": book_id,
            "reason": reason,
            "approval_id": approval_id,
            "receipt_no": receipt_no,
            "act_id": uow.act_id,
            "staff_id": uow.context.staff_id,
            "hall_code": uow.context.hall_code,
            "booked_on": uow.today,
            "booked_at": uow.now,
        },
    )
    owed = LedgerName(LedgerCode.RECEIVABLE, line.account_id)
    parts = (
        (LedgerName(*income_ledger(line.item_code, line.account_id)), credit.net),
        (LedgerName(LedgerCode.VAT, str(line.tax_per_mille)), credit.tax),
    )
    post(uow, [Posting(owed, target, amount, adjustment_id) for target, amount in parts if amount > ZERO_FEN])
    return adjustment_id


def open_cycle(conn: Connection, account_id: str, today: date) -> tuple[Month, Month | Cycle]:
    """The account's cycle that today lies in, with the month it is billed as; the first open one after it if shut."""
    days = billing_days(conn, account_id).get(account_id, ())
    month = store.open_month(conn, Month(cycle_label(today, days)), days)
    return month, Cycle.of(month.yyyymm, days) if days else month


# ---- looking --------------------------------------------------------------------------------------------------------
def charges_waiting(conn: Connection, today: date, account_id: str) -> list[ChargeRow]:
    """One-off charges that no bill has taken up yet, oldest first."""
    first, _cycle = open_cycle(conn, account_id, today)
    return [
        ChargeRow(
            charge_id=row.charge_id,
            yyyymm=row.period,
            item_code=row.item_code,
            kind=row.kind,
            amount_fen=row.amount_micro_yuan.to_fen(),
            from_on=row.from_on,
            until_on=row.until_on,
            reason=row.reason or "",
            about_bill_id=row.about_bill_id or "",
            about_line_no=row.about_line_no,
            undoes_id=row.undoes_id or "",
            staff_id=row.staff_id,
            booked_at=row.booked_at,
        )
        for row in store.charges_of(conn, account_id, first.yyyymm)
    ]


def adjustments_of(conn: Connection, bill_id: str) -> tuple[str, list[AdjustmentRow]]:
    """The account of a bill, and what was taken off its lines in the order it was booked. Raises BillLineNotFound."""
    head = bills.read_bill(conn, bill_id)
    if head is None:
        raise BillLineNotFound()
    return head.account_id, [
        AdjustmentRow(
            adjustment_id=row.adjustment_id,
            bill_id=row.bill_id,
            line_no=row.line_no,
            kind=row.kind,
            amount_fen=row.amount_fen,
            net_fen=row.net_fen,
            tax_fen=row.tax_fen,
            returned_fen=row.returned_fen,
            reason=row.reason or "",
            receipt_no=row.receipt_no or "",
            staff_id=row.staff_id,
            booked_on=row.booked_on,
        )
        for row in store.adjustments_of(conn, bill_id)
    ]


def refuse_while_billed(state: Any) -> None:
    """Raise AccountBeingBilled while a bill run holds the account."""
    if state.held:
        raise AccountBeingBilled()


def _check_charge(request: ChargeAccount, from_on: date, until_on: date) -> None:
    if not request.amount_fen:
        raise ChargeNotValid(reason=_why("zero"))
    if request.item_code not in billing_policy().bill.items:
        raise ChargeNotValid(reason=_why("item", item_code=request.item_code))
    if until_on <= from_on:
        raise ChargeNotValid(reason=_why("days"))
    if request.about_bill_id and request.amount_fen < ZERO_FEN:
        raise ChargeNotValid(reason=_why("credit_about"))


def _check_about(conn: Connection, request: ChargeAccount) -> None:
    line = line_to_credit(conn, bill_id=request.about_bill_id or "", line_no=request.about_line_no or 1)
    if line.account_id != request.account_id:
        raise ChargeNotValid(reason=_why("about"))


def _why(name: str, **params: str) -> dict[str, str]:
    return {
        language[:2]: resources.text(f"adjustment.reason.{name}", language, **params)
        for language in resources.LANGUAGES
    }
