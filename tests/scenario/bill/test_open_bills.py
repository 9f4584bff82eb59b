"""Bills of old systems taken over: as they were, once, and settled like any other."""

from __future__ import annotations

from datetime import date

import pytest

from server_api.billing.bill import service
from server_api.billing.bill.service import OpenBill, OpenBillLine
from server_api.platform.database import Databases
from shared_models.values.clock import ManualClock
from shared_models.values.faults.bill import BillImportRefused
from shared_models.values.money import Fen
from shared_models.values.period import Month
from tests.support.bill_town import BillTown


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    return BillTown(databases, clock).on("2026-03-01")


def old_bill(account_id: str, seq: int = 1, **line: object) -> OpenBill:
    fields = {"item_code": "voice.monthly", "amount": Fen(2_500), "shown_as": "0937-3961234", **line}
    return OpenBill(
        "crm97", account_id, Month(202601), (OpenBillLine(**fields),), due_on=date(2026, 2, 20), bill_seq=seq
    )


def taken(town: BillTown, bill: OpenBill) -> str:
    found: list[str] = []
    town.act("import", lambda uow: found.append(service.import_open_bill(uow, bill=bill)))
    return found[0]


def test_taken_over_as_it_was(town: BillTown) -> None:
    home = town.account(1)
    bill_id = taken(town, old_bill(home))
    assert taken(town, old_bill(home)) == bill_id
    second = taken(town, old_bill(home, 2, item_code="tv.monthly", label="数字电视费（老系统）"))
    with town.billing.reading() as connection:
        document = service.read_bill(connection, bill_id, "zh_CN", town.billing.secrets, date(2026, 3, 1))
        page = service.bills_of_account(connection, home, 1)
        rest = service.bills_of_account(connection, home, 5, page.next_cursor)
        opening = service.open_line(connection, bill_id, 1, 10, None, "zh_CN")
    assert (document.head.bill_no, document.head.overdue, document.head.open_fen) == (
        "202601-1000000001-1",
        True,
        Fen(2_500),
    )
    assert (document.lines[0].label, document.lines[0].shown_as) == ("月租费", "0937-3961234")
    assert opening.rounding == "旧系统账单，按原金额转入，无明细。" and not opening.calls and not opening.charges
    assert [each.bill_id for each in (*page.items, *rest.items)] == [second, bill_id]
    assert town.broken() == []


def test_owed_before_stands_on_the_next_bill(town: BillTown) -> None:
    home = town.account(1)
    taken(town, old_bill(home))
    town.install(home, "PSTN", "2026-03-01")
    town.run(202603)
    assert town.bill(home, 202603).owed_before_fen == Fen(2_500)
    assert town.broken() == []


@pytest.mark.parametrize(
    "line",
    [
        {"amount": Fen(0)},
        {"amount": Fen(-1)},
        {"item_code": "no.such"},
    ],
)
def test_refused(town: BillTown, line: dict[str, object]) -> None:
    home = town.account(1)
    with pytest.raises(BillImportRefused):
        taken(town, old_bill(home, **line))
    with town.billing.reading() as connection:
        assert service.bills_of_account(connection, home, 5).items == ()


def test_refused_without_account_lines_or_place(town: BillTown) -> None:
    home = town.account(1)
    with pytest.raises(BillImportRefused):
        taken(town, old_bill("f" * 32))
    with pytest.raises(BillImportRefused):
        taken(town, old_bill(home, 256))
    with pytest.raises(BillImportRefused):
        taken(town, OpenBill("crm97", home, Month(202601), ()))
