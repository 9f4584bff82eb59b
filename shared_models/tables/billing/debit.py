"""What banks were asked to take by contract (托收), file by file, and what they answered."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Day, FenType, Id, Instant, JsonText

#: A file for one bank. making: items are still being added; sent; answered: no item waits any more.
debit_file = Table(
    "debit_file",
    billing_metadata,
    Column("file_no", Code(32), primary_key=True),
    Column("bank_code", Code(20), nullable=False),
    Column("state", Code(10), nullable=False),
    Column("asked_on", Day, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("total_fen", FenType(), nullable=False),
    Column("made_by", Code(32), nullable=False),
    Column("made_at", Instant(), nullable=False),
    Column("answered_at", Instant()),
)

#: What one account was asked for. The account number at the bank is not here: it stays sealed in the contract.
debit_item = Table(
    "debit_item",
    billing_metadata,
    Column("file_no", Code(32), primary_key=True),
    Column("seq_no", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Id(), nullable=False),
    Column("contract_no", Code(40), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("bill_ids", JsonText, nullable=False),
    # sent, paid, failed, check_failed: the bank says it took something we did not ask for like that
    Column("state", Code(12), nullable=False),
    # the account while an answer is awaited, else its own place: nobody is asked twice at once
    Column("waiting_key", Code(48), nullable=False, unique=True),
    Column("result_code", Code(20)),
    Column("payment_id", Id()),
    Index("ix_debit_item_account", "account_id"),
)
