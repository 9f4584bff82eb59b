"""The portal in a real browser against a real server: login, search, what is owed, bills; phone and desktop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from server_api.platform.jobs import run_all
from tests.support.family import Family, move_in, sell_things
from tests.support.house import RunningHall

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.web

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SEATS = pytest.mark.parametrize("seat", [DESKTOP, PHONE], ids=["desktop", "phone"])
Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def family(running_hall: RunningHall) -> Family:
    sell_things(running_hall.house)
    move_in(running_hall.house, name="王小明", number="2685777")
    return move_in(running_hall.house, name="王秀兰", number="2685123")


@pytest.fixture
def enter(running_hall: RunningHall, family: Family, new_page: Open) -> Callable[..., Page]:
    """Open a page at which somebody has signed in; it fails the test on any script error or blocked resource."""

    def signed_in(seat: dict[str, Any], staff_no: str = "1002", path: str = "/portal/", **more: Any) -> Page:
        page = new_page(base_url=running_hall.base_url, **{**seat, **more})
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.on("console", lambda said: pytest.fail(said.text) if "Content Security Policy" in said.text else None)
        page.goto(path)
        page.fill("#staff_no", staff_no)
        page.fill("#password", running_hall.password)
        page.click("main button[type=submit]")
        page.wait_for_url("**" + path)
        return page

    return signed_in


def fits(page: Page) -> None:
    """Nothing sticks out at the side: the page never scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


@SEATS
def test_from_login_to_the_line_of_a_bill(enter: Callable[..., Page], family: Family, seat: dict[str, Any]) -> None:
    page = enter(seat)
    fits(page)
    page.fill("#q", "wxl")
    page.locator(".hits a").first.wait_for()
    assert page.locator(".hits a").all_inner_texts()[0].startswith("王秀兰")
    assert "q=wxl" in page.url, "the search can be sent to a colleague as an address"
    fits(page)
    page.locator(".hits a").first.click()
    page.wait_for_url("**/portal/customers/*")
    assert "158.08" in page.locator("#owed").inner_text()
    assert page.locator("h1").inner_text() == "王秀兰"
    body = page.locator("main").inner_text()
    assert "620***********1239" in body and "62098119680412" not in body, "the identity number is masked"
    fits(page)
    page.get_by_text("费用明细").last.click()
    assert page.get_by_text("基本收视维护费").first.is_visible()
    page.get_by_role("link", name="2026-02").click()
    page.wait_for_url(f"**/portal/bills/{family.bill_ids[1]}")
    lines = page.locator("main").inner_text()
    for text in ("月租费", "20.00", "市话费", "13.42", "宽带包月费", "69.00", "24.00", "126.42"):
        assert text in lines
    fits(page)
    page.get_by_role("link", name="市话费").click()
    page.wait_for_url("**/lines/*")
    assert "13.42" in page.locator("main").inner_text()
    fits(page)
    page.get_by_role("link", name="← 2026-02 账单").click()
    page.get_by_role("link", name="← 全部账单").click()
    assert page.locator("tbody tr").count() == 2
    fits(page)


@SEATS
def test_field_staff_see_line_address_and_whether_anything_is_owed(
    enter: Callable[..., Page],
    family: Family,
    seat: dict[str, Any],
) -> None:
    page = enter(seat, "3001", "/portal/field")
    page.fill("#q", family.number)
    page.locator(".hits a").first.click()
    page.wait_for_url("**/portal/field/customers/*")
    assert page.locator(".lineitem").count() == 3
    assert "0937-2685123" in page.locator(".lineitem").first.inner_text()
    assert "广场路12号" in page.locator("main").inner_text()
    assert "158.08" in page.locator("#owed").inner_text()
    assert page.locator("a[href^='tel:']").get_attribute("href") == "tel:0937-2685123"
    fits(page)


@SEATS
def test_it_all_works_without_a_script(enter: Callable[..., Page], family: Family, seat: dict[str, Any]) -> None:
    page = enter(seat, java_script_enabled=False)
    page.fill("#q", family.number)
    page.click("main button[type=submit]")
    page.locator(".hits a").first.click()
    assert "158.08" in page.locator("#owed").inner_text()
    page.get_by_role("link", name="2026-01").click()
    assert "31.66" in page.locator("main").inner_text()
    page.get_by_role("button", name="退出").click()
    assert page.get_by_text("您已退出").is_visible()
    page.goto(f"/portal/customers/{family.customer_id}")
    assert "/portal/login" in page.url


@SEATS
def test_empty_and_wrong(enter: Callable[..., Page], family: Family, seat: dict[str, Any]) -> None:
    page = enter(seat)
    page.fill("#q", "zzzzzz")
    page.get_by_text("没有找到“zzzzzz”").wait_for()
    page.fill("#q", "王")
    page.get_by_text("请至少输入两个字符").wait_for()
    page.goto("/portal/customers/" + "0" * 32)
    assert page.get_by_text("没有找到，或不在您的查询范围内").is_visible()
    fits(page)
    page.goto("/portal/nothing")
    assert page.get_by_text("没有这个地址").is_visible()


def test_another_hall_s_teller_does_not_see_the_family(enter: Callable[..., Page], family: Family) -> None:
    page = enter(DESKTOP, "1003")
    page.fill("#q", family.number)
    page.get_by_text("没有找到").wait_for()
    for path in (
        f"/portal/customers/{family.customer_id}", f"/portal/accounts/{family.account_id}/bills",
        f"/portal/bills/{family.bill_ids[0]}", f"/portal/bills/{family.bill_ids[0]}/lines/1",
    ):  # fmt: skip
        answer = page.goto(path)
        assert answer is not None and answer.status == 404, path


def test_english(enter: Callable[..., Page], family: Family) -> None:
    page = enter(DESKTOP)
    page.get_by_role("link", name="English").click()
    assert page.locator("h1").inner_text() == "Find a customer"
    page.goto(f"/portal/customers/{family.customer_id}")
    text = page.locator("main").inner_text()
    assert "Owed in all" in text and "Home telephone" in text and "欠费" not in text
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_newcomer_chooses_a_password_first(running_hall: RunningHall, new_page: Open) -> None:
    page = new_page(base_url=running_hall.base_url, **DESKTOP)
    page.goto("/portal/")
    page.fill("#staff_no", running_hall.newcomer)
    page.fill("#password", running_hall.password)
    page.click("main button[type=submit]")
    page.wait_for_url("**/portal/password")
    page.goto("/portal/?q=2685123")
    page.wait_for_url("**/portal/password")
    page.fill("#old", running_hall.password)
    page.fill("#new", "short")
    page.fill("#again", "short")
    page.click("main button[type=submit]")
    assert page.locator("[role=alert]").is_visible()
    for field, value in (("#old", running_hall.password), ("#new", "Neues-Passwort-7"), ("#again", "Neues-Passwort-8")):
        page.fill(field, value)
    page.click("main button[type=submit]")
    assert page.get_by_text("两次输入的新密码不一致").is_visible()
    for field, value in (("#old", running_hall.password), ("#new", "Neues-Passwort-7"), ("#again", "Neues-Passwort-7")):
        page.fill(field, value)
    page.click("main button[type=submit]")
    page.wait_for_url("**/portal/")
    assert page.locator("#q").is_visible()


def test_keyboard_alone(enter: Callable[..., Page], family: Family) -> None:
    page = enter(DESKTOP)
    page.keyboard.type(family.number)
    page.keyboard.press("Enter")
    page.locator(".hits a").first.wait_for()
    page.locator(".hits a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal/customers/*")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


@SEATS
def test_the_billing_operator_bills_a_month(
    enter: Callable[..., Page], running_hall: RunningHall, seat: dict[str, Any]
) -> None:
    """Begun by a click, seen closed without a reload; a teller has no such page."""
    page = enter(seat, "2001", "/portal/billing")
    fits(page)
    page.fill("#month", "202512")  # before any bill of the customers this hall is shared with
    page.click("main form.searchbar button")
    if page.locator("form[action='/portal/billing/begin']").count():
        page.click("form[action='/portal/billing/begin'] button")
        run_all(running_hall.house.databases.billing, running_hall.house.wiring.jobs["billing"])
    page.locator("#run .badge.settled").wait_for(timeout=20_000)
    page.reload()
    fits(page)
    assert page.locator("#run .badge").inner_text() in ("已关账", "closed")
    assert page.locator("form[action='/portal/billing/stop']").count() == 0
    teller = enter(seat, "1001")
    assert teller.locator("nav a[href='/portal/billing']").count() == 0
