"""The portal against forged forms, planted scripts, stolen addresses and other people's cookies."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from server_api.faces.edge.tokens import Pass
from server_api.faces.portal.visitor import SESSION_COOKIE, safe_next
from server_api.platform.database import Databases
from shared_models.values.clock import ManualClock
from shared_models.values.ids import new_id
from tests.support.bill_town import BillTown
from tests.support.family import move_in, sell_things
from tests.support.hall import Hall, open_hall
from tests.support.house import PASSWORD, House, furnish

pytestmark = pytest.mark.one_engine
PLANTED = '<script>alert("王")</script><img src=x onerror=alert(1)>\'; DROP TABLE customer; -- {{7*7}}'


def enter(hall: Hall, role: str = "chief_teller", **changes: object) -> str:
    """Put a session's cookie into the client and return the stamp its forms carry."""
    context = hall.context(role, **changes)
    sessions = hall.app.state.faces.sessions
    hall.client.cookies.clear()
    hall.client.cookies.set(SESSION_COOKIE, sessions.begin(Pass(context=context)), path="/portal")
    return str(sessions.stamp("form", context.session_id))


def login_form(hall: Hall) -> str:
    page = hall.client.get("/portal/login").text
    found = re.search(r'name="stamp" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


@pytest.fixture
def house(hall: Hall) -> House:
    """Staff and two halls behind the application; the application has attached the listeners."""
    from server_api.wiring import new_wiring

    return furnish(hall.databases, new_wiring())


def test_the_session_cookie_is_for_us_alone(hall: Hall, house: House) -> None:
    form = {"staff_no": "1001", "password": PASSWORD, "stamp": login_form(hall), "next": "/portal/?q=王"}
    answer = hall.client.post("/portal/login", data=form, follow_redirects=False)
    assert answer.status_code == 303
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE + "="))
    for wanted in ("HttpOnly", "Secure", "SameSite=lax", "Path=/portal"):
        assert wanted.lower() in cookie.lower()
    page = hall.client.get("/portal/")
    assert page.status_code == 200 and "张秀英" in page.text


def test_a_login_form_from_elsewhere_is_refused(hall: Hall, house: House) -> None:
    form = {"staff_no": "1001", "password": PASSWORD}
    assert hall.client.post("/portal/login", data=form).status_code == 403
    stamp = login_form(hall)
    hall.client.cookies.clear()
    assert hall.client.post("/portal/login", data={**form, "stamp": stamp}).status_code == 403


def test_a_form_without_our_stamp_does_nothing(hall: Hall) -> None:
    stamp = enter(hall)
    bill = "/portal/bills/" + "0" * 32 + "/lines/1/calls"
    for form in ({}, {"stamp": ""}, {"stamp": "x" * 24}, {"stamp": stamp[:-1]}):
        for path in ("/portal/logout", "/portal/password", bill):
            assert hall.client.post(path, data=form, follow_redirects=False).status_code == 403, path
    assert hall.client.get("/portal/").status_code == 200, "still signed in"
    other = hall.app.state.faces.sessions.stamp("form", new_id())
    assert hall.client.post("/portal/logout", data={"stamp": other}, follow_redirects=False).status_code == 403


def test_a_rest_token_is_no_cookie_and_a_cookie_no_rest_token(hall: Hall) -> None:
    enter(hall)
    assert hall.client.get("/api/hall/sessions/current").status_code == 401
    hall.client.cookies.clear()
    answer = hall.client.get("/portal/", headers=hall.headers("teller"), follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/portal/customers/1?a=b", "/portal/customers/1?a=b"),
        ("https://evil.example/portal/", "/portal/"),
        ("//evil.example/portal/", "/portal/"),
        ("/portal//evil.example", "/portal/"),
        ("/api/hall/x", "/portal/"),
        ("/portal/\\evil", "/portal/"),
        ("/portal/\r\nSet-Cookie: a=b", "/portal/"),
        ("javascript:alert(1)", "/portal/"),
        ("", "/portal/"),
    ],
)
def test_after_login_nobody_is_sent_elsewhere(wanted: str, given: str) -> None:
    assert safe_next(wanted) == given


def test_planted_scripts_are_shown_as_the_text_they_are(hall: Hall, house: House) -> None:
    sell_things(house)
    family = move_in(house, name=PLANTED[:120], number="2685999")
    enter(hall)
    for path in (
        f"/portal/?q={family.number}", f"/portal/customers/{family.customer_id}",
        f"/portal/field/customers/{family.customer_id}", f"/portal/bills/{family.bill_ids[0]}",
        "/portal/?q=" + PLANTED, "/portal/login?next=" + PLANTED, "/portal/" + PLANTED,
    ):  # fmt: skip
        page = hall.client.get(path)
        assert page.status_code < 500, path
        assert "<script>alert" not in page.text and "<img src=x" not in page.text, path
    shown = hall.client.get(f"/portal/customers/{family.customer_id}").text
    assert "&lt;script&gt;alert(&#34;王&#34;)&lt;/script&gt;" in shown


def test_pages_carry_no_inline_script_or_style(hall: Hall, house: House) -> None:
    sell_things(house)
    family = move_in(house, number="2685998")
    enter(hall)
    for path in (
        "/portal/",
        f"/portal/customers/{family.customer_id}",
        f"/portal/bills/{family.bill_ids[0]}",
        "/portal/login",
    ):
        page = hall.client.get(path)
        assert "'unsafe" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store", "personal data stays out of caches"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page.text), path
        assert "http://" not in page.text and "https://" not in page.text, "nothing is fetched from elsewhere"


def test_a_part_of_a_page_without_a_session_leads_to_the_login(hall: Hall) -> None:
    hall.client.cookies.clear()
    answer = hall.client.get("/portal/?q=ab", headers={"HX-Request": "true"})
    assert answer.status_code == 204 and answer.headers["hx-redirect"] == "/portal/login"


def test_call_details_want_a_reason_a_right_and_leave_a_line(hall: Hall, house: House) -> None:
    sell_things(house)
    family = move_in(house, number="2685997")
    path = f"/portal/bills/{family.bill_ids[0]}/lines/1/calls"
    stamp = enter(hall, "teller")
    form = {"stamp": stamp, "reason": "客户核对", "act_id": new_id()}
    assert hall.client.post(path, data=form).status_code == 403
    stamp = enter(hall, "chief_teller")
    assert hall.client.post(path, data={"stamp": stamp, "act_id": new_id()}).status_code == 422
    assert hall.client.post(path, data={**form, "stamp": stamp}).status_code == 404, "an imported line has no calls"


def test_paying_goes_on_while_business_is_away(hall: Hall, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session was checked a minute ago; the business database has since gone. Billing's own routes still answer."""
    from server_api.platform.database import Database
    from shared_models.values.faults.common import DatabaseAway

    sell_things(house)
    family = move_in(house, number="2685996")
    headers = hall.headers("teller")
    real = Database.reading

    def reading(self: Database) -> object:
        if self.role == "business":
            raise DatabaseAway(role="business")
        return real(self)

    monkeypatch.setattr(Database, "reading", reading)
    sessions = hall.app.state.faces.sessions
    monkeypatch.setattr(sessions, "_tick", lambda before=sessions._tick: before() + 55)
    assert sessions.believed(hall.token("teller")) is None, "the minute is over"
    preview = {"account_id": family.account_id, "amount_fen": 100, "method": "cash", "received_fen": 100}
    answer = hall.client.post("/api/hall/payments/preview", json=preview, headers=headers)
    assert answer.status_code == 200, answer.text
    assert hall.client.get("/health").json()["status"] == "degraded"
    desk = hall.client.get(f"/api/hall/customers/{family.customer_id}/desk", headers=headers)
    assert desk.status_code == 503 and desk.json()["code"] == "database_away"


def test_the_screen_opens_while_billing_is_away(hall: Hall, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from server_api.platform.database import Database
    from shared_models.values.faults.common import DatabaseAway

    sell_things(house)
    family = move_in(house, number="2685995")
    real = Database.reading

    def reading(self: Database) -> object:
        if self.role == "billing":
            raise DatabaseAway(role="billing")
        return real(self)

    monkeypatch.setattr(Database, "reading", reading)
    desk = hall.client.get(
        f"/api/hall/customers/{family.customer_id}/desk", headers=hall.headers("chief_teller")
    ).json()
    assert desk["billing_away"] is True and desk["accounts"] == [] and len(desk["products"]) == 3
    enter(hall)
    page = hall.client.get(f"/portal/customers/{family.customer_id}").text
    assert "并非没有欠费" in page and "没有欠费</dd>" not in page
    assert hall.client.get("/health").status_code == 503


def test_the_one_screen_over_rest(hall: Hall, house: House) -> None:
    sell_things(house)
    family = move_in(house, number="2685994")
    desk = hall.client.get(f"/api/hall/customers/{family.customer_id}/desk", headers=hall.headers("teller")).json()
    assert desk["customer"]["name"] == "王秀兰" and desk["customer"]["masked_id_no"].startswith("620")
    account = desk["accounts"][0]
    assert account["owed_fen"] == 3166 + 12642 and [bill["owed_fen"] for bill in account["bills"]] == [3166, 12642]
    assert sum(line["amount_fen"] for bill in account["bills"] for line in bill["lines"]) == account["owed_fen"]
    assert {product["service"] for product in desk["products"]} == {"voice", "broadband", "tv"}
    assert all(product["account_id"] == family.account_id for product in desk["products"])


def test_an_expired_session_asks_for_the_login(hall: Hall) -> None:
    enter(hall, expires_at=hall.databases.business.clock.now() + timedelta(seconds=1))
    hall.databases.business.clock.advance(timedelta(seconds=2))  # type: ignore[attr-defined]
    answer = hall.client.get("/portal/?q=ab", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == "/portal/login?next=/portal/%3Fq%3Dab"


def test_calls_are_shown_masked_and_each_look_is_logged_once(
    databases: Databases, clock: ManualClock, tmp_path: Path
) -> None:
    town = BillTown(databases, clock)
    account_id = town.account(1, "王秀兰")
    product_id = town.install(account_id, "PSTN", "2026-01-01")
    town.calls(account_id, product_id, 202602, [220_000] * 3)
    town.run(202602)
    bill = town.bill(account_id, 202602)
    line = next(line for line in bill.lines if line.kind == "usage")
    with open_hall(databases, tmp_path) as hall:
        stamp = enter(hall, "chief_teller")
        path = f"/portal/bills/{bill.head.bill_id}/lines/{line.line_no}"
        asked = hall.client.get(path).text
        assert "查看原因" in asked and "0937" + "8000001" not in asked
        form = {"stamp": stamp, "reason": "客户到厅核对", "act_id": new_id()}
        for _ in range(2):
            shown = hall.client.post(path + "/calls", data=form).text
            assert "本次查看已记录：客户到厅核对" in shown and shown.count("0.22") >= 3
            assert not re.search(r"09378000\d{3}", shown), "the other number is partly hidden"
        stamp = enter(hall, "teller")
        assert hall.client.post(path + "/calls", data={**form, "stamp": stamp}).status_code == 403
        assert "您没有查看详单的权限" in hall.client.get(path).text
        paper = hall.client.get(f"/portal/bills/{bill.head.bill_id}/paper")
        assert paper.headers["content-type"] == "application/pdf" and paper.content.startswith(b"%PDF")
    table = databases.billing.platform.audit_entry
    with databases.billing.reading() as connection:
        looks = connection.execute(select(table).where(table.c.what == "bill.calls_viewed")).all()
    assert [(row.subject, row.staff_no) for row in looks] == [(f"bill:{bill.head.bill_id}", "T006")]
