"""The counter's decisions, without a window: stages, order of answers, amounts, what is printed and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import BaseModel

from desktop_client.desks.counter.presenter import CounterPresenter
from desktop_client.desks.counter.state import PrintState, Stage
from desktop_client.devices.receipt_printer.base import PrinterTrouble, TroubleKind
from desktop_client.gateway.trouble import Refused, Unreachable
from desktop_client.shell.bridge import MessageBridge
from desktop_client.wording import Tone, Wording
from desktop_client.work.acts import ActKept, ActState, Entry, Step
from shared_models.contracts.desk import CustomerDesk
from shared_models.contracts.party import CustomerPage
from shared_models.contracts.payment import PaymentPreview, TakePayment
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import Fen
from tests.gui.fake_hall import FakeHall, Problem, hit
from tests.unit.desktop_client.runners import AtOnce, WhenTold
from tests.unit.desktop_client.test_plans import refused


class Gateway:
    """Customers and payments of the stand-in hall, without HTTP."""

    def __init__(self, hall: FakeHall) -> None:
        self.hall = hall
        self.trouble: Exception | None = None

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        if self.trouble is not None:
            raise self.trouble
        return self.hall.answer("GET", path, query, None, "") or {}

    def search(self, words: str, cursor: str = "") -> CustomerPage:
        return CustomerPage.model_validate(self._get("/api/hall/customers", q=words))

    def desk(self, customer_id: str, language: str) -> CustomerDesk:
        return CustomerDesk.model_validate(self._get(f"/api/hall/customers/{customer_id}/desk"))

    def receipt(self, receipt_no: str) -> Receipt:
        try:
            return Receipt.model_validate(self._get(f"/api/hall/receipts/{receipt_no}"))
        except Problem as problem:
            raise refused(problem.code, problem.status) from problem

    def preview(self, request: TakePayment) -> PaymentPreview:
        if self.trouble is not None:
            raise self.trouble
        body = request.model_dump(mode="json")
        return PaymentPreview.model_validate(self.hall.answer("POST", "/api/hall/payments/preview", {}, body, ""))


class Work:
    """Does acts at the stand-in hall at once; printing fails where told."""

    def __init__(self, hall: FakeHall) -> None:
        self.hall = hall
        self.trouble: Exception | None = None
        self.printer: Exception | None = None
        self.printed: list[Receipt] = []
        self.done: list[str] = []
        self.steps: list[Step] = []

    def perform(
        self, step: Step, reply: type[BaseModel], *, success: Callable[[str, Any], None],
        failure: Callable[[Exception], None],
    ) -> None:
        self.steps.append(step)
        if self.trouble is not None:
            failure(self.trouble)
            return
        number = f"{len(self.steps):032x}"
        try:
            content = self.hall.answer("POST", step.path, {}, step.body, number)
        except Problem as problem:
            failure(refused(problem.code, problem.status))
            return
        success(number, reply.model_validate(content))

    def finished(self, operation_id: str) -> None:
        self.done.append(operation_id)

    def print_receipt(
        self, receipt: Receipt, *, printed: Callable[[], None], failure: Callable[[Exception], None]
    ) -> None:
        if self.printer is not None:
            failure(self.printer)
            return
        self.printed.append(receipt)
        printed()


class Desk:
    """A presenter with everything around it."""

    def __init__(self, hall: FakeHall, runner: Any) -> None:
        self.gateway, self.work, self.bridge = Gateway(hall), Work(hall), MessageBridge()
        self.presenter = CounterPresenter(
            runner=runner, customers=self.gateway, payments=self.gateway, work=self.work, bridge=self.bridge,
            wording=Wording("zh_CN"),
        )

    @property
    def stage(self) -> Stage:
        return self.presenter.state.stage

    def at_confirm(self, amount: str = "175.36", received: str = "200") -> CounterPresenter:
        self.presenter.search("wjg", entered=True)
        self.presenter.prepare(amount, received)
        return self.presenter


@pytest.fixture
def desk(fake_hall: FakeHall) -> Desk:
    return Desk(fake_hall, AtOnce())


def test_from_initials_to_receipt(desk: Desk) -> None:
    counter = desk.presenter
    counter.search("wjg", entered=True)
    assert desk.stage is Stage.CUSTOMER
    assert counter.state.owed == Fen(17536)
    assert counter.state.pay.amount_text == "175.36"
    counter.prepare("175.36", "200")
    assert desk.stage is Stage.CONFIRM
    assert counter.state.pay.preview is not None and counter.state.pay.preview.change_fen == Fen(2464)
    counter.confirm()
    assert desk.stage is Stage.TAKEN
    assert counter.state.print_state is PrintState.PRINTED
    assert [paper.total_fen for paper in desk.work.printed] == [Fen(17536)]
    assert desk.work.done == ["1".zfill(32)], "the act leaves the journal only after the paper"
    assert counter.state.owed == Fen(0)
    counter.next_customer()
    assert desk.stage is Stage.SEARCH and counter.state.desk is None


def test_several_hits_wait_for_a_choice(desk: Desk) -> None:
    desk.gateway.hall.hits = [hit(), hit("王建军", "YM2")]
    desk.presenter.search("王建", entered=True)
    assert desk.stage is Stage.SEARCH
    assert len(desk.presenter.state.search.hits) == 2


def test_typing_alone_opens_nothing(desk: Desk) -> None:
    desk.presenter.search("wjg")
    assert desk.stage is Stage.SEARCH


@pytest.mark.parametrize("words", ["", " ", "王"])
def test_too_little_to_search_for_asks_nothing(desk: Desk, words: str) -> None:
    desk.presenter.search(words, entered=True)
    assert desk.presenter.state.search.problem
    assert desk.gateway.hall.requests == []


def test_nothing_found_is_said(desk: Desk) -> None:
    desk.presenter.search("没有这个人")
    assert desk.presenter.state.search.problem == "没有找到，请核对后重新输入。"


def test_an_old_answer_never_replaces_a_newer_one(fake_hall: FakeHall) -> None:
    runner = WhenTold()
    desk = Desk(fake_hall, runner)
    fake_hall.hits = [hit("王建国"), hit("李秀英", "YM2")]
    desk.presenter.search("王建")
    desk.presenter.search("李秀")
    runner.next(1)
    runner.next(0)
    assert [one.name for one in desk.presenter.state.search.hits] == ["李秀英"]


def test_a_customer_opened_later_wins(fake_hall: FakeHall) -> None:
    runner = WhenTold()
    desk = Desk(fake_hall, runner)
    desk.presenter.open_customer("c1" * 16)
    desk.presenter.back()
    runner.next()
    assert desk.stage is Stage.SEARCH and desk.presenter.state.desk is None


@pytest.mark.parametrize(("amount", "received", "field"), [
    ("", "", "amount"), ("0", "", "amount"), ("-5", "", "amount"), ("12.345", "", "amount"), ("abc", "", "amount"),
    ("99999999999999", "", "amount"), ("10", "x", "received"), ("10", "9.99", "received"), ("10", "-1", "received"),
])
def test_an_amount_that_cannot_be_is_told_at_its_field(desk: Desk, amount: str, received: str, field: str) -> None:
    desk.presenter.search("wjg", entered=True)
    desk.presenter.prepare(amount, received)
    assert desk.stage is Stage.CUSTOMER
    assert desk.presenter.state.pay.bad_field == field
    assert desk.presenter.state.pay.problem


def test_confirming_twice_takes_money_once(fake_hall: FakeHall) -> None:
    runner = WhenTold()
    desk = Desk(fake_hall, runner)
    fake_hall.till = None
    desk.presenter.search("wjg", entered=True)
    runner.next()
    runner.next()
    desk.presenter.prepare("10", "")
    desk.presenter.confirm()
    assert desk.work.steps == [], "nothing is confirmed before its preview was shown"
    runner.next()
    desk.presenter.confirm()
    desk.presenter.confirm()
    assert len(desk.work.steps) == 1


def test_a_refusal_leads_back_to_the_amount_with_its_words(desk: Desk) -> None:
    desk.gateway.hall.till = None
    desk.at_confirm().confirm()
    assert desk.stage is Stage.CUSTOMER
    assert "till_not_open" in desk.bridge.told[-1].text
    assert desk.presenter.state.pay.amount_text == "175.36"


def test_a_server_that_does_not_answer_keeps_the_act(desk: Desk) -> None:
    counter = desk.at_confirm()
    desk.work.trouble = kept()
    counter.confirm()
    assert desk.stage is Stage.KEPT
    assert desk.work.printed == [], "no receipt before the server answered"
    counter.next_customer()
    assert desk.stage is Stage.SEARCH


def kept() -> ActKept:
    entry = Entry("a" * 32, "b" * 32, 0, Step("x", "/x", {}), ActState.SENT, "o", datetime.now(timezone.utc))
    return ActKept(entry, Unreachable("timeout", maybe_sent=True))


@pytest.mark.parametrize(("trouble", "state"), [
    (PrinterTrouble(TroubleKind.PAPER_OUT), PrintState.NOT_PRINTED),
    (PrinterTrouble(TroubleKind.LOST_MID_JOB, maybe_printed=True), PrintState.IN_DOUBT),
    (RuntimeError("a fault in the form"), PrintState.IN_DOUBT),
])
def test_what_becomes_of_a_paper_that_did_not_come_out(desk: Desk, trouble: Exception, state: PrintState) -> None:
    counter = desk.at_confirm()
    desk.work.printer = trouble
    counter.confirm()
    assert counter.state.print_state is state
    assert counter.state.stage is Stage.TAKEN, "the money is booked whatever the printer does"
    desk.work.printer = None
    counter.papers.print_again()
    assert counter.state.print_state is PrintState.PRINTED
    reprinted = [step.name for step in desk.work.steps].count("reprint")
    assert reprinted == (0 if state is PrintState.NOT_PRINTED else 1)
    assert desk.work.printed[-1].is_reprint == (state is not PrintState.NOT_PRINTED)


def test_a_reversal_needs_a_reason_and_opens_the_bills_again(desk: Desk) -> None:
    counter = desk.at_confirm()
    counter.confirm()
    account = counter.state.account
    assert account is not None
    payment = account.recent_payments[0]
    assert not counter.papers.reverse(payment, "  ")
    assert counter.papers.reverse(payment, "付错")
    assert counter.state.owed == Fen(17536)
    assert desk.work.printed[-1].total_fen == Fen(-17536)
    assert desk.bridge.told[-1].tone is Tone.SUCCESS
    assert desk.work.steps[-1].reason == "付错"


@pytest.mark.parametrize(("words", "product"), [("3913183", "a1" * 16), ("0937-3913183", "a1" * 16), ("wjg", None)])
def test_the_number_the_customer_was_found_by_is_paid_first(desk: Desk, words: str, product: str | None) -> None:
    desk.presenter.search(words, entered=True)
    desk.presenter.prepare("10", "")
    desk.presenter.confirm()
    assert desk.work.steps[0].body["product_id"] == product


def test_the_bar_code_of_a_receipt_opens_its_customer(desk: Desk) -> None:
    counter = desk.at_confirm()
    counter.confirm()
    number = counter.state.receipt.receipt_no if counter.state.receipt is not None else ""
    counter.next_customer()
    counter.search(number)
    assert desk.stage is Stage.SEARCH, "typing alone asks for no receipt"
    counter.search(number, entered=True)
    assert desk.stage is Stage.CUSTOMER
    assert counter.state.receipt_wanted == number
    counter.next_customer()
    counter.search("YM01-03-9999999", entered=True)
    assert counter.state.search.problem and desk.stage is Stage.SEARCH


def test_an_unreachable_server_while_searching_is_said_in_the_list(desk: Desk) -> None:
    desk.gateway.trouble = Unreachable("no_connection", maybe_sent=False)
    desk.presenter.search("wjg")
    assert "连接不上服务器" in desk.presenter.state.search.problem


def test_an_unreachable_server_while_opening_leads_back_to_the_search(desk: Desk) -> None:
    desk.gateway.trouble = Unreachable("timeout", maybe_sent=True)
    desk.presenter.open_customer("c1" * 16)
    assert desk.stage is Stage.SEARCH
    assert desk.bridge.told[-1].tone is Tone.ERROR


def test_a_preview_that_is_refused_leads_back(desk: Desk) -> None:
    desk.presenter.search("wjg", entered=True)
    desk.gateway.trouble = refused("account_closed")
    desk.presenter.prepare("10", "")
    assert desk.stage is Stage.CUSTOMER
    assert isinstance(desk.gateway.trouble, Refused)


def test_escape_goes_back_step_by_step(desk: Desk) -> None:
    counter = desk.at_confirm()
    for expected in (Stage.CUSTOMER, Stage.SEARCH, Stage.SEARCH):
        assert counter.back()
        assert desk.stage is expected
    assert not counter.back()


def test_money_beyond_what_is_owed_is_shown_as_advance_before_it_is_taken(desk: Desk) -> None:
    preview = desk.at_confirm("200", "").state.pay.preview
    assert preview is not None
    assert [one.amount_fen for one in preview.applied] == [Fen(5800), Fen(11736)]
    assert preview.advance_fen == Fen(2464)
