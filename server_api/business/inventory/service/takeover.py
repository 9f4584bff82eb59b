"""Taking products over from an old system: several hundred in one act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from server_api.business.catalog import service as catalog
from server_api.business.inventory import store
from server_api.business.inventory.service.install import (
    access_row,
    compact,
    event_row,
    first_event,
    product_row,
    relation_row,
    shown,
)
from server_api.business.inventory.service.tell import access_state, event_state, relation_state
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.platform.numbering import take_numbers
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import OfferingRow
from shared_models.contracts.events import BillingEventKind, ProductRecorded
from shared_models.contracts.inventory import MigratedProduct, ProductState
from shared_models.values.clock import town_midnight
from shared_models.values.ids import derived_id

Rows = list[dict[str, Any]]


def take_over_products(uow: UnitOfWork, *, products: Sequence[MigratedProduct]) -> int:
    """Make the products that are not there yet (by id) and tell billing; returns how many were made.

    Offerings need not be sold any more, and old relations between them are taken as they are.
    Raises NumberAlreadyTaken, NumberNotValid, OfferingUnknown: the importer has set such rows aside before.
    """
    known = store.existing(uow.conn, [one.product_id for one in products])
    fresh = [one for one in products if one.product_id not in known]
    first_no = take_numbers(uow, "product", len(fresh)) if fresh else 0
    rows: Rows = []
    accesses: Rows = []
    relations: Rows = []
    events: Rows = []
    suspensions: Rows = []
    numbers: list[resource.Taken] = []
    keys: list[list[str]] = []
    book = _Book(uow)
    for offset, one in enumerate(fresh):
        made = _rows_of(uow, book, one, f"P{first_no + offset:08d}")
        rows.append(made.product)
        accesses += made.accesses
        relations += made.relations
        events += made.events
        suspensions += made.suspensions
        keys.append([row["access_key"] for row in made.accesses])
        numbers += [
            resource.Taken(row["access_kind"], row["access_key"], one.product_id, one.hall_code)
            for row in made.accesses
        ]
        uow.tell(f"product:{one.product_id}", made.fact(), town_midnight(one.installed_on), bulk=True)
    resource.take_over_numbers(uow, numbers=numbers)
    store.add(uow.conn, rows)
    store.add_accesses(uow.conn, accesses)
    store.add_relations(uow.conn, relations)
    store.add_events(uow.conn, events)
    store.add_suspensions(uow.conn, suspensions)
    owners = [party.NumberOwner(one.customer_id, one.hall_code, one.district_code) for one in fresh]
    party.index_many(uow, numbers=list(zip(owners, keys, strict=True)))
    return len(fresh)


class _Book:
    """What is sold at which prices, asked once per offering and day and not once per product."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._offerings: dict[str, OfferingRow] = {}
        self.version = catalog.versions_by_day(uow.conn)

    def offering(self, code: str, on: date) -> OfferingRow:
        if code not in self._offerings:
            self._offerings[code] = catalog.need_offering(self._uow.conn, code, on, sold=False)
        return self._offerings[code]


class _Made:
    """The rows of one product."""

    def __init__(self, product: dict[str, Any]) -> None:
        self.product = product
        self.accesses: Rows = []
        self.relations: Rows = []
        self.events: Rows = []
        self.suspensions: Rows = []

    def fact(self) -> ProductRecorded:
        row = self.product
        return ProductRecorded(
            product_id=row["product_id"], product_no=row["product_no"], customer_id=row["customer_id"],
            service=row["service"], shown_as=row["shown_as"], region=row["region"] or "",
            accesses=tuple(access_state(one) for one in self.accesses),
            pay_relations=tuple(relation_state(one) for one in self.relations),
            events=tuple(event_state(one) for one in self.events),
        )  # fmt: skip


def _rows_of(uow: UnitOfWork, book: _Book, one: MigratedProduct, product_no: str) -> _Made:
    offering = book.offering(one.offering_code, one.installed_on)
    accesses = [compact(access) for access in one.accesses]
    shown_as = one.shown_as or (shown(accesses[0]) if accesses else offering.name_zh)
    made = _Made(product_row(one, offering, shown_as, one.hall_code, one.district_code, one.installed_on))
    made.product["product_no"] = product_no
    from_at = town_midnight(one.installed_on)
    made.accesses = [access_row(one.product_id, access, from_at) for access in accesses]
    made.relations = [relation_row(one.product_id, relation, one.installed_on) for relation in one.pay_relations]
    version = book.version(one.installed_on)
    made.events = [first_event(one, one.installed_on, version)]
    if one.suspend_reason is not None:
        suspended_on = max(one.suspended_on or uow.today, one.installed_on)
        made.product["state"] = ProductState.SUSPENDED.value
        made.events[0]["until_on"] = suspended_on
        made.events.append(event_row(
            one.product_id, 2, BillingEventKind.SUSPENDED, suspended_on, one.offering_code, version, one.bundle_code,
            one.bundle_instance,
        ))  # fmt: skip
        made.suspensions = [{
            "suspension_id": derived_id(one.product_id, "suspended", one.suspend_reason.value),
            "product_id": one.product_id, "suspend_reason": one.suspend_reason.value,
            "since_at": town_midnight(suspended_on), "cleared_at": None,
        }]  # fmt: skip
    return made
