"""Files for banks (托收): what is owed under contracts asked for, and what a bank answers booked.

Both may be killed anywhere and started again: a file in making is gone on with, an item answered is not answered twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server_api.billing.account import debit as contracts
from server_api.billing.account.debit import DebitContract
from server_api.billing.payment import store as payments
from server_api.billing.payment.debit_text import Answer, AnswerLine, AskedLine, asked_text
from server_api.billing.payment.service.debit import DebitPaid, book_bank_debit
from server_api.billing.payment.store import debit as store
from server_api.platform import audit
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.numbering import take_numbers
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.debit import DebitAnswered, DebitFileMade
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import town_day
from shared_models.values.faults.debit import DebitFileUnknown, DebitNothingToAsk
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import ZERO_FEN, Fen

NUMBERS = "bank_debit_file"
_ITEMS_A_TURN = 200
_ANSWERS_A_TURN = 50
#: Every account id lies between these.
_FIRST, _LAST = "0", "g"


@dataclass(frozen=True, slots=True)
class _Asked:
    contract: DebitContract
    amount: Fen
    bill_ids: tuple[str, ...]


def make_debit_file(database: Database, *, bank_code: str, context: WorkContext) -> DebitFileMade:
    """Ask a bank for all that is owed under its running contracts and was not asked for already.

    A contract's largest amount is kept to. Raises DebitNothingToAsk.
    """
    with database.reading() as conn:
        begun = store.file_in_making(conn, bank_code)
    asked = _asked(database, bank_code)
    if not asked and begun is None:
        raise DebitNothingToAsk(bank=bank_code)
    act_id = derived_id("debit_file", begun.file_no) if begun is not None else new_id()
    if begun is None:
        made = _act(database, act_id, "begin", context, lambda uow: _begin(uow, bank_code))
        file_no = DebitFileMade.model_validate_json(made.reply).file_no
    else:
        file_no = begun.file_no
    with database.reading() as conn:
        first = store.sums(conn, file_no)[0] + 1
    for begin in range(0, len(asked), _ITEMS_A_TURN):
        rows = _rows(file_no, asked[begin : begin + _ITEMS_A_TURN], first + begin)
        with database.batch() as conn:
            store.add_items(database, conn, rows)
    done = _act(database, derived_id("debit_file", file_no, "done"), "done", context, lambda uow: _done(uow, file_no))
    return DebitFileMade.model_validate_json(done.reply)


def debit_file_text(database: Database, file_no: str) -> str:
    """The file as the bank gets it, made anew from what was asked each time: it is kept nowhere in clear.

    Raises DebitFileUnknown.
    """
    with database.reading() as conn:
        head = store.file(conn, file_no)
        if head is None:
            raise DebitFileUnknown(file_no=file_no)
        items = store.items(conn, file_no)
        clear = contracts.contracts_named(conn, database.secrets, [item.contract_no for item in items])
    lines = [
        AskedLine(
            item.seq_no, item.contract_no, clear[item.contract_no].bank_account_no, clear[item.contract_no].holder,
            item.amount_fen,
        )
        for item in items
    ]  # fmt: skip
    return asked_text(file_no, head.bank_code, head.asked_on, lines)


def take_debit_answer(database: Database, *, answer: Answer, context: WorkContext) -> DebitAnswered:
    """Book what a bank took and note what it did not; lines answered before are left as they are.

    A line that does not agree with what was asked (another contract or amount, an account closed since) is noted as
    ``check_failed`` for a person: that money is at the bank and was not booked. Raises DebitFileUnknown.
    """
    with database.reading() as conn:
        head = store.file(conn, answer.file_no)
        if head is None or head.bank_code != answer.bank_code:
            raise DebitFileUnknown(file_no=answer.file_no)
        known = {item.seq_no for item in store.items(conn, answer.file_no)}
    if any(line.seq_no not in known for line in answer.lines):
        raise DebitFileUnknown(file_no=answer.file_no)
    for begin in range(0, len(answer.lines), _ANSWERS_A_TURN):
        some = answer.lines[begin : begin + _ANSWERS_A_TURN]
        _act(database, new_id(), "answer", context, lambda uow, some=some: _take(uow, answer.file_no, some))
    done = _act(database, new_id(), "answered", context, lambda uow: _answered(uow, answer.file_no))
    return DebitAnswered.model_validate_json(done.reply)


def _asked(database: Database, bank_code: str) -> list[_Asked]:
    with database.reading() as conn:
        on = town_day(database.clock.now())
        running = contracts.live_contracts(conn, database.secrets, from_id=_FIRST, until_id=_LAST, on=on)
        waiting = store.waiting_accounts(conn)
        mine = [one for one in running if one.bank_code == bank_code and one.account_id not in waiting]
        owed = payments.open_bills_of(conn, [one.account_id for one in mine])
    found = []
    for one in sorted(mine, key=lambda contract: contract.account_id):
        bills = owed.get(one.account_id, [])
        total = sum((bill.left for bill in bills), ZERO_FEN)
        amount = total if one.largest is None else min(total, one.largest)
        if amount > ZERO_FEN:
            found.append(_Asked(one, amount, tuple(bill.bill_id for bill in bills)))
    return found


def _rows(file_no: str, asked: Sequence[_Asked], first: int) -> list[tuple[Any, ...]]:
    return [
        (file_no, seq_no, one.contract.account_id, one.contract.contract_no, one.amount.amount_fen,
         json.dumps(one.bill_ids), store.SENT, one.contract.account_id, None, None)
        for seq_no, one in enumerate(asked, first)
    ]  # fmt: skip


def _begin(uow: UnitOfWork, bank_code: str) -> DebitFileMade:
    file_no = f"{bank_code}-{uow.today:%Y%m%d}-{take_numbers(uow, NUMBERS, 1):05d}"
    store.add_file(uow.conn, file_no=file_no, bank_code=bank_code, on=uow.today, by=uow.context.staff_id, at=uow.now)
    return DebitFileMade(file_no=file_no, bank_code=bank_code, item_count=0, total_fen=ZERO_FEN)


def _done(uow: UnitOfWork, file_no: str) -> DebitFileMade:
    head = store.file(uow.conn, file_no)
    count, total = store.sums(uow.conn, file_no)
    store.set_file(uow.conn, file_no, state=store.SENT, item_count=count, total_fen=total)
    audit.note(uow, "debit.asked", f"debit_file:{file_no}", f"{count} {total}")
    return DebitFileMade(file_no=file_no, bank_code=head.bank_code if head else "", item_count=count, total_fen=total)


def _take(uow: UnitOfWork, file_no: str, lines: Sequence[AnswerLine]) -> DebitAnswered:
    asked = {item.seq_no: item for item in store.items(uow.conn, file_no, [line.seq_no for line in lines])}
    open_lines = [line for line in lines if asked[line.seq_no].state == store.SENT]
    closed = store.closed_accounts(uow.conn, [asked[line.seq_no].account_id for line in open_lines])
    good = [line for line in open_lines if line.taken and _agrees(line, asked[line.seq_no], closed)]
    good.sort(key=lambda line: asked[line.seq_no].account_id)
    items = [
        DebitPaid(item.account_id, line.amount, line.trace_no, tuple(item.bill_ids))
        for line in good
        for item in (asked[line.seq_no],)
    ]
    paid = dict(zip((line.seq_no for line in good), book_bank_debit(uow, items=items, file_no=file_no), strict=True))
    for line in open_lines:
        state = store.PAID if line.seq_no in paid else store.CHECK_FAILED if line.taken else store.FAILED
        payment_id = paid.get(line.seq_no)
        store.settle_item(uow.conn, file_no, line.seq_no, state=state, code=line.result, payment_id=payment_id)
    return _summary(uow, file_no)


def _agrees(line: AnswerLine, item: Any, closed: set[str]) -> bool:
    same = (line.contract_no, line.amount) == (item.contract_no, item.amount_fen)
    return same and item.account_id not in closed


def _answered(uow: UnitOfWork, file_no: str) -> DebitAnswered:
    summary = _summary(uow, file_no)
    if summary.waiting_count == 0:
        store.set_file(uow.conn, file_no, state=store.ANSWERED, answered_at=uow.now)
    audit.note(uow, "debit.answered", f"debit_file:{file_no}", f"{summary.paid_count} {summary.paid_fen}")
    return summary


def _summary(uow: UnitOfWork, file_no: str) -> DebitAnswered:
    counts = {state: store.sums(uow.conn, file_no, state) for state in
              (store.SENT, store.PAID, store.FAILED, store.CHECK_FAILED)}  # fmt: skip
    return DebitAnswered(
        file_no=file_no,
        paid_count=counts[store.PAID][0],
        paid_fen=counts[store.PAID][1],
        failed_count=counts[store.FAILED][0],
        check_failed_count=counts[store.CHECK_FAILED][0],
        waiting_count=counts[store.SENT][0],
    )


def _act(database: Database, act_id: str, step: str, context: WorkContext, work: Any) -> Any:
    return perform(database, Act(act_id, f"bank_debit.{step}", digest_of({"act": act_id}), context), work)
