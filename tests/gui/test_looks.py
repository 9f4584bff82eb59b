"""What each window shows, as text against golden files in both languages; and that nothing is cut off or missing."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QRawFont
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

import resources
from desktop_client.driver import CounterDriver
from tests.gui.conftest import Start
from tests.gui.dump import check
from tests.gui.fake_hall import FakeHall, hit

pytestmark = pytest.mark.gui


def cut_off(widget: QWidget) -> list[str]:
    """Visible labels and buttons whose text has less room than it needs."""
    bad = []
    for one in widget.findChildren(QWidget):
        if not one.isVisible() or not isinstance(one, QLabel | QAbstractButton):
            continue
        wraps = isinstance(one, QLabel) and one.wordWrap()
        if one.text() and not wraps and one.width() < one.minimumSizeHint().width():
            bad.append(f"{one.objectName()} {one.text()!r} {one.width()} < {one.minimumSizeHint().width()}")
        if wraps and one.text() and one.height() < one.heightForWidth(one.width()) - 2:
            needs = one.heightForWidth(one.width())
            bad.append(f"{one.objectName()} {one.text()!r} is {one.height()} high, needs {needs}")
    return bad


@pytest.mark.parametrize("language", resources.LANGUAGES)
def test_every_window_looks_as_it_was_approved(start: Start, fake: FakeHall, language: str) -> None:
    """Sign-in, first password, search, one screen, confirmation, receipt, reversal, and the till's four steps."""
    fake.must_change_password = True
    driver = start(language=language)
    driver.find("serverName").setText("")  # type: ignore[attr-defined]

    def look(name: str) -> None:
        driver.until(lambda: driver.window.calls.running == 0, "calm")
        driver._pump()
        check(driver.window, f"{language}/{name}")
        assert cut_off(driver.window) == []

    look("login")
    driver.type_into("staffNo", "1001")
    driver.type_into("password", "first")
    driver.press("Enter", driver.find("counterNo"))
    driver.until(lambda: driver.window.login.state.stage == "new_password", "the new password")
    look("first_password")
    driver.type_into("newPassword", "second")
    driver.type_into("passwordAgain", "second")
    driver.press("Enter", driver.find("passwordAgain"))
    driver.until(lambda: driver.signed_in, "the desk")
    driver.find("clock").setText("")  # type: ignore[attr-defined]
    look("welcome")
    _at_the_till_and_counter(driver, fake, look)


def _at_the_till_and_counter(driver: CounterDriver, fake: FakeHall, look: object) -> None:
    assert callable(look)
    driver.press("F3")
    driver.until(lambda: not driver.till.presenter.state.loading, "the till")
    look("till_open")
    driver.open_till("200")
    driver.window.bridge.clear()
    fake.hits = [hit(), hit("王建军", "YM00002000", customer_class="vip")]
    driver.search("王建")
    look("search")
    fake.hits = [hit()]
    driver.search("wjg")
    driver.open_first()
    driver.until(lambda: driver.find("amount").hasFocus(), "the cursor")
    look("counter")
    driver.press("Enter")
    driver.type_into("received", "100")
    driver.press("Enter", driver.counter.pay.received)
    look("too_little")
    driver.type_into("received", "200")
    driver.press("Enter", driver.counter.pay.received)
    driver.until(lambda: driver.find("confirm").hasFocus(), "the confirmation")
    look("confirm")
    driver.press("Enter")
    driver.until(lambda: driver.counter.presenter.state.print_state == "printed", "the receipt")
    look("taken")
    driver.press("F8")
    look("reverse")
    driver.press("Esc")
    driver.press("F3")
    driver.until(lambda: not driver.till.presenter.state.loading, "the till")
    driver.type_into("pieces10000", "3")
    look("till_count")
    driver.press("F9")
    driver.until(lambda: driver.till.presenter.state.stage == "counted", "the count")
    look("till_close")
    driver.type_into("tillNote", "找零差错")
    driver.press("F9")
    driver.until(lambda: driver.till.presenter.state.stage == "closed", "the day close")
    driver.window.bridge.clear()
    look("till_deposit")


@pytest.mark.parametrize("language", resources.LANGUAGES)
def test_every_character_of_the_texts_is_in_the_font_that_ships(language: str) -> None:
    font = QRawFont(str(resources.path("fonts", "wqy-microhei.ttc")), 14)
    assert font.isValid()
    shown = {
        character for key, text in resources.texts(language).items() if key.startswith(("ui.", "receipt.", "fault."))
        for character in text if not character.isspace()
    }
    assert sorted(character for character in shown if not font.supportsCharacter(ord(character))) == []


@pytest.mark.parametrize("size", [(1280, 680), (1366, 768), (1920, 1080)])
def test_nothing_is_cut_off_at_any_size(signed_in: CounterDriver, size: tuple[int, int]) -> None:
    signed_in.window.resize(*size)
    signed_in.search("wjg")
    signed_in.open_first()
    signed_in._pump()
    assert cut_off(signed_in.window) == []
    signed_in.press("F3")
    signed_in._pump()
    assert cut_off(signed_in.window) == []


def test_markup_in_names_is_shown_not_obeyed(signed_in: CounterDriver, fake: FakeHall) -> None:
    evil = "<b>王</b><img src=x onerror=1>'; drop table customer; --"
    fake.hits = [hit(evil, address="<h1>x</h1>")]
    signed_in.search("drop")
    signed_in.open_first()
    name = signed_in.find("customerName")
    assert isinstance(name, QLabel)
    assert name.toolTip() == name.property("whole") == evil
    assert name.text().startswith("<b>王</b><img")
    check_plain = [one.textFormat() for one in signed_in.window.findChildren(QLabel)]
    assert {form.name for form in check_plain} == {"PlainText"}
