"""Files to a bank and back: asked once, booked once, whatever is killed or sent twice; money that does not fit is kept
for a person."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from server_api.billing.account import debit
from server_api.billing.payment import debit_files
from server_api.billing.payment.debit_text import read_answer
from server_api.platform.database import Database, Databases
from shared_models.contracts.deposit import BankDebitView, OpenBankDebit
from shared_models.contracts.work import system_context
from shared_models.tables.billing.debit import debit_file, debit_item
from shared_models.values.faults.debit import DebitAnswerNotValid, DebitFileUnknown, DebitNothingToAsk
from shared_models.values.money import Fen
from tests.support.money import Counter

BANK = system_context("bank debit")


def _contract(counter: Counter, account_id: str, bank: str = "ICBC", largest: int | None = None) -> None:
    request = OpenBankDebit(
        account_id=account_id, bank_code=bank, bank_account_no="6222000011112222", holder="张|三", reason="申请",
        from_on=date(2026, 1, 1), largest_fen=None if largest is None else Fen(largest),
    )  # fmt: skip
    counter.act(BankDebitView, lambda uow: debit.open_debit(uow, request=request))


@pytest.fixture
def owing(databases: Databases, counter: Counter) -> list[str]:
    """Five accounts that owe 10 to 50 yuan and have contracts: the fourth with a limit, the last at another bank."""
    accounts = sorted(counter.open_account() for _ in range(5))
    for index, account_id in enumerate(accounts):
        counter.owe(account_id, 202602, [1_000 * (index + 1)])
        _contract(counter, account_id, "ABC" if index == 4 else "ICBC", 2_500 if index == 3 else None)
    return accounts


def _answer(text: str, results: dict[int, str], amounts: dict[int, int] | None = None) -> str:
    """A bank's answer to a file: 00 where nothing else is said."""
    head, *body, _foot = text.strip().split("\n")
    lines, taken = [], 0
    for row in (line.split("|") for line in body):
        seq = int(row[1])
        result, amount = results.get(seq, "00"), (amounts or {}).get(seq, int(row[5]))
        taken += amount if result == "00" else 0
        lines.append(f"D|{seq}|{row[2]}|{amount}|{result}|B{seq:06d}")
    first = head.split("|")
    return "\n".join(["|".join(["R", *first[1:4], str(len(lines)), str(taken)]), *lines, f"T|{len(lines)}|{taken}"])


def test_asked_paid_failed_and_asked_again(databases: Databases, counter: Counter, owing: list[str]) -> None:
    billing = databases.billing
    made = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    assert (made.item_count, made.total_fen) == (4, Fen(1_000 + 2_000 + 3_000 + 2_500))
    text = debit_files.debit_file_text(billing, made.file_no)
    assert text.split("\n")[1].split("|")[3:5] == ["6222000011112222", "张 三"]
    with pytest.raises(DebitNothingToAsk):
        debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    answer = read_answer(_answer(text, {2: "51"}))
    done = debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    assert (done.paid_count, done.paid_fen, done.failed_count, done.waiting_count) == (3, Fen(6_500), 1, 0)
    again = debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    assert again == done, "the same answer twice changes nothing"
    assert [counter.owed(one).owed_fen for one in owing] == [Fen(0), Fen(2_000), Fen(0), Fen(1_500), Fen(5_000)]
    following = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    assert (following.item_count, following.total_fen) == (2, Fen(3_500))
    counter.assert_books_balance()


def test_a_payment_that_is_missing_is_noticed(databases: Databases, counter: Counter, owing: list[str]) -> None:
    billing = databases.billing
    made = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    answer = read_answer(_answer(debit_files.debit_file_text(billing, made.file_no), {}))
    debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    assert counter.books()["debit_items_are_paid"].counted == 4
    with billing.batch() as conn:
        conn.execute(update(debit_item).where(debit_item.c.seq_no == 1).values(amount_fen=Fen(1)))
    assert len(counter.books()["debit_items_are_paid"].wrong) == 1


def test_what_does_not_agree_is_kept_for_a_person(databases: Databases, counter: Counter, owing: list[str]) -> None:
    billing = databases.billing
    made = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    text = debit_files.debit_file_text(billing, made.file_no)
    answer = read_answer(_answer(text, {}, {1: 999}))
    done = debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    assert (done.paid_count, done.check_failed_count) == (3, 1)
    assert counter.owed(owing[0]).owed_fen == Fen(1_000)
    counter.assert_books_balance()


def test_interrupted_while_made_and_while_answered(
    databases: Databases, counter: Counter, owing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    billing = databases.billing
    monkeypatch.setattr(debit_files, "_ITEMS_A_TURN", 1)
    monkeypatch.setattr(debit_files, "_ANSWERS_A_TURN", 1)

    class Killed(BaseException):
        pass

    def dying(after: int, whole: object) -> object:
        left = [after]

        def work(*arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return whole(*arguments, **options)  # type: ignore[operator]

        return work

    with monkeypatch.context() as patch:
        patch.setattr(debit_files.store, "add_items", dying(2, debit_files.store.add_items))
        with pytest.raises(Killed):
            debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    made = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    assert (made.item_count, made.total_fen) == (4, Fen(8_500))
    with billing.reading() as conn:
        assert len(conn.execute(select(debit_file)).all()) == 1
        assert [row.seq_no for row in conn.execute(select(debit_item).order_by(debit_item.c.seq_no))] == [1, 2, 3, 4]
    answer = read_answer(_answer(debit_files.debit_file_text(billing, made.file_no), {}))
    with monkeypatch.context() as patch:
        patch.setattr(debit_files, "book_bank_debit", dying(2, debit_files.book_bank_debit))
        with pytest.raises(Killed):
            debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    done = debit_files.take_debit_answer(billing, answer=answer, context=BANK)
    assert (done.paid_count, done.paid_fen, done.waiting_count) == (4, Fen(8_500), 0)
    assert sum(counter.owed(one).owed_fen.amount_fen for one in owing) == 1_500 + 5_000
    counter.assert_books_balance()


def test_answers_that_are_refused_whole(databases: Databases, owing: list[str]) -> None:
    billing: Database = databases.billing
    made = debit_files.make_debit_file(billing, bank_code="ICBC", context=BANK)
    good = _answer(debit_files.debit_file_text(billing, made.file_no), {})
    lines = good.split("\n")
    for bad in (
        "", "hello", "\n".join(lines[:-1]), "\n".join([*lines[:2], *lines[1:]]), good.replace("|00|B000001", "|00|"),
        good.replace("D|2|", "D|x|"), good.replace(lines[-1], "T|4|1"), good.replace("|1000|", "|-1000|"),
    ):  # fmt: skip
        with pytest.raises(DebitAnswerNotValid):
            read_answer(bad)
    other_file, other_bank = good.replace(made.file_no, "ICBC-1"), good.replace("|ICBC|", "|ABC|")
    for unknown in (other_file, other_bank, good.replace("D|4|", "D|9|")):
        with pytest.raises(DebitFileUnknown):
            debit_files.take_debit_answer(billing, answer=read_answer(unknown), context=BANK)
