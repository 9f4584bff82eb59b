"""The till's steps and sums, and how papers are numbered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared_models.contracts.cashdesk import Denomination
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.cashdesk import TillCountDoesNotAdd, TillStepNotAllowed
from shared_models.values.money import Fen
from shared_models.values.money_states import TILL_MOVES, PayMethod, TillState

FLOAT, PAYMENT, REVERSAL, REFUND, OVER_SHORT, DEPOSIT = (
    "float",
    "payment",
    "reversal",
    "refund",
    "over_short",
    "deposit",
)
#: Deposits of customers (押金) taken into the drawer and given back out of it.
DEPOSIT_IN, DEPOSIT_OUT = "deposit_in", "deposit_out"


@dataclass(frozen=True, slots=True)
class EntrySum:
    """What one reason and one method brought (or took) in a session."""

    item: str
    method: PayMethod
    count: int
    amount: Fen


def next_state(state: TillState, event: str) -> TillState:
    """The state after an event; raises TillStepNotAllowed where the table has none."""
    following = TILL_MOVES[state].get(event)
    if following is None:
        raise TillStepNotAllowed(state=state.value)
    return following


def counter_key(context: WorkContext) -> str:
    """What a live session occupies: one counter of one hall."""
    return f"{context.hall_code}/{context.counter_no}"


def cash_of(sums: Iterable[EntrySum], items: Sequence[str] | None = None) -> Fen:
    """The cash of some reasons, or of all."""
    return Fen.total(
        entry.amount for entry in sums if entry.method is PayMethod.CASH and (items is None or entry.item in items)
    )


def counted_sum(denominations: Sequence[Denomination], counted: Fen) -> Fen:
    """The counted cash; raises TillCountDoesNotAdd where notes and coins say something else."""
    if not denominations:
        return counted
    total = Fen(sum(line.value_fen * line.pieces for line in denominations))
    if total != counted:
        raise TillCountDoesNotAdd(counted=str(counted), sum=str(total))
    return total


def receipt_no_of(hall_code: str, counter_no: str, seq_no: int) -> str:
    """A paper's number: hall, counter, and the gapless count of that counter."""
    return f"{hall_code}-{counter_no}-{seq_no:07d}"
