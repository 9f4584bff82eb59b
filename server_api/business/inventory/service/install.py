"""Installing a product: numbers taken, who pays, the opening billing event, and the news to billing, in one act."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from server_api.business.catalog import service as catalog
from server_api.business.inventory import rules, store
from server_api.business.inventory.service.tell import tell_product
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.business.resource.rules import compact_access
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import OfferingRow
from shared_models.contracts.events import BillingEventKind
from shared_models.contracts.inventory import Access, InstallProduct, PayRelation, ProductChanged, ProductState
from shared_models.values.clock import town_midnight
from shared_models.values.faults.catalog import OfferingUnknown
from shared_models.values.faults.inventory import (
    EffectiveDayTooEarly,
    NotAMember,
    NumberNotValid,
    OfferingExcluded,
    OfferingRequired,
    ProductIdTaken,
)
from shared_models.values.ids import derived_id
from shared_models.values.numbers import Phone


def install_product(uow: UnitOfWork, *, install: InstallProduct) -> ProductChanged:
    """Install a product for a customer the caller may see and tell billing.

    Raises NotFound, ProductIdTaken, OfferingUnknown, OfferingNotSold, OfferingRequired, OfferingExcluded, NotAMember,
    NumberNotValid, NumberAlreadyTaken, NoPriceBook, EffectiveDayTooEarly.
    """
    owner = party.need_customer(uow.conn, install.customer_id, uow.context)
    if store.exists(uow.conn, install.product_id):
        raise ProductIdTaken()
    effective_on = install.effective_on or uow.today
    if not rules.day_possible(effective_on, None, uow.today):
        raise EffectiveDayTooEarly(effective_on=effective_on, not_before="-")
    offering = need_fitting_offering(uow, install.offering_code, install.bundle_code, effective_on)
    _need_relations(uow, install, offering)
    accesses = [compact(one) for one in install.accesses]
    if not accesses and offering.service != "addon":
        raise NumberNotValid(number="-")
    shown_as = install.shown_as or (shown(accesses[0]) if accesses else offering.name_zh)
    for access in accesses:
        resource.take_number(
            uow, taken=resource.Taken(access.access_kind, access.access_key, install.product_id, owner.hall_code)
        )
    row = product_row(install, offering, shown_as, owner.hall_code, owner.district_code, effective_on)
    row["product_no"] = f"P{next_number(uow, 'product'):08d}"
    store.add(uow.conn, [row])
    from_at = uow.now if effective_on == uow.today else town_midnight(effective_on)
    store.add_accesses(uow.conn, [access_row(install.product_id, one, from_at) for one in accesses])
    store.add_relations(
        uow.conn, [relation_row(install.product_id, one, effective_on) for one in install.pay_relations]
    )
    version = catalog.price_version_on(uow.conn, effective_on)
    store.add_events(uow.conn, [first_event(install, effective_on, version)])
    party.index_numbers(uow, owner=owner, access_keys=[one.access_key for one in accesses])
    tell_product(uow, row, town_midnight(effective_on))
    return ProductChanged(
        product_id=install.product_id, product_no=row["product_no"], state=ProductState.ACTIVE, version_no=1
    )


def need_fitting_offering(uow: UnitOfWork, offering_code: str, bundle_code: str | None, on: date) -> OfferingRow:
    """An offering that may be sold, within the bundle where one is named. Raises OfferingUnknown, NotAMember, …"""
    offering = catalog.need_offering(uow.conn, offering_code, on)
    if offering.offering_kind == "bundle":
        raise NotAMember(offering_code=offering_code, bundle_code=offering_code)
    if bundle_code is not None:
        bundle = catalog.need_offering(uow.conn, bundle_code, on)
        if offering_code not in catalog.member_codes(uow.conn, bundle.offering_code):
            raise NotAMember(offering_code=offering_code, bundle_code=bundle_code)
    return offering


def _need_relations(uow: UnitOfWork, install: InstallProduct, offering: OfferingRow) -> None:
    required, excluded = catalog.relations_at_sale(uow.conn, offering.offering_code)
    if not required and not excluded:
        return
    owned = store.offerings_in_being(uow.conn, install.customer_id)
    if rules.required_missing(required, owned):
        raise OfferingRequired(offering_code=offering.offering_code, other_codes=", ".join(sorted(required)))
    for other_code in sorted(excluded & owned):
        raise OfferingExcluded(offering_code=offering.offering_code, other_code=other_code)


def compact(access: Access) -> Access:
    """An access in the form it is stored in. Raises NumberNotValid."""
    try:
        key = compact_access(access.access_kind, access.access_key, party.area_code())
    except ValueError:
        raise NumberNotValid(number=access.access_key) from None
    return Access(access_kind=access.access_kind, access_key=key)


def shown(access: Access) -> str:
    """An access as bills print it."""
    return Phone.format(access.access_key, party.area_code()) if access.access_kind == "number" else access.access_key


def product_row(
    install: InstallProduct, offering: OfferingRow, shown_as: str, hall_code: str, district_code: str, on: date
) -> dict[str, Any]:
    """The table row of a new product, without its number."""
    if offering.offering_code != install.offering_code:
        raise OfferingUnknown(offering_code=install.offering_code)
    return {
        "product_id": install.product_id, "customer_id": install.customer_id, "offering_code": install.offering_code,
        "service": offering.service, "shown_as": shown_as[:60], "state": ProductState.ACTIVE.value,
        "hall_code": hall_code, "district_code": district_code, "region": install.region,
        "install_address": install.install_address, "bundle_code": install.bundle_code,
        "bundle_instance": install.bundle_instance, "installed_on": on, "terminated_on": None, "version_no": 1,
    }  # fmt: skip


def access_row(product_id: str, access: Access, from_at: datetime) -> dict[str, Any]:
    """The table row of an access."""
    return {
        "access_kind": access.access_kind, "access_key": access.access_key, "from_at": from_at,
        "product_id": product_id, "until_at": None,
    }  # fmt: skip


def relation_row(product_id: str, relation: PayRelation, from_on: date) -> dict[str, Any]:
    """The table row of a pay relation."""
    relation_id = derived_id(product_id, relation.account_id, relation.item_group, from_on.isoformat())
    return {
        "relation_id": relation_id, "product_id": product_id, "account_id": relation.account_id,
        "item_group": relation.item_group, "priority": relation.priority, "from_on": from_on, "until_on": None,
    }  # fmt: skip


def first_event(install: InstallProduct, effective_on: date, price_version: int) -> dict[str, Any]:
    """The opening billing event; later ones are numbered from 2."""
    return event_row(
        install.product_id, 1, BillingEventKind.ACTIVATED, effective_on, install.offering_code, price_version,
        install.bundle_code, install.bundle_instance,
    )  # fmt: skip


def event_row(
    product_id: str, event_no: int, kind: BillingEventKind, effective_on: date, offering_code: str, price_version: int,
    bundle_code: str | None, bundle_instance: str | None, reason: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The table row of a billing event; a terminating one is closed at once."""
    return {
        "event_id": derived_id(product_id, "event", str(event_no)), "product_id": product_id, "event_no": event_no,
        "event_kind": kind.value, "effective_on": effective_on,
        "until_on": effective_on if kind is BillingEventKind.TERMINATED else None, "offering_code": offering_code,
        "price_version": price_version, "bundle_code": bundle_code, "bundle_instance": bundle_instance,
        "reason": reason or None,
    }  # fmt: skip
