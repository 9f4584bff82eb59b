"""A household pays at the counter: from the bill on the screen to the receipt and the books."""

from __future__ import annotations

from datetime import date

import pytest

from server_api.platform.database import Databases
from shared_models.contracts.events import Standing
from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.money import Fen
from tests.support.money import Counter, new_counter


@pytest.fixture
def counter(databases: Databases) -> Counter:
    return new_counter(databases)


def test_paying_a_bill_hands_over_a_receipt_and_keeps_the_rest_as_advance(counter: Counter) -> None:
    account_id = counter.open_account("A10086")
    counter.owe(account_id, 202602, [3000, 2500], due_on=date(2026, 3, 25))
    counter.open_till()
    taken = counter.pay(account_id, 8_800, received_fen=10_000, note="谢谢")
    assert (taken.change_fen, taken.advance_fen, taken.owed_after_fen) == (Fen(1_200), Fen(3_300), Fen(0))
    assert taken.balance_after_fen == Fen(3_300) and taken.standing is Standing.CLEAR
    assert [part.amount_fen for part in taken.applied] == [Fen(5_500)]
    receipt = taken.receipt
    assert receipt.kind is ReceiptKind.PAYMENT and receipt.receipt_no == "H01-03-0000001"
    assert receipt.total_capitals == "人民币捌拾捌元整" and receipt.change_fen == Fen(1_200)
    assert [(line.label, line.amount_fen.amount_fen) for line in receipt.lines] == [
        ("月租费", 3000),
        ("月租费", 2500),
        ("预存款", 3300),
    ]
    assert receipt.account_no == "A10086" and receipt.hall_name == "人民路营业厅" and receipt.copy_no == 1
    owed = counter.owed(account_id)
    assert owed.owed_fen == Fen(0) and owed.balance_fen == Fen(3_300) and owed.bills == ()
    counter.assert_books_balance()
