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
    RESOURCE_VIEW = "resource.view"
    RESOURCE_EDIT = "resource.edit"
    WORK_VIEW = "work.view"
    WORK_DISPATCH = "work.dispatch"
    WORK_DO = "work.do"
    CATALOG_VIEW = "catalog.view"
    CATALOG_EDIT = "catalog.edit"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_EDIT = "account.edit"
    PAYMENT_TAKE = "payment.take"
    PAYMENT_REVERSE_OWN = "payment.reverse_own"
    PAYMENT_REVERSE_ANY = "payment.reverse_any"
    PAYMENT_REFUND = "payment.refund"
    APPROVAL_GIVE = "approval.give"
    BILL_ADJUST = "bill.adjust"
    FEE_WAIVE = "fee.waive"
    BALANCE_TRANSFER = "balance.transfer"
    DEPOSIT_TAKE = "deposit.take"
    DEPOSIT_RETURN = "deposit.return"
    DEBIT_EDIT = "debit.edit"
    FAPIAO_ISSUE = "fapiao.issue"
    FAPIAO_RED = "fapiao.red"
    FAPIAO_RESOLVE = "fapiao.resolve"
    RECEIPT_REPRINT = "receipt.reprint"
    TILL_OPERATE = "till.operate"
    TILL_AUDIT = "till.audit"
    TILL_CLOSE_ANY = "till.close_any"
    BILL_VIEW = "bill.view"
    BILL_RUN = "bill.run"
    CALLS_VIEW = "calls.view"
    USAGE_IMPORT = "usage.import"
    RATING_ASK = "rating.ask"
    CREDIT_CONTROL = "credit.control"
    PROVISIONING_VIEW = "provisioning.view"
    PROVISIONING_WORK = "provisioning.work"
    STAFF_VIEW = "staff.view"
    STAFF_EDIT = "staff.edit"
    AUDIT_VIEW = "audit.view"
    MIGRATION_RUN = "migration.run"
    SYSTEM_OPERATE = "system.operate"
