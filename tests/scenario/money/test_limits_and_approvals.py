"""What one person may give away alone, and what a second person must sign: once, for this act, in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server_api.billing.account import giving
from server_api.billing.account import service as account
from shared_models.contracts.account import AccountView, SetCreditLimit
from shared_models.contracts.approval import LimitReport
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.approval import (
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalOfOneself,
    ApprovalUsed,
    LimitReached,
)
from shared_models.values.giving import Giving
from shared_models.values.money import Fen
from tests.support.money import Counter, teller


@pytest.fixture
def rich(counter: Counter) -> tuple[Counter, str]:
    """A teller who may refund 10 yuan a day and 15 a month, and an account with 100 in advance."""
    account_id = counter.open_account()
    limited = counter.at(teller(limits_fen={"refund_day": 1_000, "refund_month": 1_500}))
    limited.open_till()
    limited.pay(account_id, 10_000)
    return limited, account_id


def report(counter: Counter) -> LimitReport:
    billing = counter.databases.billing
    with billing.reading() as conn:
        return giving.limit_report(conn, town_day(billing.clock.now()), context=counter.context)


def test_the_month_has_a_limit_too(rich: tuple[Counter, str], clock: ManualClock) -> None:
    limited, account_id = rich
    assert limited.refund(account_id, 900).limit_warning
    clock.advance(timedelta(days=1))
    assert not limited.refund(account_id, 200).limit_warning
    assert limited.refund(account_id, 300).limit_warning  # 1,400 of 1,500 in the month
    with pytest.raises(LimitReached) as refused:
        limited.refund(account_id, 101)
    assert refused.value.params["span"]["en"] == "month"  # type: ignore[index]
    assert [(line.used_day_fen, line.used_month_fen, line.warning) for line in report(limited).lines] == [
        (Fen(900), Fen(900), True),
        (Fen(500), Fen(1_400), True),
    ]
    limited.assert_books_balance()


def test_an_approval_lets_one_act_pass_and_uses_up_no_limit(rich: tuple[Counter, str]) -> None:
    limited, account_id = rich
    with pytest.raises(LimitReached):
        limited.refund(account_id, 5_000)
    signed = limited.approved(Giving.REFUND, account_id, 5_000)
    assert signed.refund(account_id, 5_000).balance_after_fen == Fen(5_000)
    with pytest.raises(ApprovalUsed):
        signed.refund(account_id, 5_000)
    assert not limited.refund(account_id, 700).limit_warning
    kinds = {line.kind: line.used_day_fen for line in report(limited).lines}
    assert kinds == {"refund": Fen(700), "refund+": Fen(5_000)}
    limited.assert_books_balance()


def test_an_approval_is_bound_to_its_act_and_person(rich: tuple[Counter, str], clock: ManualClock) -> None:
    limited, account_id = rich
    other = limited.open_account()
    for wrong in (
        limited.approved(Giving.TRANSFER, account_id, 500),
        limited.approved(Giving.REFUND, other, 500),
        limited.approved(Giving.REFUND, account_id, 501),
        limited.approved(Giving.REFUND, account_id, 500, asked_by_no="1009"),
        limited.approved(Giving.REFUND, account_id, 500, hall_code="H99"),
        limited.approved(Giving.REFUND, account_id, 500, district_code="D9", scope=DataScope.DISTRICT.value),
    ):
        with pytest.raises(ApprovalMismatch):
            wrong.refund(account_id, 500)
    with pytest.raises(ApprovalOfOneself):
        limited.approved(Giving.REFUND, account_id, 500, by="1001").refund(account_id, 500)
    late = limited.approved(Giving.REFUND, account_id, 500)
    clock.advance(timedelta(minutes=15))
    with pytest.raises(ApprovalExpired):
        late.refund(account_id, 500)
    far = limited.approved(Giving.REFUND, account_id, 500, hall_code="H99", scope=DataScope.ALL.value)
    assert far.refund(account_id, 500).balance_after_fen == Fen(9_500)
    limited.assert_books_balance()


def test_an_act_done_is_repeated_with_its_approval_after_it_expired(
    rich: tuple[Counter, str], clock: ManualClock
) -> None:
    limited, account_id = rich
    signed = limited.approved(Giving.REFUND, account_id, 5_000)
    first = signed.refund(account_id, 5_000, act_id="a" * 32)
    clock.advance(timedelta(hours=1))
    assert signed.refund(account_id, 5_000, act_id="a" * 32) == first
    limited.assert_books_balance()


def test_a_raised_credit_limit_counts_and_lifts_a_restriction(counter: Counter) -> None:
    account_id = counter.open_account()

    def limit(at: Counter, fen: int) -> AccountView:
        request = SetCreditLimit(credit_limit_fen=Fen(fen))
        return at.act(AccountView, lambda uow: account.set_credit_limit(uow, account_id=account_id, request=request))

    limited = counter.at(teller(limits_fen={"credit_limit_day": 10_000}))
    assert limit(limited, 8_000).credit_limit_fen == Fen(8_000)
    limit(limited, 1_000)
    with pytest.raises(LimitReached):
        limit(limited, 4_000)
    assert limit(limited.approved(Giving.CREDIT_LIMIT, account_id, 9_000), 10_000).credit_limit_fen == Fen(10_000)
    counter.assert_books_balance()
