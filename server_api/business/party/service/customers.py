"""Making, changing, showing and revealing customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from server_api.business.party import rules, store
from server_api.business.party.rules import KeyKind
from server_api.business.party.service.keys import NumberOwner, contact_rows, key_rows, name_rows
from server_api.platform import audit
from server_api.platform.numbering import next_number
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import CustomerRecorded
from shared_models.contracts.party import (
    AccountRef,
    ChangeCustomer,
    Contact,
    ContactKind,
    CreateCustomer,
    CustomerClass,
    CustomerDetail,
    CustomerKind,
    CustomerMade,
    DocumentKind,
    IdDocument,
    MaskedDocument,
    RevealCustomer,
    RevealedCustomer,
)
from shared_models.contracts.work import WorkContext
from shared_models.tables.business.party import customer as customer_table
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.party import CustomerAlreadyKnown, CustomerIdTaken, DocumentNotValid, NotAGroup
from shared_models.values.faults.staff import ChangedMeanwhile
from shared_models.values.numbers import ResidentId


def create_customer(uow: UnitOfWork, *, customer: CreateCustomer) -> CustomerMade:
    """Make a customer of the caller's hall and tell billing its payer.

    Raises CustomerIdTaken, CustomerAlreadyKnown, DocumentNotValid, NotAGroup.
    """
    if store.exists(uow.conn, customer.customer_id):
        raise CustomerIdTaken()
    documents = document_rows(uow, customer.customer_id, customer.documents)
    _need_unknown(uow, documents, "")
    _need_group(uow, customer.group_customer_id)
    customer_no = f"C{next_number(uow, 'customer'):08d}"
    owner = NumberOwner(customer.customer_id, uow.context.hall_code, uow.context.district_code)
    store.add(uow.conn, [customer_row(uow, customer, customer_no, owner)])
    store.add_documents(uow.conn, documents)
    store.add_contacts(uow.conn, contact_table_rows(customer.customer_id, customer.contacts))
    store.add_keys(uow.conn, [
        *name_rows(owner, customer.name, customer.customer_kind),
        *key_rows(owner, KeyKind.CUSTOMER_NO, [rules.code_key(customer_no)]),
        *contact_rows(owner, customer.contacts),
    ])  # fmt: skip
    if customer.customer_kind is CustomerKind.ORGANISATION:
        store.put_grams(uow.conn, customer.customer_id, rules.name_grams(customer.name))
    tell_payer(uow, customer, customer_no)
    return CustomerMade(customer_id=customer.customer_id, customer_no=customer_no, version_no=1)


def customer_row(uow: UnitOfWork, customer: CreateCustomer, customer_no: str, owner: NumberOwner) -> dict[str, Any]:
    """The table row of a new customer."""
    return {
        "customer_id": customer.customer_id, "customer_no": customer_no, "customer_name": customer.name,
        "customer_kind": customer.customer_kind.value, "customer_class": customer.customer_class.value,
        "state": "normal",
        "hall_code": owner.hall_code, "district_code": owner.district_code, "address": customer.address,
        "tax_no": customer.tax_no, "group_customer_id": customer.group_customer_id, "remark": customer.remark,
        "created_at": uow.now, "changed_at": uow.now, "version_no": 1,
    }  # fmt: skip


def document_rows(uow: UnitOfWork, customer_id: str, documents: Sequence[IdDocument]) -> list[dict[str, Any]]:
    """Sealed rows of documents. Raises DocumentNotValid."""
    rows = []
    for document in {one.document_kind: one for one in documents}.values():
        number = document.document_no.strip()
        if document.document_kind is DocumentKind.RESIDENT_ID:
            try:
                number = ResidentId.validate(number)
            except ValueError:
                raise DocumentNotValid() from None
        number = number.upper()
        rows.append({
            "customer_id": customer_id, "document_kind": document.document_kind.value,
            "sealed_no": uow.database.secrets.seal(number), "blind_no": uow.database.secrets.blind(number),
            "masked_no": rules.mask_document(number),
        })  # fmt: skip
    return rows


def contact_table_rows(customer_id: str, contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    """Table rows of contacts, in the order given."""
    return [
        {
            "customer_id": customer_id, "contact_no": number, "contact_kind": one.contact_kind.value,
            "contact_name": one.contact_name, "contact_value": one.contact_value, "is_main": one.is_main,
        }
        for number, one in enumerate(contacts, start=1)
    ]  # fmt: skip


def tell_payer(uow: UnitOfWork, customer: CreateCustomer, customer_no: str, *, bulk: bool = False) -> None:
    """Tell billing who pays: names and addresses sealed, documents never."""
    seal = uow.database.secrets.seal
    main = next((one for one in customer.contacts if one.is_main), customer.contacts[0] if customer.contacts else None)
    uow.tell(
        f"customer:{customer.customer_id}",
        CustomerRecorded(
            customer_id=customer.customer_id,
            customer_no=customer_no,
            customer_class=customer.customer_class.value,
            sealed_name=seal(customer.name),
            sealed_address=seal(customer.address),
            sealed_tax_no=seal(customer.tax_no),
            sealed_contact=seal(main.contact_value) if main else "",
        ),
        bulk=bulk,
    )


def change_customer(uow: UnitOfWork, *, customer_id: str, change: ChangeCustomer) -> CustomerMade:
    """Change a customer's data; the old name no longer finds it.

    Raises NotFound, ChangedMeanwhile, and what creating raises.
    """
    row = uow.lock(store.lock_query(customer_id, uow.context), customer_table)
    if row is None:
        raise NotFound(what="customer")
    if row.version_no != change.version_no:
        raise ChangedMeanwhile()
    _need_group(uow, change.group_customer_id, but=customer_id)
    values: dict[str, Any] = {"changed_at": uow.now, "version_no": row.version_no + 1}
    renamed = {"name": "customer_name", "address": "address", "tax_no": "tax_no", "remark": "remark"}
    for field, column in renamed.items():
        if getattr(change, field) is not None:
            values[column] = getattr(change, field)
    if change.customer_class is not None:
        values["customer_class"] = change.customer_class.value
    if change.group_customer_id is not None:
        values["group_customer_id"] = change.group_customer_id
    if change.documents is not None:
        documents = document_rows(uow, customer_id, change.documents)
        _need_unknown(uow, documents, customer_id)
        store.put_documents(uow.conn, customer_id, documents)
    store.change(uow.conn, customer_id, **values)
    _change_keys(uow, row, change)
    after = store.one(uow.conn, customer_id, uow.context)
    if after is None:
        raise NotFound(what="customer")
    tell_payer(uow, _as_told(uow.conn, after), after.customer_no)
    audit.note(uow, "customer.changed", f"customer:{customer_id}", ",".join(sorted(values)))
    return CustomerMade(customer_id=customer_id, customer_no=row.customer_no, version_no=row.version_no + 1)


def _change_keys(uow: UnitOfWork, row: Row[Any], change: ChangeCustomer) -> None:
    owner = NumberOwner(row.customer_id, row.hall_code, row.district_code)
    if change.name is not None:
        kind = CustomerKind(row.customer_kind)
        store.drop_keys(uow.conn, row.customer_id, (KeyKind.NAME, KeyKind.INITIALS))
        store.add_keys(uow.conn, name_rows(owner, change.name, kind))
        if kind is CustomerKind.ORGANISATION:
            store.put_grams(uow.conn, row.customer_id, rules.name_grams(change.name))
    if change.contacts is not None:
        store.put_contacts(uow.conn, row.customer_id, contact_table_rows(row.customer_id, change.contacts))
        store.drop_keys(uow.conn, row.customer_id, (KeyKind.CONTACT,))
        store.add_keys(uow.conn, contact_rows(owner, change.contacts))


def _as_told(conn: Connection, row: Row[Any]) -> CreateCustomer:
    """A stored customer as the fact to billing wants it."""
    return CreateCustomer(
        customer_id=row.customer_id, name=row.customer_name, customer_class=CustomerClass(row.customer_class),
        customer_kind=CustomerKind(row.customer_kind), address=row.address or "", tax_no=row.tax_no or "",
        contacts=_contacts(store.contacts(conn, [row.customer_id]).get(row.customer_id, [])),
    )  # fmt: skip


def _contacts(rows: Sequence[Row[Any]], *, masked: bool = False) -> tuple[Contact, ...]:
    return tuple(
        Contact(
            contact_kind=ContactKind(row.contact_kind), contact_name=row.contact_name or "", is_main=row.is_main,
            contact_value=rules.mask_contact(row.contact_kind, row.contact_value) if masked else row.contact_value,
        )
        for row in rows
    )  # fmt: skip


def _need_unknown(uow: UnitOfWork, documents: Sequence[dict[str, Any]], customer_id: str) -> None:
    """One person, one customer: a document known already is refused, with the number only to who may see it."""
    for document in documents:
        for owner in store.owners_of_document(uow.conn, document["blind_no"]):
            if owner.customer_id != customer_id:
                seen = store.one(uow.conn, owner.customer_id, uow.context) is not None
                raise CustomerAlreadyKnown(customer_no=owner.customer_no if seen else "***")


def _need_group(uow: UnitOfWork, group_customer_id: str | None, but: str = "") -> None:
    if group_customer_id is None:
        return
    group = store.one(uow.conn, group_customer_id, uow.context)
    if group is None or group.customer_class != CustomerClass.GROUP.value or group_customer_id == but:
        raise NotAGroup()


def read_customer(conn: Connection, customer_id: str, context: WorkContext) -> CustomerDetail:
    """Everything about a customer but money, personal data masked. Raises NotFound, also outside the caller's scope."""
    row = store.one(conn, customer_id, context)
    if row is None:
        raise NotFound(what="customer")
    group = store.one(conn, row.group_customer_id, context) if row.group_customer_id else None
    ids = [customer_id]
    return CustomerDetail(
        customer_id=row.customer_id, customer_no=row.customer_no, name=row.customer_name,
        customer_kind=CustomerKind(row.customer_kind), customer_class=CustomerClass(row.customer_class),
        state=row.state,
        hall_code=row.hall_code, district_code=row.district_code, address=rules.mask_address(row.address or ""),
        tax_no=row.tax_no or "", group_customer_id=row.group_customer_id or "",
        group_name=group.customer_name if group else "", remark=row.remark or "", created_at=row.created_at,
        documents=tuple(
            MaskedDocument(document_kind=DocumentKind(one.document_kind), masked_no=one.masked_no)
            for one in store.documents(conn, ids).get(customer_id, [])
        ),
        contacts=_contacts(store.contacts(conn, ids).get(customer_id, []), masked=True),
        accounts=tuple(
            AccountRef(account_id=one.account_id, account_no=one.account_no, standing=one.standing, closed=one.closed)
            for one in store.accounts(conn, ids).get(customer_id, [])
        ),
        version_no=row.version_no,
    )  # fmt: skip


def need_customer(conn: Connection, customer_id: str, context: WorkContext) -> NumberOwner:
    """Where a customer the caller may see belongs. Raises NotFound."""
    row = store.one(conn, customer_id, context)
    if row is None:
        raise NotFound(what="customer")
    return NumberOwner(row.customer_id, row.hall_code, row.district_code)


def reveal_customer(uow: UnitOfWork, *, customer_id: str, asked: RevealCustomer) -> RevealedCustomer:
    """Show personal data whole and leave a line in the audit trail. The caller's right is checked at the edge.

    The act's stored reply is sealed like the data itself. Raises NotFound.
    """
    row = store.one(uow.conn, customer_id, uow.context)
    if row is None:
        raise NotFound(what="customer")
    ids = [customer_id]
    unseal = uow.database.secrets.unseal
    audit.note(uow, "customer.revealed", f"customer:{customer_id}", asked.reason)
    return RevealedCustomer(
        customer_id=customer_id, name=row.customer_name, address=row.address or "",
        documents=tuple(
            IdDocument(document_kind=DocumentKind(one.document_kind), document_no=unseal(one.sealed_no))
            for one in store.documents(uow.conn, ids).get(customer_id, [])
        ),
        contacts=_contacts(store.contacts(uow.conn, ids).get(customer_id, [])),
    )  # fmt: skip
