"""Re-rating as it is asked for and shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shared_models.contracts.base import Contract, IdField, MicroYuanField, example

RerateState = Literal["running", "done", "cancelled"]


class BeginRerate(Contract):
    """Rate usage again that began on ``from_on`` .. the day before ``until_on``, by what is known today."""

    model_config = example(from_on="2026-03-01", until_on="2026-04-01", tariff_code="VOICE-STD", reason="3 月资费更正")

    from_on: date
    until_on: date = Field(description="the first day that is no longer meant")
    tariff_code: str = Field(
        default="", max_length=40, description="only calls this tariff prices or priced; empty: all"
    )
    account_id: IdField | None = Field(default=None, description="only calls of this account; none: all")
    reason: str = Field(min_length=1, max_length=200)


class RerateView(Contract):
    """A re-rating and how far it is. Amounts are of the calls that changed."""

    rerate_id: IdField
    state: RerateState
    from_on: date
    until_on: date
    tariff_code: str = ""
    account_id: str = ""
    reason: str
    asked_at: datetime
    done_at: datetime | None = None
    at_month: int = Field(description="the month being worked on, or the last one")
    call_count: int = Field(description="calls looked at")
    changed_count: int = Field(description="calls that cost something else now, also those billed by a difference")
    moved_count: int = Field(description="calls that belong to another account now")
    was_micro_yuan: MicroYuanField
    now_micro_yuan: MicroYuanField


class RerateList(Contract):
    """The latest re-ratings, newest first."""

    items: tuple[RerateView, ...]
