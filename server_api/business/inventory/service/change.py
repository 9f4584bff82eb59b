"""Changing, suspending, resuming and ending products: each adds one billing event and tells billing the whole state."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Row

from server_api.business.catalog import service as catalog
from server_api.business.inventory import rules, store
from server_api.business.inventory.service.install import event_row, need_fitting_offering
from server_api.business.inventory.service.tell import tell_product
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import BillingEventKind
from shared_models.contracts.inventory import (
    ChangeOffer,
    ProductChanged,
    ProductState,
    ResumeProduct,
    SuspendProduct,
    TerminateProduct,
)
from shared_models.tables.business.inventory import product
from shared_models.values.clock import town_midnight
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.inventory import (
    AlreadySuspendedForThat,
    EffectiveDayTooEarly,
    NotSuspendedForThat,
    ProductEnded,
    WrongService,
)
from shared_models.values.ids import derived_id


def change_offer(uow: UnitOfWork, *, product_id: str, change: ChangeOffer) -> ProductChanged:
    """Give a product another offering from a day on, at the prices in force then.

    Raises NotFound, ProductEnded, WrongService, EffectiveDayTooEarly, OfferingUnknown, OfferingNotSold, NotAMember.
    """
    row = held(uow, product_id)
    effective_on = day_of(uow, row, change.effective_on)
    offering = need_fitting_offering(uow, change.offering_code, change.bundle_code, effective_on)
    if offering.service != row.service:
        raise WrongService(offering_code=change.offering_code)
    values = {
        "offering_code": change.offering_code, "bundle_code": change.bundle_code,
        "bundle_instance": change.bundle_instance,
    }  # fmt: skip
    _add_event(uow, row, BillingEventKind.CHANGED, effective_on, change.reason, **values)
    return changed(uow, row, effective_on, **values)


def suspend_product(uow: UnitOfWork, *, product_id: str, suspend: SuspendProduct) -> ProductChanged:
    """Add a reason for suspension; the first one stops the charges of being in service.

    Raises NotFound, ProductEnded, AlreadySuspendedForThat, EffectiveDayTooEarly.
    """
    row = held(uow, product_id)
    effective_on = day_of(uow, row, suspend.effective_on)
    reasons = store.reasons(uow.conn, [product_id]).get(product_id, [])
    if suspend.suspend_reason.value in reasons:
        raise AlreadySuspendedForThat()
    store.add_suspensions(uow.conn, [{
        "suspension_id": derived_id(uow.act_id, product_id, suspend.suspend_reason.value), "product_id": product_id,
        "suspend_reason": suspend.suspend_reason.value, "since_at": uow.now, "cleared_at": None,
    }])  # fmt: skip
    if not reasons:
        _add_event(uow, row, BillingEventKind.SUSPENDED, effective_on)
    return changed(uow, row, effective_on, state=ProductState.SUSPENDED.value)


def resume_product(uow: UnitOfWork, *, product_id: str, resume: ResumeProduct) -> ProductChanged:
    """Clear one reason for suspension and no other; the product comes back when none is left.

    Raises NotFound, ProductEnded, NotSuspendedForThat, EffectiveDayTooEarly.
    """
    row = held(uow, product_id)
    effective_on = day_of(uow, row, resume.effective_on)
    if not store.clear_suspension(uow.conn, product_id, resume.suspend_reason.value, uow.now):
        raise NotSuspendedForThat()
    left = store.reasons(uow.conn, [product_id]).get(product_id, [])
    if not left:
        _add_event(uow, row, BillingEventKind.RESUMED, effective_on)
    return changed(uow, row, effective_on, state=rules.state_after(ProductState(row.state), left).value)


def terminate_product(uow: UnitOfWork, *, product_id: str, terminate: TerminateProduct) -> ProductChanged:
    """End a product; ``effective_on`` is the first day without it. Numbers rest, lines are free, devices come back.

    Raises NotFound, ProductEnded, EffectiveDayTooEarly.
    """
    row = held(uow, product_id)
    effective_on = day_of(uow, row, terminate.effective_on)
    until_at = uow.now if effective_on == uow.today else town_midnight(effective_on)
    open_accesses = [one for one in store.accesses(uow.conn, product_id) if one.until_at is None]
    store.end_accesses(uow.conn, product_id, until_at)
    store.end_relations(uow.conn, product_id, effective_on)
    store.clear_suspension(uow.conn, product_id, None, uow.now)
    _add_event(uow, row, BillingEventKind.TERMINATED, effective_on, terminate.reason)
    resource.quit(uow, product_id=product_id)
    owner = party.NumberOwner(row.customer_id, row.hall_code, row.district_code)
    party.unindex_numbers(uow, owner=owner, access_keys=[one.access_key for one in open_accesses])
    return changed(uow, row, effective_on, state=ProductState.TERMINATED.value, terminated_on=effective_on)


def held(uow: UnitOfWork, product_id: str) -> Row[Any]:
    """A product in being the caller may see, locked. Raises NotFound, ProductEnded."""
    row = uow.lock(store.lock_query(product_id, uow.context), product)
    if row is None:
        raise NotFound(what="product")
    if row.state == ProductState.TERMINATED.value:
        raise ProductEnded()
    return row


def day_of(uow: UnitOfWork, row: Row[Any], wanted: date | None) -> date:
    """The day a change takes effect. Raises EffectiveDayTooEarly."""
    effective_on = wanted or uow.today
    last_on = max((one.effective_on for one in store.events(uow.conn, row.product_id)), default=None)
    if wanted is None and last_on is not None and last_on > effective_on:
        effective_on = last_on  # a change agreed for later stands: this one follows it
    if not rules.day_possible(effective_on, last_on, uow.today):
        raise EffectiveDayTooEarly(effective_on=effective_on, not_before=last_on or "-")
    return effective_on


def _add_event(
    uow: UnitOfWork, row: Row[Any], kind: BillingEventKind, effective_on: date, reason: str = "",
    **other: str | None,
) -> None:  # fmt: skip
    """Close the open event and add the next; only a changed offering gets the prices in force on the day."""
    last = store.events(uow.conn, row.product_id)[-1]
    offering_code = other.get("offering_code") or row.offering_code
    version = last.price_version
    if kind is BillingEventKind.CHANGED:
        version = catalog.price_version_on(uow.conn, effective_on)
    store.close_event(uow.conn, row.product_id, effective_on)
    store.add_events(uow.conn, [event_row(
        row.product_id, last.event_no + 1, kind, effective_on, offering_code, version,
        other.get("bundle_code", row.bundle_code), other.get("bundle_instance", row.bundle_instance), reason,
    )])  # fmt: skip


def changed(uow: UnitOfWork, row: Row[Any], effective_on: date, **values: Any) -> ProductChanged:
    """Store what changed of a product and tell billing its whole state."""
    version_no = row.version_no + 1
    store.change(uow.conn, row.product_id, version_no=version_no, **values)
    tell_product(uow, {**row._mapping, **values}, town_midnight(effective_on))
    return ProductChanged(
        product_id=row.product_id, product_no=row.product_no, version_no=version_no,
        state=ProductState(values.get("state", row.state)),
    )  # fmt: skip
