"""Deposits (押金), transfers of balance (转账) and bank debit contracts (托收合约)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, FenField, IdField, PageOf, PositiveFen, example
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import ZERO_FEN
from shared_models.values.money_states import DebitState, DepositState, PayMethod

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TakeDeposit(Contract):
    """Take a deposit. It pays no bill; it is returned, kept as balance, or forfeited."""

    account_id: IdField
    amount_fen: PositiveFen
    purpose: str = Field(min_length=1, max_length=60, examples=["机顶盒押金"])
    product_id: IdField | None = None
    method: PayMethod = PayMethod.CASH
    received_fen: FenField = ZERO_FEN
    intent_id: IdField | None = None
    note: str = Field(default="", max_length=200)

    model_config = example(account_id="0f" * 16, amount_fen=20000, purpose="机顶盒押金", received_fen=20000)


class ReturnDeposit(Contract):
    """Give a deposit back, or a part of it: in cash, or into the account's balance where it pays what is owed."""

    amount_fen: PositiveFen
    to: Literal["cash", "balance"] = "cash"
    reason: Reason


class ForfeitDeposit(Contract):
    """Keep a deposit, or a part of it, as income (罚没)."""

    amount_fen: PositiveFen
    reason: Reason


class DepositView(Contract):
    """A deposit and what became of it."""

    deposit_id: str
    account_id: str
    purpose: str
    product_id: str = ""
    state: DepositState
    amount_fen: FenField
    returned_fen: FenField
    forfeited_fen: FenField
    held_fen: FenField
    receipt_no: str
    taken_at: datetime
    ended_at: datetime | None = None


class DepositMoved(Contract):
    """The deposit after the act, with the paper to print."""

    deposit: DepositView
    receipt: Receipt | None = None
    change_fen: FenField = ZERO_FEN
    limit_warning: bool = False


class DepositPage(PageOf):
    """Deposits of an account, oldest first."""

    items: tuple[DepositView, ...] = ()


class TransferBalance(Contract):
    """Move balance to another book or account. To another customer it always needs an approval."""

    from_account_id: IdField
    to_account_id: IdField
    amount_fen: PositiveFen
    reason: Reason
    from_book_id: IdField | None = Field(default=None, description="absent = the account's advance")
    to_book_id: IdField | None = Field(default=None, description="absent = the account's advance")

    model_config = example(from_account_id="0f" * 16, to_account_id="1e" * 16, amount_fen=5000, reason="合并缴费")


class BalanceTransferred(Contract):
    """The transfer as booked; what it paid at once is already settled."""

    transfer_id: str
    amount_fen: FenField
    from_balance_after_fen: FenField
    to_balance_after_fen: FenField
    to_owed_after_fen: FenField
    receipt: Receipt | None = None
    limit_warning: bool = False


class OpenBankDebit(Contract):
    """The customer lets the bank pay this account's bills. A contract that runs is replaced."""

    account_id: IdField
    bank_code: CodeField = Field(max_length=20)
    bank_account_no: str = Field(pattern=r"^[0-9]{6,30}$", repr=False)
    holder: str = Field(min_length=1, max_length=60, repr=False)
    from_on: date | None = None
    largest_fen: PositiveFen | None = Field(default=None, description="the bank is never asked for more at once")
    reason: str = Field(default="", max_length=200)

    model_config = example(account_id="0f" * 16, bank_code="ICBC", bank_account_no="6222020200112233", holder="王秀兰")


class StopBankDebit(Contract):
    """End the contract; bills already sent to the bank are still booked when it pays."""

    reason: Reason


class BankDebitView(Contract):
    """A bank debit contract; the bank account is shown by its last digits."""

    contract_id: str
    contract_no: str
    account_id: str
    bank_code: str
    bank_account_tail: str
    state: DebitState
    from_on: date
    until_on: date | None = None
    largest_fen: FenField | None = None


class BankDebitPage(PageOf):
    """The contracts of an account, newest first."""

    items: tuple[BankDebitView, ...] = ()
