"""Everything by keyboard: Enter moves on, Esc goes back, Tab has an order, function keys are on the bar."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from desktop_client.desks.counter.state import Stage
from desktop_client.driver import CounterDriver
from tests.gui.conftest import Start
from tests.gui.fake_hall import FakeHall, hit

pytestmark = pytest.mark.gui


def focus_name(driver: CounterDriver) -> str:
    widget = driver.window.focusWidget()
    return widget.objectName() if widget is not None else ""


def tab_through(driver: CounterDriver, presses: int) -> list[str]:
    """The names of what gets the cursor, Tab by Tab."""
    names = [focus_name(driver)]
    for _ in range(presses):
        QTest.keyClick(driver.window.focusWidget(), Qt.Key.Key_Tab)
        driver._pump()
        names.append(focus_name(driver))
    return names


def test_the_cursor_begins_where_something_is_missing(start: Start) -> None:
    driver = start()
    assert focus_name(driver) == "staffNo"
    assert tab_through(driver, 4) == ["staffNo", "password", "counterNo", "signIn", "otherLanguage"]


def test_enter_moves_on_through_signing_in(start: Start) -> None:
    driver = start()
    QTest.keyClicks(driver.find("staffNo"), "1001")
    driver.press("Enter")
    assert focus_name(driver) == "password"
    QTest.keyClicks(driver.find("password"), "second")
    driver.press("Enter")
    driver.until(lambda: driver.signed_in, "the desk: the counter's number was there already")
    assert focus_name(driver) == "searchBox"


def test_an_empty_field_is_pointed_at(start: Start) -> None:
    driver = start()
    driver.press("Enter", driver.find("counterNo"))
    driver._pump()
    assert focus_name(driver) == "staffNo"
    assert driver.find("staffNo").property("bad")


def test_enter_alone_takes_a_payment_and_goes_to_the_next_customer(signed_in: CounterDriver, fake: FakeHall) -> None:
    QTest.keyClicks(signed_in.counter.search.box, "wjg")
    signed_in.press("Enter")
    signed_in.until(lambda: focus_name(signed_in) == "amount", "the amount")
    signed_in.press("Enter")
    assert focus_name(signed_in) == "received"
    signed_in.press("Enter")
    signed_in.until(lambda: focus_name(signed_in) == "confirm", "the confirm button")
    assert fake.payments == [], "what it costs is shown before anything is taken"
    signed_in.press("Enter")
    signed_in.until(lambda: focus_name(signed_in) == "next", "the receipt")
    assert len(fake.payments) == 1
    signed_in.press("Enter")
    signed_in.until(lambda: focus_name(signed_in) == "searchBox", "the next customer")
    assert signed_in.counter.search.box.text() == ""


def test_escape_goes_back_from_everywhere(signed_in: CounterDriver) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.press("Enter", signed_in.counter.pay.amount)
    signed_in.press("Enter", signed_in.counter.pay.received)
    signed_in.until(lambda: signed_in.counter.presenter.state.stage is Stage.CONFIRM, "the confirmation")
    signed_in.press("Esc")
    assert signed_in.counter.presenter.state.stage is Stage.CUSTOMER
    assert focus_name(signed_in) == "amount"
    signed_in.press("Esc")
    assert signed_in.counter.presenter.state.stage is Stage.SEARCH
    signed_in.until(lambda: focus_name(signed_in) == "searchBox", "the search box")
    signed_in.press("F3")
    signed_in.press("F10")
    assert signed_in.workspace.kept_sheet.isVisible()
    signed_in.press("Esc")
    assert not signed_in.workspace.kept_sheet.isVisible()


def test_tab_goes_round_the_counter_in_reading_order(signed_in: CounterDriver) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    names = tab_through(signed_in, 5)
    assert names[:3] == ["amount", "received", "goOn"]
    assert names[3:] == ["searchBox", "hits", "payments"]


def test_arrows_choose_among_several_customers(signed_in: CounterDriver, fake: FakeHall) -> None:
    fake.hits = [hit(), hit("王建军", "YM00002000")]
    assert signed_in.search("王建") == 2
    signed_in.press("Enter", signed_in.counter.search.box)
    assert focus_name(signed_in) == "hits"
    assert signed_in.counter.search.list.currentIndex().row() == 0
    QTest.keyClick(signed_in.counter.search.list, Qt.Key.Key_Down)
    assert signed_in.counter.search.list.currentIndex().row() == 1
    QTest.keyClick(signed_in.counter.search.list, Qt.Key.Key_Up)
    QTest.keyClick(signed_in.counter.search.list, Qt.Key.Key_Up)
    assert focus_name(signed_in) == "searchBox"


def test_typing_searches_after_a_pause_without_enter(signed_in: CounterDriver, fake: FakeHall) -> None:
    fake.hits = [hit(), hit("王建军", "YM00002000")]
    fake.requests.clear()
    signed_in.type_into("searchBox", "王建")
    signed_in.until(lambda: len(signed_in.counter.presenter.state.search.hits) == 2, "the hits")
    assert len([path for _, path, _, _ in fake.requests if path == "/api/hall/customers"]) == 1


def test_the_key_bar_shows_what_can_be_pressed_now(signed_in: CounterDriver) -> None:
    shown = {one.objectName(): one.isEnabled() for one in signed_in.workspace.key_bar.findChildren(QPushButton)}
    assert shown == {
        "key_F2": True, "key_F3": True, "key_F5": False, "key_F6": False, "key_F7": False, "key_F8": False,
        "key_F9": False, "key_F10": True, "key_F12": True,
    }
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.until(lambda: signed_in.find("key_F9").isEnabled(), "F9")
    assert not signed_in.find("key_F8").isEnabled(), "nothing to reverse yet"


def test_a_reversal_without_a_reason_is_not_sent(signed_in: CounterDriver, fake: FakeHall) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.pay()
    signed_in.until(lambda: not signed_in.counter.presenter.state.loading, "the screen")
    signed_in.press("F8")
    assert focus_name(signed_in) == "reason"
    assert tab_through(signed_in, 3) == ["reason", "sheetCancel", "sheetSure", "reason"], "Tab stays in the question"
    signed_in.press("Enter")
    assert signed_in.counter.reason.isVisible()
    signed_in.press("Esc")
    assert not signed_in.counter.reason.isVisible()
    assert fake.payments[0]["state"] == "done"
    assert focus_name(signed_in) == "next"


def test_after_a_reversal_the_payment_can_be_taken_anew(signed_in: CounterDriver, fake: FakeHall) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.pay(received="200")
    signed_in.reverse("付错")
    signed_in.until(lambda: signed_in.counter.pay.amount.text() == "175.36", "what is owed again")
    assert signed_in.counter.pay.received.text() == ""
    assert focus_name(signed_in) == "amount"
    signed_in.pay(amount="100")
    assert [one["state"] for one in fake.payments] == ["reversed", "done"]


def test_coming_back_from_the_till_goes_on_where_it_was(signed_in: CounterDriver) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.press("F3")
    signed_in.press("F2")
    assert focus_name(signed_in) == "amount"
    assert signed_in.counter.presenter.state.stage is Stage.CUSTOMER
    signed_in.press("F2")
    assert signed_in.counter.presenter.state.stage is Stage.SEARCH


def test_counting_goes_down_the_denominations_by_enter(signed_in: CounterDriver) -> None:
    signed_in.press("F3")
    signed_in.until(lambda: focus_name(signed_in) == "pieces10000", "the count")
    for value, pieces in ((10000, "1"), (5000, "2")):
        QTest.keyClicks(signed_in.find(f"pieces{value}"), pieces)
        signed_in.press("Enter")
    assert focus_name(signed_in) == "pieces2000"
    assert signed_in.till.presenter.state.counted.amount_fen == 20000
    signed_in.press("F9")
    signed_in.until(lambda: signed_in.till.presenter.state.stage == "counted", "the count")


def test_the_money_field_takes_money_only(signed_in: CounterDriver) -> None:
    signed_in.search("wjg")
    signed_in.open_first()
    amount = signed_in.counter.pay.amount
    signed_in.type_into("amount", "12x。345abc")
    assert amount.text() == "12.34"


def test_no_window_but_the_main_one_ever_appears(signed_in: CounterDriver) -> None:
    """A widget shown without a parent becomes a window of its own and takes the cursor away."""
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in.press("F3")
    signed_in._pump()
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert shown == [signed_in.window]
    assert signed_in.window.isActiveWindow()
