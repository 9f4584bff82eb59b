"""A workbook taken over with errors by row; what is free; a line from end to end, on the screen and drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from datetime import timedelta

import pytest

from server_api.business.resource import service as resource
from server_api.business.resource import store
from server_api.business.resource.store import places
from server_api.business.resource.template import sample_workbook
from server_api.faces.joined.lines import line_picture, traced
from server_api.platform.database import Database, Databases
from server_api.platform.tabular import sheets_to_excel
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.resource import ResourcesImported
from shared_models.values.clock import town_day
from shared_models.values.faults.resource import (
    PlaceUnknown,
    ResourceFileNotReadable,
    ResourceTaken,
    StateNotPossible,
    StockTooLow,
)
from shared_models.values.ids import new_id
from shared_models.values.numbers import SmartCard
from tests.support.business import do, worker
from tests.support.ground import lay

Sheet = tuple[str, Sequence[str], Sequence[Sequence[object]]]
GOOD: list[Sheet] = [
    ("places", ("位置编码", "位置类型", "名称", "上级", "地址"), [
        ("XB", "box", "铁人大道12号3单元", "XC", ""), ("XC", "cabinet", "新市区交接箱", "XM", "铁人大道口"),
        ("XM", "mdf", "总配线架", "XE", ""), ("XE", "exchange", "新市区局", "", ""),
        ("XW", "store", "中心仓库", "", ""),
    ]),
    ("covers", ("地址", "位置编码"), [("铁人大道１２号 3单元", "XB")]),
    ("numbers", ("number", "until_number", "pool_code"), [("2680000", "2680099", "P1"), ("2688888", "", "GOLD")]),
    ("lines", ("kind", "place_code", "prefix", "from_no", "until_no"), [
        ("port", "XE", "S1-", "001", "020"), ("pair", "XC", "", "1", "10"), ("pair", "XB", "", "01", "05"),
    ]),
    ("devices", ("kind", "code", "model_code", "place_code"), [("set_top_box", "stb77", "S1", "XW")]),
    ("addresses", ("network", "pool_code"), [("10.1.2.0/29", "IP1")]),
    ("materials", ("place_code", "material_code", "name", "unit", "quantity"), [("XW", "drop_wire", "皮线", "m", 500)]),
]  # fmt: skip


def taken(database: Database, sheets: Sequence[Sheet]) -> ResourcesImported:
    """Import as the route and the command do."""
    raw = sheets_to_excel(sheets)
    found = resource.read_resources(raw, "a.xlsx")
    with database.reading() as connection:
        report = resource.check_resources(connection, found, "a.xlsx", "digest")
    if not report.errors:
        for part in resource.parts_of(found):
            do(database, lambda uow, part=part: resource.import_part(uow, part=part, source="digest"))  # type: ignore[misc]
    return report


def test_a_workbook_is_taken_over_once(databases: Databases) -> None:
    business = databases.business
    report = taken(business, GOOD)
    assert report.errors == () and report.known == 0
    assert report.added == {
        "place": 5, "cover": 1, "material": 1, "number": 101, "port": 20, "pair": 15, "set_top_box": 1, "ip": 6,
    }  # fmt: skip
    again = taken(business, GOOD)
    assert again.known == 143 and again.added == {}
    with business.reading() as connection:
        material = places.material(connection, "XW", "drop_wire")
        now = business.clock.now()
        good = resource.free_numbers(connection, limit=50, ending="8888")
        plain = resource.free_numbers(connection, limit=50, prefix="26800", level_max=0)
        way = resource.free_lines(connection, kind="line", address="铁人大道12号3单元501", now=now, on=town_day(now))
        place = resource.read_place(connection, "XC")
    assert material is not None and material.quantity == 500, "the same file twice puts nothing twice into stock"
    assert [(one.number, one.level_no, one.pool_code) for one in good] == [("09372688888", 5, "GOLD")]
    assert "09372680001" in {one.number for one in plain} and "09372680088" not in {one.number for one in plain}
    assert [(one.place_code, one.free, [hop.free for hop in one.hops]) for one in way] == [("XB", 5, [20, 10, 5])]
    assert [(one.kind, one.state, one.count) for one in place.capacity] == [("pair", "available", 10)]
    assert [one.place_code for one in place.children] == ["XB"]


def test_errors_are_named_by_row_and_nothing_is_stored(databases: Databases) -> None:
    business = databases.business
    lay(business)
    report = taken(business, [
        ("places", ("place_code", "place_kind", "name", "parent_code"), [
            ("A1", "tower", "x", ""), ("A2", "box", "x", "NOWHERE"), ("A3", "box", "x", "A4"), ("A4", "box", "x", "A3"),
        ]),
        ("numbers", ("number", "until_number"), [("2690009", "2690001"), ("2690100", "2690102"), ("2690101", "")]),
        ("lines", ("kind", "place_code", "from_no", "until_no"), [("pair", "BOX1", "a", "5")]),
        ("devices", ("kind", "code", "place_code"), [("set_top_box", "STB0001", "VAN1"), ("card", "123", "WH1")]),
        ("materials", ("place_code", "material_code", "name", "unit", "quantity"), [("WH1", "x", "x", "m", "-1")]),
    ])  # fmt: skip
    found = {(one.file, one.row_no, one.code) for one in report.errors}
    assert found == {
        ("a.xlsx#places", 2, "field_not_valid"), ("a.xlsx#places", 3, "place_unknown"),
        ("a.xlsx#places", 4, "place_unknown"), ("a.xlsx#places", 5, "place_unknown"),
        ("a.xlsx#numbers", 2, "range_not_valid"), ("a.xlsx#numbers", 4, "code_twice"),
        ("a.xlsx#lines", 2, "field_not_valid"), ("a.xlsx#devices", 2, "known_elsewhere"),
        ("a.xlsx#devices", 3, "field_not_valid"), ("a.xlsx#materials", 2, "field_not_valid"),
    }  # fmt: skip
    assert all(one.text_zh and one.remedy_en and "row_error" not in one.text_zh for one in report.errors)
    with business.reading() as connection:
        assert places.place(connection, "A2") is None
    with pytest.raises(ResourceFileNotReadable):
        resource.read_resources(b"not a workbook", "a.xlsx")
    with pytest.raises(ResourceFileNotReadable):
        resource.read_resources(sheets_to_excel([("other", ("a",), [])]), "a.xlsx")


def test_a_line_is_traced_from_end_to_end_and_drawn(databases: Databases) -> None:
    business = databases.business
    taken(business, GOOD)
    order_id = new_id()
    until_at = business.clock.now() + timedelta(hours=1)
    for kind, more in (
        ("line", {"criteria": resource.Criteria(address="铁人大道12号3单元")}), ("number", {"code": "2680007"}),
    ):  # fmt: skip
        do(business, lambda uow, kind=kind, more=more: resource.reserve(  # type: ignore[misc, arg-type]
            uow, kind=kind, order_id=order_id, item_id="1", until_at=until_at, **more))  # fmt: skip
    with business.reading() as connection:
        by_order = traced(connection, worker(), "order", order_id)
        by_number = traced(connection, worker(), "number", "2680007")
        free = traced(connection, worker(), "pair", "XB-05")
    assert by_number.ends == by_order.ends
    (end,) = by_order.ends
    assert [(hop.place_code, hop.code, hop.state) for hop in end.hops] == [
        ("XE", "S1-001", "reserved"), ("XM", None, None), ("XC", "XC-01", "reserved"), ("XB", "XB-01", "reserved"),
    ]  # fmt: skip
    assert {one.code for one in by_order.things} >= {"09372680007"}
    assert [hop.code for hop in free.ends[0].hops] == [None, None, None, "XB-05"]
    picture = line_picture(by_order.model_copy(update={"title": "<2680007>", "address": "铁人大道"}), "zh_CN")
    texts = [node.text for node in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert "<2680007>" in texts and "交接箱  新市区交接箱" in texts and "线对 XB-01" in texts and "预占" in texts


def test_devices_and_materials_move_and_states_change_by_hand(databases: Databases) -> None:
    business = databases.business
    lay(business)
    do(business, lambda uow: resource.put_material(
        uow, place_code="WH1", material_code="wire", material_name="线", unit="m", quantity=9, cause_id="x",
    ))  # fmt: skip
    do(business, lambda uow: resource.move_material(
        uow, from_code="WH1", to_code="VAN1", material_code="wire", quantity=4))  # fmt: skip
    with pytest.raises(StockTooLow):
        do(business, lambda uow: resource.move_material(
            uow, from_code="WH1", to_code="VAN1", material_code="wire", quantity=7))  # fmt: skip
    do(business, lambda uow: resource.move_devices(uow, kind="set_top_box", codes=["STB0001"], to_code="VAN1"))
    with pytest.raises(PlaceUnknown):
        do(business, lambda uow: resource.move_devices(uow, kind="set_top_box", codes=["STB0001"], to_code="X"))
    states = []
    for event in ("lose", "find", "fail", "repair", "scrap"):
        box = do(business, lambda uow, event=event: resource.change_state(  # type: ignore[misc, arg-type]
            uow, kind="set_top_box", code="STB0001", event=event, remark=""))  # fmt: skip
        states += box
    assert states == ["lost", "returned", "to_repair", "in_repair", "scrapped"]
    for event in ("open", "reserve", "occupy"):
        with pytest.raises(StateNotPossible):
            do(business, lambda uow, event=event: resource.change_state(  # type: ignore[misc, arg-type]
                uow, kind="set_top_box", code="STB0001", event=event, remark=""))  # fmt: skip
    with business.reading() as connection:
        left = [places.material(connection, code, "wire") for code in ("WH1", "VAN1")]
        thing = resource.read_thing(connection, "set_top_box", "STB0001")
    assert [one.quantity for one in left if one is not None] == [5, 4]
    assert thing.place_code == "VAN1" and len(thing.log) == 6


def test_a_card_belongs_to_one_box(databases: Databases) -> None:
    business = databases.business
    lay(business)
    card = "8537 0025 1234 5678"

    def add(uow: UnitOfWork) -> None:
        store.add(uow.conn, [{
            "access_kind": "card", "access_key": SmartCard.validate(card), "state": "available",
            "changed_at": business.clock.now(),
        }])  # fmt: skip

    do(business, add)
    do(business, lambda uow: resource.pair_devices(uow, box_code="STB0001", card_code=card))
    with pytest.raises(ResourceTaken):
        do(business, lambda uow: resource.pair_devices(uow, box_code="STB0002", card_code=card))
    do(business, lambda uow: resource.pair_devices(uow, box_code="STB0001", card_code=None))
    do(business, lambda uow: resource.pair_devices(uow, box_code="STB0002", card_code=card))
    with business.reading() as connection:
        boxes = [store.one(connection, "set_top_box", code) for code in ("STB0001", "STB0002")]
    assert [one.paired_key for one in boxes if one is not None] == [None, SmartCard.validate(card)]


@pytest.mark.one_engine
def test_the_example_workbook_is_right(databases: Databases) -> None:
    found = resource.read_resources(sample_workbook(), "example.xlsx")
    with databases.business.reading() as connection:
        report = resource.check_resources(connection, found, "example.xlsx")
    assert report.errors == ()
    assert {kind: report.added[kind] for kind in ("number", "onu", "card", "circuit", "ip")} == {
        "number": 600, "onu": 64, "card": 20, "circuit": 10, "ip": 62,
    }  # fmt: skip
    for part in resource.parts_of(found):
        do(databases.business, lambda uow, part=part: resource.import_part(uow, part=part, source="x"))  # type: ignore[misc]
    until_at = databases.business.clock.now() + timedelta(hours=1)
    for kind, criteria in (
        ("onu", resource.Criteria(address="铁人大道12号3单元501")), ("ip", resource.Criteria(pool_code="DIA")),
        ("card", resource.Criteria(model_code="CA-1")), ("cable_modem", resource.Criteria(place_code="CK")),
        ("circuit", resource.Criteria(address="铁人大道14号", address_z="油城路8号")),
    ):  # fmt: skip
        (held,) = do(databases.business, lambda uow, kind=kind, criteria=criteria: resource.reserve(  # type: ignore[misc, arg-type]
            uow, kind=kind, order_id=new_id(), item_id="1", until_at=until_at, criteria=criteria))  # fmt: skip
        assert len(held) == (6 if kind == "circuit" else 1), kind  # type: ignore[arg-type]
