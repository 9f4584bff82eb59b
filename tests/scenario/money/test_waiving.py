"""Late fees not asked for: exactly what ran up so far, within limits, taken off the bill that would have asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server_api.billing.bill.service import preview_account
from server_api.billing.bill.service.waive import late_fees, waive_late_fee
from shared_models.contracts.adjustment import LateFeeWaived, WaiveLateFee
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.adjustment import NoLateFee
from shared_models.values.faults.approval import LimitReached
from shared_models.values.faults.common import NotFound
from shared_models.values.giving import Giving
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.money import Counter, teller


def waive(counter: Counter, bill_id: str, amount_fen: int | None = None) -> LateFeeWaived:
    request = WaiveLateFee(
        bill_id=bill_id, amount_fen=None if amount_fen is None else Fen(amount_fen), reason="首次逾期"
    )
    return counter.act(LateFeeWaived, lambda uow: waive_late_fee(uow, request=request))


@pytest.fixture
def late(counter: Counter, clock: ManualClock) -> tuple[Counter, str, str, int]:
    """100 yuan due on the last of the month before; the fee is 0.30 yuan a day; the days of this month so far."""
    today = town_day(clock.now())
    month = Month.of(today)
    if (today - month.first_on).days < 5:
        clock.set(clock.now() + timedelta(days=6))
        today = town_day(clock.now())
        month = Month.of(today)
    account_id = counter.open_account()
    before = month.previous()
    bill_id = counter.owe(account_id, before.yyyymm, [10_000], due_on=before.until_on - timedelta(days=1))
    return counter, account_id, bill_id, (today - month.first_on).days


def draft(counter: Counter, account_id: str) -> Any:
    billing = counter.databases.billing
    month = Month.of(town_day(billing.clock.now()))
    with billing.reading() as conn:
        return preview_account(conn, account_id, month, "zh_CN", billing.secrets, billing.clock.now())[0]


def test_all_that_ran_up_and_the_bill_takes_it_off(late: tuple[Counter, str, str, int]) -> None:
    counter, account_id, bill_id, days = late
    assert days > 0
    whole = Month.of(town_day(counter.databases.billing.clock.now())).days
    assert draft(counter, account_id).head.total_fen == Fen(whole * 30)
    waived = waive(counter, bill_id)
    assert (waived.so_far_fen, waived.waived_fen, waived.account_id) == (Fen(days * 30), Fen(days * 30), account_id)
    with counter.databases.billing.reading() as conn:
        (running,) = late_fees(conn, account_id, town_day(counter.databases.billing.clock.now())).items
    assert (running.so_far_fen, running.waived_fen, running.open_fen) == (Fen(0), Fen(days * 30), Fen(10_000))
    # what the rest of the month will cost is still asked for
    assert draft(counter, account_id).head.total_fen == Fen((whole - days) * 30)
    with pytest.raises(NoLateFee):
        waive(counter, bill_id)


def test_a_part_and_no_more_than_there_is(late: tuple[Counter, str, str, int]) -> None:
    counter, account_id, bill_id, days = late
    with pytest.raises(NoLateFee):
        waive(counter, bill_id, days * 30 + 1)
    assert waive(counter, bill_id, 10).waived_fen == Fen(10)
    assert waive(counter, bill_id).waived_fen == Fen(days * 30 - 10)


def test_above_the_limit_a_second_person_signs(late: tuple[Counter, str, str, int]) -> None:
    counter, account_id, bill_id, days = late
    limited = counter.at(teller(limits_fen={"waiver_day": 20, "waiver_month": 1_000}))
    with pytest.raises(LimitReached):
        waive(limited, bill_id)
    assert waive(limited, bill_id, 20).limit_warning
    rest = days * 30 - 20
    signed = limited.approved(Giving.WAIVER, account_id, rest)
    assert waive(signed, bill_id).waived_fen == Fen(rest)


def test_nothing_is_waived_of_a_bill_that_is_not_late(counter: Counter) -> None:
    account_id = counter.open_account()
    bill_id = counter.owe(account_id, 202602, [10_000], due_on=date(2099, 1, 1))
    with pytest.raises(NoLateFee):
        waive(counter, bill_id)
    with pytest.raises(NotFound):
        waive(counter, "0" * 32)
