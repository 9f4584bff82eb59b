"""The till's decisions, without a window."""

from __future__ import annotations

from typing import Any

import pytest

from desktop_client.desks.till.presenter import TillPresenter
from desktop_client.devices.receipt_printer.base import PrinterTrouble, TroubleKind
from desktop_client.gateway.trouble import Unreachable
from desktop_client.shell.bridge import MessageBridge
from desktop_client.wording import Tone, Wording
from shared_models.contracts.cashdesk import TillView
from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.money import Fen
from tests.gui.fake_hall import FakeHall
from tests.unit.desktop_client.runners import AtOnce, WhenTold
from tests.unit.desktop_client.test_counter_presenter import Work, kept


class Reads:
    """The till routes of the stand-in hall."""

    def __init__(self, hall: FakeHall) -> None:
        self.hall = hall
        self.trouble: Exception | None = None

    def current(self) -> TillView:
        if self.trouble is not None:
            raise self.trouble
        return TillView.model_validate(self.hall.answer("GET", "/api/hall/till/current", {}, None, ""))


class Till:
    """A presenter with everything around it; ``open`` decides whether the till is open already."""

    def __init__(self, hall: FakeHall, *, is_open: bool, runner: AtOnce | WhenTold | None = None) -> None:
        if not is_open:
            hall.till = None
        self.hall, self.work, self.bridge, self.reads = hall, Work(hall), MessageBridge(), Reads(hall)
        self.presenter = TillPresenter(
            runner=runner or AtOnce(), till=self.reads, work=self.work, bridge=self.bridge, wording=Wording("zh_CN")
        )
        self.presenter.refresh()

    @property
    def state(self) -> Any:
        return self.presenter.state


def test_from_float_to_deposit(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=False)
    assert till.state.stage == "none"
    till.presenter.open("200")
    assert till.state.stage == "trading" and till.state.till.float_fen == Fen(20000)
    till.presenter.set_pieces(10000, 1)
    till.presenter.set_pieces(5000, 2)
    assert till.state.counted == Fen(20000)
    till.presenter.count()
    assert till.state.stage == "counted" and till.state.till.difference_fen == Fen(0)
    till.presenter.close("")
    assert till.state.stage == "closed"
    till.presenter.deposit("200", "S-1", "工商银行")
    assert till.state.stage == "deposited"
    assert [paper.kind for paper in till.work.printed] == [ReceiptKind.DAY_CLOSE, ReceiptKind.DEPOSIT_SLIP]
    assert len(till.work.done) == 4, "every act left the journal"


def test_a_reading_begun_before_an_act_does_not_undo_what_the_act_showed(fake_hall: FakeHall) -> None:
    runner = WhenTold()
    till = Till(fake_hall, is_open=True, runner=runner)
    runner.next()
    till.presenter.refresh()
    till.presenter.count()
    assert till.state.stage == "counted" and not till.state.loading
    fake_hall.till = None  # whatever the late answer says
    runner.next()
    assert till.state.stage == "counted"


@pytest.mark.parametrize("text", ["x", "-1", "1.234"])
def test_a_float_that_cannot_be_is_told(fake_hall: FakeHall, text: str) -> None:
    till = Till(fake_hall, is_open=False)
    till.presenter.open(text)
    assert till.state.bad_field == "float" and till.work.steps == []


def test_an_empty_float_is_none(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=False)
    till.presenter.open(" ")
    assert till.state.till.float_fen == Fen(0)


def test_a_difference_needs_a_note(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=True)
    till.presenter.set_pieces(10000, 3)
    till.presenter.count()
    assert till.state.till.difference_fen == Fen(10000)
    till.presenter.close("  ")
    assert till.state.bad_field == "note" and till.state.stage == "counted"
    till.presenter.close("多收一张")
    assert till.state.stage == "closed"


@pytest.mark.parametrize(
    ("amount", "slip", "field"), [("", "", "deposit"), ("0", "", "deposit"), ("1", "号", "slip_no")]
)
def test_a_deposit_that_cannot_be_is_told(fake_hall: FakeHall, amount: str, slip: str, field: str) -> None:
    till = Till(fake_hall, is_open=True)
    till.presenter.set_pieces(10000, 2)
    till.presenter.count()
    till.presenter.close("")
    till.presenter.deposit(amount, slip, "")
    assert till.state.bad_field == field and till.state.stage == "closed"


def test_steps_out_of_order_ask_nothing(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=False)
    till.presenter.count()
    till.presenter.close("x")
    till.presenter.deposit("1", "", "")
    assert till.work.steps == []


def test_a_refusal_is_told_and_the_till_read_again(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=True)
    fake_hall.till = None
    till.presenter.count()
    assert "till_not_open" in till.bridge.told[-1].text
    assert till.state.stage == "none" and not till.state.working


def test_a_kept_act_leaves_the_page_usable(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=False)
    till.work.trouble = kept()
    till.presenter.open("200")
    assert not till.state.working
    assert till.bridge.told[-1].tone is Tone.WARNING


def test_a_day_close_whose_paper_failed_is_closed_and_printed_again_as_a_copy(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=True)
    till.presenter.set_pieces(10000, 2)
    till.presenter.count()
    till.work.printer = PrinterTrouble(TroubleKind.PAPER_OUT)
    till.presenter.close("")
    assert till.state.stage == "closed" and till.state.last_paper is not None
    assert len(till.work.done) == 2


def test_a_server_that_is_gone_is_told(fake_hall: FakeHall) -> None:
    till = Till(fake_hall, is_open=True)
    till.reads.trouble = Unreachable("timeout", maybe_sent=True)
    till.presenter.refresh()
    assert till.bridge.told[-1].tone is Tone.ERROR and not till.state.loading
