"""Bills: what products cost from which day (billing's copies), the month runs, and bills as they were frozen.

Everything a run writes leads with ``period``. A bill's id holds its period and account (values.bill_ids), so no table
needs a second index to find a bill by its id. On SQLite the tables are clustered by their keys: rows come in key order,
and writing one tree is half the work of two.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, SmallInteger, Table

from shared_models.tables.billing.metadata import billing_metadata
from shared_models.tables.types import Code, Count, Day, FenType, Instant, MicroYuanType, Words, YearMonth

#: Billing's copy of a product, as bills print it.
billed_product = Table(
    "billed_product",
    billing_metadata,
    Column("product_id", Code(32), primary_key=True),
    Column("product_no", Code(40), nullable=False),
    Column("customer_id", Code(32), nullable=False),
    Column("service", Code(20), nullable=False),
    # the access number as the customer knows it; as people write it, so not always ASCII
    Column("shown_as", Words(60)),
    Column("region", Code(20)),
    Column("source_seq", Count, nullable=False),
    Index(None, "customer_id"),
)

#: Who pays which items of a product, from when until when. item_group '*' is everything not named otherwise.
pay_relation = Table(
    "pay_relation",
    billing_metadata,
    Column("product_id", Code(32), primary_key=True),
    Column("item_group", Code(20), primary_key=True),
    Column("account_id", Code(32), primary_key=True),
    Column("from_on", Day, primary_key=True),
    Column("until_on", Day),
    Column("priority", Integer, nullable=False),
    Column("source_seq", Count, nullable=False),
    # a month run reads by account range
    Index(None, "account_id"),
    sqlite_with_rowid=False,
)

#: What happened to a product as far as its price goes. Rows are added, never changed: bills were made from them.
billing_event = Table(
    "billing_event",
    billing_metadata,
    Column("product_id", Code(32), primary_key=True),
    Column("event_id", Code(40), primary_key=True),
    # place in the product's history as it was told: two events of one day take effect in this order
    Column("seq_no", Integer, nullable=False),
    # activated, changed, suspended, resumed, terminated
    Column("kind", Code(12), nullable=False),
    Column("effective_on", Day, nullable=False),
    Column("offering_code", Code(40), nullable=False),
    Column("price_version", Integer, nullable=False),
    Column("bundle_code", Code(40)),
    Column("bundle_instance", Code(40)),
    # when billing heard of it: an event heard after its month was billed is billed as a difference
    Column("heard_at", Instant, nullable=False),
    Column("source_seq", Count, nullable=False),
    # why, by code: some reasons forgive an early-stop fee
    Column("reason", Code(20)),
    sqlite_with_rowid=False,
)

#: From which month on an account has which billing day; no row: the 1st. The cycle of a month starts on its day.
account_cycle = Table(
    "account_cycle",
    billing_metadata,
    Column("account_id", Code(32), primary_key=True),
    Column("from_month", YearMonth, primary_key=True, autoincrement=False),
    Column("billing_day", SmallInteger, nullable=False),
    Column("staff_id", Code(32), nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("act_id", Code(32), nullable=False),
    sqlite_with_rowid=False,
)

#: Whether usage and charges may still enter a month, for accounts billed by the calendar. No row is as good as 'open'.
#: A cycle with another billing day is shut by its own bill_run, which never begins before the month's.
bill_period = Table(
    "bill_period",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    # open, billing (a run has begun to freeze), closed
    Column("state", Code(10), nullable=False),
    Column("billing_since", Instant),
    Column("closed_at", Instant),
    Column("run_id", Code(32)),
    sqlite_with_rowid=False,
)

#: One run: all accounts whose cycle of the month ends on one day.
bill_run = Table(
    "bill_run",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("run_id", Code(32), primary_key=True),
    # running, cancelled (may go on), closed
    Column("state", Code(12), nullable=False),
    Column("issued_on", Day, nullable=False),
    Column("due_on", Day, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("began_by", Code(20), nullable=False),
    Column("account_count", Count, nullable=False),
    Column("bill_count", Count, nullable=False),
    Column("aside_count", Count, nullable=False),
    Column("total_fen", FenType, nullable=False),
    # accounts whose cycle of the month ends on this day of the next; 1 is the calendar month itself
    Column("billing_day", SmallInteger, nullable=False, server_default="1"),
    # the latest day a bill it had set aside was made: that day's month has income of this run
    Column("late_bill_on", Day),
    # the pace of the last minute, measured by whoever works on it; older than half a minute says nothing
    Column("accounts_per_min", Count),
    Column("paced_at", Instant),
    sqlite_with_rowid=False,
)

#: A range of accounts of a run: the unit of work one worker holds, and how far it got.
bill_run_chunk = Table(
    "bill_run_chunk",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("run_id", Code(32), primary_key=True),
    Column("chunk_no", Integer, primary_key=True, autoincrement=False),
    # half-open: first_account <= account < until_account (the last chunk ends open, NULL)
    Column("first_account", Code(32), nullable=False),
    Column("until_account", Code(32)),
    # the first account not yet done; written in the same transaction as the bills before it
    Column("next_account", Code(32), nullable=False),
    # waiting, running, done
    Column("state", Code(10), nullable=False),
    Column("worker", Code(80)),
    Column("lease_until_at", Instant),
    Column("account_count", Count, nullable=False),
    Column("done_count", Count, nullable=False),
    Column("bill_count", Count, nullable=False),
    Column("aside_count", Count, nullable=False),
    Column("total_fen", FenType, nullable=False),
    sqlite_with_rowid=False,
)

#: An account the run could not bill, and why. The run went on; the row goes when the account is billed.
bill_aside = Table(
    "bill_aside",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("account_id", Code(32), primary_key=True),
    Column("run_id", Code(32), nullable=False),
    # a fault code: bill_price_missing, bill_product_unknown, ...
    Column("reason", Code(60), nullable=False),
    Column("remark", Words(300)),
    Column("set_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

#: A bill as issued. Only open_fen, state and settled_at move afterwards, by payments.
bill = Table(
    "bill",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("bill_id", Code(32), primary_key=True),
    Column("bill_no", Code(40), nullable=False),
    Column("account_id", Code(32), nullable=False),
    Column("account_no", Code(40), nullable=False),
    Column("customer_id", Code(32), nullable=False),
    Column("run_id", Code(32)),
    # run, import
    Column("origin", Code(10), nullable=False),
    # open, settled, cancelled
    Column("state", Code(10), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    Column("issued_on", Day, nullable=False),
    Column("due_on", Day, nullable=False),
    # who it is made out to, sealed as business sent it
    Column("customer_no", Code(20)),
    Column("sealed_name", Code(1000)),
    Column("sealed_address", Code(2000)),
    Column("sealed_tax_no", Code(400)),
    # what the account owed from earlier bills, and held in advance, when this one was frozen
    Column("owed_before_fen", FenType, nullable=False),
    Column("advance_before_fen", FenType, nullable=False),
    Column("total_fen", FenType, nullable=False),
    Column("net_fen", FenType, nullable=False),
    Column("tax_fen", FenType, nullable=False),
    Column("open_fen", FenType, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index(None, "account_id", "state"),
    # what was settled too late is found by the day it was settled: its late fee is on the next bill
    Index("ix_bill_settled_at", "settled_at"),
    sqlite_with_rowid=False,
)

#: A line of a bill: one item of one product. charge_micro_yuan is rounded half up to amount_fen, once.
bill_line = Table(
    "bill_line",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("bill_id", Code(32), primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    # a contracts.bill.LineKind: usage and rerated open to calls, imported to nothing, all others to bill_charge
    Column("kind", Code(10), nullable=False),
    Column("product_id", Code(32)),
    Column("product_no", Code(40)),
    Column("service", Code(20), nullable=False),
    Column("shown_as", Words(60)),
    Column("region", Code(20)),
    Column("item_code", Code(40), nullable=False),
    Column("item_group", Code(20), nullable=False),
    Column("label", Words(80), nullable=False),
    Column("label_en", Words(80)),
    Column("offering_code", Code(40)),
    Column("offering_label", Words(80)),
    Column("offering_en", Words(80)),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    # usage: calls or sessions behind the line; recurring: rows of bill_charge
    Column("part_count", Count, nullable=False),
    # usage: what was measured in all (seconds, octets, sessions)
    Column("quantity", Count, nullable=False),
    Column("charge_micro_yuan", MicroYuanType, nullable=False),
    Column("amount_fen", FenType, nullable=False),
    Column("tax_per_mille", SmallInteger, nullable=False),
    Column("net_fen", FenType, nullable=False),
    Column("tax_fen", FenType, nullable=False),
    # what credit lines of the same bill took off this one when it was frozen (below zero on the credit line itself);
    # sums to zero over a bill. To be paid: amount - netted - what payments were applied to the line.
    Column("netted_fen", FenType, nullable=False),
    sqlite_with_rowid=False,
)

#: A recurring charge with all that made its amount: amount = price * numerator // denominator, floored once.
bill_charge = Table(
    "bill_charge",
    billing_metadata,
    Column("period", YearMonth, primary_key=True, autoincrement=False),
    Column("bill_id", Code(32), primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("charge_no", Integer, primary_key=True, autoincrement=False),
    Column("product_id", Code(32), nullable=False),
    # the event that put this price into effect
    Column("event_id", Code(40), nullable=False),
    Column("offering_code", Code(40), nullable=False),
    Column("price_code", Code(40), nullable=False),
    Column("price_version", Integer, nullable=False),
    Column("bundle_code", Code(40)),
    Column("bundle_instance", Code(40)),
    # the month this is for; of a correction an earlier one than the bill's
    Column("charge_month", YearMonth, nullable=False),
    # month, term, refund, suspended, correction, discount, minimum, late_fee, early_stop, extra
    Column("kind", Code(12), nullable=False),
    # how the part was found: whole, start.actual_days, stop.half, in_and_out, capped, term, refund, difference
    Column("rule_code", Code(24), nullable=False),
    Column("from_on", Day, nullable=False),
    Column("until_on", Day, nullable=False),
    Column("price_micro_yuan", MicroYuanType, nullable=False),
    Column("numerator", Count, nullable=False),
    Column("denominator", Count, nullable=False),
    # per mille of a bundle's price this product carries; 1000 = all of its own price
    Column("share_per_mille", SmallInteger, nullable=False),
    Column("amount_micro_yuan", MicroYuanType, nullable=False),
    sqlite_with_rowid=False,
)
