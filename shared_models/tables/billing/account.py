"""Billing accounts, their balance books, and billing's copy of who pays."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, FenType, Flag, Id, Instant, Words

billing_account = Table(
    "billing_account",
    billing_metadata,
    Column("account_id", Id(), primary_key=True),
    Column("account_no", Code(20), nullable=False, unique=True),
    Column("customer_id", Id(), nullable=False, index=True),
    Column("payment_type", Code(12), nullable=False),
    Column("credit_limit_fen", FenType(), nullable=False),
    # clear, owing, overdue, restricted; what business was told last
    Column("standing", Code(12), nullable=False),
    # the due day of the earliest unpaid bill
    Column("owed_since_on", Day),
    # one more with every act on the account: a bill run that computed from an older one computes again
    Column("version", Integer, nullable=False),
    # the bill run that holds the account now; money coming in meanwhile waits as balance
    Column("held_by_run", Id()),
    # money came while the account was held: settle it when the run lets go
    Column("settle_wanted", Flag(), nullable=False),
    # an administrator's or guarantee restriction, apart from what is owed
    Column("restricted", Flag(), nullable=False),
    Column("opened_at", Instant(), nullable=False),
    Column("opened_hall", Code(20)),
    Column("closed_at", Instant()),
)

#: A book (账本) of an account. in - out is what is left; both are proven equal to the postings of advance:<book_id>.
balance_book = Table(
    "balance_book",
    billing_metadata,
    Column("book_id", Id(), primary_key=True),
    Column("account_id", Id(), ForeignKey("billing_account.account_id"), nullable=False, index=True),
    # advance, grant, earmarked, deposit
    Column("book_type", Code(12), nullable=False),
    # "*" pays for anything; otherwise only lines of that item group
    Column("item_group", Code(40), nullable=False),
    Column("spend_order", Integer, nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day),
    Column("in_fen", FenType(), nullable=False),
    Column("out_fen", FenType(), nullable=False),
    Column("opened_at", Instant(), nullable=False),
)

#: Billing's copy of the customer who pays: sealed, replaced by each CustomerRecorded.
payer = Table(
    "payer",
    billing_metadata,
    Column("customer_id", Id(), primary_key=True),
    Column("customer_no", Code(20), nullable=False),
    Column("customer_class", Code(20), nullable=False),
    Column("sealed_name", Code(1000)),
    Column("sealed_address", Code(2000)),
    Column("sealed_tax_no", Code(400)),
    Column("sealed_contact", Code(1000)),
    Column("source_seq", Count, nullable=False),
    Column("heard_at", Instant(), nullable=False),
)

#: Money given back or waived, per person and day: what the daily limits are held against.
day_allowance = Table(
    "day_allowance",
    billing_metadata,
    Column("staff_id", Code(32), primary_key=True),
    Column("day_on", Day, primary_key=True),
    # a Giving: refund, waiver, credit, ...; with + behind it: approved acts
    Column("what", Code(20), primary_key=True),
    Column("used_fen", FenType(), nullable=False),
    Column("act_count", Integer, nullable=False),
    Index(None, "day_on"),
)

#: Each act that gave something away, behind the sums of day_allowance. Append only.
giving_entry = Table(
    "giving_entry",
    billing_metadata,
    Column("act_id", Id(), primary_key=True),
    Column("what", Code(20), primary_key=True),
    Column("staff_id", Code(32), nullable=False),
    Column("day_on", Day, nullable=False),
    Column("account_id", Id(), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("approval_id", Id()),
    Index("ix_giving_entry_staff_day", "staff_id", "day_on"),
)

#: An approval by a second person, stored where it was used: the key refuses a second use.
approval_use = Table(
    "approval_use",
    billing_metadata,
    Column("approval_id", Id(), primary_key=True),
    Column("kind", Code(20), nullable=False),
    Column("account_id", Id(), nullable=False),
    Column("amount_fen", FenType(), nullable=False),
    Column("asked_by_id", Code(32), nullable=False),
    Column("asked_by_no", Code(20), nullable=False),
    Column("approver_id", Code(32), nullable=False),
    Column("approver_no", Code(20), nullable=False),
    Column("reason", Words(200)),
    Column("given_at", Instant(), nullable=False),
    Column("used_at", Instant(), nullable=False),
    Column("act_id", Id(), nullable=False),
)

#: A customer lets the bank pay the bills of an account (托收). At most one is live: live_key is the account while the
#: contract runs and the contract's own id afterwards.
bank_debit_contract = Table(
    "bank_debit_contract",
    billing_metadata,
    Column("contract_id", Id(), primary_key=True),
    Column(
        "account_id", Id(), ForeignKey("billing_account.account_id", name="fk_bank_debit_account"), nullable=False
    ),
    Column("contract_no", Code(40), nullable=False),
    Column("live_key", Code(32), nullable=False),
    Column("bank_code", Code(20), nullable=False),
    # number and holder sealed; the tail is what a person sees
    Column("sealed_bank_account", Code(400), nullable=False),
    Column("sealed_holder", Code(1000), nullable=False),
    Column("bank_account_tail", Code(4), nullable=False),
    # live, stopped, replaced
    Column("state", Code(12), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day),
    Column("largest_fen", FenType()),
    Column("reason", Words(200)),
    Column("opened_by", Code(32), nullable=False),
    Column("opened_at", Instant(), nullable=False),
    Column("ended_by", Code(32)),
    Column("ended_at", Instant()),
    UniqueConstraint("live_key", name="uq_bank_debit_live"),
    Index("ix_bank_debit_account", "account_id"),
)
