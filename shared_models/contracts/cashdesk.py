"""Tills: opening, counting, closing the day, handing the cash to the bank; and reprinting papers."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shared_models.contracts.base import Contract, FenField, PageOf, PositiveFen, example
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import ZERO_FEN
from shared_models.values.money_states import PayMethod, TillState


class TillTotal(Contract):
    """What came in or went out by one method for one reason."""

    method: PayMethod
    item: str = Field(description="float | payment | reversal | refund | over_short | deposit")
    count: int
    amount_fen: FenField


class TillSession(Contract):
    """A till session with its sums."""

    till_session_id: str
    hall_code: str
    counter_no: str
    staff_no: str
    staff_name: str = ""
    state: TillState
    opened_at: datetime
    business_on: date
    float_fen: FenField
    cash_in_fen: FenField
    cash_out_fen: FenField
    expected_cash_fen: FenField = Field(description="float + cash in - cash out: what must lie in the drawer")
    payment_count: int
    reversal_count: int
    totals: tuple[TillTotal, ...] = ()
    counted_fen: FenField | None = None
    difference_fen: FenField | None = Field(default=None, description="counted - expected: above zero is over (长款)")
    closed_at: datetime | None = None
    deposited_fen: FenField | None = None
    note: str = ""


class TillView(Contract):
    """The caller's own live session, or none."""

    till: TillSession | None = None


class TillPage(PageOf):
    """Sessions within the caller's data scope, newest first."""

    items: tuple[TillSession, ...] = ()


class OpenTill(Contract):
    """Begin a session with the float (备用金) counted into the drawer."""

    float_fen: FenField = ZERO_FEN

    model_config = example(float_fen=20000)


class Denomination(Contract):
    """So many notes or coins of one value."""

    value_fen: int = Field(ge=1, le=1_000_000)
    pieces: int = Field(ge=0, le=1_000_000)


class CountTill(Contract):
    """Count the drawer, float included. ``counted_fen`` must be the sum of the denominations where they are given."""

    denominations: tuple[Denomination, ...] = Field(default=(), max_length=30)
    counted_fen: FenField

    model_config = example(denominations=[{"value_fen": 10000, "pieces": 3}], counted_fen=30000)


class CloseTill(Contract):
    """Close the day. A difference needs a note that explains it."""

    note: str = Field(default="", max_length=200)


class DayClose(Contract):
    """The closed session and the paper about it."""

    till: TillSession
    report: Receipt


class DepositCash(Contract):
    """Hand the day's cash to the bank; at most what lies in the closed till."""

    amount_fen: PositiveFen
    slip_no: str = Field(default="", max_length=40, pattern=r"^[ -~]*$")
    bank: str = Field(default="", max_length=60)


class Deposited(Contract):
    """The deposited session and the slip."""

    till: TillSession
    slip: Receipt


class Reprint(Contract):
    """Ask for another copy of a paper; it says 补打."""

    reason: str = Field(default="", max_length=200)
