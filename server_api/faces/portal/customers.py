"""One customer: what is owed, by bill; and the same customer as field staff need it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from server_api.faces.joined.desk import read_desk
from server_api.faces.portal.visitor import Visitor, portal_permit
from shared_models.contracts.desk import CustomerDesk, DeskProduct
from shared_models.values.money import Fen
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
ENDED = "terminated"


@router.get("/customers/{customer_id}")
def customer(customer_id: str, visitor: Visitor = portal_permit(Permission.ACCOUNT_VIEW)) -> Response:
    """Everything owed, the services in use, and what was paid lately."""
    desk = read_desk(visitor.caller.databases, visitor.caller.context, customer_id, visitor.language)
    return visitor.page("customer.html", page_of="home", desk=desk, **_sums(desk))


@router.get("/field/customers/{customer_id}")
def field_customer(customer_id: str, visitor: Visitor = portal_permit(Permission.PRODUCT_VIEW)) -> Response:
    """Lines, addresses and numbers to call; whether anything is owed, where the visitor may know."""
    desk = read_desk(visitor.caller.databases, visitor.caller.context, customer_id, visitor.language)
    return visitor.page("field_customer.html", page_of="field", desk=desk, **_sums(desk))


def _sums(desk: CustomerDesk) -> dict[str, Any]:
    products: list[DeskProduct] = sorted(
        desk.products, key=lambda product: (product.state == ENDED, product.product_no)
    )
    return {
        "owed": Fen.total(account.owed_fen for account in desk.accounts),
        "balance": Fen.total(account.balance_fen for account in desk.accounts),
        "products": products,
        "account_nos": {account.account_id: account.account_no for account in desk.accounts},
    }
