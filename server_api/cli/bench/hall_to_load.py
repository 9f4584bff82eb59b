"""The hall the load runs against: tellers whose password is known, accounts that owe a bill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from server_api.billing.account import service as account
from server_api.billing.account.service import AccountToImport
from server_api.billing.bill.service.importing import OpenBill, OpenBillLine, import_open_bill
from server_api.billing.payment import store as payment_store
from server_api.business.party.service.takeover import take_over_customers
from server_api.business.staff import service as staff
from server_api.business.staff import store as staff_store
from server_api.business.staff.service import GivenPassword
from server_api.business.staff.service.passwords import hash_password
from server_api.platform import schema
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database, Databases, open_databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from server_api.settings import Settings
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.party import MigratedCustomer
from shared_models.contracts.staff import AddStaff, HallRow
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import Fen
from shared_models.values.period import Month

PASSWORD = "Bench-of-fifty-tellers"
_HALL = "B01"
_ACCOUNTS_A_TURN = 100


@dataclass(frozen=True)
class LoadedHall:
    """Who works where, and who owes."""

    staff: tuple[tuple[str, str], ...]
    account_ids: list[str]

    def count_payments(self, settings: Settings) -> int:
        """How many payments are stored. The server must have ended."""
        databases = open_installation(settings)
        try:
            with databases.billing.reading() as connection:
                return len(payment_store.all_payments(connection))
        finally:
            databases.close()


def open_installation(settings: Settings) -> Databases:
    """The databases of a bench, with their tables."""
    secrets = Secrets.from_file(settings.key_file)
    databases = open_databases(settings.business_url, settings.billing_url, secrets=secrets, label="bench")
    for database in (databases.business, databases.billing):
        if not schema.is_current(database):
            schema.upgrade(database)
    secrets.open_ring(databases)
    return databases


def furnish_hall(settings: Settings, *, tellers: int, accounts: int) -> LoadedHall:
    """A hall with so many counters and tellers, and accounts that each owe one bill of two lines."""
    databases = open_installation(settings)
    wiring = wire_databases(databases)
    try:
        staff_at = tuple((f"B{number:03d}", f"{number:02d}") for number in range(1, tellers + 1))
        _act(databases.business, lambda uow: move_in(uow, staff_at))
        ids = [derived_id("bench account", str(number)) for number in range(accounts)]
        for first in range(0, accounts, _ACCOUNTS_A_TURN):
            some = ids[first : first + _ACCOUNTS_A_TURN]
            _act(databases.business, partial(know_customers, first=first, ids=some))
            _act(databases.billing, partial(_owe, first=first, ids=some))
        # The news of all this has crossed before the first payment, as it has in a hall on a working day.
        deliver_all(crossings(databases, wiring))
        return LoadedHall(staff_at, ids)
    finally:
        databases.close()


def _act(database: Database, work: Callable[[UnitOfWork], None]) -> None:
    perform(database, Act(new_id(), "bench", digest_of(None), system_context("bench")), work)


def move_in(uow: UnitOfWork, staff_at: tuple[tuple[str, str], ...], role: str = "teller") -> None:
    """A hall with its roles and counters, and staff of one role whose password is known."""
    staff.load_roles(uow)
    counters = tuple(counter for _staff_no, counter in staff_at)
    staff.put_hall(uow, hall=HallRow(hall_code=_HALL, hall_name="压力测试厅", district_code="B1", counters=counters))
    given = GivenPassword(PASSWORD, hash_password(PASSWORD))  # one hash for all: it is slow on purpose
    for staff_no, _counter in staff_at:
        staff_id = derived_id("bench staff", staff_no)
        person = AddStaff(staff_id=staff_id, staff_no=staff_no, staff_name=staff_no, hall_code=_HALL, roles=(role,))
        staff.add_staff(uow, staff=person, given=given)
        # The load measures working days, not first days: nobody has to change the password first.
        staff_store.change_member(uow.conn, staff_id, must_change=False)


def know_customers(uow: UnitOfWork, *, first: int, ids: list[str]) -> None:
    """Every account belongs to a customer business knows: news of a stranger's account would be tried for ever."""
    take_over_customers(uow, customers=[
        MigratedCustomer(customer_id=customer_id, name=f"客户{first + number}", hall_code=_HALL, district_code="B1")
        for number, customer_id in enumerate(ids)
    ])  # fmt: skip


def _owe(uow: UnitOfWork, *, first: int, ids: list[str]) -> None:
    account.import_accounts(uow, accounts=[
        AccountToImport(account_id=account_id, account_no=f"B{first + number:09d}", customer_id=account_id)
        for number, account_id in enumerate(ids)
    ])  # fmt: skip
    month = Month.of(uow.today).previous()
    lines = (
        OpenBillLine(item_code="voice.monthly", amount=Fen(2_000), label="月租费", service="voice"),
        OpenBillLine(item_code="broadband.monthly", amount=Fen(6_900), label="宽带包月费", service="broadband"),
    )
    for account_id in ids:
        import_open_bill(uow, bill=OpenBill(source="bench", account_id=account_id, month=month, lines=lines))
