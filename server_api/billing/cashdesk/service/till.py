"""A till session from the float to the bank."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.cashdesk import rules, store
from server_api.billing.cashdesk.rules import EntrySum
from server_api.billing.cashdesk.service.entries import Entry, lock_own_till, write_entries
from server_api.billing.cashdesk.service.papers import keep_receipt, take_receipt_no
from server_api.billing.ledger.policy import money_policy
from server_api.billing.ledger.rules import LedgerName, Posting, over_or_short
from server_api.billing.ledger.service import post
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.cashdesk import (
    CloseTill,
    CountTill,
    DayClose,
    Denomination,
    DepositCash,
    Deposited,
    OpenTill,
    TillAudit,
    TillSession,
    TillTotal,
    TillView,
)
from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.cashdesk import (
    CounterUnknown,
    DepositTooMuch,
    TillAlreadyOpen,
    TillDifferenceUnexplained,
    TillFloatNotValid,
    TillNotOpen,
    TillStepNotAllowed,
)
from shared_models.values.ids import derived_id
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import PayMethod, TillState
from shared_models.values.rmb import rmb_capitals


def open_till(uow: UnitOfWork, *, request: OpenTill) -> TillSession:
    """Begin a session at the caller's counter with the float counted into the drawer.

    Raises CounterUnknown, TillFloatNotValid, TillAlreadyOpen.
    """
    context = uow.context
    if not context.counter_no:
        raise CounterUnknown()
    most = money_policy().largest_float
    if not ZERO_FEN <= request.float_fen <= most:
        raise TillFloatNotValid(most=str(most))
    key = rules.counter_key(context)
    standing = store.occupying(uow.conn, key, context.staff_id)
    if standing is not None:
        raise TillAlreadyOpen(counter_no=standing.counter_no, staff_no=standing.staff_no)
    till_id = derived_id(uow.act_id, "till")
    store.insert_till(
        uow.conn,
        {
            "till_id": till_id,
            "hall_code": context.hall_code,
            "district_code": context.district_code,
            "counter_no": context.counter_no,
            "staff_id": context.staff_id,
            "staff_no": context.staff_no,
            "staff_name": context.staff_name,
            "state": TillState.OPEN.value,
            "counter_key": key,
            "staff_key": context.staff_id,
            "business_on": uow.today,
            "opened_at": uow.now,
            "float_fen": request.float_fen,
            "count_no": 0,
        },
    )
    write_entries(uow, till_id, [Entry(rules.FLOAT, PayMethod.CASH, request.float_fen)])
    if request.float_fen:
        post(uow, [Posting(_hall_float(context.hall_code), _drawer(till_id), request.float_fen, till_id)])
    return till_view(uow.conn, till_id)


def count_till(uow: UnitOfWork, *, request: CountTill) -> TillSession:
    """Count the drawer; may be repeated until the day is closed.

    Raises TillNotOpen, TillCountDoesNotAdd, TillStepNotAllowed.
    """
    till = lock_own_till(uow)
    keep_count(uow, till, request.denominations, request.counted_fen)
    return till_view(uow.conn, till.till_id)


def keep_count(uow: UnitOfWork, till: Row[Any], denominations: Sequence[Denomination], counted_fen: Fen) -> Fen:
    """Store what lies in the drawer of a locked session; what it has over (below zero: short).

    Raises TillCountDoesNotAdd, TillFloatNotValid, TillStepNotAllowed.
    """
    if counted_fen < ZERO_FEN:
        raise TillFloatNotValid(most=str(money_policy().largest_payment))
    counted = rules.counted_sum(denominations, counted_fen)
    state = rules.next_state(TillState(till.state), "count")
    expected = rules.cash_of(store.sums_of(uow.conn, till.till_id))
    count_no = till.count_no + 1
    pieces: dict[int, int] = {}
    for line in denominations:
        pieces[line.value_fen] = pieces.get(line.value_fen, 0) + line.pieces
    if pieces:
        store.insert_counts(
            uow.conn,
            [
                {
                    "till_id": till.till_id,
                    "count_no": count_no,
                    "value_fen": value,
                    "pieces": number,
                    "act_id": uow.act_id,
                }
                for value, number in sorted(pieces.items())
            ],
        )
    store.change_till(
        uow.conn,
        till.till_id,
        state=state.value,
        count_no=count_no,
        counted_fen=counted,
        difference_fen=counted - expected,
        counted_at=uow.now,
    )
    return counted - expected


def close_till(uow: UnitOfWork, *, request: CloseTill) -> DayClose:
    """Close the day (日结): book what is over or short, print the report, and let nothing post any more.

    Raises TillNotOpen, TillStepNotAllowed (count first), TillDifferenceUnexplained.
    """
    till = lock_own_till(uow)
    rules.next_state(TillState(till.state), "close")
    difference: Fen = till.difference_fen
    if difference and not request.note:
        raise TillDifferenceUnexplained(difference=str(difference))
    return finish_day(uow, till_id=till.till_id, note=request.note, difference=difference)


def finish_day(uow: UnitOfWork, *, till_id: str, note: str, difference: Fen) -> DayClose:
    """Close a counted session: book the difference, print the report, free counter and person."""
    if difference:
        write_entries(uow, till_id, [Entry(rules.OVER_SHORT, PayMethod.CASH, difference)])
        post(uow, over_or_short(LedgerCode.OVER_SHORT, till_id, _drawer(till_id), difference, till_id))
    store.change_till(
        uow.conn,
        till_id,
        state=TillState.CLOSED.value,
        closed_at=uow.now,
        closed_by=uow.context.staff_id,
        remark=note,
        counter_key=till_id,
        staff_key=till_id,
    )
    view = till_view(uow.conn, till_id)
    lines = tuple(
        ReceiptLine(
            label=_words(f"receipt.till_item.{total.item}"),
            detail=_words(f"receipt.method.{total.method}"),
            amount_fen=total.amount_fen,
        )
        for total in view.totals
    )
    report = _paper(uow, ReceiptKind.DAY_CLOSE, lines, _by_method(view.totals), note, till_id)
    return DayClose(till=view, report=report)


def deposit_cash(uow: UnitOfWork, *, request: DepositCash) -> Deposited:
    """Hand the cash of the caller's oldest closed session to the bank (缴款); what is not deposited goes back to the
    hall's float.

    Raises TillNotOpen (no closed session waits), DepositTooMuch.
    """
    waiting = store.undeposited_of(uow.conn, uow.context.staff_id)
    till = store.lock_till(uow, waiting) if waiting is not None else None
    if till is None:
        raise TillNotOpen(counter_no=uow.context.counter_no)
    if till.state != TillState.CLOSED:
        raise TillStepNotAllowed(state=till.state)
    counted: Fen = till.counted_fen
    if request.amount_fen > counted:
        raise DepositTooMuch(amount=str(request.amount_fen), counted=str(counted))
    rest = counted - request.amount_fen
    till_id = till.till_id
    entries = [Entry(rules.DEPOSIT, PayMethod.CASH, -request.amount_fen)]
    postings = [Posting(_drawer(till_id), LedgerName(LedgerCode.BANK, till_id), request.amount_fen, till_id)]
    if rest:
        entries.append(Entry(rules.FLOAT, PayMethod.CASH, -rest))
        postings.append(Posting(_drawer(till_id), _hall_float(till.hall_code), rest, till_id))
    write_entries(uow, till_id, entries)
    post(uow, postings)
    store.change_till(
        uow.conn,
        till_id,
        state=TillState.DEPOSITED.value,
        deposited_fen=request.amount_fen,
        deposited_at=uow.now,
    )
    line = ReceiptLine(label=_words("receipt.till_item.deposit"), detail=request.slip_no, amount_fen=request.amount_fen)
    method = MethodLine(method=PayMethod.CASH, amount_fen=request.amount_fen)
    slip = _paper(uow, ReceiptKind.DEPOSIT_SLIP, (line,), (method,), request.bank, till_id)
    store.insert_slip(
        uow.conn,
        {
            "slip_id": derived_id(uow.act_id, "slip"),
            "till_id": till_id,
            "hall_code": till.hall_code,
            "district_code": till.district_code,
            "amount_fen": request.amount_fen,
            "bank_name": request.bank,
            "bank_slip_no": request.slip_no,
            "receipt_no": slip.receipt_no,
            "deposited_at": uow.now,
            "staff_id": uow.context.staff_id,
        },
    )
    return Deposited(till=till_view(uow.conn, till_id), slip=slip)


def current_till(conn: Connection, context: WorkContext) -> TillView:
    """The caller's own live session at this counter; failing that the oldest closed one still to be deposited."""
    row = store.live_till(conn, rules.counter_key(context)) if context.counter_no else None
    if row is not None and row.staff_id == context.staff_id:
        return TillView(till=till_view(conn, row.till_id))
    waiting = store.undeposited_of(conn, context.staff_id)
    return TillView(till=till_view(conn, waiting) if waiting is not None else None)


def list_tills(
    conn: Connection,
    context: WorkContext,
    *,
    business_on: date | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[TillSession]:
    """Sessions in the caller's data scope, newest first."""
    rows = store.list_tills(conn, context, business_on, after, limit)
    audits = store.audits_of(conn, [row.till_id for row in rows])
    return [_session(row, store.sums_of(conn, row.till_id), audits.get(row.till_id, ())) for row in rows]


def till_view(conn: Connection, till_id: str) -> TillSession:
    """A session as it is shown."""
    row = store.read_till(conn, till_id)
    if row is None:
        raise TillNotOpen(counter_no="")
    return _session(row, store.sums_of(conn, till_id), store.audits_of(conn, [till_id]).get(till_id, ()))


def _session(row: Row[Any], sums: Sequence[EntrySum], audits: Sequence[Any]) -> TillSession:
    cash_in = rules.cash_of(sums, (rules.PAYMENT, rules.DEPOSIT_IN))
    cash_out = -rules.cash_of(sums, (rules.REVERSAL, rules.REFUND, rules.DEPOSIT_OUT))
    return TillSession(
        till_session_id=row.till_id,
        hall_code=row.hall_code,
        counter_no=row.counter_no,
        staff_no=row.staff_no,
        staff_name=row.staff_name or "",
        state=TillState(row.state),
        opened_at=row.opened_at,
        business_on=row.business_on,
        float_fen=row.float_fen,
        cash_in_fen=cash_in,
        cash_out_fen=cash_out,
        expected_cash_fen=row.float_fen + cash_in - cash_out,
        payment_count=sum(entry.count for entry in sums if entry.item == rules.PAYMENT),
        reversal_count=sum(entry.count for entry in sums if entry.item == rules.REVERSAL),
        totals=tuple(
            TillTotal(method=entry.method, item=entry.item, count=entry.count, amount_fen=entry.amount)
            for entry in sums
        ),
        counted_fen=row.counted_fen,
        difference_fen=row.difference_fen,
        closed_at=row.closed_at,
        deposited_fen=row.deposited_fen,
        note=row.remark or "",
        audits=tuple(
            TillAudit(level=one.level_no, staff_no=one.staff_no, audited_at=one.audited_at, note=one.remark or "")
            for one in audits
        ),
    )


def _by_method(totals: Sequence[TillTotal]) -> tuple[MethodLine, ...]:
    sums: dict[str, Fen] = {}
    for total in totals:
        sums[total.method] = sums.get(total.method, ZERO_FEN) + total.amount_fen
    return tuple(MethodLine(method=method, amount_fen=amount) for method, amount in sums.items())


def _paper(
    uow: UnitOfWork,
    kind: ReceiptKind,
    lines: tuple[ReceiptLine, ...],
    methods: tuple[MethodLine, ...],
    note: str,
    till_id: str,
) -> Receipt:
    context = uow.context
    seq_no, receipt_no = take_receipt_no(uow)
    total = Fen.total(line.amount_fen for line in lines)
    receipt = Receipt(
        kind=kind,
        receipt_no=receipt_no,
        hall_code=context.hall_code,
        hall_name=context.hall_name or context.hall_code,
        counter_no=context.counter_no,
        staff_no=context.staff_no,
        staff_name=context.staff_name,
        lines=lines,
        total_fen=total,
        total_capitals=rmb_capitals(total),
        methods=methods,
        issued_at=uow.now,
        act_id=uow.act_id,
        barcode_text=receipt_no,
        note=note,
    )
    keep_receipt(uow, receipt, seq_no=seq_no, till_id=till_id)
    return receipt


def _words(key: str) -> str:
    return resources.text(key, "zh_CN")


def _drawer(till_id: str) -> LedgerName:
    return LedgerName(LedgerCode.CASH, till_id)


def _hall_float(hall_code: str) -> LedgerName:
    return LedgerName(LedgerCode.FLOAT, hall_code)
