"""The one screen of the counter: a customer with every service, and everything owed for them.

A joined read over both databases (``faces/hall``); nothing here is written back.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shared_models.contracts.base import Contract, FenField
from shared_models.contracts.events import Standing
from shared_models.values.money import ZERO_FEN


class DeskCustomer(Contract):
    """Who stands at the counter; personal data masked unless the caller may see it."""

    customer_id: str
    customer_no: str
    name: str
    customer_class: str = Field(default="normal", description="normal | vip | group | staff")
    masked_id_no: str = ""
    address: str = ""
    phones: tuple[str, ...] = ()


class DeskProduct(Contract):
    """An installed service."""

    product_id: str
    product_no: str
    service: str = Field(description="voice | broadband | tv | leased_line | iptv | addon")
    shown_as: str = Field(description="the number, login or card as bills print it")
    offering_name: str = ""
    state: str = Field(default="active", description="the product's TM Forum state")
    account_id: str = Field(default="", description="the account that pays for it; empty where it is not known yet")
    suspend_reasons: tuple[str, ...] = Field(
        default=(), description="why it is suspended: owner_request, arrears_one_way ..."
    )
    install_address: str = ""
    installed_on: date | None = None


class DeskBillLine(Contract):
    """A line of an open bill."""

    label: str
    detail: str = ""
    service: str = ""
    amount_fen: FenField


class DeskBill(Contract):
    """A bill not settled yet."""

    bill_id: str
    bill_no: str
    yyyymm: int
    issued_on: date | None = None
    due_on: date | None = None
    total_fen: FenField
    paid_fen: FenField = ZERO_FEN
    owed_fen: FenField
    overdue: bool = False
    lines: tuple[DeskBillLine, ...] = ()


class DeskPayment(Contract):
    """A payment of the last weeks: what may be reprinted or reversed."""

    payment_id: str
    receipt_no: str
    paid_at: datetime
    amount_fen: FenField
    method: str = "cash"
    state: str = Field(default="done", description="done | reversed | refunded ...")
    staff_no: str = ""
    reversible: bool = Field(default=False, description="the server would reverse it for this caller")


class DeskAccount(Contract):
    """An account that pays for services of this customer."""

    account_id: str
    account_no: str
    payment_type: str = Field(default="postpaid", description="postpaid | prepaid")
    standing: Standing = Standing.CLEAR
    owed_fen: FenField = ZERO_FEN
    balance_fen: FenField = Field(default=ZERO_FEN, description="advance that can be spent on anything")
    late_fee_fen: FenField = Field(default=ZERO_FEN, description="part of what is owed: accrued late fees")
    bills: tuple[DeskBill, ...] = Field(default=(), description="open bills, oldest first")
    recent_payments: tuple[DeskPayment, ...] = Field(default=(), description="newest first")


class CustomerDesk(Contract):
    """The one screen."""

    customer: DeskCustomer
    products: tuple[DeskProduct, ...] = ()
    accounts: tuple[DeskAccount, ...] = ()
    as_of: datetime
    billing_away: bool = Field(default=False, description="money could not be read: unknown, not nothing")
