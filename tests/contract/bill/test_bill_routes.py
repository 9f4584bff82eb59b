"""Bills over REST: lists, papers, lines opened, calls behind a logged look, and the month run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from sqlalchemy import select

from server_api.platform.database import Databases
from server_api.platform.jobs import run_all
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from tests.support.bill_town import TOWN_PRICES, BillTown, recurring
from tests.support.hall import Hall, open_hall, problem

BILLER, TELLER = "billing_operator", "teller"


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    town = BillTown(databases, clock).on("2026-03-01")
    home = town.account(1, "马德明")
    line = town.install(home, "PSTN", "2026-01-01", shown_as="0937-3961234")
    town.calls(home, line, 202603, [75_000] * 3)
    return town.on("2026-04-01")


@pytest.fixture
def hall(town: BillTown, tmp_path: Path) -> Iterator[Hall]:
    with open_hall(town.databases, tmp_path) as opened:
        yield opened


HOME = "00000001" + "a" * 24
BILL = "202603" + HOME[:24] + "00"


def test_a_bill_from_run_to_paper(hall: Hall, town: BillTown) -> None:
    begun = hall.client.post("/api/hall/billruns", json={"yyyymm": 202603}, headers=hall.headers(BILLER))
    assert begun.status_code == 200 and begun.json()["state"] == "running", begun.text
    assert run_all(town.billing, {"bill.month_run": town.wiring.jobs["billing"]["bill.month_run"]}) == 1
    run = hall.client.get(f"/api/hall/billruns/{begun.json()['run_id']}", headers=hall.headers(BILLER)).json()
    assert (run["state"], run["bill_count"], run["total_fen"]) == ("closed", 1, 2_523)
    assert hall.client.get("/api/hall/billruns", headers=hall.headers(BILLER)).json()["items"] == [run]

    page = hall.client.get(f"/api/hall/accounts/{HOME}/bills", headers=hall.headers(TELLER)).json()
    assert [(each["bill_id"], each["bill_no"], each["total_fen"], each["overdue"]) for each in page["items"]] == [
        (BILL, "202603-1000000001", 2_523, False)
    ]
    bill = hall.client.get(f"/api/hall/bills/{BILL}", headers=hall.headers(TELLER)).json()
    assert bill["payer"]["name"] == "马德明"
    assert [(line["label"], line["amount_fen"]) for line in bill["lines"]] == [("月租费", 2_500), ("市话通话费", 23)]
    english = hall.client.get(f"/api/hall/bills/{BILL}?language=en", headers=hall.headers(TELLER)).json()
    assert english["lines"][1]["label"] == "Local calls"

    for paper in ("A4", "A5"):
        pdf = hall.client.get(f"/api/hall/bills/{BILL}/pdf?paper={paper}", headers=hall.headers(TELLER))
        assert pdf.headers["content-type"] == "application/pdf"
        with pymupdf.open(stream=pdf.content, filetype="pdf") as document:
            assert "0937-3961234" in document[0].get_text() and "25.23" in document[0].get_text()


def test_calls_are_looked_at_by_those_who_may_and_leave_a_line(hall: Hall, town: BillTown) -> None:
    town.run(202603)
    without = hall.client.get(f"/api/hall/bills/{BILL}/lines/2", headers=hall.headers(TELLER)).json()
    assert without["calls"] == [] and "0.225" in without["rounding"]
    where = f"/api/hall/bills/{BILL}/lines/2/calls"
    act_id = new_id()
    for _again in range(2):
        seen = hall.client.post(f"{where}?limit=2", headers=hall.headers("agent", act_id=act_id))
        assert seen.status_code == 200, seen.text
    first = seen.json()
    assert [call["peer_no"][-4:] for call in first["calls"]] == ["****", "****"]
    rest = hall.client.post(f"{where}?limit=2&cursor={first['next_cursor']}", headers=hall.headers("agent")).json()
    assert len(rest["calls"]) == 1 and rest["next_cursor"] is None
    total = sum(call["charge_micro_yuan"] for call in [*first["calls"], *rest["calls"]])
    assert total == first["line"]["charge_micro_yuan"] == 225_000
    paper = hall.client.post(f"{where}/pdf", headers=hall.headers("agent"))
    with pymupdf.open(stream=paper.content, filetype="pdf") as document:
        assert document[0].get_text().count("****") == 3
    entry = town.billing.platform.audit_entry
    with town.billing.reading() as connection:
        noted = connection.execute(select(entry.c.subject).where(entry.c.what == "bill.calls_viewed")).scalars().all()
    assert noted == [f"bill:{BILL}"] * 3


def test_preview_stores_nothing(hall: Hall, town: BillTown) -> None:
    seen = hall.client.get(f"/api/hall/accounts/{HOME}/bill-preview?yyyymm=202603", headers=hall.headers(TELLER)).json()
    assert (seen["head"]["total_fen"], seen["head"]["bill_id"]) == (2_523, BILL)
    assert hall.client.get(f"/api/hall/accounts/{HOME}/bills", headers=hall.headers(TELLER)).json()["items"] == []


def test_refusals(hall: Hall, town: BillTown) -> None:
    problem(hall.client.get(f"/api/hall/bills/{BILL}", headers=hall.headers(TELLER)), 404, "not_found")
    problem(hall.client.get(f"/api/hall/bills/{'9' * 32}/pdf", headers=hall.headers(TELLER)), 404, "not_found")
    headers = hall.headers(BILLER)
    early = hall.client.post("/api/hall/billruns", json={"yyyymm": 202604}, headers=headers)
    problem(early, 409, "bill_month_not_over")
    problem(
        hall.client.post("/api/hall/billruns", json={"yyyymm": 202613}, headers=hall.headers(BILLER)),
        422,
        "input_not_valid",
    )
    problem(
        hall.client.post("/api/hall/billruns", json={"yyyymm": 202603}, headers=hall.headers(TELLER)),
        403,
        "not_permitted",
    )
    town.run(202603)
    problem(
        hall.client.post("/api/hall/billruns", json={"yyyymm": 202603}, headers=hall.headers(BILLER)),
        409,
        "bill_run_closed_already",
    )
    run_id = hall.client.get("/api/hall/billruns", headers=hall.headers(BILLER)).json()["items"][0]["run_id"]
    problem(
        hall.client.post(f"/api/hall/billruns/{run_id}/cancel", headers=hall.headers(BILLER)),
        409,
        "bill_run_not_running",
    )
    problem(hall.client.get(f"/api/hall/billruns/{'0' * 32}", headers=hall.headers(BILLER)), 404, "not_found")
    problem(hall.client.get(f"/api/hall/bills/{BILL}/lines/9", headers=hall.headers(TELLER)), 404, "not_found")
    problem(
        hall.client.post(f"/api/hall/bills/{BILL}/lines/2/calls?cursor=x", headers=hall.headers("agent")),
        422,
        "input_not_valid",
    )
    problem(
        hall.client.get(f"/api/hall/accounts/{HOME}/bills?cursor=x", headers=hall.headers(TELLER)),
        422,
        "input_not_valid",
    )
    # the customer is not known on the business side, so a scope that asks there finds nobody
    problem(hall.client.get(f"/api/hall/bills/{BILL}", headers=hall.headers(TELLER, DataScope.HALL)), 404, "not_found")


def test_accounts_set_aside_are_listed_with_their_reason(hall: Hall, town: BillTown) -> None:
    town.install(HOME, "NOSUCH", "2026-01-01", "tv", "802512")
    town.run(202603)
    page = hall.client.get("/api/hall/billruns/202603/asides", headers=hall.headers(BILLER)).json()
    assert [(each["account_id"], each["reason"]) for each in page["items"]] == [(HOME, "bill_price_missing")]
    assert page["items"][0]["text"] == "计费侧没有资费“NOSUCH”（版本 1）。"


def test_a_late_bill_and_a_billing_day_over_rest(hall: Hall, town: BillTown) -> None:
    town.install(HOME, "NOSUCH", "2026-01-01", "tv", "802512")
    town.run(202603)
    where = f"/api/hall/billruns/202603/asides/{HOME}/bill"
    problem(hall.client.post(where, headers=hall.headers(BILLER)), 409, "bill_price_missing")
    town.publish(2, (*TOWN_PRICES, recurring("NOSUCH", "10", "tv")))
    town.event(next(iter(reversed(town.histories))), "changed", "2026-01-01", "NOSUCH", version=2)
    problem(hall.client.post(where, headers=hall.headers(TELLER)), 403, "not_permitted")
    where_day = f"/api/hall/accounts/{HOME}/billing-day"
    set_day = hall.client.post(where_day, json={"billing_day": 31}, headers=hall.headers(TELLER))
    assert set_day.status_code == 200, set_day.text
    assert (set_day.json()["from_month"], set_day.json()["last_until_on"]) == (202605, "2026-05-31")
    soon = hall.client.post(where_day, json={"billing_day": 5, "from_month": 202604}, headers=hall.headers(TELLER))
    problem(soon, 409, "billing_day_too_soon")
    days = hall.client.get("/api/hall/billruns/202604/days", headers=hall.headers(BILLER)).json()["items"]
    assert [(each["billing_day"], each["account_count"]) for each in days] == [(1, 0), (31, 1)]


def test_who_may_not_see_a_customer_may_not_change_what_it_owes(hall: Hall, town: BillTown) -> None:
    """The customer is not known on the business side, so a scope that asks there finds nobody."""
    town.run(202603)
    charge = {"account_id": HOME, "item_code": "fee.other", "kind": "fee", "amount_fen": 100, "reason": "x"}
    for path, body in (
        ("/api/hall/charges", charge),
        (f"/api/hall/accounts/{HOME}/charges/{'0' * 32}/undo", {"reason": "x"}),
        ("/api/hall/late-fee-waivers", {"bill_id": BILL, "reason": "x"}),
        (f"/api/hall/bills/{BILL}/lines/1/credit", {"amount_fen": 100, "reason": "x"}),
        (f"/api/hall/accounts/{HOME}/billing-day", {"billing_day": 16}),
    ):
        answer = hall.client.post(path, json=body, headers=hall.headers("chief_teller", DataScope.HALL))
        problem(answer, 404, "not_found")
    assert hall.client.get(f"/api/hall/accounts/{HOME}/charges", headers=hall.headers(TELLER)).json()["items"] == []
