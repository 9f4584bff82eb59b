"""Fapiao (数电票): asking for one, taking it back, and how it stands. Issuing is asynchronous, always."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared_models.contracts.base import Contract, FenField, IdField, PageOf, PositiveFen, example
from shared_models.values.fapiao import FapiaoState, FapiaoType, RedReason

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Buyer(Contract):
    """Who the fapiao is made out to."""

    name: str = Field(min_length=1, max_length=100, repr=False)
    tax_no: str = Field(default="", pattern=r"^([0-9A-Z]{15,20})?$", repr=False, description="统一社会信用代码")
    address_phone: str = Field(default="", max_length=200, repr=False)
    bank_account: str = Field(default="", max_length=120, repr=False)
    contact: str = Field(default="", max_length=100, repr=False, description="mobile or mail address it is sent to")


class IssueFapiao(Contract):
    """Ask for a fapiao of what was paid: for one payment, or for bills as far as they are paid."""

    payment_id: IdField | None = None
    bill_ids: tuple[IdField, ...] = Field(default=(), max_length=50)
    type_code: FapiaoType = FapiaoType.GENERAL
    buyer: Buyer

    model_config = example(payment_id="2d" * 16, type_code="82", buyer={"name": "王秀兰", "contact": "13800000000"})

    @model_validator(mode="after")
    def _one_basis(self) -> Self:
        if (self.payment_id is None) == (not self.bill_ids):
            raise ValueError("a fapiao is for a payment or for bills: name one of them")
        if self.type_code is FapiaoType.SPECIAL and not self.buyer.tax_no:
            raise ValueError("a special fapiao needs the buyer's tax number")
        return self


class RedFapiao(Contract):
    """Take a fapiao back by a red one: wholly, or an amount of it."""

    reason_code: RedReason
    amount_fen: PositiveFen | None = Field(default=None, description="absent = all that is left of it")
    reason: Reason

    model_config = example(reason_code="01", reason="抬头开错")


class ResolveFapiao(Contract):
    """What a person found out about a fapiao whose outcome is not known."""

    outcome: Literal["issued", "refused", "not_received"]
    fapiao_no: str = Field(default="", pattern=r"^([0-9]{20})?$")
    reason: Reason

    @model_validator(mode="after")
    def _number(self) -> Self:
        if (self.outcome == "issued") != bool(self.fapiao_no):
            raise ValueError("an issued fapiao has its number of 20 digits, any other has none")
        return self


class FapiaoLineView(Contract):
    """What of a bill line is on the fapiao."""

    label: str
    bill_id: str
    bill_line_no: int
    tax_per_mille: int
    amount_fen: FenField
    net_fen: FenField
    tax_fen: FenField


class FapiaoView(Contract):
    """A fapiao as it stands."""

    fapiao_id: str
    account_id: str
    type_code: FapiaoType
    state: FapiaoState
    fapiao_no: str = ""
    red_of_id: str = ""
    amount_fen: FenField
    net_fen: FenField
    tax_fen: FenField
    red_fen: FenField = Field(description="what red fapiao (also those on their way) have taken back, above zero")
    buyer_name: str = Field(default="", repr=False)
    intended_at: datetime
    issued_at: datetime | None = None
    problem: str = ""
    pdf_url: str = ""
    copy_count: int = 0
    lines: tuple[FapiaoLineView, ...] = ()


class FapiaoRow(Contract):
    """A fapiao in a list."""

    fapiao_id: str
    account_id: str
    type_code: FapiaoType
    state: FapiaoState
    fapiao_no: str = ""
    red_of_id: str = ""
    amount_fen: FenField
    intended_at: datetime
    problem: str = ""
    try_count: int


class FapiaoPage(PageOf):
    """Fapiao, newest first."""

    items: tuple[FapiaoRow, ...] = ()


class FapiaoCopy(Contract):
    """Where the fapiao can be had, and the how manyeth copy this is."""

    fapiao_id: str
    fapiao_no: str
    pdf_url: str = ""
    ofd_url: str = ""
    xml_url: str = ""
    copy_no: int


class Reprinted(Contract):
    """Ask for a fapiao again."""

    reason: str = Field(default="", max_length=200)


class VoidFapiao(Contract):
    """Take back a fapiao that was not sent yet."""

    reason: Reason
