"""The acts on the business side: customers (merged into households) and products, several hundred an act."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from server_api.business.inventory import service as inventory
from server_api.business.party import service as party
from server_api.migration import store
from server_api.migration.rules import CustomerRecord, ProductRecord, digest_of_record, household_key
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.inventory import Access, MigratedProduct, PayRelation, SuspendReason
from shared_models.contracts.party import (
    Contact,
    ContactKind,
    CustomerClass,
    CustomerKind,
    DocumentKind,
    IdDocument,
    MigratedCustomer,
)
from shared_models.values.ids import derived_id
from shared_models.values.numbers import Phone, ResidentId


@dataclass
class Known:
    """What a run knows: old keys and identities with the ids they became, and what it has counted.

    An act gets a copy that sees through to what was known before (``fork``) and is taken over only once the act is
    durable (``join``): a transaction that is run again after a deadlock begins with what it began with before.
    """

    identities: MutableMapping[str, str] = field(default_factory=dict)
    customers: MutableMapping[str, str] = field(default_factory=dict)
    accounts: MutableMapping[str, str] = field(default_factory=dict)
    merged: int = 0
    new: int = 0
    there: int = 0

    def fork(self) -> Known:
        """An empty layer over this one."""
        return Known(
            ChainMap({}, self.identities),
            ChainMap({}, self.customers),
            ChainMap({}, self.accounts),
        )

    def join(self, layer: Known) -> None:
        """Take over what an act has added."""
        for mine, added in (
            (self.identities, layer.identities), (self.customers, layer.customers), (self.accounts, layer.accounts),
        ):  # fmt: skip
            if isinstance(added, ChainMap):
                mine.update(added.maps[0])
        self.merged += layer.merged
        self.new += layer.new
        self.there += layer.there


@dataclass(frozen=True)
class Place:
    """Where a customer belongs."""

    hall_code: str
    district_code: str


def identity_keys(record: CustomerRecord, secrets: Secrets) -> list[str]:
    """What a customer is recognised by, the surest first: the document, then name and address; as fingerprints."""
    keys = []
    if record.document_no:
        keys.append("d:" + secrets.blind(ResidentId.compact(record.document_no)))
    household = household_key(record.name, record.address)
    if household:
        keys.append("a:" + secrets.blind(household))
    return keys


def recognise(record: CustomerRecord, known: Known, secrets: Secrets) -> tuple[str, list[str]]:
    """The customer a record is, and the identities it adds. The document decides; name and address only without one.

    Father and son of one name at one address have two documents, so they stay two.
    """
    keys = identity_keys(record, secrets)
    document = keys[0] if keys and keys[0].startswith("d:") else ""
    if document and document in known.identities:
        found = known.identities[document]
    else:
        found = ""
        for key in keys:
            owner = known.identities.get(key, "")
            if key != document and owner and (not document or f"has-document:{owner}" not in known.identities):
                found = owner
    if not found:
        found = derived_id("customer", keys[0] if keys else record.old_key + record.source.file)
    fresh = [key for key in keys if key not in known.identities]
    if document:
        fresh.append(f"has-document:{found}")
    return found, [key for key in dict.fromkeys(fresh) if key not in known.identities]


def take_customers(
    uow: UnitOfWork, *, system: str, records: Sequence[CustomerRecord], known: Known, places: Mapping[str, Place],
) -> None:  # fmt: skip
    """Take customers over: new ones are made, those of another system recognised; every old key gets its link."""
    done = store.links(uow.conn, "business", system, "customer", [one.old_key for one in records])
    made: dict[str, MigratedCustomer] = {}
    links = []
    for record in records:
        if record.old_key in done:
            known.customers[record.old_key] = done[record.old_key].new_id
            known.there += 1
            continue
        customer_id, identities = recognise(record, known, uow.database.secrets)
        for key in identities:
            known.identities[key] = customer_id
            links.append(store.link_row(store.EVERYWHERE, "identity", key, customer_id, "-"))
        if customer_id in made or f"made:{customer_id}" in known.identities:
            known.merged += 1
        else:
            made[customer_id] = _customer(record, customer_id, known, places[record.old_key])
            known.identities[f"made:{customer_id}"] = customer_id
            links.append(store.link_row(store.EVERYWHERE, "identity", f"made:{customer_id}", customer_id, "-"))
        known.customers[record.old_key] = customer_id
        known.new += 1
        links.append(store.link_row(system, "customer", record.old_key, customer_id, digest_of_record(record)))
    party.take_over_customers(uow, customers=list(made.values()))
    store.add_links(uow.conn, "business", links)


def _customer(record: CustomerRecord, customer_id: str, known: Known, place: Place) -> MigratedCustomer:
    kind = ContactKind.MOBILE if Phone.compact(record.phone).startswith("1") else ContactKind.PHONE
    return MigratedCustomer(
        customer_id=customer_id, name=record.name, customer_kind=CustomerKind(record.customer_kind),
        customer_class=CustomerClass(record.customer_class), address=record.address, tax_no=record.tax_no,
        documents=(IdDocument(document_kind=DocumentKind(record.document_kind), document_no=record.document_no),)
        if record.document_no else (),
        contacts=(Contact(contact_kind=kind, contact_value=record.phone, is_main=True),) if record.phone else (),
        group_customer_id=known.customers.get(record.group_key) if record.group_key else None,
        hall_code=place.hall_code, district_code=place.district_code, since_on=record.since_on,
    )  # fmt: skip


def take_products(
    uow: UnitOfWork, *, system: str, access_kind: str, records: Sequence[ProductRecord], known: Known,
    places: Mapping[str, Place],
) -> None:  # fmt: skip
    """Take products over; every old key gets its link."""
    done = store.links(uow.conn, "business", system, "product", [one.old_key for one in records])
    made, links = [], []
    for record in records:
        if record.old_key in done:
            known.there += 1
            continue
        product_id = derived_id("product", system, record.old_key)
        customer_id = known.customers[record.customer_key]
        made.append(_product(record, product_id, customer_id, access_kind, known, places[customer_id]))
        known.new += 1
        links.append(store.link_row(system, "product", record.old_key, product_id, digest_of_record(record)))
    inventory.take_over_products(uow, products=made)
    store.add_links(uow.conn, "business", links)


def _product(
    record: ProductRecord, product_id: str, customer_id: str, access_kind: str, known: Known, place: Place
) -> MigratedProduct:
    # A bundle's members are sold together: the same customer, bundle and contract in whatever system they lay.
    instance = derived_id("bundle", customer_id, record.bundle, record.bundle_key) if record.bundle else None
    return MigratedProduct(
        product_id=product_id, customer_id=customer_id, offering_code=record.offering,
        accesses=(Access(access_kind=access_kind, access_key=record.access),) if record.access else (),
        pay_relations=(PayRelation(account_id=known.accounts[record.account_key]),),
        shown_as=record.shown_as, install_address=record.address, bundle_code=record.bundle or None,
        bundle_instance=instance, hall_code=place.hall_code, district_code=place.district_code,
        installed_on=record.installed_on,
        suspend_reason=None if record.state == "active" else SuspendReason(record.state),
        suspended_on=record.state_since_on,
    )  # fmt: skip
