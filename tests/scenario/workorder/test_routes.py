"""Work orders over HTTP: opened, handed out, promised, done by the one who has it, followed up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server_api.business.workorder import service as workorder
from shared_models.contracts.workorder import TeamRow
from shared_models.values.clock import town_day
from shared_models.values.ids import new_id
from tests.support.business import ask
from tests.support.hall import Hall, problem

pytestmark = pytest.mark.one_engine
API = "/api/hall/work-orders"


def post(hall: Hall, role: str, path: str, body: dict[str, Any]) -> Any:
    return hall.client.post(path, json=body, headers=hall.headers(role))


def test_a_repair_from_board_to_follow_up(hall: Hall) -> None:
    business = hall.databases.business
    field_no = hall.context("field_staff").staff_no
    team = TeamRow(team_code="A", team_name="A班", hall_code="H01", district_code="D1", members=(field_no,))
    put = hall.client.put(
        "/api/hall/work-teams/A", json=team.model_dump(mode="json"), headers=hall.headers("administrator")
    )
    assert put.status_code == 200, put.text
    tomorrow = (town_day(business.clock.now()) + timedelta(days=1)).isoformat()
    opened = post(hall, "dispatcher", API, {
        "kind": "repair", "address": "油城路8号", "window": {"on": tomorrow, "slot": "morning"}})  # fmt: skip
    assert opened.status_code == 201 and opened.json()["state"] == "booked", opened.text
    work_order_id = opened.json()["work_order_id"]
    board = hall.client.get("/api/hall/dispatch-board", headers=hall.headers("dispatcher")).json()
    assert board["unassigned_count"] == 1 and board["teams"][0]["open_count"] == 1
    path = f"{API}/{work_order_id}"
    handed = post(hall, "dispatcher", f"{path}/dispatch", {"team_code": "A", "staff_no": field_no})
    assert handed.status_code == 200, handed.text
    mine = hall.client.get(f"{API}/mine", headers=hall.headers("field_staff")).json()["items"]
    assert [one["work_order_id"] for one in mine] == [work_order_id]
    close = {
        "result": "done",
        "reason_code": "repaired_drop",
        "readings": [{"reading": "attenuation", "value_milli": 9}],
    }
    act = hall.headers("field_staff")
    done = hall.client.post(f"{path}/close", json=close, headers=act)
    again = hall.client.post(f"{path}/close", json=close, headers=act)
    assert done.json()["state"] == "done" and again.json() == done.json() and again.headers["Act-Replayed"] == "1"
    found = problem(post(hall, "field_staff", f"{path}/close", close), 409, "work_step_not_possible")
    assert "完工" in found["detail"]["zh"]
    assert post(hall, "agent", f"{path}/follow-up", {"outcome": "satisfied"}).status_code == 200
    view = hall.client.get(path, headers=hall.headers("agent")).json()
    assert view["follow_up"] == "satisfied" and view["readings"][0]["good"] and len(view["events"]) == 5
    page = hall.client.get(API, params={"state": "done"}, headers=hall.headers("agent")).json()
    assert len(page["items"]) == 1


def test_pages_go_on_where_they_ended(hall: Hall) -> None:
    business = hall.databases.business
    for number in range(5):
        ask(business, lambda uow, number=number: workorder.done(uow, workorder.open_work_order(  # type: ignore[misc]
            uow, kind="install", address=f"路{number}号", product_id=new_id())))  # fmt: skip
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = hall.client.get(API, params=params, headers=hall.headers("dispatcher")).json()
        seen += [one["work_order_no"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "repair", "address": "x路", "due_at": "2026-03-01T10:00:00"},
        {"kind": "repair", "address": "x路", "due_at": "9999-12-31T23:59:59-12:00"},
        {"kind": "repair", "address": "x路", "window": {"on": "0001-01-01", "slot": "morning"}},
        {"kind": "nonsense", "address": "x路"},
    ],
)
def test_what_cannot_be_is_refused(hall: Hall, body: dict[str, Any]) -> None:
    assert post(hall, "dispatcher", API, body).status_code == 422
