"""A house to work in: both databases wired as the product wires them, halls, staff whose passwords are known.

``house``         per test, on every engine: ``house.act("billing", lambda uow: …)``, ``house.deliver()``, …
``running_hall``  one real server per worker over loopback HTTP on SQLite, for the client's and the portal's tests
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from server_api.business.staff import service as staff_service
from server_api.business.staff import store as staff_store
from server_api.business.staff.service.passwords import hash_password
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Databases, Role, open_databases
from server_api.platform.facts.dispatcher import Crossing, deliver_all
from server_api.platform.registry import Wiring
from server_api.platform.unit_of_work import UnitOfWork
from server_api.wiring import crossings, new_wiring, wire_databases
from shared_models.contracts.staff import AddStaff, HallRow
from shared_models.contracts.work import DataScope, WorkContext, system_context
from shared_models.values.clock import SystemClock
from shared_models.values.ids import derived_id, new_id
from tests.support.engines import TEST_SECRETS, sqlite_pair

PASSWORD = "Yumen-hall-2026"
HALLS = (
    HallRow(
        hall_code="H01", hall_name="解放路营业厅", district_code="D1", district_name="城区", counters=("01", "02", "03")
    ),
    HallRow(hall_code="H02", hall_name="老市区营业厅", district_code="D2", district_name="老市区", counters=("01",)),
)
#: staff number -> (name, hall, roles, how far they see)
STAFF: dict[str, tuple[str, str, tuple[str, ...], DataScope]] = {
    "1001": ("张秀英", "H01", ("teller",), DataScope.HALL),
    "1002": ("李卫东", "H01", ("chief_teller",), DataScope.DISTRICT),
    "1003": ("单桂兰", "H02", ("teller",), DataScope.HALL),
    "2001": ("曾国强", "H01", ("billing_operator",), DataScope.ALL),
    "3001": ("仇建军", "H01", ("field_staff",), DataScope.DISTRICT),
    "4001": ("查丽", "H01", ("agent",), DataScope.ALL),
    "5001": ("解放", "H01", ("auditor",), DataScope.ALL),
    "9001": ("区志明", "H01", ("administrator",), DataScope.ALL),
}
#: Has to change the password at the first login.
NEWCOMER = "1009"

Reply = TypeVar("Reply")


@dataclass(frozen=True)
class House:
    """Both databases with everything wired, and the staff of two halls."""

    databases: Databases
    wiring: Wiring
    password: str = PASSWORD

    @property
    def crossings(self) -> tuple[Crossing, Crossing]:
        return crossings(self.databases, self.wiring)

    def deliver(self) -> int:
        """Let all news cross, both ways, until none is left; returns how many facts crossed."""
        return deliver_all(self.crossings)

    def context(self, staff_no: str = "1001", counter_no: str = "03") -> WorkContext:
        """The work context of a member of staff, as their session would carry it."""
        name, hall_code, roles, scope = STAFF[staff_no]
        hall = next(hall for hall in HALLS if hall.hall_code == hall_code)
        with self.databases.business.reading() as connection:
            permissions = staff_store.permissions_of(connection, staff_id_of(staff_no))
        return WorkContext(
            staff_id=staff_id_of(staff_no), staff_no=staff_no, staff_name=name, hall_code=hall_code,
            hall_name=hall.hall_name, district_code=hall.district_code, counter_no=counter_no,
            permissions=frozenset(permissions), scope=scope, session_id=new_id(),
        )  # fmt: skip

    def act(
        self,
        role: Role,
        work: Callable[[UnitOfWork], Reply],
        *,
        staff_no: str = "1001",
        act_id: str = "",
        kind: str = "tests",
    ) -> Reply:
        """Do one act and return what the work returned (not the stored reply)."""
        returned: list[Reply] = []

        def keep(uow: UnitOfWork) -> BaseModel | None:
            result = work(uow)
            returned[:] = [result]
            return result if isinstance(result, BaseModel) else None

        act = Act(act_id or new_id(), kind, digest_of({"kind": kind}), self.context(staff_no))
        perform(self.databases.of(role), act, keep)
        return returned[0]


def staff_id_of(staff_no: str) -> str:
    """The id of a member of the trial staff."""
    return derived_id("tests.staff", staff_no)


@cache
def _given() -> staff_service.GivenPassword:
    """One hash for everybody: hashing is slow on purpose."""
    return staff_service.GivenPassword(PASSWORD, hash_password(PASSWORD))


def furnish(databases: Databases, wiring: Wiring) -> House:
    """Put two halls and their staff into a pair of databases."""
    house = House(databases, wiring)

    def move_in(uow: UnitOfWork) -> None:
        staff_service.load_roles(uow)
        for hall in HALLS:
            staff_service.put_hall(uow, hall=hall)
        newcomer = ("新来", "H01", ("teller",), DataScope.HALL)
        for staff_no, (name, hall_code, roles, scope) in {**STAFF, NEWCOMER: newcomer}.items():
            person = AddStaff(
                staff_id=staff_id_of(staff_no), staff_no=staff_no, staff_name=name, hall_code=hall_code,
                roles=roles, scope=scope,
            )  # fmt: skip
            staff_service.add_staff(uow, staff=person, given=_given())
            if staff_no != NEWCOMER:
                staff_store.change_member(uow.conn, person.staff_id, must_change=False)

    act = Act(new_id(), "tests.furnish", digest_of({}), system_context("tests"))
    perform(databases.business, act, move_in)
    return house


@pytest.fixture
def house(databases: Databases) -> House:
    """A furnished house on the engine of the test."""
    return furnish(databases, wire_databases(databases))


# ---- a real server -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class RunningHall:
    """A server that answers, and the house behind it."""

    base_url: str
    house: House
    password: str = PASSWORD
    teller: str = "1001"
    newcomer: str = NEWCOMER
    counter_no: str = "03"


@pytest.fixture(scope="session")
def running_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHall]:
    """The real application over loopback HTTP. Shared by a worker's tests: make customers of your own."""
    folder = tmp_path_factory.mktemp("hall")
    with sqlite_pair(folder) as urls:
        databases = open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, clock=SystemClock(), label="hall")
        try:
            with _serving(databases, folder) as base_url:
                # The application has attached the listeners itself.
                yield RunningHall(base_url, furnish(databases, new_wiring()))
        finally:
            databases.close()


class _serving:  # noqa: N801 - reads as a verb where it is used
    """Serves the application in a thread of this process while the block lasts."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        import uvicorn

        from server_api.app import create_app, server_config
        from server_api.settings import load_settings

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = load_settings(folder / "data", {"ONEHALL_TLS": "false", "ONEHALL_PORT": str(port)})
        self._server = uvicorn.Server(server_config(settings, create_app(settings, databases)))
        self._thread = threading.Thread(target=self._server.run, name="running hall", daemon=True)
        self._url = settings.base_url

    def __enter__(self) -> str:
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        return self._url

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=20)
