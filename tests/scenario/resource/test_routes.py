"""Numbers, lines and stock over HTTP, and what periodic work does."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from server_api.business.resource import service as resource
from server_api.business.resource import store
from server_api.business.resource.jobs import owners_agree
from server_api.platform.database import Databases
from server_api.platform.jobs import enqueue, run_all
from server_api.platform.tabular import sheets_to_excel
from server_api.wiring import new_wiring
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from tests.scenario.resource.test_import_and_trace import GOOD
from tests.support.business import do
from tests.support.ground import lay
from tests.support.hall import Hall, problem

API = "/api/hall/resources"


@pytest.mark.one_engine
def test_a_number_is_chosen_at_the_counter_and_adopted_by_an_order(hall: Hall) -> None:
    business = hall.databases.business
    lay(business)
    teller, other = hall.headers("teller"), hall.headers("chief_teller")
    page = hall.client.get(f"{API}/numbers/free", params={"prefix": "268", "limit": 5}, headers=teller).json()
    assert [one["number"] for one in page["items"]] == [f"0937268000{n}" for n in range(1, 6)] and page["next_cursor"]
    more = {"prefix": "268", "limit": 5, "cursor": page["next_cursor"]}
    assert hall.client.get(f"{API}/numbers/free", params=more, headers=teller).json()["items"][0]["number"][-1] == "6"
    choice_id, order_id = new_id(), new_id()
    chosen = {"choice_id": choice_id, "code": "2680003"}
    kept = hall.client.post(f"{API}/choices", json=chosen, headers=teller)
    assert kept.status_code == 201 and kept.json()["code"] == "09372680003"
    taken = hall.client.post(f"{API}/choices", json={**chosen, "choice_id": new_id()}, headers=other)
    found = problem(taken, 409, "resource_taken")
    assert "预占" in found["detail"]["zh"] and "reserved" in found["detail"]["en"]
    until_at = business.clock.now() + timedelta(days=1)
    wish = {"kind": "number", "item_id": "1", "until_at": until_at, "code": "2680003", "adopt_id": choice_id}
    do(business, lambda uow: resource.reserve(uow, order_id=order_id, **wish))  # type: ignore[arg-type, return-value]
    given_up = hall.client.post(f"{API}/choices/give-up", json={"choice_id": choice_id}, headers=hall.headers("teller"))
    assert given_up.status_code == 200
    with business.reading() as connection:
        assert resource.orders_holding(connection) == [order_id], "an order keeps what it adopted"


@pytest.mark.one_engine
def test_lines_places_things_and_pictures(hall: Hall) -> None:
    business = hall.databases.business
    lay(business)
    keeper = hall.headers("resource_manager")
    asked = {"address": "铁人大道12号3单元"}
    ways = hall.client.get(f"{API}/lines/free", params=asked, headers=keeper).json()["items"]
    assert [(way["place_code"], way["free"]) for way in ways] == [("BOX2", 5), ("BOX1", 5)]
    nowhere = hall.client.get(f"{API}/lines/free", params={"address": "月亮路"}, headers=keeper)
    problem(nowhere, 409, "address_not_reached")
    place = hall.client.get(f"{API}/places/CAB1", headers=keeper).json()
    assert [one["place_code"] for one in place["children"]] == ["BOX1", "BOX2"]
    act = {**keeper, "Act-Id": new_id()}
    changed = hall.client.post(f"{API}/things/pair/BOX1-01/state", json={"event": "fail", "remark": "断"}, headers=act)
    assert changed.json()["state"] == "faulty"
    thing = hall.client.get(f"{API}/things/pair/box1-01", headers=keeper).json()
    assert [(one["event"], one["remark"]) for one in thing["log"]] == [("fail", "断")]
    drawn = hall.client.get(f"{API}/trace/pair/BOX1-01/picture", headers=keeper)
    assert drawn.headers["content-type"] == "image/svg+xml" and "故障" in drawn.text
    problem(hall.client.get(f"{API}/trace/product/{new_id()}", headers=keeper), 404, "not_found")


@pytest.mark.one_engine
def test_a_workbook_over_http(hall: Hall) -> None:
    keeper = hall.headers("resource_manager")
    body = {"file_name": "a.xlsx", "content": base64.b64encode(sheets_to_excel(GOOD)).decode(), "dry_run": True}
    tried = hall.client.post(f"{API}/import", json=body, headers={**keeper, "Act-Id": new_id()}).json()
    assert not tried["stored"] and tried["added"]["number"] == 101
    stored = hall.client.post(f"{API}/import", json={**body, "dry_run": False}, headers={**keeper, "Act-Id": new_id()})
    assert stored.json()["stored"] and not stored.json()["errors"]
    again = hall.client.post(f"{API}/import", json={**body, "dry_run": False}, headers={**keeper, "Act-Id": new_id()})
    assert again.json()["known"] == 143 and "number" not in again.json()["added"]
    for content in ("ßßßß", "AAAA", "!!!!"):
        answer = hall.client.post(f"{API}/import", json={**body, "content": content}, headers=keeper)
        problem(answer, 422, "resource_file_not_readable")


def test_periodic_work_frees_what_has_run_out(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    lay(business, numbers=60)
    for number in range(1, 56):
        do(business, lambda uow, number=number: resource.reserve(  # type: ignore[misc, arg-type]
            uow, kind="number", order_id=new_id(), item_id="1", until_at=clock.now() + timedelta(hours=1),
            code=f"268{number:04d}"))  # fmt: skip
    assert owners_agree(business).holds
    clock.advance(timedelta(hours=2))
    do(business, lambda uow: enqueue(uow, "resource.release_expired"))  # type: ignore[arg-type, return-value]
    run_all(business, new_wiring().jobs["business"])
    with business.reading() as connection:
        assert resource.orders_holding(connection) == []
        row = store.one(connection, "number", "09372680055")
    assert row is not None and row.state == "available" and owners_agree(business).holds
