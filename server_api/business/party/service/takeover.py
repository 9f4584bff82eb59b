"""Taking customers over from an old system: several hundred in one act."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.business.party import rules, store
from server_api.business.party.rules import KeyKind
from server_api.business.party.service.customers import contact_table_rows, customer_row, document_rows, tell_payer
from server_api.business.party.service.keys import NumberOwner, contact_rows, key_rows, name_rows
from server_api.platform.numbering import take_numbers
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.party import CustomerKind, MigratedCustomer


def take_over_customers(uow: UnitOfWork, *, customers: Sequence[MigratedCustomer]) -> int:
    """Make the customers that are not there yet (by id) and tell billing; returns how many were made.

    The caller has checked documents and groups: a takeover merges households itself, so nothing is refused here.
    """
    known = store.existing(uow.conn, [one.customer_id for one in customers])
    fresh = [one for one in customers if one.customer_id not in known]
    first = take_numbers(uow, "customer", len(fresh)) if fresh else 0
    rows, documents, contacts, keys, grams = [], [], [], [], []
    for offset, one in enumerate(fresh):
        customer_no = f"C{first + offset:08d}"
        owner = NumberOwner(one.customer_id, one.hall_code, one.district_code)
        rows.append(customer_row(uow, one, customer_no, owner))
        documents += document_rows(uow, one.customer_id, one.documents)
        contacts += contact_table_rows(one.customer_id, one.contacts)
        keys += name_rows(owner, one.name, one.customer_kind)
        keys += key_rows(owner, KeyKind.CUSTOMER_NO, [rules.code_key(customer_no)])
        keys += contact_rows(owner, one.contacts)
        if one.customer_kind is CustomerKind.ORGANISATION:
            grams += [{"gram": gram, "customer_id": one.customer_id} for gram in rules.name_grams(one.name)]
        tell_payer(uow, one, customer_no, bulk=True)
    store.add(uow.conn, rows)
    store.add_documents(uow.conn, documents)
    store.add_contacts(uow.conn, contacts)
    store.add_keys(uow.conn, keys)
    store.add_grams(uow.conn, grams)
    return len(fresh)
