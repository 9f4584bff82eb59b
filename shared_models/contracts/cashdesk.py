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


class TillAudit(Contract):
    """One level of a session's audit (稽核)."""

    level: int
    staff_no: str
    audited_at: datetime
    note: str = ""


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
    audits: tuple[TillAudit, ...] = Field(default=(), description="levels passed so far, the first first")


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


class CloseForOther(Contract):
    """Count and close a session its teller left behind; the reason goes into the day report."""

    denominations: tuple[Denomination, ...] = Field(default=(), max_length=30)
    counted_fen: FenField
    note: str = Field(min_length=1, max_length=200)

    model_config = example(counted_fen=30000, note="柜员请病假")


class AuditTill(Contract):
    """Say that slip and day report agree; ``amount_fen`` is what the bank's slip says."""

    amount_fen: FenField
    note: str = Field(default="", max_length=200)

    model_config = example(amount_fen=9700)


class Reprint(Contract):
    """Ask for another copy of a paper; it says 补打."""

    reason: str = Field(default="", max_length=200)
