"""Whatever gives something away refuses above the limit without a second person, and then leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from server_api.billing.account import service as account
from server_api.billing.bill.service.waive import waive_late_fee
from shared_models.contracts.account import AccountView, SetCreditLimit
from shared_models.contracts.adjustment import LateFeeWaived, WaiveLateFee
from shared_models.tables.billing.metadata import billing_metadata
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.approval import (
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalNeeded,
    ApprovalOfOneself,
    LimitReached,
)
from shared_models.values.giving import Giving
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.money import Counter, teller


class Given(NamedTuple):
    """An act about to be done: what it counts as, on which account, how much, and how a counter does it."""

    kind: Giving
    account_id: str
    amount_fen: int
    do: Callable[[Counter], object]
    refusal: type[Exception] = LimitReached


def refund(counter: Counter) -> Given:
    account_id = counter.open_account()
    counter.pay(account_id, 5_000)
    return Given(Giving.REFUND, account_id, 900, lambda at: at.refund(account_id, 900))


def transfer(counter: Counter) -> Given:
    customer_id = new_id()
    first, second = counter.open_account(customer_id=customer_id), counter.open_account(customer_id=customer_id)
    counter.pay(first, 5_000)
    return Given(Giving.TRANSFER, first, 900, lambda at: at.transfer(first, second, 900))


def transfer_to_another(counter: Counter) -> Given:
    first, second = counter.open_account(), counter.open_account()
    counter.pay(first, 5_000)
    return Given(Giving.TRANSFER, first, 1, lambda at: at.transfer(first, second, 1), ApprovalNeeded)


def deposit_returned(counter: Counter) -> Given:
    account_id = counter.open_account()
    deposit_id = counter.deposit(account_id, 2_000).deposit.deposit_id
    return Given(Giving.DEPOSIT, account_id, 900, lambda at: at.give_deposit_back(deposit_id, 900))


def deposit_forfeited(counter: Counter) -> Given:
    account_id = counter.open_account()
    deposit_id = counter.deposit(account_id, 2_000).deposit.deposit_id
    return Given(Giving.DEPOSIT, account_id, 900, lambda at: at.forfeit(deposit_id, 900))


def open_line_credited(counter: Counter) -> Given:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000])
    return Given(Giving.CREDIT, account_id, 900, lambda at: at.credit_line(bill_id, 1, 900))


def paid_line_credited(counter: Counter) -> Given:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [3_000])
    counter.pay(account_id, 3_000)
    return Given(Giving.CREDIT, account_id, 900, lambda at: at.credit_line(bill_id, 1, 900))


def credit_for_the_next_bill(counter: Counter) -> Given:
    account_id = counter.open_account()
    return Given(Giving.CREDIT, account_id, 900, lambda at: at.charge(account_id, -900))


def charge_taken_back(counter: Counter) -> Given:
    account_id = counter.open_account()
    charge_id = counter.charge(account_id, 900).charge_id
    return Given(Giving.CREDIT, account_id, 900, lambda at: at.undo_charge(account_id, charge_id))


def late_fee_waived(counter: Counter) -> Given:
    before = Month.of(town_day(counter.databases.billing.clock.now())).previous()
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, before.yyyymm, [10_000], due_on=before.until_on - timedelta(days=1))
    request = WaiveLateFee(bill_id=bill_id, amount_fen=Fen(20), reason="首次逾期")
    return Given(
        Giving.WAIVER, account_id, 20,
        lambda at: at.act(LateFeeWaived, lambda uow: waive_late_fee(uow, request=request)),
    )  # fmt: skip


def credit_limit_raised(counter: Counter) -> Given:
    account_id = counter.open_account()
    request = SetCreditLimit(credit_limit_fen=Fen(900))
    return Given(
        Giving.CREDIT_LIMIT, account_id, 900,
        lambda at: at.act(
            AccountView, lambda uow: account.set_credit_limit(uow, account_id=account_id, request=request)
        ),
    )  # fmt: skip


GIVINGS = (
    refund, transfer, transfer_to_another, deposit_returned, deposit_forfeited, open_line_credited,
    paid_line_credited, credit_for_the_next_bill, charge_taken_back, late_fee_waived, credit_limit_raised,
)  # fmt: skip


def test_every_giving_is_held_to_its_limit(counter: Counter, clock: ManualClock) -> None:
    today = town_day(clock.now())
    if today.day < 6:
        clock.set(clock.now() + timedelta(days=6))
    counter.open_till()
    assert {prepare(counter).kind for prepare in GIVINGS} == set(Giving), "every kind of giving is tried"
    for prepare in GIVINGS:
        given = prepare(counter)
        name = given.kind.value
        too_little = given.amount_fen - 1
        limited = counter.at(teller(limits_fen={f"{name}_day": too_little, f"{name}_month": too_little}))
        before = _row_counts(counter)
        with pytest.raises(given.refusal):
            given.do(limited)
        for wrong, refusal in _worthless(limited, given):
            with pytest.raises(refusal):
                given.do(wrong)
        assert _row_counts(counter) == before, f"{prepare.__name__}: what was refused left something behind"
        given.do(limited.approved(given.kind, given.account_id, given.amount_fen))
        assert _row_counts(counter) != before
    counter.assert_books_balance()


def _worthless(limited: Counter, given: Given) -> list[tuple[Counter, type[Exception]]]:
    """Approvals that must not help: one's own, of another amount, kind or person, and one that has run out."""
    kind, account_id, amount = given.kind, given.account_id, given.amount_fen
    now = limited.databases.billing.clock.now()
    other = Giving.REFUND if kind is not Giving.REFUND else Giving.CREDIT
    return [
        (limited.approved(kind, account_id, amount, approver_id=derived_id("staff", "1001")), ApprovalOfOneself),
        (limited.approved(kind, account_id, amount + 1), ApprovalMismatch),
        (limited.approved(other, account_id, amount), ApprovalMismatch),
        (limited.approved(kind, account_id, amount, asked_by_no="1999"), ApprovalMismatch),
        (limited.approved(kind, account_id, amount, hall_code="H99"), ApprovalMismatch),
        (limited.approved(kind, account_id, amount, expires_at=now), ApprovalExpired),
    ]


def _row_counts(counter: Counter) -> dict[str, int]:
    with counter.databases.billing.reading() as conn:
        return {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in billing_metadata.sorted_tables
        }
