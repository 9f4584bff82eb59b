"""Papers about an account that move no cash: adjustments, waivers, transfers. Numbered as any other."""

from __future__ import annotations

from server_api.billing.account.store import AccountState
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.payment.service.record import paper_head
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.values.money import Fen
from shared_models.values.rmb import rmb_capitals


def account_paper(
    uow: UnitOfWork,
    state: AccountState,
    *,
    kind: ReceiptKind,
    lines: tuple[ReceiptLine, ...],
    method: str,
    note: str,
    bill_refs: tuple[str, ...] = (),
    owed_after: Fen | None = None,
    balance_after: Fen | None = None,
) -> Receipt | None:
    """Issue and keep a paper at the caller's counter; None where the caller has no till open (an office, a job)."""
    till = cashdesk.lock_live_till(uow)
    if till is None:
        return None
    row = state.row
    total = Fen.total(line.amount_fen for line in lines)
    seq_no, receipt_no = cashdesk.take_receipt_no(uow)
    receipt = Receipt(
        **paper_head(uow, receipt_no),
        kind=kind,
        customer_no=row.customer_no or "",
        customer_name=uow.database.secrets.unseal(row.sealed_name),
        account_no=row.account_no,
        lines=lines,
        total_fen=total,
        total_capitals=rmb_capitals(total),
        methods=(MethodLine(method=method, amount_fen=total),),
        owed_after_fen=owed_after,
        balance_after_fen=balance_after,
        bill_refs=bill_refs,
        note=note,
    )
    cashdesk.keep_receipt(uow, receipt, seq_no=seq_no, till_id=till.till_id, account_id=row.account_id)
    return receipt
