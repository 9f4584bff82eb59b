"""What must hold before an order is accepted: fields, products, catalogue, nothing else under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from server_api.business.catalog import service as catalog
from server_api.business.inventory import service as inventory
from server_api.business.ordering import rules, store
from server_api.business.ordering.policy import order_policy
from server_api.business.party import service as party
from server_api.business.resource.rules import compact_access
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import OfferingRow
from shared_models.contracts.inventory import Access, Service
from shared_models.contracts.ordering import OrderAct, OrderItemWish, SubmitOrder
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import (
    AlreadySuspendedForThat,
    EffectiveDayTooEarly,
    NotAMember,
    NotSuspendedForThat,
    NumberNotValid,
    OfferingExcluded,
    OfferingRequired,
    ProductEnded,
    WrongService,
)
from shared_models.values.faults.ordering import (
    BundleMemberMissing,
    OfferChangeNotAllowed,
    OrderFieldMissing,
    OrderUnderWay,
)
from shared_models.values.ids import derived_id

_BY_LOGIN = frozenset({Service.BROADBAND.value})


@dataclass
class Checked:
    """An item that may be accepted."""

    item_no: int
    item_id: str
    wish: OrderItemWish
    effective_on: date
    product_id: str
    offering_code: str
    known: inventory.KnownProduct | None
    bundle_instance: str | None
    after: list[int] = field(default_factory=list)


def checked_items(uow: UnitOfWork, order: SubmitOrder) -> list[Checked]:
    """Every item, checked against the catalogue, the customer's products and the others. Raises what is wrong."""
    items = [_one(uow, order, number, wish) for number, wish in enumerate(order.items, start=1)]
    _bundles_whole(uow, items)
    _relations(uow, order, items)
    _payers(order, items)
    return items


def effective_day(wish: OrderItemWish, today: date) -> date:
    """The day an item is to take effect."""
    if wish.when == "next_month":
        return rules.first_of_next_month(today)
    return wish.effective_on or today


def _one(uow: UnitOfWork, order: SubmitOrder, number: int, wish: OrderItemWish) -> Checked:
    act, plan = wish.act, order_policy().acts[wish.act.value]
    for name in plan.needs:
        if not getattr(wish, name):
            raise OrderFieldMissing(item=number, act=act.value, field=name)
    if wish.when == "on_day" and wish.effective_on is None:
        raise OrderFieldMissing(item=number, act=act.value, field="effective_on")
    on = effective_day(wish, uow.today)
    item_id = derived_id(order.order_id, str(number))
    known = None
    product_id = wish.product_id or derived_id(item_id, "product")
    if act is OrderAct.INSTALL:
        _may_be_sold(uow, wish, on)
        wish = wish.model_copy(update={"accesses": tuple(_compact(one) for one in wish.accesses)})
        _install_fields(uow, wish, number)
    elif act is OrderAct.ADD_FEATURE:
        product_id = derived_id(item_id, "product")
        if _may_be_sold(uow, wish, on).service != Service.ADDON.value:
            raise WrongService(offering_code=wish.offering_code)
        known = _product(uow, order, wish.product_id or "", act, may_be_new=True)
    else:
        known = _product(uow, order, product_id, act)
        wish = wish.model_copy(update={"accesses": tuple(_compact(one) for one in wish.accesses)})
    if known is not None:
        _fits_the_product(uow, wish, known, on)
    instance = derived_id(order.order_id, wish.bundle_code) if wish.bundle_code else None
    offering_code = wish.offering_code or (known.offering_code if known is not None else "")
    return Checked(number, item_id, wish, on, product_id, offering_code, known, instance)


def _may_be_sold(uow: UnitOfWork, wish: OrderItemWish, on: date) -> OfferingRow:
    """Raises OfferingUnknown, OfferingNotSold, NotAMember."""
    code = wish.offering_code or ""
    offering = catalog.need_offering(uow.conn, code, on)
    if offering.offering_kind == "bundle":
        raise NotAMember(offering_code=code, bundle_code=code)
    if wish.bundle_code is not None:
        catalog.need_offering(uow.conn, wish.bundle_code, on)
        if code not in catalog.member_codes(uow.conn, wish.bundle_code):
            raise NotAMember(offering_code=code, bundle_code=wish.bundle_code)
    return offering


def _install_fields(uow: UnitOfWork, wish: OrderItemWish, number: int) -> None:
    service = catalog.need_offering(uow.conn, wish.offering_code or "", uow.today, sold=False).service
    if not wish.accesses and service != Service.ADDON.value:
        raise OrderFieldMissing(item=number, act=wish.act.value, field="accesses")
    if service in _BY_LOGIN and order_policy().commands(wish.offering_code or "", service, "install"):
        if not wish.password:
            raise OrderFieldMissing(item=number, act=wish.act.value, field="password")
        if not any(access.access_kind == "login" for access in wish.accesses):
            raise OrderFieldMissing(item=number, act=wish.act.value, field="accesses")


def _product(
    uow: UnitOfWork, order: SubmitOrder, product_id: str, act: OrderAct, *, may_be_new: bool = False
) -> inventory.KnownProduct | None:
    """The product an item concerns, this customer's and in being, with nothing else under way for it."""
    if may_be_new and product_id in {_made_by(order, number) for number in range(1, len(order.items) + 1)}:
        return None
    known = inventory.know_product(uow.conn, product_id, uow.context, uow.today)
    if known.customer_id != order.customer_id:
        raise NotFound(what="product")
    if known.state == "terminated":
        raise ProductEnded()
    for other in store.under_way(uow.conn, product_id):
        raise OrderUnderWay(order=other.order_no)
    return known


def _made_by(order: SubmitOrder, number: int) -> str:
    wish = order.items[number - 1]
    return wish.product_id or derived_id(derived_id(order.order_id, str(number)), "product")


def _fits_the_product(uow: UnitOfWork, wish: OrderItemWish, known: inventory.KnownProduct, on: date) -> None:
    if wish.act is OrderAct.CHANGE_OFFER:
        offering = _may_be_sold(uow, wish, on)
        if offering.service != known.service:
            raise WrongService(offering_code=wish.offering_code)
        _may_follow(uow, wish, known)
    reason = wish.suspend_reason.value if wish.suspend_reason is not None else ""
    if wish.act is OrderAct.SUSPEND and reason in known.reasons:
        raise AlreadySuspendedForThat()
    if wish.act is OrderAct.RESUME and reason not in known.reasons:
        raise NotSuspendedForThat()
    if known.last_on is not None and on < known.last_on and wish.when == "on_day":
        raise EffectiveDayTooEarly(effective_on=on, not_before=known.last_on)


def _may_follow(uow: UnitOfWork, wish: OrderItemWish, known: inventory.KnownProduct) -> None:
    """Where the catalogue says what an offering (or bundle) may become, nothing else is allowed."""
    before, after = known.offering_code, wish.offering_code or ""
    if known.bundle_code and wish.bundle_code:
        before, after = known.bundle_code, wish.bundle_code
    elif bool(known.bundle_code) != bool(wish.bundle_code):
        return
    allowed = catalog.changes_allowed(uow.conn, before)
    if before != after and allowed and after not in allowed:
        raise OfferChangeNotAllowed(from_code=before, to_code=after, allowed=", ".join(sorted(allowed)))


def _bundles_whole(uow: UnitOfWork, items: Sequence[Checked]) -> None:
    for bundle_code in sorted({item.wish.bundle_code for item in items if item.wish.bundle_code}):
        there = {item.offering_code for item in items if item.wish.bundle_code == bundle_code}
        for member in sorted(catalog.mandatory_members(uow.conn, bundle_code) - there):
            raise BundleMemberMissing(bundle=bundle_code, member=member)


def _relations(uow: UnitOfWork, order: SubmitOrder, items: Sequence[Checked]) -> None:
    """Requires and excludes, over what the customer has, what this order brings and what it ends."""
    bringing = (OrderAct.INSTALL, OrderAct.ADD_FEATURE, OrderAct.CHANGE_OFFER)
    owned = inventory.owned_offerings(uow.conn, order.customer_id)
    brought = {item.item_no: {item.offering_code, item.wish.bundle_code or ""} - {""} for item in items
               if item.wish.act in bringing}  # fmt: skip
    for item in items:
        if item.wish.act not in bringing:
            continue
        required, excluded = catalog.relations_at_sale(uow.conn, item.offering_code)
        others: set[str] = set().union(*(codes for number, codes in brought.items() if number != item.item_no))
        if required and not required & owned:
            if not required & others:
                raise OfferingRequired(offering_code=item.offering_code, other_codes=", ".join(sorted(required)))
            item.after = [number for number, codes in brought.items() if number != item.item_no and required & codes]
        gone = {item.known.offering_code} if item.known and item.wish.act is OrderAct.CHANGE_OFFER else set()
        for other in sorted(excluded & ((owned - gone) | others)):
            raise OfferingExcluded(offering_code=item.offering_code, other_code=other)


def _payers(order: SubmitOrder, items: Sequence[Checked]) -> None:
    for item in items:
        if item.wish.act is OrderAct.INSTALL and not (item.wish.account_id or order.account_id):
            raise OrderFieldMissing(item=item.item_no, act=item.wish.act.value, field="account_id")


def _compact(access: Access) -> Access:
    try:
        key = compact_access(access.access_kind, access.access_key, party.area_code())
    except ValueError:
        raise NumberNotValid(number=access.access_key) from None
    return Access(access_kind=access.access_kind, access_key=key)
