"""The counter: find the customer, see what is owed, take the money, hand over the receipt. Decides; knows no Qt.

    search --open--> customer --prepare--> confirm --confirm--> taking --+--> taken --next--> search
                        ^                     |                          +--> kept  --next--> search
                        '------- back --------'                          '--> customer (refused)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from desktop_client.desks.counter.papers import CounterPapers
from desktop_client.desks.counter.state import CounterState, PayState, PrintState, SearchState, Stage
from desktop_client.gateway.asks import taking
from desktop_client.gateway.trouble import Refused
from desktop_client.shell.act_doer import ActDoer
from desktop_client.shell.bridge import Bridge
from desktop_client.wording import Wording
from desktop_client.work.acts import ActKept
from desktop_client.work.runner import LatestOnly, Runner
from shared_models.contracts.desk import CustomerDesk
from shared_models.contracts.party import CustomerPage
from shared_models.contracts.payment import PaymentPreview, PaymentTaken, TakePayment
from shared_models.contracts.receipt import Receipt
from shared_models.values.faults.base import Fault
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import PayMethod

#: A single letter or digit would match a tenth of the town.
SHORTEST_SEARCH = 2
#: Local numbers have seven digits.
SHORTEST_NUMBER = 7


class CustomersGateway(Protocol):
    """The customer routes."""

    def search(self, words: str, cursor: str = "") -> CustomerPage: ...

    def desk(self, customer_id: str, language: str) -> CustomerDesk: ...


class PaymentsGateway(Protocol):
    """The payment routes that read."""

    def preview(self, request: TakePayment) -> PaymentPreview: ...

    def receipt(self, receipt_no: str) -> Receipt: ...


class CounterPresenter:
    """State in ``state``; every change is told to ``listener``."""

    def __init__(
        self, *, runner: Runner, customers: CustomersGateway, payments: PaymentsGateway, work: ActDoer,
        bridge: Bridge, wording: Wording,
    ) -> None:
        self._customers = customers
        self._payments = payments
        self._work = work
        self._bridge = bridge
        self._wording = wording
        self._searches: LatestOnly[CustomerPage] = LatestOnly(runner)
        self._desks: LatestOnly[CustomerDesk] = LatestOnly(runner)
        self._previews: LatestOnly[PaymentPreview] = LatestOnly(runner)
        self._open_single_hit = False
        self._cursor = ""
        self._receipt_wanted = ""
        self.state = CounterState()
        self.listener: Callable[[CounterState], None] = lambda state: None
        self.papers = CounterPapers(self)

    # ---- searching -----------------------------------------------------------------------------------------------
    def search(self, words: str, *, entered: bool = False) -> None:
        """Search. ``entered``: the teller pressed Enter, a single hit opens at once."""
        words = words.strip()
        self._open_single_hit = entered
        if len(words) < SHORTEST_SEARCH:
            self._searches.drop()
            problem = self._wording.say("counter.search_longer") if entered else ""
            self._set(search=SearchState(words=words, problem=problem))
            return
        self._cursor = ""
        self._set(search=replace(self.state.search, words=words, busy=True, problem=""))
        self._receipt_wanted = ""
        self._searches.run(
            lambda _: self._find(words, entered), success=self._on_hits, failure=self._on_search_failed
        )

    def _find(self, words: str, entered: bool) -> CustomerPage:
        """Runs in the background. Words that find nobody may be the bar code of a receipt: then whose it is."""
        page = self._customers.search(words)
        if page.items or not entered or not _may_be_receipt(words):
            return page
        try:
            paper = self._payments.receipt(words)
        except Refused:
            return page
        if not paper.customer_no:
            return page
        self._receipt_wanted = paper.receipt_no
        return self._customers.search(paper.customer_no)

    def more_hits(self) -> None:
        """Fetch the next page of the list."""
        if not self._cursor or self.state.search.busy:
            return
        words, cursor, before = self.state.search.words, self._cursor, self.state.search.hits
        self._set(search=replace(self.state.search, busy=True))
        self._searches.run(
            lambda _: self._customers.search(words, cursor),
            success=lambda page: self._on_hits(page.model_copy(update={"items": (*before, *page.items)})),
            failure=self._on_search_failed,
        )

    def _on_hits(self, page: CustomerPage) -> None:
        self._cursor = page.next_cursor or ""
        problem = "" if page.items else self._wording.say("counter.nothing_found")
        self._set(search=replace(
            self.state.search, busy=False, hits=page.items, more=bool(self._cursor), problem=problem, asked=True,
        ))
        if self._open_single_hit and len(page.items) == 1:
            self.open_customer(page.items[0].customer_id)
        self._open_single_hit = False

    def _on_search_failed(self, trouble: Exception) -> None:
        message = self._wording.of_trouble(trouble)
        self._set(search=replace(
            self.state.search, busy=False, hits=(), more=False, problem=f"{message.text}\n{message.remedy}".strip(),
        ))

    # ---- the customer --------------------------------------------------------------------------------------------
    def open_customer(self, customer_id: str) -> None:
        """Show everything owed by a customer. Not while a payment is being sent."""
        if self.state.stage is Stage.TAKING:
            return
        self._bridge.clear()
        self._set(
            stage=Stage.CUSTOMER, desk=None, loading=True, account_index=0, pay=PayState(), taken=None, receipt=None,
            print_state=PrintState.NONE, receipt_wanted=self._receipt_wanted,
        )
        self._load(customer_id)

    def refresh(self) -> None:
        """Read the customer again."""
        if self.state.desk is not None and self.state.stage in (Stage.CUSTOMER, Stage.TAKEN, Stage.KEPT):
            self._set(loading=True)
            self._load(self.state.desk.customer.customer_id)

    def _load(self, customer_id: str) -> None:
        self._desks.run(
            lambda _: self._customers.desk(customer_id, self._wording.language), success=self._on_desk,
            failure=self._on_desk_failed,
        )

    def _on_desk(self, desk: CustomerDesk) -> None:
        fresh = self.state.desk is None
        index = min(self.state.account_index, max(len(desk.accounts) - 1, 0))
        if fresh:
            index = _account_to_show(desk, self.state.receipt_wanted)
        self._set(desk=desk, loading=False, account_index=index)
        if self.state.stage is Stage.CUSTOMER and not self.state.pay.received_text:
            self._offer_owed()
        if desk.billing_away:
            self._bridge.tell(self._wording.warning("counter.billing_away"))

    def _on_desk_failed(self, trouble: Exception) -> None:
        self._bridge.tell(self._wording.of_trouble(trouble))
        stage = Stage.SEARCH if self.state.desk is None and self.state.stage is Stage.CUSTOMER else self.state.stage
        self._set(loading=False, stage=stage)

    def choose_account(self, index: int) -> None:
        """Pay another account of this customer."""
        if self.state.desk is None or self.state.stage is not Stage.CUSTOMER:
            return
        self._set(account_index=index % max(len(self.state.desk.accounts), 1))
        self._offer_owed()

    def next_account(self) -> None:
        """The next account, round and round."""
        self.choose_account(self.state.account_index + 1)

    def _offer_owed(self) -> None:
        """What is owed stands in the amount field; the teller changes it where the customer pays less or more."""
        owed = self.state.owed
        self._set(pay=PayState(amount_text=str(owed) if owed.amount_fen > 0 else "", amount=owed or None))

    # ---- taking money --------------------------------------------------------------------------------------------
    def prepare(self, amount_text: str, received_text: str) -> None:
        """Understand what was typed and ask the server what it would do; nothing is booked."""
        account = self.state.account
        if account is None or self.state.stage not in (Stage.CUSTOMER, Stage.CONFIRM):
            return
        pay = self._understood(amount_text, received_text)
        if pay.problem:
            self._previews.drop()
            self._set(stage=Stage.CUSTOMER, pay=pay)
            return
        self._bridge.clear()
        self._set(stage=Stage.CONFIRM, pay=replace(pay, previewing=True))
        request = self._request()
        self._previews.run(
            lambda _: self._payments.preview(request), success=self._on_preview, failure=self._on_preview_failed
        )

    def _understood(self, amount_text: str, received_text: str) -> PayState:
        pay = PayState(amount_text=amount_text, received_text=received_text)
        try:
            amount = Fen.parse(amount_text)
        except Fault:
            return replace(pay, problem=self._wording.say("counter.amount_bad"), bad_field="amount")
        if amount.amount_fen <= 0:
            return replace(pay, problem=self._wording.say("counter.amount_not_positive"), bad_field="amount")
        try:
            received = Fen.parse(received_text) if received_text.strip() else amount
        except Fault:
            return replace(pay, problem=self._wording.say("counter.received_bad"), bad_field="received")
        if received < amount:
            return replace(pay, problem=self._wording.say("counter.received_too_little"), bad_field="received")
        return replace(pay, amount=amount, received=received)

    def _request(self) -> TakePayment:
        account = self.state.account
        assert account is not None
        return TakePayment(
            account_id=account.account_id, amount_fen=self.state.pay.amount or ZERO_FEN, method=PayMethod.CASH,
            received_fen=self.state.pay.received or ZERO_FEN, product_id=self._number_being_paid(account.account_id),
        )

    def _number_being_paid(self, account_id: str) -> str | None:
        """The product whose number the customer was found by: what is owed for it is settled first."""
        asked = _digits(self.state.search.words)
        if self.state.desk is None or len(asked) < SHORTEST_NUMBER:
            return None
        named = [
            product.product_id for product in self.state.desk.products
            if product.account_id == account_id and _digits(product.shown_as).endswith(asked)
        ]
        return named[0] if len(named) == 1 else None

    def _on_preview(self, preview: PaymentPreview) -> None:
        self._set(pay=replace(self.state.pay, preview=preview, previewing=False))

    def _on_preview_failed(self, trouble: Exception) -> None:
        self._bridge.tell(self._wording.of_trouble(trouble))
        self._set(stage=Stage.CUSTOMER, pay=replace(self.state.pay, previewing=False, preview=None))

    def confirm(self) -> None:
        """Take the money. Only what was shown can be confirmed, and only once."""
        if self.state.stage is not Stage.CONFIRM or self.state.pay.preview is None or self.state.desk is None:
            return
        step = taking(self._request(), who=self.state.desk.customer.name)
        self._set(stage=Stage.TAKING)
        self._work.perform(step, PaymentTaken, success=self._on_taken, failure=self._on_not_taken)

    def _on_taken(self, operation_id: str, taken: PaymentTaken) -> None:
        self._set(stage=Stage.TAKEN, taken=taken)
        self.refresh()
        self.papers.print_first(taken.receipt, operation_id)

    def _on_not_taken(self, trouble: Exception) -> None:
        self._bridge.tell(self._wording.of_trouble(trouble))
        self._set(stage=Stage.KEPT if isinstance(trouble, ActKept) else Stage.CUSTOMER)

    # ---- moving on -----------------------------------------------------------------------------------------------
    def next_customer(self) -> None:
        """Start over with an empty search box; what was kept is resumed on its own."""
        if self.state.stage is Stage.TAKING:
            return
        self._searches.drop()
        self._desks.drop()
        self._previews.drop()
        self._bridge.clear()
        self._set(
            stage=Stage.SEARCH, search=SearchState(), desk=None, loading=False, account_index=0, pay=PayState(),
            taken=None, receipt=None, print_state=PrintState.NONE,
        )

    def back(self) -> bool:
        """Esc: one step back. False where there is nothing to go back from."""
        stage = self.state.stage
        if stage is Stage.CONFIRM:
            self._previews.drop()
            self._set(stage=Stage.CUSTOMER, pay=replace(self.state.pay, preview=None, previewing=False))
        elif stage is Stage.CUSTOMER:
            self._desks.drop()
            self._set(stage=Stage.SEARCH, desk=None, loading=False, pay=PayState())
        elif stage in (Stage.TAKEN, Stage.KEPT):
            self.next_customer()
        elif stage is Stage.SEARCH and (self.state.search.words or self.state.search.hits):
            self.next_customer()
        else:
            return False
        return True

    # ---- for papers.py -------------------------------------------------------------------------------------------
    @property
    def work(self) -> ActDoer:
        return self._work

    @property
    def bridge(self) -> Bridge:
        return self._bridge

    @property
    def wording(self) -> Wording:
        return self._wording

    def change(self, **values: object) -> None:
        """Change the state and tell the page."""
        self._set(**values)

    def _set(self, **values: object) -> None:
        self.state = replace(self.state, **values)  # type: ignore[arg-type]
        self.listener(self.state)


def _may_be_receipt(words: str) -> bool:
    """Receipts are numbered by hall, counter and seven digits; nobody's name looks like that."""
    return len(words) >= 8 and words.isascii() and words[-4:].isdigit() and " " not in words


def _account_to_show(desk: CustomerDesk, receipt_no: str) -> int:
    """The account of the receipt that was scanned, else the first that owes."""
    for number, account in enumerate(desk.accounts):
        if receipt_no and any(payment.receipt_no == receipt_no for payment in account.recent_payments):
            return number
    return next((number for number, account in enumerate(desk.accounts) if account.owed_fen), 0)


def _digits(text: str) -> str:
    """The digits of a number as typed or shown: 0937-391 3183 and 09373913183 are the same."""
    plain = text.replace("-", "").replace(" ", "")
    return plain if plain.isdigit() else ""
