"""kill -9 while payments and reversals are on their way: nothing lost, nothing doubled, the books balance.

The short form is part of every run; ``ONEHALL_KILLS=300`` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import time
from datetime import date
from typing import Any

import pytest

from server_api.billing.account.service import AccountToImport, import_accounts
from server_api.platform.acts import Act, digest_of, perform
from server_api.wiring import wire_databases
from shared_models.contracts.payment import PaymentReversed, PaymentTaken
from shared_models.contracts.work import system_context
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import ZERO_FEN, Fen
from tests.support import paying
from tests.support.engines import Urls
from tests.support.money import Counter, teller

pytestmark = [pytest.mark.faults, pytest.mark.slow]
KILLS = int(os.environ.get("ONEHALL_KILLS", "12"))
COUNTERS = ("01", "02")


def furnish(urls: Urls) -> None:
    """Four accounts with bills, two tellers with open tills."""
    databases = paying.open_pair(urls)
    counter = Counter(databases, wire_databases(databases))
    accounts = [
        AccountToImport(account_id, f"A{number}", derived_id("paying", "customer", str(number)))
        for number, account_id in enumerate(paying.ACCOUNTS)
    ]
    act = Act(new_id(), "test", digest_of(None), system_context("test"))
    perform(databases.billing, act, lambda uow: import_accounts(uow, accounts=accounts))
    for account_id in paying.ACCOUNTS:
        for month in (202601, 202602):
            counter.owe(account_id, month, [4_000, 2_500, 900], due_on=date(2026, 12, 25))
    for counter_no in COUNTERS:
        counter.at(teller(f"10{counter_no}", counter_no)).open_till(1_000_000)
    databases.close()


def test_tellers_are_killed_at_random(database_urls: Urls) -> None:
    furnish(database_urls)
    chance = random.Random(20260316)
    confirmed = {counter_no: paying.counter() for counter_no in COUNTERS}
    tellers = {
        counter_no: paying.start(database_urls, counter_no, 0, confirmed[counter_no]) for counter_no in COUNTERS
    }
    try:
        _wait_for_work(confirmed)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.7))
            counter_no = chance.choice(COUNTERS)
            tellers[counter_no].kill()
            tellers[counter_no].join()
            # The journal: the last confirmed act is sent again as well, its confirmation may have been lost.
            again_from = max(0, confirmed[counter_no].value)
            tellers[counter_no] = paying.start(database_urls, counter_no, again_from, confirmed[counter_no])
    finally:
        for process in tellers.values():
            process.kill()
            process.join()
    _everything_once(database_urls, {counter_no: int(done.value) for counter_no, done in confirmed.items()})


def _wait_for_work(confirmed: dict[str, Any]) -> None:
    """On a busy machine a teller needs seconds to begin; killed before that he proves nothing."""
    deadline = time.monotonic() + 60
    while any(done.value <= 0 for done in confirmed.values()) and time.monotonic() < deadline:
        time.sleep(0.05)


def _everything_once(urls: Urls, last: dict[str, int]) -> None:
    databases = paying.open_pair(urls)
    try:
        kept = Fen(0)
        for counter_no, until in last.items():
            assert until > 0, "the killing left no time to work"
            numbers = []
            for index in range(until + 2):  # also the one that was on its way
                outcome = paying.do(databases, counter_no, index)
                assert outcome.replayed or index > until
                if index % paying.UNDO_EVERY == paying.UNDO_EVERY - 1:
                    undone = PaymentReversed.model_validate_json(outcome.reply)
                    kept, numbers = kept - undone.refund_cash_fen, [*numbers, undone.receipt.receipt_no]
                else:
                    taken = PaymentTaken.model_validate_json(outcome.reply)
                    kept, numbers = kept + taken.receipt.total_fen, [*numbers, taken.receipt.receipt_no]
            assert numbers == [f"H01-{counter_no}-{number:07d}" for number in range(1, until + 3)]
        counter = Counter(databases, wire_databases(databases))
        counter.assert_books_balance()
        owed = [counter.owed(account_id) for account_id in paying.ACCOUNTS]
        billed = Fen(len(owed) * 2 * 7_400)
        settled = billed - Fen.total(item.owed_fen for item in owed)
        assert settled + Fen.total(item.balance_fen for item in owed) == kept and kept > ZERO_FEN
    finally:
        databases.close()
