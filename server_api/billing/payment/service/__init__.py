"""The acts of payment, a file each."""

from server_api.billing.payment.service.credit import credit_line
from server_api.billing.payment.service.debit import DebitPaid, book_bank_debit
from server_api.billing.payment.service.deposit import deposits_of, forfeit_deposit, return_deposit, take_deposit
from server_api.billing.payment.service.intents import intend_payment, list_intents, resolve_intent
from server_api.billing.payment.service.reading import (
    account_owed,
    list_payments,
    owed_of_customer,
    recent_payments,
)
from server_api.billing.payment.service.refund import refund_advance
from server_api.billing.payment.service.reverse import reverse_payment
from server_api.billing.payment.service.settle import settle_accounts, settle_issued_bills
from server_api.billing.payment.service.take import preview_payment, take_payment
from server_api.billing.payment.service.transfer import transfer_balance

__all__ = [
    "DebitPaid",
    "account_owed",
    "book_bank_debit",
    "credit_line",
    "deposits_of",
    "forfeit_deposit",
    "intend_payment",
    "list_intents",
    "list_payments",
    "owed_of_customer",
    "preview_payment",
    "recent_payments",
    "refund_advance",
    "resolve_intent",
    "return_deposit",
    "reverse_payment",
    "settle_accounts",
    "settle_issued_bills",
    "take_deposit",
    "take_payment",
    "transfer_balance",
]
