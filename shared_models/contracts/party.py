"""Customers as they are searched, shown, made and changed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared_models.contracts.base import Contract, IdField, PageOf

#: Lengths are those of the columns: SQLite would take any length silently.
NameField = Annotated[str, StringConstraints(min_length=1, max_length=120)]
AddressField = Annotated[str, StringConstraints(max_length=200)]
RemarkField = Annotated[str, StringConstraints(max_length=500)]


class CustomerKind(StrEnum):
    """A natural person or an organisation."""

    PERSON = "person"
    ORGANISATION = "organisation"


class CustomerClass(StrEnum):
    """How a customer is treated; group members are normal customers that name their group."""

    NORMAL = "normal"
    VIP = "vip"
    GROUP = "group"
    STAFF = "staff"


class DocumentKind(StrEnum):
    """Real-name documents."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    BUSINESS_LICENCE = "business_licence"
    MILITARY_ID = "military_id"
    OTHER = "other"


class ContactKind(StrEnum):
    """How somebody is reached."""

    MOBILE = "mobile"
    PHONE = "phone"
    EMAIL = "email"


class MatchedBy(StrEnum):
    """Which way of searching found a customer."""

    NUMBER = "number"
    NAME = "name"
    INITIALS = "initials"
    ACCOUNT = "account"
    ID_NO = "id_no"
    CUSTOMER_NO = "customer_no"


class IdDocument(Contract):
    """A document as it is given in; it is sealed before it is stored and never shown whole without a right."""

    document_kind: DocumentKind = DocumentKind.RESIDENT_ID
    document_no: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(repr=False)


class Contact(Contract):
    """One way to reach a customer."""

    contact_kind: ContactKind = ContactKind.MOBILE
    contact_name: Annotated[str, StringConstraints(max_length=60)] = ""
    contact_value: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    is_main: bool = False


class CustomerHit(Contract):
    """A line of the search list."""

    customer_id: str
    customer_no: str
    name: str
    customer_class: CustomerClass = CustomerClass.NORMAL
    customer_kind: CustomerKind = CustomerKind.PERSON
    masked_id_no: str = ""
    address: str = Field(default="", description="the end is masked unless the caller may see it")
    phones: tuple[str, ...] = Field(default=(), description="access numbers of products in being, at most 5")
    account_ids: tuple[str, ...] = ()
    account_nos: tuple[str, ...] = ()
    hall_code: str = ""
    matched_by: MatchedBy


class CustomerPage(PageOf):
    """At most 50 customers in the order of the key they were found by; ``next_cursor`` says there are more."""

    items: tuple[CustomerHit, ...]


class MaskedDocument(Contract):
    """A document as anybody may see it."""

    document_kind: DocumentKind
    masked_no: str


class AccountRef(Contract):
    """An account as this side last heard of it."""

    account_id: str
    account_no: str
    standing: str
    closed: bool = False


class CustomerDetail(Contract):
    """Everything about a customer but money; personal data masked."""

    customer_id: str
    customer_no: str
    name: str
    customer_kind: CustomerKind
    customer_class: CustomerClass
    state: str = Field(description="prospect | normal | closed")
    hall_code: str
    district_code: str
    address: str = ""
    tax_no: str = ""
    group_customer_id: str = ""
    group_name: str = ""
    remark: str = ""
    documents: tuple[MaskedDocument, ...] = ()
    contacts: tuple[Contact, ...] = Field(default=(), description="values masked")
    accounts: tuple[AccountRef, ...] = ()
    created_at: datetime
    version_no: int


class CreateCustomer(Contract):
    """A new customer; the id is made by whoever asks, so that a plan can name it before it exists."""

    customer_id: IdField
    name: NameField
    customer_kind: CustomerKind = CustomerKind.PERSON
    customer_class: CustomerClass = CustomerClass.NORMAL
    address: AddressField = ""
    tax_no: Annotated[str, StringConstraints(max_length=40)] = ""
    documents: tuple[IdDocument, ...] = Field(default=(), max_length=5)
    contacts: tuple[Contact, ...] = Field(default=(), max_length=10)
    group_customer_id: IdField | None = None
    remark: RemarkField = ""


class ChangeCustomer(Contract):
    """What is to be different; a field left out stays. ``version_no`` is the one that was read."""

    version_no: int
    name: NameField | None = None
    customer_class: CustomerClass | None = None
    address: AddressField | None = None
    tax_no: Annotated[str, StringConstraints(max_length=40)] | None = None
    contacts: tuple[Contact, ...] | None = Field(default=None, max_length=10)
    documents: tuple[IdDocument, ...] | None = Field(default=None, max_length=5)
    group_customer_id: IdField | None = None
    remark: RemarkField | None = None


class CustomerMade(Contract):
    """The reply to creating or changing a customer."""

    customer_id: str
    customer_no: str
    version_no: int


class RevealCustomer(Contract):
    """Asking to see personal data whole; the reason is kept in the audit chain."""

    reason: Annotated[str, StringConstraints(min_length=2, max_length=200)]


class RevealedCustomer(Contract):
    """Personal data whole; the act's stored reply is sealed like the data itself."""

    customer_id: str
    name: str
    address: str = ""
    documents: tuple[IdDocument, ...] = ()
    contacts: tuple[Contact, ...] = ()


class Payer(Contract):
    """What billing is told of a customer, before it is sealed."""

    customer_id: str
    customer_no: str
    customer_class: CustomerClass
    name: str
    address: str = ""
    tax_no: str = ""
    contact: str = ""


class SearchWords(Contract):
    """One box: the server decides from the shape of the text what is meant."""

    q: Annotated[str, StringConstraints(max_length=60)] = Field(
        examples=["3961234", "zxx", "张晓"], description="fewer than two characters that count are refused"
    )
    limit: int = Field(default=50, ge=1, le=50)
    cursor: str = ""


class MigratedCustomer(CreateCustomer):
    """A customer taken over from an old system, with where and since when it belongs."""

    customer_no: str = ""
    hall_code: str
    district_code: str
    since_on: date | None = None
