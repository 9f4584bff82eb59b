"""What payments need of a till: lock the caller's own, and book what went in or out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from server_api.billing.cashdesk import rules, store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.faults.cashdesk import CounterUnknown, TillNotOpen
from shared_models.values.money import Fen
from shared_models.values.money_states import PayMethod, TillState


@dataclass(frozen=True, slots=True)
class Entry:
    """Money into the till, or out of it (below zero)."""

    item: str
    method: PayMethod
    amount: Fen
    payment_id: str = ""


def lock_own_till(uow: UnitOfWork) -> Row[Any]:
    """Lock the live session of the caller at the caller's counter, after the account in the lock order.

    Raises CounterUnknown, TillNotOpen (also where a colleague's session is open at the counter).
    """
    if not uow.context.counter_no:
        raise CounterUnknown()
    till = store.lock_live(uow, rules.counter_key(uow.context))
    if till is None or till.staff_id != uow.context.staff_id:
        raise TillNotOpen(counter_no=uow.context.counter_no)
    return till


def lock_live_till(uow: UnitOfWork) -> Row[Any] | None:
    """Lock the caller's live session where there is one: for papers that an office may do without."""
    if not uow.context.counter_no:
        return None
    till = store.lock_live(uow, rules.counter_key(uow.context))
    return till if till is not None and till.staff_id == uow.context.staff_id else None


def book_entries(uow: UnitOfWork, till: Row[Any], entries: Sequence[Entry], *, first_line: int = 1) -> None:
    """Write entries to a locked session; taking or giving money makes a count void."""
    state = TillState(till.state)
    if state is not TillState.TRADING:
        store.change_till(
            uow.conn,
            till.till_id,
            state=rules.next_state(state, "trade").value,
            counted_fen=None,
            difference_fen=None,
            counted_at=None,
        )
    write_entries(uow, till.till_id, entries, first_line=first_line)


def write_entries(uow: UnitOfWork, till_id: str, entries: Sequence[Entry], *, first_line: int = 1) -> None:
    """Write entries whatever the session's state is (float, difference, deposit)."""
    store.insert_entries(
        uow.conn,
        [
            {
                "till_id": till_id,
                "act_id": uow.act_id,
                "line_no": line_no,
                "item": entry.item,
                "method": entry.method.value,
                "amount_fen": entry.amount,
                "payment_id": entry.payment_id,
                "occurred_at": uow.now,
            }
            for line_no, entry in enumerate(entries, first_line)
        ],
    )


def drawer_cash(uow: UnitOfWork, till: Row[Any]) -> Fen:
    """The cash that lies in a locked session's drawer by its entries."""
    return rules.cash_of(store.sums_of(uow.conn, till.till_id))
