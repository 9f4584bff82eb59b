"""Waiving (违约金减免) a late fee that is not billed yet: exactly what the overdue bill's days have come to so far.

A late fee is never stored before it is billed, so a waiver is a credit of its own that the month's bill takes off the
fee it makes; days after it cost again while the bill stays open. A late fee on an issued bill is credited on its line.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from server_api.billing.account.giving import allow_giving
from server_api.billing.account.service import lock_account
from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.rules.extras import LATE_FEE_ITEM
from server_api.billing.bill.rules.late_fee import late_fee_micro_yuan
from server_api.billing.bill.service.adjust import book_charge, open_cycle, refuse_while_billed
from server_api.billing.bill.service.reading import account_of_bill
from server_api.billing.bill.store import adjust as store
from server_api.billing.bill.store.inputs import read_common
from server_api.billing.bill.store.overdue import overdue_between
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.adjustment import LateFees, LateFeeSoFar, LateFeeWaived, WaiveLateFee
from shared_models.values.faults.adjustment import NoLateFee
from shared_models.values.giving import Giving
from shared_models.values.money import MICRO_PER_FEN, Fen, MicroYuan

WAIVED_KIND = "late_fee_waived"


def waive_late_fee(uow: UnitOfWork, *, request: WaiveLateFee) -> LateFeeWaived:
    """Take off what an overdue bill's late fee has come to in the month that is not billed yet, all of it or a part.

    Counts against the caller's limit of waivers, begun fen whole. Raises NotFound (no such bill), NoLateFee (or less
    than is to be waived), AccountNotFound, AccountClosed, AccountBeingBilled, LimitReached and what is wrong with an
    approval.
    """
    account_id, _customer_id = account_of_bill(uow.conn, request.bill_id)
    refuse_while_billed(lock_account(uow, account_id))
    month, cycle = open_cycle(uow.conn, account_id, uow.today)
    running = _running(uow.conn, account_id, uow.today)
    left = next((micro for late, micro, _waived in running if late.bill_id == request.bill_id), 0)
    micro = left if request.amount_fen is None else request.amount_fen.amount_fen * MICRO_PER_FEN
    if not 0 < micro <= left:
        raise NoLateFee(so_far=str(MicroYuan(left)), amount=str(MicroYuan(micro)))
    given = Fen(-(-micro // MICRO_PER_FEN))
    allowed = allow_giving(uow, Giving.WAIVER, account_id=account_id, amount=given)
    charge_id = book_charge(
        uow,
        month,
        account_id=account_id,
        item_code=LATE_FEE_ITEM,
        kind=WAIVED_KIND,
        amount=MicroYuan(-micro),
        from_on=cycle.first_on,
        until_on=min(cycle.until_on, uow.today),
        reason=request.reason,
        about_bill_id=request.bill_id,
        approval_id=allowed.approval_id,
    )
    audit.note(uow, "late_fee.waived", f"bill:{request.bill_id}", f"{MicroYuan(micro)}")
    return LateFeeWaived(
        charge_id=charge_id,
        account_id=account_id,
        bill_id=request.bill_id,
        yyyymm=month.yyyymm,
        so_far_fen=MicroYuan(left).to_fen(),
        waived_fen=MicroYuan(micro).to_fen(),
        limit_warning=allowed.warning,
    )


def late_fees(conn: Connection, account_id: str, today: date) -> LateFees:
    """The late fees of an account that run and are not billed yet, up to today, without what was waived of them."""
    return LateFees(items=tuple(
        late.model_copy(update={
            "so_far_fen": MicroYuan(micro).to_fen(), "waived_fen": MicroYuan(waived).to_fen(),
        })
        for late, micro, waived in _running(conn, account_id, today)
    ))  # fmt: skip


def _running(conn: Connection, account_id: str, today: date) -> list[tuple[LateFeeSoFar, int, int]]:
    """Overdue bills with the micro-yuan of late fee left to waive, and those waived already."""
    month, cycle = open_cycle(conn, account_id, today)
    late = read_common(conn, month, account_id).late.by_account
    overdue = overdue_between(conn, cycle, account_id, f"{account_id}0", late).get(account_id, ())
    policy = billing_policy().bill.late_fee
    found = []
    for each in overdue:
        # a day costs what is open at its end: today's is not known yet
        fee = late_fee_micro_yuan(policy, each, cycle.first_on, min(cycle.until_on, today))
        waived = store.waived_of_bill(conn, account_id, each.bill_id, month.yyyymm)
        nothing = Fen(0)
        line = LateFeeSoFar(
            bill_id=each.bill_id,
            bill_no=each.bill_no,
            due_on=each.due_on,
            open_fen=Fen(each.owed[-1][1]) if each.owed else nothing,
            so_far_fen=nothing,
            waived_fen=nothing,
        )
        found.append((line, fee - waived, waived))
    return found
