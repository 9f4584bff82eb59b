"""Finding customers by everything DESIGN §3 names, within the caller's data scope."""

from __future__ import annotations

import pytest

from server_api.business.party import service as party
from server_api.platform.database import Database, Databases
from server_api.platform.facts.dispatcher import deliver_all
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.events import AccountRecorded, AccountStandingChanged, Standing
from shared_models.contracts.party import Contact, CustomerHit, CustomerKind, IdDocument, MatchedBy, SearchWords
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.party import SearchTooShort
from shared_models.values.ids import new_id
from shared_models.values.numbers import ResidentId
from tests.support.business import do, make_customer, worker

NASTY = [
    "'; DROP TABLE customer; --", "<script>alert(1)</script>", "100%_a[b]\\", "😀🎉 客户", "Ω≈ç√∫", '"quoted"', "NULL",
]  # fmt: skip


def find(database: Database, text: str, context: WorkContext | None = None, limit: int = 50) -> tuple[CustomerHit, ...]:
    with database.reading() as connection:
        words = SearchWords(q=text, limit=limit)
        return party.search_customers(connection, words, context or worker(), secrets=database.secrets).items


def test_each_way_finds_the_customer(databases: Databases) -> None:
    business = databases.business
    id_no = ResidentId.complete("99010119900101123")
    made = make_customer(
        business, "单雄信", documents=(IdDocument(document_no=id_no),), address="玉门市新市区铁人大道12号3单元201",
        contacts=(Contact(contact_value="139 0937 1234", is_main=True),),
    )  # fmt: skip
    make_customer(business, "单晓明")
    owner = party.NumberOwner(made.customer_id, "H01", "D1")
    do(business, lambda uow: party.index_numbers(uow, owner=owner, access_keys=["09373961234"]))
    for text, way in [
        ("单雄", MatchedBy.NAME), ("sxx", MatchedBy.INITIALS), ("SX", MatchedBy.INITIALS),
        ("09373961234", MatchedBy.NUMBER), ("3961", MatchedBy.NUMBER), ("0937-396", MatchedBy.NUMBER),
        ("13909371234", MatchedBy.NUMBER), (made.customer_no, MatchedBy.CUSTOMER_NO), (id_no, MatchedBy.ID_NO),
        (id_no.lower(), MatchedBy.ID_NO),
    ]:  # fmt: skip
        hit = next(one for one in find(business, text) if one.customer_id == made.customer_id)
        assert (text, hit.matched_by) == (text, way)
    hit = find(business, "3961234")[0]
    assert hit.masked_id_no == "990***********" + id_no[-4:]
    assert hit.address == "玉门市新市区铁人大道***"
    assert hit.phones == ("09373961234",)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("单雄信", "sxx"), ("曾国藩", "zgf"), ("仇英", "qy"), ("查良镛", "zly"), ("解缙", "xj"), ("区志航", "ozh"),
        ("翟天临", "ztl"), ("尉迟恭", "ycg"), ("欧阳修", "oyx"), ("朴智星", "pzx"), ("任长霞", "rcx"), ("乐毅", "yy"),
    ],
)  # fmt: skip
@pytest.mark.one_engine
def test_surnames_are_read_as_surnames(databases: Databases, name: str, initials: str) -> None:
    made = make_customer(databases.business, name)
    assert [hit.customer_id for hit in find(databases.business, initials)] == [made.customer_id]


def test_organisations_are_found_by_any_part_of_the_name(databases: Databases) -> None:
    business = databases.business
    made = make_customer(business, "玉门油田分公司第一采油厂", customer_kind=CustomerKind.ORGANISATION)
    make_customer(business, "油城百货第一分店", customer_kind=CustomerKind.ORGANISATION)
    assert [hit.customer_id for hit in find(business, "采油厂")] == [made.customer_id]
    assert [hit.customer_id for hit in find(business, "第一采油")] == [made.customer_id]
    assert len(find(business, "第一")) == 2
    assert find(business, "厂油") == ()


def test_more_than_a_page_goes_on_behind_a_cursor_and_misses_nobody(databases: Databases) -> None:
    business = databases.business
    wanted = {make_customer(business, f"王{char}").customer_id for char in "一二三四五六七八九十甲乙丙丁"}
    wanted |= {
        make_customer(business, f"小王{char}店", customer_kind=CustomerKind.ORGANISATION).customer_id for char in "天地"
    }
    seen: list[str] = []
    cursor = ""
    with business.reading() as connection:
        for _page in range(20):
            words = SearchWords(q="C0", limit=3, cursor=cursor)
            page = party.search_customers(connection, words, worker(), secrets=business.secrets)
            assert len(page.items) <= 3
            seen += [hit.customer_id for hit in page.items]
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    assert len(seen) == len(set(seen)) == 16 and set(seen) == wanted


@pytest.mark.parametrize("name", NASTY)
def test_any_text_is_kept_and_found_as_typed(databases: Databases, name: str) -> None:
    business = databases.business
    made = make_customer(business, name, address=name, remark=name)
    make_customer(business, "别人")
    hits = find(business, name)
    assert [hit.customer_id for hit in hits] == [made.customer_id] and hits[0].name == name
    with business.reading() as connection:
        assert party.read_customer(connection, made.customer_id, worker()).remark == name


@pytest.mark.parametrize("text", ["", "x", " 王", "-", "%", "\u3000", "·"])
def test_a_search_needs_two_characters_that_count(databases: Databases, text: str) -> None:
    with pytest.raises(SearchTooShort):
        find(databases.business, text)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [(DataScope.HALL, {"H01"}), (DataScope.DISTRICT, {"H01", "H02"}), (DataScope.ALL, {"H01", "H02", "H03"})],
)
def test_each_scope_sees_its_rows_and_no_other(databases: Databases, scope: DataScope, seen: set[str]) -> None:
    business = databases.business
    made = {}
    for hall, district in (("H01", "D1"), ("H02", "D1"), ("H03", "D2")):
        home = worker(hall, district)
        made[hall] = make_customer(business, f"赵{hall}", home, documents=(IdDocument(
            document_no=ResidentId.complete(f"99010119850505{hall[1:]}3")),)).customer_id  # fmt: skip
        make_customer(business, f"赵氏{hall}公司", home, customer_kind=CustomerKind.ORGANISATION)
    me = worker("H01", "D1", scope)
    for text in ("赵h", "zh", "C0", "公司"):
        assert {hit.hall_code for hit in find(business, text, me)} == seen, text
    for hall in made:
        by_id = find(business, ResidentId.complete(f"99010119850505{hall[1:]}3"), me)
        assert bool(by_id) == (hall in seen)
        with business.reading() as connection:
            if hall in seen:
                assert party.read_customer(connection, made[hall], me).hall_code == hall
            else:
                with pytest.raises(NotFound):
                    party.read_customer(connection, made[hall], me)


def test_accounts_heard_from_billing_are_found_and_keep_their_standing(databases: Databases) -> None:
    both = crossings(databases, wire_databases(databases))
    made = make_customer(databases.business, "钱多多")
    account_id = new_id()
    fact = AccountRecorded(account_id=account_id, account_no="A00000077", customer_id=made.customer_id)
    do(databases.billing, lambda uow: uow.tell(f"account:{account_id}", fact))
    late = AccountStandingChanged(account_id=account_id, standing=Standing.OVERDUE)
    do(databases.billing, lambda uow: uow.tell(f"account:{account_id}", late))
    deliver_all(both[1:])
    hits = find(databases.business, "A0000007")
    assert [(hit.customer_id, hit.matched_by, hit.account_nos) for hit in hits] == [
        (made.customer_id, MatchedBy.ACCOUNT, ("A00000077",))
    ]
    with databases.business.reading() as connection:
        detail = party.read_customer(connection, made.customer_id, worker())
    assert detail.accounts[0].standing == "overdue"
