"""Approval by a second person: asked for at a counter, given once, bound to one act, and soon over."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shared_models.contracts.base import Contract, FenField, IdField, PositiveFen, example
from shared_models.values.giving import Giving


class Approval(Contract):
    """What was approved, by whom and for whom. Signed by the edge; used once."""

    approval_id: str
    kind: Giving
    account_id: str
    amount_fen: FenField
    asked_by_no: str
    approver_id: str
    approver_no: str
    approver_name: str = ""
    hall_code: str
    district_code: str
    scope: str
    reason: str = ""
    given_at: datetime
    expires_at: datetime


class GiveApproval(Contract):
    """A second person approves one act of a colleague: this kind, this account, exactly this amount."""

    kind: Giving
    account_id: IdField
    amount_fen: PositiveFen
    asked_by_no: str = Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9]+$", description="the asker's number")
    reason: str = Field(min_length=1, max_length=200)

    model_config = example(
        kind="refund", account_id="0f" * 16, amount_fen=800_000, asked_by_no="1001", reason="客户迁出本市"
    )


class ApproveAtCounter(Contract):
    """A second person comes to the asker's counter and signs there with number and password."""

    kind: Giving
    account_id: IdField
    amount_fen: PositiveFen
    reason: str = Field(min_length=1, max_length=200)
    staff_no: str = Field(min_length=1, max_length=20, description="the approver's number")
    password: str = Field(min_length=1, max_length=200, repr=False)


class ApprovalGiven(Contract):
    """The approval: the asker's client sends ``token`` as the header ``Approval`` with the act it is for."""

    approval_id: str
    token: str = Field(repr=False)
    expires_at: datetime


class LimitLine(Contract):
    """How much of a limit a person has used on a day and in its month."""

    staff_id: str = ""
    kind: str = Field(description="a Giving; with + behind it: approved acts, which use up no limit")
    day_on: date
    used_day_fen: FenField
    used_month_fen: FenField
    limit_day_fen: FenField | None = None
    limit_month_fen: FenField | None = None
    act_count: int
    warning: bool = Field(default=False, description="four fifths of the day's or the month's limit are used")


class LimitReport(Contract):
    """The limits of one person, or of everybody on a day."""

    lines: tuple[LimitLine, ...] = ()
