"""Tellers as processes that can be killed while they take and undo payments.

Each act has an id that follows from the teller and its place in the row, as a client's journal gives it one before
sending; so what was on its way when the process died is sent again under the same id.
"""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from server_api.billing.payment import service as payment
from server_api.platform.acts import Act, Outcome, digest_of, perform
from server_api.platform.database import Databases, open_databases
from server_api.wiring import wire_databases
from shared_models.contracts.payment import PaymentTaken, ReversePayment, TakePayment
from shared_models.values.faults.common import DatabaseAway, TooBusy
from shared_models.values.ids import derived_id
from shared_models.values.money import Fen
from tests.support.engines import TEST_SECRETS, Urls
from tests.support.money import teller

ACCOUNTS = tuple(derived_id("paying", "account", str(number)) for number in range(4))
#: Every so many payments the one before is undone.
UNDO_EVERY = 5
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.paying"])


def open_pair(urls: Urls) -> Databases:
    """The two databases on the machine's clock, every listener attached."""
    databases = open_databases(urls.business, urls.billing, secrets=TEST_SECRETS, label="paying", pool_size=4)
    wire_databases(databases)
    return databases


def amount_of(index: int) -> int:
    """What the index-th payment of a teller is, in fen."""
    return 100 + index % 7 * 350


def do(databases: Databases, counter_no: str, index: int) -> Outcome:
    """The index-th act of a teller: a payment, or the reversal of the one before."""
    context = teller(f"10{counter_no}", counter_no)
    act_id = derived_id("paying", counter_no, str(index))
    if index % UNDO_EVERY == UNDO_EVERY - 1:
        first = PaymentTaken.model_validate_json(do(databases, counter_no, index - 1).reply)
        undo = ReversePayment(reason="演练")
        act = Act(act_id, "reverse_payment", digest_of([first.payment_id]), context)
        return perform(
            databases.billing,
            act,
            lambda uow: payment.reverse_payment(uow, payment_id=first.payment_id, request=undo),
        )
    amount = Fen(amount_of(index))
    request = TakePayment(account_id=ACCOUNTS[index % len(ACCOUNTS)], amount_fen=amount, received_fen=amount)
    act = Act(act_id, "take_payment", digest_of(request), context)
    return perform(databases.billing, act, lambda uow: payment.take_payment(uow, request=request))


def pay_until_told(urls: Urls, counter_no: str, first: int, done: Any) -> None:
    """Act after act until the process is killed; ``done`` is what the journal would call confirmed."""
    databases = open_pair(urls)
    index = first
    while True:
        try:
            do(databases, counter_no, index)
        except (TooBusy, DatabaseAway):
            continue
        done.value = index
        index += 1


def start(urls: Urls, counter_no: str, first: int, done: Any) -> BaseProcess:
    """Begin a teller's process."""
    process = _CONTEXT.Process(target=pay_until_told, args=(urls, counter_no, first, done), daemon=True)
    process.start()
    return process


def counter(value: int = -1) -> Any:
    """A number that outlives the process that counts it."""
    return _CONTEXT.Value("q", value, lock=False)
