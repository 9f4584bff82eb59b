"""Installed products at the counter: these acts book the change itself; orders with work come later."""

from __future__ import annotations

from server_api.business.inventory import service as inventory
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from shared_models.contracts.inventory import (
    ChangeOffer,
    InstallProduct,
    ProductChanged,
    ProductPage,
    ProductView,
    ResumeProduct,
    SuspendProduct,
    TerminateProduct,
)
from shared_models.values.faults.catalog import NoPriceBook, OfferingNotSold, OfferingUnknown
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import (
    AlreadySuspendedForThat,
    EffectiveDayTooEarly,
    NotAMember,
    NotSuspendedForThat,
    NumberAlreadyTaken,
    NumberNotValid,
    OfferingExcluded,
    OfferingRequired,
    ProductEnded,
    ProductIdTaken,
    WrongService,
)

router = hall_router("products")


@router.get("/customers/{customer_id}/products", response_model=ProductPage, responses=refusals(NotFound))
def list_products(customer_id: str, caller: Caller = permit(Permission.PRODUCT_VIEW)) -> Response:
    """A customer's products in order of number."""
    caller.wait_for_after("business")
    with caller.reading("business") as connection:
        return reply(ProductPage(items=inventory.products_of_customer(connection, customer_id, caller.context)))


@router.get("/products/{product_id}", response_model=ProductView, responses=refusals(NotFound))
def read_product(product_id: str, caller: Caller = permit(Permission.PRODUCT_VIEW)) -> Response:
    """One product."""
    with caller.reading("business") as connection:
        return reply(inventory.read_product(connection, product_id, caller.context))


@router.post("/products", response_model=ProductChanged, status_code=201, responses=refusals(
    NotFound, ProductIdTaken, OfferingUnknown, OfferingNotSold, OfferingRequired, OfferingExcluded, NotAMember,
    NumberNotValid, NumberAlreadyTaken, NoPriceBook, EffectiveDayTooEarly))  # fmt: skip
def install_product(body: InstallProduct, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Install a product: its numbers are taken, its charges begin on the effective day."""
    return caller.act(
        "business", "install_product", body, lambda uow: inventory.install_product(uow, install=body), status_code=201
    )


@router.post("/products/{product_id}/offer", response_model=ProductChanged, responses=refusals(
    NotFound, ProductEnded, WrongService, OfferingUnknown, OfferingNotSold, NotAMember, NoPriceBook,
    EffectiveDayTooEarly))  # fmt: skip
def change_offer(product_id: str, body: ChangeOffer, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Give a product another offering from a day on."""
    return caller.act(
        "business", "change_offer", body, lambda uow: inventory.change_offer(uow, product_id=product_id, change=body)
    )


@router.post("/products/{product_id}/suspend", response_model=ProductChanged, responses=refusals(
    NotFound, ProductEnded, AlreadySuspendedForThat, EffectiveDayTooEarly))  # fmt: skip
def suspend_product(
    product_id: str, body: SuspendProduct, caller: Caller = permit(Permission.PRODUCT_EDIT)
) -> Response:
    """Add a reason for suspension."""
    return caller.act(
        "business", "suspend_product", body,
        lambda uow: inventory.suspend_product(uow, product_id=product_id, suspend=body),
    )  # fmt: skip


@router.post("/products/{product_id}/resume", response_model=ProductChanged, responses=refusals(
    NotFound, ProductEnded, NotSuspendedForThat, EffectiveDayTooEarly))  # fmt: skip
def resume_product(product_id: str, body: ResumeProduct, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Clear one reason for suspension and no other."""
    return caller.act(
        "business", "resume_product", body,
        lambda uow: inventory.resume_product(uow, product_id=product_id, resume=body),
    )  # fmt: skip


@router.post("/products/{product_id}/terminate", response_model=ProductChanged, responses=refusals(
    NotFound, ProductEnded, EffectiveDayTooEarly))  # fmt: skip
def terminate_product(
    product_id: str, body: TerminateProduct, caller: Caller = permit(Permission.PRODUCT_EDIT)
) -> Response:
    """End a product; its numbers rest before anybody else gets them."""
    return caller.act(
        "business", "terminate_product", body,
        lambda uow: inventory.terminate_product(uow, product_id=product_id, terminate=body),
    )  # fmt: skip
