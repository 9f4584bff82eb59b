"""Bills as they are asked for and shown: lists, one bill, a line opened to what it was made of, and the month run."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from shared_models.contracts.adjustment import AdjustmentRow
from shared_models.contracts.base import Contract, FenField, IdField, MicroYuanField, PageOf
from shared_models.contracts.rating import RatedCall
from shared_models.values.money import ZERO_FEN


class BillState(StrEnum):
    """Where a bill stands; 'overdue' is said by its day, not kept."""

    OPEN = "open"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class LineKind(StrEnum):
    """What a line is. ``usage`` and ``rerated`` open to calls, ``imported`` to nothing, all others to charges."""

    RECURRING = "recurring"
    USAGE = "usage"
    IMPORTED = "imported"
    #: an earlier month's fees as they should have been, less what was billed for them
    CORRECTION = "correction"
    #: what re-rating an earlier month's usage changed
    RERATED = "rerated"
    DISCOUNT = "discount"
    #: what was missing to the minimum spend
    MINIMUM = "minimum"
    #: 违约金 on overdue bills, and what was waived of it
    LATE_FEE = "late_fee"
    WAIVED = "waived"
    #: a commitment left too soon
    EARLY_STOP = "early_stop"
    DEPOSIT = "deposit"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    OTHER = "other"


class BillHead(Contract):
    """A bill in a list."""

    bill_id: IdField
    bill_no: str
    account_id: IdField
    account_no: str
    yyyymm: int
    state: BillState
    overdue: bool = False
    issued_on: date
    due_on: date
    total_fen: FenField
    open_fen: FenField
    paid_fen: FenField = Field(description="total less what is still open")
    line_count: int


class BillPage(PageOf):
    """Bills of an account, newest first."""

    items: tuple[BillHead, ...] = ()


class BillLineView(Contract):
    """A line of a bill, in the reader's language."""

    line_no: int
    kind: LineKind
    product_id: str = ""
    product_no: str = ""
    service: str
    service_label: str
    shown_as: str = ""
    item_code: str
    label: str
    offering_label: str = ""
    from_on: date
    until_on: date = Field(description="exclusive")
    part_count: int = Field(description="calls or sessions behind a usage line, charges behind a recurring one")
    quantity: int = 0
    charge_micro_yuan: MicroYuanField
    amount_fen: FenField
    net_fen: FenField
    tax_fen: FenField
    tax_per_mille: int
    netted_fen: FenField = Field(default=ZERO_FEN, description="set against a credit line of the same bill")


class ServiceTotal(Contract):
    """What one service costs on a bill."""

    service: str
    label: str
    amount_fen: FenField


class TaxTotal(Contract):
    """The lines of one tax rate."""

    tax_per_mille: int
    gross_fen: FenField
    net_fen: FenField
    tax_fen: FenField


class BillPayer(Contract):
    """Who the bill is made out to, as known when it was frozen."""

    customer_no: str = ""
    name: str = ""
    address: str = ""
    tax_no: str = ""


class BillDocument(Contract):
    """A whole bill: what the page, the PDF and a program show."""

    head: BillHead
    payer: BillPayer
    from_on: date
    until_on: date
    owed_before_fen: FenField = Field(description="owed from earlier bills when this one was frozen")
    advance_before_fen: FenField = Field(description="held in advance when this one was frozen")
    net_fen: FenField
    tax_fen: FenField
    services: tuple[ServiceTotal, ...]
    lines: tuple[BillLineView, ...]
    taxes: tuple[TaxTotal, ...]
    adjustments: tuple[AdjustmentRow, ...] = Field(default=(), description="taken off lines since the bill was issued")
    frozen_at: datetime


class ChargeView(Contract):
    """A recurring charge with what made its amount: price × numerator ÷ denominator, floored once to micro-yuan."""

    charge_no: int
    charge_month: int
    kind: str = Field(description="month | term | refund | correction")
    rule: str
    text: str = Field(description="the explanation in the reader's language")
    offering_code: str
    price_code: str
    price_version: int
    bundle_code: str = ""
    from_on: date
    until_on: date
    price_micro_yuan: MicroYuanField
    numerator: int
    denominator: int
    share_per_mille: int
    amount_micro_yuan: MicroYuanField


class LineOpening(PageOf):
    """A line opened: its charges, or a page of its calls. All of them sum to ``line.charge_micro_yuan``."""

    line: BillLineView
    charges: tuple[ChargeView, ...] = ()
    calls: tuple[RatedCall, ...] = ()
    rounding: str = Field(description="the one rounding, in words: micro-yuan to fen, half up")


class RunState(StrEnum):
    """Where a month run stands."""

    RUNNING = "running"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class RunProgress(Contract):
    """How far a month run is."""

    run_id: IdField
    yyyymm: int
    billing_day: int = Field(default=1, description="accounts whose cycle ends on this day of the next month")
    state: RunState
    issued_on: date
    due_on: date
    account_count: int
    done_count: int
    bill_count: int
    aside_count: int
    total_fen: FenField
    began_at: datetime
    closed_at: datetime | None = None
    remaining_s: int | None = Field(default=None, description="from the pace of the last minute; None where unknown")


class RunProgressPage(PageOf):
    """The latest month runs."""

    items: tuple[RunProgress, ...] = ()


class SetAside(Contract):
    """An account the run could not bill, and why."""

    account_id: IdField
    account_no: str = Field(default="", description="as people know it")
    reason: str
    text: str


class SetAsidePage(PageOf):
    """Accounts set aside by a run."""

    items: tuple[SetAside, ...] = ()


class PreviewRow(Contract):
    """One item of one service in one region, last month and as drafted."""

    service: str
    region: str = ""
    item_code: str
    last_count: int = Field(default=0, description="lines last month")
    last_fen: FenField = ZERO_FEN
    draft_count: int = Field(default=0, description="lines drafted")
    draft_fen: FenField = ZERO_FEN
    difference_fen: FenField = ZERO_FEN


class Outlier(Contract):
    """An account whose draft differs much from its last bill, and what made most of the difference."""

    account_id: IdField
    account_no: str
    last_fen: FenField
    draft_fen: FenField
    difference_fen: FenField
    why: str = Field(
        default="",
        description="first_bill | no_bill | correction | term | product_added | product_gone | usage | price",
    )
    item_code: str = Field(default="", description="the item that differs most")
    item_last_fen: FenField = ZERO_FEN
    item_draft_fen: FenField = ZERO_FEN
    text: str = Field(default="", description="why, in the reader's language")


class RunPreview(Contract):
    """What a month run would make, without making it."""

    yyyymm: int
    account_count: int
    bill_count: int
    aside_count: int
    total_fen: FenField
    last_total_fen: FenField = ZERO_FEN
    last_bill_count: int = 0
    services: tuple[ServiceTotal, ...] = ()
    rows: tuple[PreviewRow, ...] = ()
    outlier_count: int = 0
    outliers: tuple[Outlier, ...] = Field(default=(), description="the largest differences first")
    aside: tuple[SetAside, ...] = ()
    made_at: datetime | None = None


class BeginRun(Contract):
    """Begin the run of a month and billing day, or go on with the one that stopped."""

    yyyymm: int = Field(ge=200001, le=999912, examples=[202603])
    billing_day: int = Field(default=1, ge=1, le=31, description="1: accounts billed by the calendar month")


class SetBillingDay(Contract):
    """From which month on an account's cycles begin on which day."""

    billing_day: int = Field(ge=1, le=31, examples=[16], description="a day a month does not have is its last")
    from_month: int | None = Field(
        default=None, ge=200001, le=999912, examples=[202604], description="left out: the first that is possible"
    )


class BillingDayView(Contract):
    """An account's billing day from a month on, with the cycles around the change."""

    account_id: IdField
    billing_day: int
    from_month: int
    last_from_on: date = Field(description="the last cycle under the day before")
    last_until_on: date = Field(description="exclusive; the new day's first cycle begins here")
    first_until_on: date = Field(description="the end of the first cycle under the new day, exclusive")


class CycleOfMonth(Contract):
    """The accounts of a month that one run bills."""

    billing_day: int
    until_on: date = Field(description="the cycle's end, exclusive: the run may begin on this day")
    account_count: int
    state: str = Field(description="open | running | cancelled | closed")


class CyclesOfMonth(PageOf):
    """All runs a month needs, by billing day."""

    items: tuple[CycleOfMonth, ...] = ()


class LateBill(Contract):
    """A bill made for an account its month's run had set aside; no bill where there was nothing to bill."""

    account_id: IdField
    yyyymm: int
    bill_id: str = ""
    bill_no: str = ""
    total_fen: FenField = ZERO_FEN
    due_on: date | None = None
