"""The teller's day through the real window against the real server, by keys alone, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop_client.devices.receipt_printer.simulator.interpreter import Interpreter
from desktop_client.devices.receipt_printer.simulator.server import VirtualPrinter
from desktop_client.driver import DriveFailed
from server_api.business.catalog import store as catalog_store
from tests.gui.conftest import Start, counter_settings
from tests.gui.cutting_proxy import CuttingProxy
from tests.support.family import Family, move_in, sell_things
from tests.support.house import RunningHall

pytestmark = pytest.mark.gui


@pytest.fixture
def family_of(running_hall: RunningHall) -> Callable[..., Family]:
    """Moves a family in; the catalogue is on sale from the first one on."""

    def make(number: str, **more: str) -> Family:
        with running_hall.house.databases.business.reading() as connection:
            sold = catalog_store.one(connection, "VOICE-HOME")
        if sold is None:
            sell_things(running_hall.house)
        return move_in(running_hall.house, number=number, **more)

    return make


def lines_of(file: Path) -> list[str]:
    reader = Interpreter()
    reader.feed(file.read_bytes())
    assert reader.printed.unknown == []
    return reader.printed.text


@pytest.mark.parametrize(("language", "number"), [("zh_CN", "2685123"), ("en", "2685124")])
def test_a_teller_takes_reprints_and_reverses_a_payment(
    running_hall: RunningHall, family_of: Callable[..., Family], start: Start, tmp_path: Path, language: str,
    number: str,
) -> None:
    family = family_of(number)
    driver = start(counter_settings(running_hall.base_url, tmp_path, language), wait_s=20)
    driver.sign_in(running_hall.teller, running_hall.password, running_hall.counter_no)
    driver.open_till("200")
    assert driver.search(number) == 1
    driver.open_first()
    state = driver.counter.presenter.state
    assert state.desk is not None and state.desk.customer.customer_id == family.customer_id
    owed = state.owed
    assert owed.amount_fen > 0

    paid = driver.pay(received=str(-(-owed.amount_fen // 10000) * 100))
    assert paid.print_state == "printed"
    assert paid.amount == owed.grouped
    paper = tmp_path / "paper" / f"payment-{paid.receipt_no}-1.bin"
    assert any(f"￥{owed.grouped}" in line for line in lines_of(paper))
    assert any(line.startswith("人民币") for line in lines_of(paper))

    assert driver.reprint() == "2"
    second = tmp_path / "paper" / f"payment-{paid.receipt_no}-2.bin"
    assert any("补打" in line for line in lines_of(second))

    assert driver.search(paid.receipt_no) == 1, "the bar code of a receipt finds whose it is"
    driver.open_first()
    marked = driver.counter.customer.marked_payment()
    assert marked is not None and marked.receipt_no == paid.receipt_no

    reversal = driver.reverse("客户付错")
    assert reversal != paid.receipt_no
    driver.until(lambda: not driver.counter.presenter.state.loading, "the screen after the reversal")
    assert driver.counter.presenter.state.owed == owed
    driver.until(lambda: driver.window.bridge.told != [], "a message")
    driver.sign_out()
    assert not driver.signed_in


def test_the_first_password_is_changed_at_the_first_sign_in(
    running_hall: RunningHall, start: Start, tmp_path: Path
) -> None:
    driver = start(counter_settings(running_hall.base_url, tmp_path), wait_s=20)
    driver.sign_in(running_hall.newcomer, running_hall.password, "02", new_password="Another-Yumen-2027")
    assert driver.signed_in
    driver.sign_out()
    driver.sign_in(running_hall.newcomer, "Another-Yumen-2027", "02")
    assert driver.signed_in


def test_the_day_is_closed_and_the_cash_handed_over(
    running_hall: RunningHall, family_of: Callable[..., Family], start: Start, tmp_path: Path
) -> None:
    family_of("2685777", staff_no="1002")
    printer = VirtualPrinter()
    settings = counter_settings(running_hall.base_url, tmp_path)
    driver = start(settings, wait_s=20, printer=f"network:127.0.0.1:{printer.port}")
    try:
        driver.sign_in("1002", running_hall.password, "01")
        driver.open_till("100")
        driver.search("2685777")
        driver.open_first()
        driver.pay(amount="50", received="100")
        driver.press("F3")
        till = driver.till.presenter
        driver.until(lambda: not till.state.loading and till.state.till is not None, "the till")
        driver.type_into("pieces5000", "3")
        driver.press("F9")
        driver.until(lambda: till.state.stage == "counted", "the count")
        assert till.state.till is not None and till.state.till.difference_fen is not None
        assert not till.state.till.difference_fen
        driver.press("F9")
        driver.until(lambda: till.state.stage == "closed", "the day close")
        driver.press("F9")
        driver.until(lambda: till.state.stage == "deposited", "the deposit")
        titles = [line for job in printer.wait_for_jobs(3) for line in job.text]
        assert "缴费收据" in titles and "日结单" in titles and "缴款单" in titles
    finally:
        printer.close()


@pytest.mark.faults
@pytest.mark.parametrize(("number", "lost"), [("2685881", "reply"), ("2685882", "request")])
def test_a_payment_whose_line_was_cut_is_booked_once_by_the_real_server(
    running_hall: RunningHall, family_of: Callable[..., Family], start: Start, tmp_path: Path, number: str, lost: str
) -> None:
    """The server booked and the answer was lost, or the act never arrived: the heartbeat ends both the same way."""
    family = family_of(number)
    line = CuttingProxy(running_hall.base_url)
    try:
        driver = start(counter_settings(line.url, tmp_path), wait_s=20)
        driver.sign_in(running_hall.teller, running_hall.password, running_hall.counter_no)
        driver.open_till("0")
        driver.search(number)
        driver.open_first()
        owed = driver.counter.presenter.state.owed
        line.cut_replies, line.cut_requests = (1, 0) if lost == "reply" else (0, 1)
        with pytest.raises(DriveFailed, match="the act is kept"):
            driver.pay()
        driver.window._beat()
        paper = tmp_path / "paper"
        driver.until(lambda: paper.exists() and any(paper.glob("payment-*.bin")), "the receipt after resuming")
        driver.search(number)
        driver.open_first()
        driver.until(lambda: driver.counter.presenter.state.account is not None, "the account")
        account = driver.counter.presenter.state.account
        assert account is not None and account.account_id == family.account_id
        assert [payment.amount_fen for payment in account.recent_payments] == [owed]
        assert account.owed_fen.amount_fen == 0
    finally:
        line.close()
