"""Taking over three old systems: dry run, errors by row, totals on both sides, repeatable, households merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server_api.business.inventory import service as inventory
from server_api.business.party import service as party
from server_api.business.staff import service as staff
from server_api.migration import store
from server_api.migration.mapping import MappingNotValid, load, shipped, shipped_systems
from server_api.migration.run import Takeover
from server_api.migration.sample.files import write_town
from server_api.platform.database import Databases
from server_api.platform.tabular import write_csv
from server_api.wiring import crossings, wire_databases
from shared_models.contracts.migration import MigrationReport
from shared_models.contracts.party import CustomerHit, SearchWords
from shared_models.contracts.staff import HallRow
from shared_models.tables.billing.account import billing_account
from shared_models.tables.business.inventory import product
from shared_models.tables.business.migration import migration_error
from shared_models.tables.business.party import customer
from shared_models.values.ids import is_id
from shared_models.values.money import Fen
from shared_models.values.numbers import ResidentId
from shared_models.values.period import Month
from tests.support.business import do, publish_sample_catalog, worker

#: The sample's bad rows, by what is wrong with them; each system has them once.
BAD = {
    "document_not_valid": 3, "field_missing": 6, "date_not_valid": 3, "key_twice": 3, "parent_set_aside": 3,
    "parent_unknown": 3, "code_not_mapped": 8, "month_not_valid": 3, "amount_not_valid": 3,
}  # fmt: skip


@pytest.fixture
def house(databases: Databases) -> Databases:
    """A hall of the sample's kind, with the catalogue published."""
    for number in range(1, 5):
        row = HallRow(hall_code=f"H0{number}", hall_name=f"{number}厅", district_code="D1" if number < 3 else "D2")
        do(databases.business, lambda uow, row=row: staff.put_hall(uow, hall=row))  # type: ignore[misc]
    publish_sample_catalog(databases.business)
    return databases


def take(house: Databases, folder: Path, *, dry_run: bool = False, systems: list[str] | None = None) -> MigrationReport:
    both = crossings(house, wire_databases(house))
    takeover = Takeover(house, both, folder, dry_run=dry_run)
    return takeover.run([shipped(name) for name in systems or shipped_systems()])


def rows_of(house: Databases) -> dict[str, int]:
    counts = {}
    with house.business.reading() as connection:
        for table in (customer, product):
            counts[table.name] = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
    with house.billing.reading() as connection:
        counts["account"] = int(connection.execute(select(func.count()).select_from(billing_account)).scalar_one())
    return counts


def find(house: Databases, text: str) -> tuple[CustomerHit, ...]:
    with house.business.reading() as connection:
        return party.search_customers(connection, SearchWords(q=text), worker(), secrets=house.business.secrets).items


def by_code(report: MigrationReport) -> dict[str, int]:
    found: dict[str, int] = {}
    for error in report.errors:
        found[error.code] = found.get(error.code, 0) + 1
    return found


def test_the_town_is_taken_over_once_with_totals_that_agree(house: Databases, tmp_path: Path) -> None:
    figures = write_town(tmp_path, households=60, seed=7, month=Month(202602))
    tried = take(house, tmp_path, dry_run=True)
    assert tried.rows_new == 0 and by_code(tried) == BAD
    assert rows_of(house) == {"customer": 0, "product": 0, "account": 0}
    report = take(house, tmp_path)
    assert by_code(report) == BAD
    assert len(report.totals) == 18 and all(total.agrees for total in report.totals), report.totals
    assert report.rows_read == report.rows_new + report.rows_set_aside
    assert sum(total.source_count for total in report.totals if total.name.endswith(".products")) == figures["products"]
    counts = rows_of(house)
    assert counts["product"] == figures["products"] and counts["customer"] == 60 + figures["groups"]
    assert report.customers_merged > 0
    again = take(house, tmp_path)
    assert (again.rows_new, again.rows_already_there) == (0, report.rows_new)
    assert all(total.agrees for total in again.totals) and rows_of(house) == counts
    with house.business.reading() as connection:
        kept = int(connection.execute(select(func.count()).select_from(migration_error)).scalar_one())
    assert kept == len(report.errors) + len(again.errors)


def test_rules_of_the_books_hold_after_a_takeover(house: Databases, tmp_path: Path) -> None:
    write_town(tmp_path, households=40, seed=3, month=Month(202602))
    take(house, tmp_path)
    wiring = wire_databases(house)
    for rule in wiring.invariants:
        subject = house if rule.role is None else house.of(rule.role)
        finding = rule.check(subject)
        assert finding.holds, (rule.name, finding)


def test_one_household_in_three_systems_becomes_one_customer_with_one_account(house: Databases, tmp_path: Path) -> None:
    """By document where there is one, else by name and address as each system writes it."""
    document = ResidentId.complete("99010119900101003")
    _files(tmp_path, "tel97", customer=[
        ["K1", "单雄信", "1", "普通", "身份证", document, "玉门市新市区铁人大道12号楼3单元201室", "13909371234",
         "01", "", "2010-01-01"],
    ], account=[["000001", "K1", "后付", "2010-01-01"]],
        product=[["Y1", "K1", "000001", "PT01", "3961234", "", "", "2015-03-01", "正常", "", "RH99", "HT1"]],
        balance=[["000001", "12.30"]], bill=[])  # fmt: skip
    _files(tmp_path, "tv", customer=[
        ["H1", "单雄信", "", "甘肃省酒泉市玉门市新市区铁人大道12栋3单元201号", "", "新市区站", "20120101"],
        ["H2", "单雄信", "", "新市区铁人大道99-1-101", "", "新市区站", "2012-01-01"],
    ], account=[["000001", "H1", "2012-01-01"], ["000002", "H2", "2012-01-01"]],
        product=[["T1", "H1", "000001", "主终端", "8537002500000001", "", "2015-03-01", "在网", "", "融合99", "HT1"],
                 ["T2", "H2", "000002", "主终端", "8537002500000002", "", "2012-01-01", "报停", "2020-05-01", "", ""]],
        balance=[["000001", "770"]], bill=[["000002", "202601", "基本收视费", "2400", ""]])  # fmt: skip
    report = take(house, tmp_path, systems=["tel97", "tv"])
    assert report.errors == () and all(total.agrees for total in report.totals)
    assert report.customers_merged == 1
    hits = {hit.customer_id: hit for hit in find(house, "单雄信")}
    assert len(hits) == 2
    one = find(house, "3961234")[0]
    for typed in ("0937-3961234", "09373961234", "+86 937 3961234", "(0937)3961234"):
        assert [hit.customer_id for hit in find(house, typed)] == [one.customer_id], typed
    assert one.masked_id_no == "990***********" + document[-4:] and one.account_nos == ("97000001",)
    with house.business.reading() as connection:
        products = inventory.products_of_customer(connection, one.customer_id, worker())
        other = next(key for key in hits if key != one.customer_id)
        suspended = inventory.products_of_customer(connection, other, worker())[0]
    assert [view.offering_code for view in products] == ["VOICE-HOME", "TV-BASIC"]
    assert len({view.account_id for view in products}) == 1 and is_id(products[0].account_id)
    assert len({view.bundle_instance for view in products}) == 1 and products[0].bundle_code == "BUNDLE-99"
    assert suspended.state == "suspended" and suspended.suspend_reasons == ("owner_request",)
    with house.billing.reading() as connection:
        assert store.opening_fen(connection, "tel97") == (Fen(1230), Fen(0))
        assert store.opening_fen(connection, "tv") == (Fen(770), Fen(2400))


def test_a_bad_row_mended_later_is_taken_then_and_nothing_twice(house: Databases, tmp_path: Path) -> None:
    good = ["K1", "张三", "1", "普通", "", "", "玉门市新市区铁人大道1号楼1单元101室", "", "01", "", "2010-01-01"]
    bad = ["K2", "李四<script>'; DROP TABLE customer; --", "1", "普通", "", "", "😀路2号", "", "77", "", "2010-01-01"]
    rest = {"account": [["000001", "K1", "后付", ""], ["000002", "K2", "后付", ""]], "product": [],
            "balance": [["000001", "5.00"], ["000002", "6.00"]], "bill": []}  # fmt: skip
    _files(tmp_path, "tel97", customer=[good, bad], **rest)
    first = take(house, tmp_path, systems=["tel97"])
    assert [(error.file, error.row_no, error.field, error.code) for error in first.errors] == [
        ("tel97_customers.csv", 3, "营业厅", "code_not_mapped"),
        ("tel97_accounts.csv", 3, "客户编号", "parent_set_aside"),
        ("tel97_balances.csv", 3, "账户号", "parent_set_aside"),
    ]  # fmt: skip
    assert all(error.text_zh and error.remedy_zh and error.text_en and error.remedy_en for error in first.errors)
    bad[8] = "02"
    _files(tmp_path, "tel97", customer=[good, bad], **rest)
    second = take(house, tmp_path, systems=["tel97"])
    assert second.errors == () and second.rows_new == 3 and second.rows_already_there == 3
    assert all(total.agrees for total in second.totals)
    assert find(house, "李四<script>")[0].name == bad[1]
    with house.billing.reading() as connection:
        assert store.opening_fen(connection, "tel97")[0] == Fen(1100)


@pytest.mark.one_engine
def test_a_source_that_changed_afterwards_is_named_and_changes_nothing(house: Databases, tmp_path: Path) -> None:
    one = ["K1", "张三", "1", "普通", "", "", "玉门市新市区铁人大道1号楼1单元101室", "", "01", "", "2010-01-01"]
    rest: dict[str, list[list[str]]] = {"account": [["000001", "K1", "后付", ""]], "product": [], "bill": []}
    _files(tmp_path, "tel97", customer=[one], balance=[["000001", "5.00"]], **rest)
    take(house, tmp_path, systems=["tel97"])
    one[1] = "张三丰"
    _files(tmp_path, "tel97", customer=[one], balance=[["000001", "5.01"]], **rest)
    report = take(house, tmp_path, systems=["tel97"])
    assert [(error.file, error.row_no, error.code) for error in report.errors] == [
        ("tel97_customers.csv", 2, "changed_since"), ("tel97_balances.csv", 2, "changed_since"),
    ]  # fmt: skip
    assert [total.name for total in report.totals if not total.agrees] == ["tel97.balances"]
    assert [hit.name for hit in find(house, "张三")] == ["张三"]


@pytest.mark.one_engine
def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_town(tmp_path / name, households=30, seed=seed, month=Month(202602))
    same = [(tmp_path / name / "tel97_customers.csv").read_bytes() for name in ("a", "b", "c")]
    assert same[0] == same[1] != same[2]
    figures = json.loads((tmp_path / "a" / "town.json").read_text(encoding="utf-8"))
    assert figures["households"] == 30 and figures["products"] > 30


@pytest.mark.one_engine
def test_missing_files_and_columns_are_named(house: Databases, tmp_path: Path) -> None:
    write_csv(tmp_path / "tel97_customers.csv", ["客户编号", "客户名称"], [["K1", "张三"]])
    (tmp_path / "tel97_accounts.xlsx").write_bytes(b"this is no workbook")
    report = take(house, tmp_path, systems=["tel97"])
    codes = by_code(report)
    assert codes["column_missing"] == 9 and codes["file_not_readable"] == 1 and codes["file_missing"] == 1
    assert report.rows_new == 0


@pytest.mark.one_engine
def test_mappings_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MappingNotValid):
        shipped("../../etc/passwd")
    file = tmp_path / "own.yaml"
    file.write_text("system: [", encoding="utf-8")
    with pytest.raises(MappingNotValid):
        load(file)


def _files(folder: Path, system: str, **rows: list[list[str]]) -> None:
    """The files of one system with these rows."""
    mapping = shipped(system)
    for kind, one in mapping.kinds.items():
        write_csv(folder / f"{one.file}.csv", list(one.columns.values()), rows[kind], "gb18030")
