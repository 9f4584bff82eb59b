"""The one screen: a customer, every service, and everything owed for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from server_api.billing.payment import service as payment
from server_api.business.inventory import service as inventory
from server_api.business.party import service as party
from server_api.platform.database import Database, Databases
from shared_models.contracts.account import AccountOwed, OwedBill, OwedLine
from shared_models.contracts.desk import (
    CustomerDesk,
    DeskAccount,
    DeskBill,
    DeskBillLine,
    DeskCustomer,
    DeskPayment,
    DeskProduct,
)
from shared_models.contracts.inventory import ProductView
from shared_models.contracts.party import CustomerDetail
from shared_models.contracts.payment import PaymentRow
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.common import DatabaseAway, TooBusy

log = logging.getLogger("onehall.faces")

RECENT_PAYMENTS = 10


def read_desk(databases: Databases, context: WorkContext, customer_id: str, language: str = "zh_CN") -> CustomerDesk:
    """Everything the counter needs to know of a customer. Raises NotFound outside the caller's scope.

    Where billing does not answer the screen still opens, with ``billing_away`` set: unknown, not nothing.
    """
    with databases.business.reading() as connection:
        customer = party.read_customer(connection, customer_id, context)
        products = inventory.products_of_customer(connection, customer_id, context)
    accounts: tuple[DeskAccount, ...] = ()
    billing_away = False
    try:
        accounts = _accounts(databases, context, customer_id, products)
    except (DatabaseAway, TooBusy) as fault:
        log.warning("the one screen opens without money: %s", fault)
        billing_away = True
    return CustomerDesk(
        customer=_customer(customer),
        products=tuple(_product(product, language) for product in products),
        accounts=accounts,
        as_of=databases.business.clock.now(),
        billing_away=billing_away,
    )


def _accounts(
    databases: Databases,
    context: WorkContext,
    customer_id: str,
    products: Sequence[ProductView],
) -> tuple[DeskAccount, ...]:
    """The customer's own accounts, then those of others that pay for this customer's services."""
    billing = databases.billing
    with billing.reading() as connection:
        found = list(payment.owed_of_customer(connection, billing.clock, customer_id))
        known = {one.account_id for one in found}
        for other in dict.fromkeys(product.account_id for product in products if product.account_id):
            if other in known:
                continue
            try:
                found.append(payment.account_owed(connection, billing.clock, other))
            except AccountNotFound:
                log.info("a product names account %s that billing has not heard of yet", other[:8])
        return tuple(_account(billing, connection, context, one) for one in found)


def _account(billing: Database, connection: Connection, context: WorkContext, owed: AccountOwed) -> DeskAccount:
    recent = payment.recent_payments(
        connection, context, billing.clock, billing.secrets, account_id=owed.account_id, limit=RECENT_PAYMENTS
    )
    return DeskAccount(
        account_id=owed.account_id,
        account_no=owed.account_no,
        payment_type=str(owed.payment_type),
        standing=owed.standing,
        owed_fen=owed.owed_fen,
        balance_fen=owed.balance_fen,
        bills=tuple(_bill(bill) for bill in owed.bills),
        recent_payments=tuple(_payment(row) for row in recent),
    )


def _customer(customer: CustomerDetail) -> DeskCustomer:
    return DeskCustomer(
        customer_id=customer.customer_id,
        customer_no=customer.customer_no,
        name=customer.name,
        customer_class=str(customer.customer_class),
        address=customer.address,
        masked_id_no=customer.documents[0].masked_no if customer.documents else "",
        phones=tuple(contact.contact_value for contact in customer.contacts),
    )


def _product(product: ProductView, language: str) -> DeskProduct:
    return DeskProduct(
        product_id=product.product_id,
        product_no=product.product_no,
        service=str(product.service),
        shown_as=product.shown_as,
        state=str(product.state),
        account_id=product.account_id,
        offering_name=(product.offering_en if language == "en" else product.offering_zh) or product.offering_code,
        suspend_reasons=tuple(str(reason) for reason in product.suspend_reasons),
        install_address=product.install_address,
        installed_on=product.installed_on,
    )


def _bill(bill: OwedBill) -> DeskBill:
    return DeskBill(
        bill_id=bill.bill_id,
        bill_no=bill.bill_no,
        yyyymm=bill.yyyymm,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        total_fen=bill.total_fen,
        paid_fen=bill.paid_fen,
        owed_fen=bill.owed_fen,
        overdue=bill.overdue,
        lines=tuple(_line(line) for line in bill.lines),
    )


def _line(line: OwedLine) -> DeskBillLine:
    return DeskBillLine(label=line.label, detail=line.detail, service=line.service, amount_fen=line.amount_fen)


def _payment(row: PaymentRow) -> DeskPayment:
    return DeskPayment(
        payment_id=row.payment_id,
        receipt_no=row.receipt_no,
        paid_at=row.paid_at,
        amount_fen=row.amount_fen,
        method=str(row.method),
        state=str(row.state),
        staff_no=row.staff_no,
        reversible=row.reversible,
    )
