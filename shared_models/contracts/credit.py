"""Credit control and price questions as a switch, an access server or a person asks them.

Quantities count from the beginning of the call, in the unit of its tariff. The messages and their numbers follow the
initial, update, termination and event requests of Diameter credit control. **Source:** RFC 8506, sections 5 and 8.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import Contract, IdField, MicroYuanField, example
from shared_models.values.money import MicroYuan

MOST_IN_A_BATCH = 5_000
LARGEST_QUANTITY = 2**53

Service = Literal["voice", "broadband"]
#: A number as dialled in the town, or a login.
AccessText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
DialledText = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9+*#]*$")]
Quantity = Annotated[int, Field(ge=0, le=LARGEST_QUANTITY)]
Verdict = Literal["granted", "partial", "exhausted", "restricted", "not_applicable", "ended"]


class BeginCredit(Contract):
    """A call begins: may it, and for how long?"""

    session_id: IdField = Field(description="made by who asks, one for each call")
    service: Service
    access: AccessText = Field(description="who pays: the number or login")
    called: DialledText = ""
    started_at: datetime | None = Field(default=None, description="now where it is left out")
    ask: int | None = Field(default=None, ge=1, le=LARGEST_QUANTITY, description="policy's measure where left out")

    model_config = {
        **Contract.model_config,
        **example(session_id="5c" * 16, service="voice", access="3961234", called="02164851234"),
    }


class UpdateCredit(Contract):
    """So much was used; more is wanted."""

    request_no: int = Field(ge=1, le=2**31 - 1, description="rises with each message of the session")
    used: Quantity = Field(description="since the beginning of the call")
    ask: int | None = Field(default=None, ge=1, le=LARGEST_QUANTITY)

    model_config = {**Contract.model_config, **example(request_no=1, used=540)}


class EndCredit(Contract):
    """The call has ended: debit what it used and let the rest go."""

    request_no: int = Field(ge=1, le=2**31 - 1)
    used: Quantity

    model_config = {**Contract.model_config, **example(request_no=2, used=733)}


class ChargeEvent(Contract):
    """Something that has no duration for us: debit it at once, or refuse it."""

    session_id: IdField
    service: Service
    access: AccessText
    called: DialledText = ""
    at: datetime | None = None
    quantity: int = Field(default=1, ge=1, le=LARGEST_QUANTITY)

    model_config = {
        **Contract.model_config,
        **example(session_id="6d" * 16, service="voice", access="3961234", called="02164851234"),
    }


class CreditAnswer(Contract):
    """What a session was granted or charged."""

    session_id: IdField
    verdict: Verdict
    unit: str = Field(default="", description="seconds | octets | sessions")
    granted: int = Field(default=0, description="from what was used on; the call ends there unless more is asked for")
    granted_total: int = Field(default=0, description="from the beginning of the call")
    valid_until: datetime | None = Field(default=None, description="the next message comes before this")
    last: bool = Field(default=False, description="the balance will not pay for more than this")
    held_micro_yuan: MicroYuanField = MicroYuan(0)
    charged_micro_yuan: MicroYuanField = MicroYuan(0)
    shortfall_micro_yuan: MicroYuanField = Field(default=MicroYuan(0), description="used beyond what could be paid")
    available_micro_yuan: MicroYuanField = MicroYuan(0)
    account_id: str = ""


class AskPrice(Contract):
    """What would this call cost?"""

    service: Service
    access: AccessText
    called: DialledText = ""
    started_at: datetime | None = None
    quantity: Quantity = Field(description="seconds of a call, octets of a session")

    model_config = {
        **Contract.model_config,
        **example(service="voice", access="3961234", called="02164851234", quantity=180),
    }


class PriceAnswer(Contract):
    """What it would cost, before included units and sums of the month."""

    charge_micro_yuan: MicroYuanField
    quantity: int
    units: int = Field(description="blocks charged")
    tariff: str = Field(description="tariff code @ effective day / row")
    item_code: str
    account_id: str


class AskHowLong(Contract):
    """How long may this call last with the balance as it is?"""

    service: Service
    access: AccessText
    called: DialledText = ""
    started_at: datetime | None = None

    model_config = {**Contract.model_config, **example(service="voice", access="3961234", called="02164851234")}


class HowLong(Contract):
    """How long a call may last; nothing is held."""

    unit: str
    lasting: int = Field(description="at most what policy lets a call last")
    limited: bool = Field(description="the balance ends it, not policy")
    available_micro_yuan: MicroYuanField
    account_id: str


class AskPrices(Contract):
    """Many price questions at once, column by column; all columns have the same length."""

    service: Service
    access: list[AccessText] = Field(min_length=1, max_length=MOST_IN_A_BATCH)
    called: list[DialledText] = Field(default_factory=list, max_length=MOST_IN_A_BATCH)
    start_s: list[int] = Field(max_length=MOST_IN_A_BATCH, description="UTC seconds since 1970")
    quantity: list[Quantity] = Field(max_length=MOST_IN_A_BATCH)

    model_config = {
        **Contract.model_config,
        **example(service="voice", access=["3961234"], called=["02164851234"], start_s=[1_790_000_000], quantity=[180]),
    }


class PriceAnswers(Contract):
    """The charges in the order of the questions."""

    charge_micro_yuan: list[int]
    reason: list[str] = Field(description="'' or no_owner | no_tariff | no_price | no_account")


class CreditView(Contract):
    """How an account stands with its live calls."""

    account_id: IdField
    item_group: str
    held_micro_yuan: MicroYuanField
    unbooked_micro_yuan: MicroYuanField
    available_micro_yuan: MicroYuanField
    balance_state: str
    open_sessions: int


class CreditViews(Contract):
    """The same for every item group the account has used."""

    items: tuple[CreditView, ...]
