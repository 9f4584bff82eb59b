"""Work orders in a real browser on a phone: seen, begun, closed with a signature; without a connection; dispatched."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server_api.business.resource import service as resource
from server_api.business.resource.store import places
from server_api.business.workorder import service as workorder
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import system_context
from shared_models.contracts.workorder import DispatchWork, TeamRow, WorkOrderView
from shared_models.values.clock import SystemClock, town_day
from shared_models.values.ids import new_id
from tests.support.business import do
from tests.support.ground import lay
from tests.support.house import RunningHall

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.web

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
#: The server does what it was sent; its answer never comes back.
LOSE_FIRST = """() => {
  const ask = window.fetch;
  window.fetch = async (...all) => {
    const answer = await ask(...all);
    if (window.lost) return answer;
    window.lost = answer.status;
    throw new TypeError("lost on the way");
  };
}"""
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def ground(running_hall: RunningHall) -> RunningHall:
    """Lines in the ground, a team with one person, a van with cable."""
    business = running_hall.house.databases.business
    lay(business, pairs=20, ports=30)

    def furnish(uow: UnitOfWork) -> None:
        team = TeamRow(team_code="NORTH", team_name="城北班", hall_code="H01", district_code="D1", members=("3001",))
        workorder.put_team(uow, team=team)
        van = {"place_code": "VAN-3001", "place_kind": "van", "place_name": "3001", "parent_code": None}
        places.add_places(uow.conn, [{**van, "state": "in_use"}])
        resource.put_material(
            uow, place_code="VAN-3001", material_code="drop_wire", material_name="皮线", unit="m", quantity=100,
            cause_id="x",
        )  # fmt: skip

    do(business, furnish)
    return running_hall


def given(hall: RunningHall, *, staff_no: str | None = "3001") -> str:
    """A work order of an order that holds a line, in somebody's hands."""
    order_id, box = new_id(), []

    def work(uow: UnitOfWork) -> None:
        resource.reserve(
            uow, kind="line", order_id=order_id, item_id="1", until_at=uow.now.replace(year=uow.now.year + 1),
            criteria=resource.Criteria(place_code="BOX9"),
        )  # fmt: skip
        box.append(workorder.open_work_order(
            uow, kind="install", address="油城路8号2单元301室", order_id=order_id, item_id="1", contact_name="王秀兰",
            contact_phone="13900001111",
        ))  # fmt: skip
        if staff_no is not None:
            wish = DispatchWork(team_code="NORTH", staff_no=staff_no)
            workorder.dispatch_work(uow, work_order_id=box[0], wish=wish)

    do(hall.house.databases.business, work)
    return str(box[0])


def seen(hall: RunningHall, work_order_id: str) -> WorkOrderView:
    database = hall.house.databases.business
    with database.reading() as connection:
        return workorder.read_work(connection, work_order_id, system_context("test"), database.clock.now())


def enter(hall: RunningHall, new_page: Open, seat: dict[str, Any], staff_no: str, path: str, **more: Any) -> Page:
    page = new_page(base_url=hall.base_url, **{**seat, **more})
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.on("console", lambda said: pytest.fail(said.text) if "Content Security Policy" in said.text else None)
    page.goto(path)
    page.fill("#staff_no", staff_no)
    page.fill("#password", hall.password)
    page.click("main button[type=submit]")
    page.wait_for_url("**" + path)
    return page


def fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def pictured(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    folder = os.environ.get("ONEHALL_PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def fill_in(page: Page, work_order_id: str) -> None:
    """Close a work order with a reading, cable and a signature."""
    card = page.locator(f"#w{work_order_id}")
    card.locator("details.closing summary").click()
    card.locator("select[name=outcome]").select_option("done:works")
    card.locator("input[name=reading_optical_power]").fill("-18.5")
    card.locator("select[name=material_1]").select_option("drop_wire")
    card.locator("input[name=quantity_1]").fill("12")
    field = card.locator("canvas")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=5)
    page.mouse.up()


def submit(page: Page, work_order_id: str) -> None:
    page.locator(f"#w{work_order_id} details.closing button[type=submit]").click()


def test_a_work_order_from_list_to_signature(ground: RunningHall, new_page: Open) -> None:
    work_order_id = given(ground)
    page = enter(ground, new_page, PHONE, "3001", "/portal/workorders")
    card = page.locator(f"#w{work_order_id}")
    assert "油城路8号2单元301室" in card.inner_text() and "待预约" in card.inner_text()
    assert card.locator("a[href^='tel:']").get_attribute("href") == "tel:13900001111"
    card.get_by_text("线路", exact=True).click()
    page.wait_for_function("id => document.querySelector('#w' + id + ' img.line').naturalWidth > 0", arg=work_order_id)
    fits(page)
    card.get_by_text("预约时段").first.click()
    card.locator("input[name=on]").fill((town_day(SystemClock().now()) + timedelta(days=1)).isoformat())
    card.get_by_role("button", name="预约时段").click()
    card.locator(".badge.booked").wait_for()
    card.get_by_role("button", name="到场").click()
    card.locator(".badge.on_site").wait_for()
    fill_in(page, work_order_id)
    fits(page)
    pictured(page, "work-form")
    submit(page, work_order_id)
    card.locator(".badge.done").wait_for()
    view = seen(ground, work_order_id)
    assert (view.state, view.readings[0].value, view.materials[0].quantity) == ("done", "-18.5", 12)
    assert view.signature is not None and view.signature.signed_by == "王秀兰"
    pictured(page, "work-done")


def test_without_a_connection_it_waits_and_is_done_once(ground: RunningHall, new_page: Open) -> None:
    work_order_id = given(ground)
    page = enter(ground, new_page, PHONE, "3001", "/portal/workorders")
    page.wait_for_function("() => document.getElementById('work').dataset.kept === '1'")
    page.context.set_offline(True)
    page.goto("/portal/workorders")  # the phone was put away and taken out again, in the cellar
    card = page.locator(f"#w{work_order_id}")
    assert "油城路8号2单元301室" in card.inner_text()
    fill_in(page, work_order_id)
    submit(page, work_order_id)
    page.get_by_text("等待发送").wait_for()
    assert seen(ground, work_order_id).state == "waiting"
    pictured(page, "work-offline")
    page.goto("/portal/workorders")
    page.get_by_text("等待发送").wait_for()
    # the answer to the first sending is lost on the way: the second is the same act
    page.evaluate(LOSE_FIRST)
    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_function("() => window.lost === 200")
    assert seen(ground, work_order_id).state == "done"  # the page may already be sending again by itself
    page.evaluate("window.dispatchEvent(new Event('online'))")
    page.wait_for_function("() => document.getElementById('work').dataset.waiting === '0'")
    view = seen(ground, work_order_id)
    assert view.state == "done" and [one.event for one in view.events].count("done") == 1 and len(view.materials) == 1


def test_a_refusal_is_shown_and_a_lost_session_keeps_what_waits(ground: RunningHall, new_page: Open) -> None:
    work_order_id = given(ground)
    page = enter(ground, new_page, PHONE, "3001", "/portal/workorders")
    fill_in(page, work_order_id)
    page.locator(f"#w{work_order_id} input[name=quantity_1]").fill("9999")
    submit(page, work_order_id)
    page.get_by_text("库存不足").wait_for()
    page.get_by_role("button", name="丢弃").click()
    assert page.locator("#queue").is_hidden() and seen(ground, work_order_id).state == "waiting"
    page.context.clear_cookies()
    page.goto("about:blank")
    page.goto("/portal/workorders")
    assert "/portal/login" in page.url


def test_it_works_without_a_script(ground: RunningHall, new_page: Open) -> None:
    work_order_id = given(ground)
    page = enter(ground, new_page, PHONE, "3001", "/portal/workorders", java_script_enabled=False)
    card = page.locator(f"#w{work_order_id}")
    card.locator("details.closing summary").click()
    card.locator("select[name=outcome]").select_option("cannot_continue:no_line")
    submit(page, work_order_id)
    assert page.locator(f"#w{work_order_id}").count() == 0
    assert seen(ground, work_order_id).reason_code == "no_line"


def test_the_dispatcher_hands_out(ground: RunningHall, new_page: Open) -> None:
    work_order_id = given(ground, staff_no=None)
    page = enter(ground, new_page, DESKTOP, "1002", "/portal/dispatch")
    assert "城北班" in page.locator("#teams").inner_text()
    pictured(page, "dispatch")
    form = page.locator(f"form[action='/portal/dispatch/{work_order_id}']")
    form.locator("select[name=to]").select_option("NORTH:3001")
    form.get_by_role("button").click()
    page.wait_for_url("**/portal/dispatch")
    assert seen(ground, work_order_id).staff_no == "3001"
    fits(page)


@pytest.mark.parametrize("seat", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_line_on_one_screen(ground: RunningHall, new_page: Open, seat: dict[str, Any]) -> None:
    given(ground)
    page = enter(ground, new_page, seat, "3001", "/portal/lines")
    page.fill("#q", "BOX9-01")
    page.click("main button[type=submit]")
    page.wait_for_function("() => document.getElementById('picture').naturalWidth > 0")
    things = page.locator("#things").inner_text()
    assert "BOX9-01" in things and "EX2-P001" in things and "预占" in things
    assert "system" in page.locator("#log").inner_text() or page.locator("#log tbody tr").count() == 1
    pictured(page, f"line-{seat['viewport']['width']}")
    fits(page)
    page.fill("#q", "广场路12号")
    page.click("main button[type=submit]")
    assert "PON1" in page.locator("#reached").inner_text() and "光纤" in page.locator("#reached").inner_text()
    fits(page)
    page.fill("#q", "月亮路1号")
    page.click("main button[type=submit]")
    page.get_by_text("没有找到“月亮路1号”").wait_for()
