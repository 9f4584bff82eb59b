"""What must always hold of payments and what they settled, for ``onehall check-books``."""

from __future__ import annotations

from datetime import date

from server_api.billing.bill.store import adjust as adjust_store
from server_api.billing.ledger import store as ledger_store
from server_api.billing.payment import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.contracts.events import Standing
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen


def payment_is_applied_and_advance(database: Database) -> Finding:
    """Each payment is what it settled plus what was kept as advance, by its own row and by what is applied."""
    with database.reading() as conn:
        payments = store.all_payments(conn)
        applied = store.applied_by_payment(conn)
    wrong: list[str] = []
    for row in payments:
        settled = applied.pop(row.payment_id, ZERO_FEN)
        if row.amount_fen != row.applied_fen + row.advance_fen or row.applied_fen != settled:
            wrong.append(
                f"{row.payment_id}: {row.amount_fen} is not {row.applied_fen} + {row.advance_fen}; {settled} settled"
            )
    wrong += [f"{payment_id}: settled {amount} without a payment" for payment_id, amount in applied.items()]
    total = Fen.total(row.amount_fen for row in payments)
    return Finding(counted=len(payments), amount=total, wrong=tuple(wrong))


def bill_open_is_total_less_applied(database: Database) -> Finding:
    """What is open of each bill is its total less what settled it or was taken off it, and its state says so."""
    with database.reading() as conn:
        bills = store.all_bills(conn)
        applied = store.applied_by_bill(conn)
        adjusted = adjust_store.adjusted_by_bill(conn)
    wrong: list[str] = []
    for row in bills:
        settled = applied.pop(row.bill_id, ZERO_FEN) + adjusted.get(row.bill_id, ZERO_FEN)
        if row.state == "cancelled":
            continue
        should = max(row.total_fen, ZERO_FEN) - settled
        if row.open_fen != should or (row.state == "settled") != (row.open_fen == ZERO_FEN):
            wrong.append(f"{row.bill_id}: {row.open_fen} open ({row.state}), {row.total_fen} less {settled}")
    wrong += [f"{bill_id}: settled {amount} without a bill" for bill_id, amount in applied.items() if amount]
    return Finding(counted=len(bills), amount=Fen.total(row.open_fen for row in bills), wrong=tuple(wrong))


def receivable_equals_open_bills(database: Database) -> Finding:
    """What the ledger says an account owes is what is open of its bills."""
    with database.reading() as conn:
        bills = store.all_bills(conn)
        ledger = ledger_store.sums_by_name(conn, LedgerCode.RECEIVABLE)
    owed: dict[str, Fen] = {}
    for row in bills:
        if row.state != "cancelled":
            owed[row.account_id] = owed.get(row.account_id, ZERO_FEN) + row.open_fen
    wrong = [
        f"{account_id}: bills {owed.get(account_id, ZERO_FEN)}, ledger {ledger.get(account_id, ZERO_FEN)}"
        for account_id in sorted({*owed, *ledger})
        if owed.get(account_id, ZERO_FEN) != ledger.get(account_id, ZERO_FEN)
    ]
    return Finding(counted=len(owed), amount=Fen.total(owed.values()), wrong=tuple(wrong))


def standing_is_true(database: Database) -> Finding:
    """An account said to be clear owes nothing, and one that owes is said to, since its earliest bill was due."""
    with database.reading() as conn:
        bills = store.all_bills(conn)
        accounts = store.all_standings(conn)
    earliest: dict[str, date] = {}
    for row in bills:
        if row.state == "open" and (row.account_id not in earliest or row.due_on < earliest[row.account_id]):
            earliest[row.account_id] = row.due_on
    wrong = tuple(
        f"{row.account_id}: {row.standing} since {row.owed_since_on}, open since {earliest.get(row.account_id)}"
        for row in accounts
        if row.owed_since_on != earliest.get(row.account_id)
        or (not row.restricted and (row.standing == Standing.CLEAR) != (row.account_id not in earliest))
    )
    return Finding(counted=len(accounts), wrong=wrong)


def adjustments_within_lines(database: Database) -> Finding:
    """What was taken off a line is not more than the line, net and tax add up, and a line taken off whole gave back
    exactly its tax."""
    with database.reading() as conn:
        lines = adjust_store.adjusted_lines(conn)
    wrong = tuple(
        f"{row.bill_id}/{row.line_no}: {row.taken_fen} ({row.taken_net} + {row.taken_tax}) off {row.amount_fen}"
        for row in lines
        if row.amount_fen is None
        or row.taken_fen > row.amount_fen - row.netted_fen
        or row.taken_fen != row.taken_net + row.taken_tax
        or (row.taken_fen == row.amount_fen and row.taken_tax != row.tax_fen)
    )
    return Finding(counted=len(lines), amount=Fen.total(row.taken_fen for row in lines), wrong=wrong)


def adjusted_money_is_somewhere(database: Database) -> Finding:
    """No line is paid for more than is left of it after adjustments: what was paid beyond went back to a book."""
    with database.reading() as conn:
        lines = adjust_store.adjusted_lines(conn)
        paid = store.applied_by_line(conn, {row.bill_id for row in lines})
        returned = adjust_store.returned_by_line(conn)
    wrong = tuple(
        f"{row.bill_id}/{row.line_no}: {paid.get((row.bill_id, row.line_no), ZERO_FEN)} paid of what is left"
        for row in lines
        if row.amount_fen is not None
        and not ZERO_FEN
        <= paid.get((row.bill_id, row.line_no), ZERO_FEN)
        <= row.amount_fen - row.netted_fen - row.taken_fen
    )
    return Finding(counted=len(lines), amount=Fen.total(returned.values()), wrong=wrong)
