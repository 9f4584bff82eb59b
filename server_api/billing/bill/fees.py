"""Fees of orders: each becomes a one-off charge of the account's next bill, and is taken back when its order is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server_api.billing.account.service import lock_account
from server_api.billing.bill.service.adjust import open_cycle
from server_api.billing.bill.store import adjust as store
from server_api.platform.facts.receiver import Envelope
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import FeeRaised, FeesWithdrawn
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen, MicroYuan


def keep_fees(uow: UnitOfWork, _envelope: Envelope, fact: FeeRaised) -> None:
    """Put an order's fees on the account's next bill. Raises AccountNotFound, AccountClosed."""
    lock_account(uow, fact.account_id)
    month, _cycle = open_cycle(uow.conn, fact.account_id, uow.today)
    store.insert_charges(uow.conn, [
        _row(
            uow, month.yyyymm, fact.account_id, derived_id("order fee", fee.fee_id), product_id=fee.product_id,
            item_code=fee.item_code, amount=MicroYuan.of_fen(Fen(fee.amount_fen)), on=fee.on, reason=fact.order_no,
        )
        for fee in fact.fees
    ])  # fmt: skip


def take_fees_back(uow: UnitOfWork, _envelope: Envelope, fact: FeesWithdrawn) -> None:
    """Mirror what was charged: on the same bill where that is still open, else as a credit on the next."""
    lock_account(uow, fact.account_id)
    month, _cycle = open_cycle(uow.conn, fact.account_id, uow.today)
    rows = []
    for fee_id in fact.fee_ids:
        charge = store.find_charge(uow.conn, fact.account_id, derived_id("order fee", fee_id))
        if charge is None:
            continue
        rows.append(_row(
            uow, month.yyyymm, fact.account_id, derived_id("order fee back", fee_id), product_id=charge.product_id,
            item_code=charge.item_code, amount=-charge.amount_micro_yuan, on=charge.from_on, reason=fact.reason,
            undoes_id=charge.charge_id,
        ))  # fmt: skip
    if rows:
        store.insert_charges(uow.conn, rows)


def _row(
    uow: UnitOfWork, period: int, account_id: str, charge_id: str, *, product_id: str, item_code: str,
    amount: MicroYuan, on: Any, reason: str, undoes_id: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "period": period, "account_id": account_id, "charge_id": charge_id, "product_id": product_id,
        "item_code": item_code, "kind": "fee", "amount_micro_yuan": amount, "from_on": on,
        "until_on": on + timedelta(days=1), "reason": reason, "about_bill_id": "", "about_line_no": None,
        "undoes_id": undoes_id, "approval_id": "", "act_id": uow.act_id, "staff_id": uow.context.staff_id,
        "hall_code": uow.context.hall_code, "booked_at": uow.now,
    }  # fmt: skip
