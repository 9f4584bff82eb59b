"""Opening accounts and seeing what they owe."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shared_models.contracts.base import CodeField, Contract, FenField, IdField, example
from shared_models.contracts.events import Standing
from shared_models.values.money import ZERO_FEN
from shared_models.values.money_states import BookType, PaymentType


class OpenAccount(Contract):
    """Open a billing account for a customer. The id is made by whoever asks, so that a plan can name it beforehand."""

    account_id: IdField
    customer_id: IdField
    account_no: CodeField | None = Field(default=None, max_length=20, description="absent = the next free one")
    payment_type: PaymentType = PaymentType.POSTPAID
    credit_limit_fen: FenField = ZERO_FEN

    model_config = example(account_id="0f" * 16, customer_id="1e" * 16, payment_type="postpaid")


class SetCreditLimit(Contract):
    """Change how far an account may owe before it is restricted."""

    credit_limit_fen: FenField


class BalanceBookView(Contract):
    """A balance book as a person sees it."""

    book_id: str
    book_type: BookType
    item_group: str = Field(default="*", description="'*' pays for anything")
    until_on: date | None = None
    balance_fen: FenField


class AccountView(Contract):
    """An account and how it stands."""

    account_id: str
    account_no: str
    customer_id: str
    payment_type: PaymentType
    credit_limit_fen: FenField
    standing: Standing
    owed_since_on: date | None = None
    restricted: bool = False
    closed: bool = False
    opened_at: datetime
    books: tuple[BalanceBookView, ...] = ()


class OwedLine(Contract):
    """A line of an open bill with what is left of it."""

    line_no: int
    label: str
    detail: str = ""
    service: str = ""
    product_id: str = ""
    item_code: str = ""
    amount_fen: FenField
    open_fen: FenField


class OwedBill(Contract):
    """A bill not settled yet."""

    bill_id: str
    bill_no: str
    yyyymm: int
    issued_on: date | None = None
    due_on: date
    total_fen: FenField
    paid_fen: FenField
    owed_fen: FenField
    overdue: bool
    lines: tuple[OwedLine, ...] = ()


class AccountOwed(Contract):
    """Everything one account owes, oldest bill first, and what it has in hand."""

    account_id: str
    account_no: str
    customer_id: str
    payment_type: PaymentType
    standing: Standing
    owed_fen: FenField
    balance_fen: FenField = Field(description="advance that pays for anything")
    earmarked_fen: FenField = Field(default=ZERO_FEN, description="balance that pays only for some items")
    bills: tuple[OwedBill, ...] = ()
    as_of: datetime
