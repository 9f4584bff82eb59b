"""Any billing day: set, billed apart from the calendar, short months right, nothing billed twice or lost."""

from __future__ import annotations

import numpy as np
import pytest

from server_api.billing.bill import service
from server_api.billing.bill.service import adjust
from server_api.billing.rating.cycles import Cycles, cycle_key
from server_api.platform.database import Databases
from shared_models.contracts.adjustment import ChargeAccount
from shared_models.contracts.bill import BillingDayView, SetBillingDay
from shared_models.values.clock import ManualClock
from shared_models.values.faults.bill import (
    BillingDayTooSoon,
    BillMonthFirst,
    BillMonthNotOver,
    BillRunClosedAlready,
)
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import PATIENT, BillTown


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-03-01")


def set_day(town: BillTown, account: str, day: int, from_month: int | None = None) -> BillingDayView:
    request = SetBillingDay(billing_day=day, from_month=from_month)
    done = town.act("day", lambda uow: service.set_billing_day(uow, account_id=account, request=request))
    return BillingDayView.model_validate_json(done.reply)


def totals(town: BillTown, account: str, *months: int) -> list[str]:
    found = []
    for month in months:
        bill = town.bill(account, month)
        found.append(f"{bill.from_on:%m-%d}..{bill.until_on:%m-%d} {bill.head.total_fen}")
    return found


def test_a_change_of_day_makes_one_cycle_longer_and_all_after_it_whole(town: BillTown) -> None:
    moved, other = town.account(1), town.account(2)
    for account in (moved, other):
        town.install(account, "PSTN", "2026-03-01")
    town.on("2026-03-10")
    view = set_day(town, moved, 16)
    assert (view.from_month, str(view.last_until_on), str(view.first_until_on)) == (202604, "2026-04-16", "2026-05-16")
    done = town.run(202603)
    assert (done.bill_count, done.account_count, done.done_count) == (1, 1, 1)
    assert town.has_bill(other, 202603) and not town.has_bill(moved, 202603)
    with pytest.raises(BillMonthNotOver):
        town.on("2026-04-15").begin(202603, 16)
    done = town.run(202603, day=16)
    assert (done.bill_count, done.account_count, str(done.issued_on), str(done.due_on)) == (
        1, 1, "2026-04-16", str(done.due_on),
    )  # fmt: skip
    with pytest.raises(BillRunClosedAlready):
        town.begin(202603, 16)
    for month in (202604, 202605):
        town.run(month)
        town.run(month, day=16)
    # 46 of 31 days of 25.00, then whole cycles
    assert totals(town, moved, 202603, 202604, 202605) == [
        "03-01..04-16 37.10", "04-16..05-16 25.00", "05-16..06-16 25.00",
    ]  # fmt: skip
    assert totals(town, other, 202603, 202604) == ["03-01..04-01 25.00", "04-01..05-01 25.00"]
    assert town.broken() == []


@pytest.mark.parametrize(
    ("day", "begin", "months", "spans"),
    [
        (31, "2025-12-05", (202601, 202602, 202603), ["01-31..02-28", "02-28..03-31", "03-31..04-30"]),
        (31, "2027-12-05", (202801, 202802, 202803), ["01-31..02-29", "02-29..03-31", "03-31..04-30"]),
        (30, "2026-12-05", (202701, 202702, 202703), ["01-30..02-28", "02-28..03-30", "03-30..04-30"]),
        (29, "2026-12-05", (202701, 202702), ["01-29..02-28", "02-28..03-29"]),
    ],
)
def test_short_months_cost_a_whole_month(
    town: BillTown, day: int, begin: str, months: tuple[int, ...], spans: list[str]
) -> None:
    account = town.account(1)
    town.install(account, "PSTN", f"{begin[:4]}-12-01")
    town.on(begin)
    set_day(town, account, day, months[0])
    for month in (Month(months[0]).previous().yyyymm, *months):
        town.run(month)
        town.run(month, day=day)
    assert totals(town, account, *months) == [f"{span} 25.00" for span in spans]
    assert town.broken() == []


def test_nothing_that_has_begun_is_moved(town: BillTown) -> None:
    account = town.account(1)
    town.on("2026-03-10")
    with pytest.raises(BillingDayTooSoon):
        set_day(town, account, 16, 202603)
    assert set_day(town, account, 16).from_month == 202604
    # before it has begun it may be taken back, and set anew
    assert set_day(town, account, 5).from_month == 202604
    town.on("2026-04-03")
    assert set_day(town, account, 20).from_month == 202604
    town.on("2026-04-10")
    # the 20th of April has not come, but the 1st has
    assert set_day(town, account, 1).from_month == 202605


def test_the_month_comes_first_and_says_what_else_it_needs(town: BillTown) -> None:
    account, other = town.account(1), town.account(2)
    for one in (account, other):
        town.install(one, "PSTN", "2026-03-01")
    set_day(town, account, 16, 202604)
    town.on("2026-04-20")
    with pytest.raises(BillMonthFirst):
        town.begin(202603, 16)
    town.run(202603)
    with town.billing.reading() as conn:
        found = service.cycles_of_month(conn, Month(202603)).items
    assert [(one.billing_day, str(one.until_on), one.account_count, one.state) for one in found] == [
        (1, "2026-04-01", 1, "closed"), (16, "2026-04-16", 1, "open"),
    ]  # fmt: skip
    seen = service.preview_run(town.billing, Month(202603), billing_day=16, policy=PATIENT)
    done = town.run(202603, day=16)
    assert (seen.bill_count, seen.total_fen, seen.account_count) == (1, done.total_fen, 1)


def test_usage_charges_and_late_news_follow_the_cycle(town: BillTown) -> None:
    account = town.account(1)
    product = town.install(account, "PSTN", "2026-01-01")
    town.on("2026-01-10")
    set_day(town, account, 16, 202602)
    for month in (202512, 202601, 202602):
        town.run(month)
        town.run(month, day=16)
    assert totals(town, account, 202602) == ["02-16..03-16 25.00"]
    # on 5 April the calendar's March is billed, the cycle of 16 March is not
    town.on("2026-04-05").run(202603)
    town.calls(account, product, 202603, [1_110_000])
    body = ChargeAccount(account_id=account, item_code="fee.other", kind="fee", amount_fen=Fen(500), reason="换机")
    town.act("charge", lambda uow: adjust.charge_account(uow, request=body))
    # heard after the cycle of February was billed: the last six of its 28 days are 60.00 a month instead of 25.00
    town.event(product, "changed", "2026-03-10", "BB100")
    town.run(202603, day=16)
    assert town.table(town.bill(account, 202603)).splitlines() == [
        "固定电话 宽带月租费 宽带100M 03-16..04-16 60.00",
        "固定电话 宽带月租费（2026-02 更正） 宽带100M 02-16..03-16 12.86",
        "固定电话 月租费（2026-02 更正） 固话普通 02-16..03-16 -5.36",
        "固定电话 市话通话费 03-16..04-16 1.11",
        "账户费用 其他费用 换机 04-05..04-06 5.00",
        "合计 73.61",
    ]
    assert town.broken() == []


def test_rating_goes_to_the_first_cycle_that_is_not_billed() -> None:
    days = {"a": ((202601, 16),)}
    shut = {202602, 202603, cycle_key(202602, 16)}
    cycles = Cycles(days, ("a", "b"), shut)
    at = [int(np.datetime64(on, "s").astype(np.int64)) for on in ("2026-03-10T04:00", "2026-04-10T04:00")]
    found = cycles.periods(
        np.array([0, 0, 1], np.uint32), np.array([*at, at[1]], np.int64), np.array([202603, 202604, 202604], np.int64)
    )
    # the cycle of 16 February is billed, that of 16 March is not although the calendar's March is
    assert found.tolist() == [-202603, -202603, 202604]
    assert cycles.again(202603, "a", shut | {cycle_key(202603, 16)}) == 202604
    assert cycles.again(202603, "b", shut) is None
