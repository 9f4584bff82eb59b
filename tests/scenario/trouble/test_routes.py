"""Faults over HTTP: a complaint taken at the counter, worked on, resolved, asked back; who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.business import make_customer
from tests.support.ground import lay
from tests.support.hall import Hall, problem

pytestmark = pytest.mark.one_engine
API = "/api/hall/troubles"


def post(hall: Hall, role: str, path: str, body: dict[str, Any]) -> Any:
    return hall.client.post(path, json=body, headers=hall.headers(role))


def test_a_complaint_from_counter_to_closed(hall: Hall) -> None:
    customer_id = make_customer(hall.databases.business, "赵大海").customer_id
    body = {"kind": "complaint", "category": "bill", "described": "话费不对", "customer_id": customer_id}
    filed = post(hall, "teller", API, body)
    assert filed.status_code == 201, filed.text
    path = f"{API}/{filed.json()['ticket_id']}"
    assert post(hall, "teller", f"{path}/begin", {"remark": "查账"}).status_code == 403
    assert post(hall, "dispatcher", f"{path}/begin", {"remark": "查账"}).json()["state"] == "in_progress"
    resolved = post(hall, "dispatcher", f"{path}/resolve", {"cause_code": "explained"})
    assert resolved.json()["state"] == "resolved"
    assert post(hall, "agent", f"{path}/follow-up", {"outcome": "satisfied"}).json()["state"] == "closed"
    refused = problem(post(hall, "dispatcher", f"{path}/cancel", {"remark": "误报"}), 409, "trouble_step_not_possible")
    assert "已归档" in refused["detail"]["zh"]
    view = hall.client.get(path, headers=hall.headers("agent")).json()
    assert [one["event"] for one in view["events"]] == ["file", "begin", "resolve", "satisfied"]
    of_customer = hall.client.get(API, params={"customer_id": customer_id}, headers=hall.headers("agent")).json()
    assert len(of_customer["items"]) == 1


def test_an_area_fault_needs_its_place(hall: Hall) -> None:
    lay(hall.databases.business)
    body = {"place_code": "NOWHERE", "category": "no_internet", "described": "光缆中断"}
    problem(post(hall, "dispatcher", f"{API}/area", body), 404, "place_unknown")
    declared = post(hall, "dispatcher", f"{API}/area", {**body, "place_code": "OLT1"})
    assert declared.status_code == 201 and declared.json()["state"] == "acknowledged"
    page = hall.client.get(API, params={"reach": "area"}, headers=hall.headers("teller")).json()
    assert [one["place_code"] for one in page["items"]] == ["OLT1"]
