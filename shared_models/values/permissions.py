"""What a member of staff may be allowed to do. Roles are sets of these (resources/policy/roles.toml).

A permission is named ``<noun>.<verb>``; its words for people are the texts ``permission.<name>``.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Every right there is. Add a line here, its two texts, and the role that gets it."""

    CUSTOMER_VIEW = "customer.view"
    CUSTOMER_EDIT = "customer.edit"
    CUSTOMER_REVEAL = "customer.reveal"
    PRODUCT_VIEW = "product.view"
    PRODUCT_EDIT = "product.edit"
    CATALOG_VIEW = "catalog.view"
    CATALOG_EDIT = "catalog.edit"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_EDIT = "account.edit"
    PAYMENT_TAKE = "payment.take"
    PAYMENT_REVERSE_OWN = "payment.reverse_own"
    PAYMENT_REVERSE_ANY = "payment.reverse_any"
    PAYMENT_REFUND = "payment.refund"
    RECEIPT_REPRINT = "receipt.reprint"
    TILL_OPERATE = "till.operate"
    TILL_AUDIT = "till.audit"
    BILL_VIEW = "bill.view"
    BILL_RUN = "bill.run"
    CALLS_VIEW = "calls.view"
    USAGE_IMPORT = "usage.import"
    STAFF_VIEW = "staff.view"
    STAFF_EDIT = "staff.edit"
    AUDIT_VIEW = "audit.view"
    MIGRATION_RUN = "migration.run"
    SYSTEM_OPERATE = "system.operate"
