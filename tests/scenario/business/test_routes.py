"""The business side over HTTP: a customer made, found, given a telephone, changed; the catalogue in and out; staff."""

from __future__ import annotations

import tomllib

import pytest

import resources
from shared_models.contracts.work import DataScope
from shared_models.values.ids import new_id
from tests.support.business import make_customer, open_halls, publish_sample_catalog, worker
from tests.support.hall import Hall

ACCOUNT = "ac" * 16


@pytest.mark.one_engine
def test_a_teller_makes_finds_and_serves_a_customer(hall: Hall) -> None:
    publish_sample_catalog(hall.databases.business)
    teller, chief = hall.headers("teller"), hall.headers("chief_teller")
    customer_id, product_id = new_id(), new_id()
    body = {"customer_id": customer_id, "name": "曾<b>小</b>明'; --", "contacts": [{"contact_value": "13909371234"}]}
    act = {"Act-Id": new_id()}
    made = hall.client.post("/api/hall/customers", json=body, headers={**teller, **act})
    assert made.status_code == 201, made.text
    again = hall.client.post("/api/hall/customers", json=body, headers={**teller, **act})
    assert again.json() == made.json() and again.headers["Act-Replayed"] == "1"
    install = {
        "product_id": product_id, "customer_id": customer_id, "offering_code": "VOICE-HOME",
        "accesses": [{"access_key": "3961234"}], "pay_relations": [{"account_id": ACCOUNT}],
    }  # fmt: skip
    installed = hall.client.post("/api/hall/products", json=install, headers={**teller, "Act-Id": new_id()})
    assert installed.status_code == 201 and installed.json()["state"] == "active", installed.text
    for text in ("曾<b>", "13909371234", "0937-3961234", made.json()["customer_no"]):
        page = hall.client.get("/api/hall/customers", params={"q": text}, headers=teller).json()
        assert [hit["customer_id"] for hit in page["items"]] == [customer_id], text
    products = hall.client.get(f"/api/hall/customers/{customer_id}/products", headers=teller).json()["items"]
    assert [(one["shown_as"], one["account_id"]) for one in products] == [("0937-3961234", ACCOUNT)]
    short = hall.client.get("/api/hall/customers", params={"q": "x"}, headers=teller)
    assert short.status_code == 422 and short.json()["code"] == "search_too_short"
    asked = {"json": {"reason": "核对"}, "headers": {**teller, "Act-Id": new_id()}}
    assert hall.client.post(f"/api/hall/customers/{customer_id}/reveal", **asked).status_code == 403
    asked["headers"] = {**chief, "Act-Id": new_id()}
    whole = hall.client.post(f"/api/hall/customers/{customer_id}/reveal", **asked)
    assert whole.json()["contacts"][0]["contact_value"] == "13909371234"
    far = make_customer(hall.databases.business, "曾外厅", worker("H03", "D2")).customer_id
    near = hall.headers("teller", DataScope.HALL)
    assert hall.client.get(f"/api/hall/customers/{far}", headers=near).status_code == 404
    found = hall.client.get("/api/hall/customers", params={"q": "C000"}, headers=near).json()["items"]
    assert [hit["customer_id"] for hit in found] == [customer_id]


@pytest.mark.one_engine
def test_the_catalogue_goes_in_and_out(hall: Hall) -> None:
    manager = hall.headers("catalog_manager")
    text = resources.path("catalog", "sample.yaml").read_text(encoding="utf-8")
    bad = {"document": text.replace("'20.00'", "'20.00000001'"), "file_name": "c.yaml"}
    refused = hall.client.post("/api/hall/catalog/import", json=bad, headers={**manager, "Act-Id": new_id()}).json()
    assert not refused["stored"] and refused["errors"][0]["code"] == "price_too_fine"
    good = {"document": text}
    taken = hall.client.post("/api/hall/catalog/import", json=good, headers={**manager, "Act-Id": new_id()}).json()
    assert taken["stored"] and taken["offerings"] == 13
    book = hall.client.post("/api/hall/catalog/price-books", json={}, headers={**manager, "Act-Id": new_id()}).json()
    assert book["version"] == 1 and book["row_count"] == 21
    listed = hall.client.get("/api/hall/catalog/offerings", params={"limit": 5}, headers=manager).json()
    assert len(listed["items"]) == 5 and listed["next_cursor"]
    exported = hall.client.get("/api/hall/catalog/file", headers=manager)
    again = {"document": exported.text, "dry_run": True}
    checked = hall.client.post("/api/hall/catalog/import", json=again, headers={**manager, "Act-Id": new_id()}).json()
    assert checked["errors"] == [] and checked["prices"] == 21
    assert hall.client.get("/api/hall/catalog/file", params={"form": "xlsx"}, headers=manager).content[:2] == b"PK"


@pytest.mark.one_engine
def test_an_administrator_hires(hall: Hall) -> None:
    open_halls(hall.databases.business)
    admin = hall.headers("administrator")
    body = {"staff_id": new_id(), "staff_no": "2001", "staff_name": "李明", "hall_code": "H01", "roles": ["teller"]}
    hired = hall.client.post("/api/hall/staff", json=body, headers={**admin, "Act-Id": new_id()})
    assert hired.status_code == 201 and len(hired.json()["one_time_password"]) == 16
    listed = hall.client.get("/api/hall/staff", headers=admin).json()["items"]
    assert "2001" in [one["staff_no"] for one in listed] and hired.json()["one_time_password"] not in str(listed)
    shipped = tomllib.loads(resources.path("policy", "roles.toml").read_text(encoding="utf-8"))
    roles = hall.client.get("/api/hall/roles", headers=admin).json()["items"]
    assert {role["role_code"] for role in roles} == set(shipped["role"])
