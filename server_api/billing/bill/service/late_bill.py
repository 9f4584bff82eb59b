"""The bill of an account its month's run had set aside, made when its reason is gone, also after the month is closed.

It is the month's own bill: its number, days, usage and charges are that month's. It is dated and booked on the day it
is made, so that the accounts of a closed month do not move, and due as many days later as any bill. The bills of later
months have nothing of it: a month an account is set aside in is none they make good for.
"""

from __future__ import annotations

from server_api.billing.account.service import lock_account
from server_api.billing.bill.freeze import Frozen, Issue, freeze
from server_api.billing.bill.news import BillsDrafted, IssuedBill
from server_api.billing.bill.policy import BillingPolicy, billing_policy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.run import store_bills
from server_api.billing.bill.store import bills, runs
from server_api.billing.bill.store.books import load_book
from server_api.billing.bill.store.inputs import load_account
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import LateBill
from shared_models.values.bill_ids import bill_no_of
from shared_models.values.faults.bill import BillNotAside
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month


def bill_set_aside(uow: UnitOfWork, *, month: Month, account_id: str, policy: BillingPolicy | None = None) -> LateBill:
    """Make the bill of a month for an account its run had set aside.

    Raises BillNotAside, AccountNotFound, AccountClosed, and the fault that still keeps the account from being billed.
    """
    policy = policy or billing_policy()
    run_id = bills.is_aside(uow.conn, month.yyyymm, account_id)
    run = runs.read_run(uow.conn, run_id) if run_id else None
    if run is None:
        raise BillNotAside(yyyymm=month.yyyymm)
    lock_account(uow, account_id)
    loaded = load_account(uow.conn, month, account_id)
    head, account = loaded.heads[0], loaded.inputs.get(account_id)
    draft = draft_bill(load_book(uow.conn, policy), policy.bill, month, account) if account else None
    due_on = uow.today + (run.due_on - run.issued_on)
    issue = Issue(month, run.run_id, uow.today, due_on, run.billing_day)
    ready = Frozen.empty(uow.database.dialect.raw_day, uow.database.dialect.raw_instant)
    if account is not None and draft is not None and draft.lines:
        freeze(ready, issue, head, draft, uow.now, span=issue.span(account.billing_days))
        issued = tuple(IssuedBill(one, bill_id, Fen(total), due_on) for one, bill_id, total in ready.bills)
        rich = frozenset((account_id,)) if head.has_money else frozenset()
        news = BillsDrafted(issued, {account_id: head.standing}, rich)
        uow.announce(news)
        store_bills(uow.database, uow.conn, issue, ready, uow.act_id, uow.context, news.reckoned)
    total = Fen(draft.total_fen) if draft and ready.bills else ZERO_FEN
    bills.forget_asides(uow.conn, month.yyyymm, [account_id])
    runs.count_late_bill(uow.conn, run, account_id, bool(ready.bills), total, uow.today)
    audit.note(uow, "bill.late", f"account:{account_id}", f"{month} {total}")
    if not ready.bills:
        return LateBill(account_id=account_id, yyyymm=month.yyyymm)
    return LateBill(
        account_id=account_id,
        yyyymm=month.yyyymm,
        bill_id=ready.bills[0][1],
        bill_no=bill_no_of(month, head.account_no),
        total_fen=total,
        due_on=due_on,
    )
