"""A product gets another address, number, owner or payer: billing hears its whole state, its price does not change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server_api.business.inventory import store
from server_api.business.inventory.service.change import changed, held
from server_api.business.inventory.service.install import access_row, compact, relation_row, shown
from server_api.business.party import service as party
from server_api.business.resource import service as resource
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.inventory import Access, PayRelation, ProductChanged
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import NotFound


@dataclass(frozen=True)
class KnownProduct:
    """What an order must know of a product it concerns."""

    product_id: str
    customer_id: str
    service: str
    offering_code: str
    state: str
    region: str
    install_address: str
    bundle_code: str
    bundle_instance: str
    accesses: tuple[Access, ...]
    reasons: frozenset[str]
    account_id: str
    #: the day of its last billing event; what is agreed for later counts
    last_on: date | None


def know_product(conn: Connection, product_id: str, context: WorkContext, on: date) -> KnownProduct:
    """A product the caller may see. Raises NotFound."""
    row = store.one(conn, product_id, context)
    if row is None:
        raise NotFound(what="product")
    accesses = [one for one in store.accesses(conn, product_id) if one.until_at is None]
    return KnownProduct(
        product_id=product_id, customer_id=row.customer_id, service=row.service, offering_code=row.offering_code,
        state=row.state, region=row.region or "", install_address=row.install_address or "",
        bundle_code=row.bundle_code or "", bundle_instance=row.bundle_instance or "",
        accesses=tuple(Access(access_kind=one.access_kind, access_key=one.access_key) for one in accesses),
        reasons=frozenset(store.reasons(conn, [product_id]).get(product_id, [])),
        account_id=store.payers_on(conn, [product_id], on).get(product_id, ""),
        last_on=max((one.effective_on for one in store.events(conn, product_id)), default=None),
    )  # fmt: skip


def owned_offerings(conn: Connection, customer_id: str) -> set[str]:
    """The offerings and bundles of a customer's products in being."""
    return store.offerings_in_being(conn, customer_id)


def relocate_product(uow: UnitOfWork, *, product_id: str, address: str) -> ProductChanged:
    """Give a product another address. Raises NotFound, ProductEnded."""
    return changed(uow, held(uow, product_id), uow.today, install_address=address[:200])


def transfer_product(
    uow: UnitOfWork, *, product_id: str, to_customer_id: str, account_id: str, on: date
) -> ProductChanged:
    """Give a product to another customer, whose account pays from a day on. Raises NotFound, ProductEnded."""
    row = held(uow, product_id)
    after = party.need_customer(uow.conn, to_customer_id, uow.context)
    before = party.NumberOwner(row.customer_id, row.hall_code, row.district_code)
    keys = [one.access_key for one in store.accesses(uow.conn, product_id) if one.until_at is None]
    party.unindex_numbers(uow, owner=before, access_keys=keys)
    party.index_numbers(uow, owner=after, access_keys=keys)
    _pay_from(uow, product_id, account_id, on)
    return changed(
        uow, row, on, customer_id=to_customer_id, hall_code=after.hall_code, district_code=after.district_code
    )


def change_payer(uow: UnitOfWork, *, product_id: str, account_id: str, on: date) -> ProductChanged:
    """Let another account pay for everything from a day on. Raises NotFound, ProductEnded."""
    row = held(uow, product_id)
    _pay_from(uow, product_id, account_id, on)
    return changed(uow, row, on)


def change_access(uow: UnitOfWork, *, product_id: str, old_key: str, access: Access) -> ProductChanged:
    """Exchange one number, login or card of a product; the old one rests.

    Raises NotFound, ProductEnded, NumberNotValid, NumberAlreadyTaken.
    """
    row = held(uow, product_id)
    fresh = compact(access)
    resource.take_number(uow, taken=resource.Taken(fresh.access_kind, fresh.access_key, product_id, row.hall_code))
    old = [one for one in store.accesses(uow.conn, product_id) if one.until_at is None and one.access_key == old_key]
    if not old:
        raise NotFound(what="number")
    store.end_access(uow.conn, product_id, old_key, uow.now)
    store.add_accesses(uow.conn, [access_row(product_id, fresh, uow.now)])
    resource.quit(uow, product_id=product_id, kind=fresh.access_kind, code=old_key)
    owner = party.NumberOwner(row.customer_id, row.hall_code, row.district_code)
    party.unindex_numbers(uow, owner=owner, access_keys=[old_key])
    party.index_numbers(uow, owner=owner, access_keys=[fresh.access_key])
    values: dict[str, Any] = {}
    if row.shown_as == shown(Access(access_kind=old[0].access_kind, access_key=old_key)):
        values["shown_as"] = shown(fresh)
    return changed(uow, row, uow.today, **values)


def _pay_from(uow: UnitOfWork, product_id: str, account_id: str, on: date) -> None:
    """End what holds for everything and begin the other; a relation that would hold for no day is replaced."""
    store.end_relations(uow.conn, product_id, on, "*")
    fresh = relation_row(product_id, PayRelation(account_id=account_id), on)
    known = {one.relation_id for one in store.relations(uow.conn, product_id)}
    if fresh["relation_id"] in known:
        store.reopen_relation(uow.conn, fresh["relation_id"])
    else:
        store.add_relations(uow.conn, [fresh])
