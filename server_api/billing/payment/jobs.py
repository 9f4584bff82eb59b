"""What payments hear: bills are issued. And their rules to be checked."""

from __future__ import annotations

from server_api.billing.account.news import CreditLimitChanged
from server_api.billing.bill.news import BillsDrafted, BillsIssued
from server_api.billing.payment import checks, checks_of_moves
from server_api.billing.payment.fapiao import jobs as fapiao
from server_api.billing.payment.service.settle import reckon_standings, settle_issued_bills, stand_again
from server_api.platform.registry import Wiring


def wire(wiring: Wiring) -> None:
    """Say what this slice hears and checks."""
    fapiao.wire(wiring)
    wiring.listen("billing", BillsDrafted, reckon_standings)
    wiring.listen("billing", BillsIssued, settle_issued_bills)
    wiring.listen("billing", CreditLimitChanged, stand_again)
    wiring.invariant("billing", "payment_is_applied_and_advance", checks.payment_is_applied_and_advance)
    wiring.invariant("billing", "bill_open_is_total_less_applied", checks.bill_open_is_total_less_applied)
    wiring.invariant("billing", "receivable_equals_open_bills", checks.receivable_equals_open_bills)
    wiring.invariant("billing", "standing_is_true", checks.standing_is_true)
    wiring.invariant("billing", "adjustments_within_lines", checks.adjustments_within_lines)
    wiring.invariant("billing", "adjusted_money_is_somewhere", checks.adjusted_money_is_somewhere)
    wiring.invariant("billing", "deposits_equal_books", checks_of_moves.deposits_equal_books)
    wiring.invariant("billing", "transfers_are_posted", checks_of_moves.transfers_are_posted)
    wiring.invariant("billing", "debit_items_are_paid", checks_of_moves.debit_items_are_paid)
