"""An account set aside is billed afterwards: the month's own bill, once, and nothing of it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from server_api.billing.bill import service
from server_api.billing.bill.service.income import income
from server_api.platform.database import Databases
from shared_models.contracts.bill import LateBill
from shared_models.values.clock import ManualClock
from shared_models.values.faults.bill import BillNotAside, BillPriceMissing
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import PATIENT, TOWN_PRICES, BillTown, recurring


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-03-01")


def late(account: str, month: int) -> Callable[[Any], LateBill]:
    return lambda uow: service.bill_set_aside(uow, month=Month(month), account_id=account, policy=PATIENT)


def test_a_month_since_closed_is_billed_when_its_price_has_come(town: BillTown) -> None:
    good, bad = town.account(1), town.account(2)
    town.install(good, "PSTN", "2026-03-01")
    town.install(bad, "PSTN", "2026-03-01")
    product = town.install(bad, "TV8K", "2026-03-11", "tv", "card 1", version=2)
    town.calls(bad, product, 202603, [2_000_000], item="tv.monthly")
    done = town.run(202603)
    assert (done.bill_count, done.aside_count, done.total_fen) == (1, 1, Fen(2_500))
    with town.billing.reading() as conn:
        (aside,) = service.set_asides(conn, 202603, 10, None).items
    assert (aside.account_no, aside.reason) == ("1000000002", "bill_price_missing")
    with pytest.raises(BillPriceMissing):
        town.act("late", late(bad, 202603))
    with pytest.raises(BillNotAside):
        town.act("late", late(good, 202603))
    town.publish(2, (*TOWN_PRICES, recurring("TV8K", "31", "tv")))
    # heard after March was closed: of March, so the March bill has it, and April's has nothing of March
    town.event(product, "suspended", "2026-03-21", version=2)
    town.on("2026-04-20").run(202604)
    april = town.bill(bad, 202604)
    assert all(line.from_on >= date(2026, 4, 1) for line in april.lines), town.table(april)
    town.on("2026-05-06")
    made = LateBill.model_validate_json(town.act("late", late(bad, 202603)).reply)
    bill = town.bill(bad, 202603)
    assert (made.bill_id, made.total_fen, made.due_on) == (bill.head.bill_id, bill.head.total_fen, bill.head.due_on)
    assert (str(bill.from_on), str(bill.head.issued_on), bill.head.bill_no) == (
        "2026-03-01", "2026-05-06", "202603-1000000002",
    )  # fmt: skip
    # 25.00, ten days of 31.00 a month and 2.00 of usage
    assert bill.head.total_fen == Fen(2_500 + 1_000 + 200), town.table(bill)
    with town.billing.reading() as conn:
        assert service.set_asides(conn, 202603, 10, None).items == ()
        run = service.read_run(conn, service.run_id_of(Month(202603)))
    assert (run.bill_count, run.aside_count, run.total_fen) == (2, 0, Fen(2_500) + made.total_fen)
    with town.billing.reading() as conn:
        booked = income(conn, month=Month(202605))
    assert booked.differences == () and booked.gross_fen.amount_fen > made.total_fen.amount_fen
    with pytest.raises(BillNotAside):
        town.act("late", late(bad, 202603))
    # and May makes nothing good once more
    town.on("2026-06-01").run(202605)
    assert all(line.from_on >= date(2026, 5, 1) for line in town.bill(bad, 202605).lines)
    assert town.broken() == []
