"""Reserving, occupying, releasing, giving up: one thing has one owner, whoever asks and however many ask at once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from server_api.business.resource import service as resource
from server_api.business.resource import store
from server_api.business.resource.jobs import owners_agree
from server_api.business.resource.service.hold import release_expired
from server_api.platform.database import Database, Databases
from shared_models.values.clock import ManualClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.inventory import NumberAlreadyTaken
from shared_models.values.faults.resource import AddressNotReached, NoneFree, ResourceTaken, ResourceUnknown
from shared_models.values.ids import new_id
from tests.support.business import do
from tests.support.engines import Urls
from tests.support.ground import lay

ROOT = Path(__file__).resolve().parents[3]


def reserve(database: Database, kind: str, order_id: str, **more: object) -> tuple[resource.Held, ...]:
    """Reserve for an hour."""
    until_at = database.clock.now() + timedelta(hours=1)
    found = do(database, lambda uow: resource.reserve(  # type: ignore[arg-type, return-value]
        uow, kind=kind, order_id=order_id, item_id="1", until_at=until_at, **more))  # type: ignore[arg-type]  # fmt: skip
    return found[0]  # type: ignore[return-value]


def state_of(database: Database, kind: str, key: str) -> str:
    with database.reading() as connection:
        row = store.one(connection, kind, key)
    assert row is not None
    return str(row.state)


def refused(database: Database, fault: type[Fault], kind: str, order_id: str, **more: object) -> None:
    with pytest.raises(fault):
        reserve(database, kind, order_id, **more)


def test_a_number_from_reservation_to_rest(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    lay(business)
    first, second, product_id = new_id(), new_id(), new_id()
    held = reserve(business, "number", first, code="0937-2680007")
    assert [(one.code, one.state, one.order_id) for one in held] == [("09372680007", "reserved", first)]
    assert reserve(business, "number", first, code="09372680007") == held, "the same wish again is the same answer"
    refused(business, ResourceTaken, "number", second, code="09372680007")
    refused(business, ResourceUnknown, "number", second, code="2999999")
    taken = resource.Taken("number", "09372680007", new_id(), "H01")
    with pytest.raises(NumberAlreadyTaken):
        do(business, lambda uow: resource.take_number(uow, taken=taken))
    do(business, lambda uow: resource.occupy(uow, order_id=first, item_id="1", product_id=product_id))  # type: ignore[arg-type, return-value]
    assert state_of(business, "number", "09372680007") == "in_use"
    mine = resource.Taken("number", "09372680007", product_id, "H01")
    do(business, lambda uow: resource.take_number(uow, taken=mine))
    assert do(business, lambda uow: resource.release(uow, order_id=first)) == [0], "what is in use stays"
    do(business, lambda uow: resource.quit(uow, product_id=product_id))  # type: ignore[arg-type, return-value]
    assert state_of(business, "number", "09372680007") == "cooling"
    refused(business, ResourceTaken, "number", second, code="09372680007")
    clock.advance(timedelta(days=90))
    assert reserve(business, "number", second, code="09372680007")[0].order_id == second
    with business.reading() as connection:
        log = store.uses(connection, "number", "09372680007", 10)
    assert Counter(row.event for row in log) == Counter(("reserve", "occupy", "quit", "reserve"))


def test_a_reservation_ends_by_itself_and_by_cancelling(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    lay(business)
    first, second, third = new_id(), new_id(), new_id()
    reserve(business, "number", first, code="09372680001")
    clock.advance(timedelta(minutes=30))
    assert reserve(business, "number", first, code="2680001")[0].until_at == clock.now() + timedelta(hours=1)
    clock.advance(timedelta(minutes=59))
    refused(business, ResourceTaken, "number", second, code="09372680001")
    clock.advance(timedelta(minutes=1))
    assert reserve(business, "number", second, code="09372680001")[0].order_id == second
    with business.reading() as connection:
        assert resource.held_by_order(connection, first) == ()
    assert do(business, lambda uow: resource.release(uow, order_id=second)) == [1]
    assert state_of(business, "number", "09372680001") == "available"
    reserve(business, "line", third, criteria=resource.Criteria(address="铁人大道14号201室"))
    clock.advance(timedelta(hours=1))
    assert do(business, lambda uow: release_expired(uow)) == [3]
    with business.reading() as connection:
        assert resource.orders_holding(connection) == []


def test_a_line_is_a_way_from_the_exchange_to_the_box(databases: Databases) -> None:
    business = databases.business
    lay(business, pairs=2)
    first = new_id()
    held = reserve(business, "line", first, criteria=resource.Criteria(address="铁人大道 １２ 号3单元201室"))
    assert [(one.kind, one.code, one.place_code) for one in held] == [
        ("pair", "BOX2-01", "BOX2"), ("pair", "CAB1-001", "CAB1"), ("port", "EX1-P001", "EX1"),
    ], "the longest cover wins, full-width figures and blanks do not matter"  # fmt: skip
    second = reserve(business, "line", new_id(), criteria=resource.Criteria(place_code="BOX2"))
    assert {one.code for one in second} == {"BOX2-02", "CAB1-002", "EX1-P002"}
    other = reserve(business, "line", new_id(), criteria=resource.Criteria(address="铁人大道12号3单元201室"))
    assert {one.code for one in other} == {"BOX1-01", "CAB1-003", "EX1-P003"}, "the next box that reaches it"
    refused(business, NoneFree, "line", new_id(), criteria=resource.Criteria(place_code="BOX2"))
    refused(business, AddressNotReached, "line", new_id(), criteria=resource.Criteria(address="月亮路1号"))


def test_a_circuit_has_two_ends(databases: Databases) -> None:
    business = databases.business
    lay(business)
    held = reserve(
        business, "circuit", new_id(),
        criteria=resource.Criteria(address="铁人大道14号", address_z="油城路8号"),
    )  # fmt: skip
    assert {(one.code, one.route_end) for one in held} == {
        ("CIR0001", None), ("EX1-P001", "a"), ("CAB1-001", "a"), ("BOX2-01", "a"), ("EX2-P001", "z"), ("BOX9-01", "z"),
    }  # fmt: skip


def test_a_device_and_an_onu_slot(databases: Databases) -> None:
    business = databases.business
    lay(business)
    order_id, product_id = new_id(), new_id()
    assert reserve(business, "onu", order_id, criteria=resource.Criteria(address="广场路12号"))[0].code == "PON1:01"
    assert reserve(business, "set_top_box", order_id, criteria=resource.Criteria(model_code="S1"))[0].code == "STB0001"
    do(business, lambda uow: resource.occupy(uow, order_id=order_id, item_id="1", product_id=product_id))  # type: ignore[arg-type, return-value]
    do(business, lambda uow: resource.quit(uow, product_id=product_id))  # type: ignore[arg-type, return-value]
    assert (
        state_of(business, "onu", "PON1:01") == "available"
        and state_of(business, "set_top_box", "STB0001") == "returned"
    )


def test_many_processes_never_get_the_same_thing(databases: Databases, database_urls: Urls) -> None:
    """Four of them, one killed in the middle of it: all there is is handed out, each thing once, each line whole."""
    business = databases.business
    lay(business, pairs=12, main_pairs=9, ports=30, numbers=30)
    command = [sys.executable, "-m", "tests.support.resource_worker", database_urls.business, database_urls.billing]
    workers = [
        subprocess.Popen([*command, str(no)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        for no in range(4)
    ]
    first = workers[0].stdout
    assert first is not None
    got = [first.readline().strip()]  # in the middle of its work, whichever that is
    workers[0].kill()
    for one in workers:
        out, err = one.communicate(timeout=60)
        assert one is workers[0] or one.returncode == 0, err
        got += out.splitlines()
    got = [line for line in got if line.count(" ") == 2 and len(line.split()[2]) == 32]  # the last may be cut
    things = [line.rsplit(" ", 1)[0] for line in got]
    assert len(things) == len(set(things)), "nothing was handed out twice"
    with business.reading() as connection:
        for line in got:
            kind, code, order_id = line.split()
            row = store.one(connection, kind, code)
            assert row is not None and row.order_id == order_id
        held = [resource.held_by_order(connection, order_id) for order_id in resource.orders_holding(connection)]
    kinds = Counter(tuple(one.kind for one in things) for things in held)
    assert kinds == {("number",): 30, ("pair", "pair", "port"): 9}, "each order holds one thing or a whole way"
    assert owners_agree(business).holds
