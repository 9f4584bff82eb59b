"""Customers: made once, changed by version, masked for everybody, whole only by an act that leaves a line."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server_api.business.party import service as party
from server_api.platform.database import Database, Databases
from shared_models.contracts.events import CustomerRecorded
from shared_models.contracts.party import (
    ChangeCustomer,
    Contact,
    ContactKind,
    CustomerClass,
    CustomerKind,
    CustomerMade,
    DocumentKind,
    IdDocument,
    RevealCustomer,
    SearchWords,
)
from shared_models.contracts.work import DataScope
from shared_models.tables.business.party import id_document
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.party import CustomerAlreadyKnown, DocumentNotValid, NotAGroup
from shared_models.values.faults.staff import ChangedMeanwhile
from shared_models.values.ids import new_id
from shared_models.values.numbers import ResidentId
from tests.support.business import ask, make_customer, worker

ID_NO = ResidentId.complete("99010119850505123")
FULL = {
    "documents": (IdDocument(document_no=ID_NO),), "address": "玉门市新市区铁人大道12号3单元201室",
    "contacts": (Contact(contact_value="13909371234", is_main=True),
                 Contact(contact_kind=ContactKind.EMAIL, contact_value="zhang@example.com")),
}  # fmt: skip


def change(database: Database, made: CustomerMade, **fields: object) -> CustomerMade:
    wanted = ChangeCustomer.model_validate({"version_no": made.version_no, **fields})
    return ask(database, lambda uow: party.change_customer(uow, customer_id=made.customer_id, change=wanted))


def found(database: Database, text: str) -> list[str]:
    with database.reading() as connection:
        page = party.search_customers(connection, SearchWords(q=text), worker(), secrets=database.secrets)
    return [hit.customer_id for hit in page.items]


def test_everybody_sees_masks_and_an_act_shows_the_whole(databases: Databases) -> None:
    business = databases.business
    made = make_customer(business, "张三", **FULL)
    with business.reading() as connection:
        seen = party.read_customer(connection, made.customer_id, worker())
        stored = connection.execute(select(id_document)).one()
    assert ID_NO not in seen.model_dump_json() and "13909371234" not in seen.model_dump_json()
    assert seen.documents[0].masked_no == ResidentId.mask(ID_NO) and seen.address == "玉门市新市区铁人大道***"
    assert [one.contact_value for one in seen.contacts] == ["139******34", "z***@example.com"]
    assert ID_NO not in stored.sealed_no and ID_NO not in stored.blind_no
    asked = RevealCustomer(reason="客户要求核对")
    whole = ask(business, lambda uow: party.reveal_customer(uow, customer_id=made.customer_id, asked=asked))
    assert whole.documents[0].document_no == ID_NO and whole.contacts[0].contact_value == "13909371234"
    entry, act = business.platform.audit_entry, business.platform.act
    with business.reading() as connection:
        line = connection.execute(select(entry).where(entry.c.what == "customer.revealed")).one()
        replies = " ".join(filter(None, connection.execute(select(act.c.reply)).scalars()))
    assert line.subject == f"customer:{made.customer_id}" and line.remark == "客户要求核对"
    assert ID_NO not in replies
    foreign = worker("H03", "D2", DataScope.HALL)
    with pytest.raises(NotFound):
        ask(business, lambda uow: party.reveal_customer(uow, customer_id=made.customer_id, asked=asked), foreign)


def test_billing_hears_names_sealed_and_documents_never(databases: Databases) -> None:
    business = databases.business
    made = make_customer(business, "张三", **FULL)
    change(business, made, name="张三丰")
    out = business.platform.fact_out
    with business.reading() as connection:
        payloads = list(connection.execute(select(out.c.payload).order_by(out.c.seq)).scalars())
    facts = [CustomerRecorded.model_validate(one) for one in payloads]
    assert [business.secrets.unseal(one.sealed_name) for one in facts] == ["张三", "张三丰"]
    assert "张三" not in str(payloads) and ID_NO not in str(payloads) and "铁人大道" not in str(payloads)


def test_a_change_moves_every_key(databases: Databases) -> None:
    business = databases.business
    made = make_customer(business, "张三", **FULL)
    other_id = ResidentId.complete("99010119850505999")
    now = change(
        business, made, name="单雄信", contacts=[{"contact_value": "13800000000"}],
        documents=[{"document_no": other_id}],
    )  # fmt: skip
    assert now.version_no == 2
    for gone in ("张三", "zs", "13909371234", ID_NO):
        assert found(business, gone) == []
    for there in ("单雄信", "sxx", "13800000000", other_id):
        assert found(business, there) == [made.customer_id]
    with pytest.raises(ChangedMeanwhile):
        change(business, made, name="别人")


def test_one_document_one_customer(databases: Databases) -> None:
    business = databases.business
    made = make_customer(business, "张三", **FULL)
    with pytest.raises(CustomerAlreadyKnown) as refused:
        make_customer(business, "李四", **FULL)
    assert refused.value.params == {"customer_no": made.customer_no}
    with pytest.raises(CustomerAlreadyKnown) as refused:  # somebody else's hall: that it exists, not which
        make_customer(business, "李四", worker("H03", "D2", DataScope.HALL), **FULL)
    assert refused.value.params == {"customer_no": "***"}
    with pytest.raises(DocumentNotValid):
        make_customer(business, "王五", documents=(IdDocument(document_no="990101198505051230"),))


def test_members_name_a_group_customer(databases: Databases) -> None:
    business = databases.business
    group = make_customer(
        business, "油田第一采油厂", customer_kind=CustomerKind.ORGANISATION, customer_class=CustomerClass.GROUP,
        documents=(IdDocument(document_kind=DocumentKind.BUSINESS_LICENCE, document_no="91620981ma0000001x"),),
    )  # fmt: skip
    member = make_customer(business, "张三", group_customer_id=group.customer_id)
    with business.reading() as connection:
        assert party.read_customer(connection, member.customer_id, worker()).group_name == "油田第一采油厂"
    for wrong in (member.customer_id, new_id()):
        with pytest.raises(NotAGroup):
            make_customer(business, "李四", group_customer_id=wrong)
    with pytest.raises(NotAGroup):
        change(business, group, group_customer_id=group.customer_id)
