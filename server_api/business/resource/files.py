"""Resources as an Excel workbook: a sheet a kind, ranges in one row, errors by row; headings in English or Chinese."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from server_api.business.resource import rules
from server_api.platform.tabular import Row, TableNotReadable, read_sheets, row_error
from shared_models.contracts.catalog import RowError
from shared_models.values.faults.resource import ResourceFileNotReadable

SHEETS = ("places", "covers", "numbers", "lines", "devices", "addresses", "materials")
#: What people call the columns.
_HEADINGS = {
    "位置编码": "place_code", "位置类型": "place_kind", "名称": "name", "上级": "parent_code", "地址": "address",
    "营业厅": "hall_code", "号码": "number", "止号": "until_number", "号池": "pool_code", "状态": "state",
    "类型": "kind", "前缀": "prefix", "起": "from_no", "止": "until_no", "编号": "code", "型号": "model_code",
    "配对卡": "paired_card", "网段": "network", "材料编码": "material_code", "单位": "unit", "数量": "quantity",
}  # fmt: skip
PLACE_KINDS = ("exchange", "mdf", "cabinet", "box", "olt", "pon_port", "store", "van")
_LINE_KINDS = ("pair", "port", "onu", "circuit")
_LARGEST_RANGE = 10_000


@dataclass
class ResourceFile:
    """What a workbook holds: rows as the tables take them, with the row each came from."""

    places: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    covers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    things: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    materials: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


class _Wrong(ValueError):
    """A cell that is not right."""

    def __init__(self, field_name: str, code: str, value: str) -> None:
        super().__init__(value)
        self.field_name, self.code, self.value = field_name, code, value


def read_workbook(raw: bytes, file: str, area_code: str) -> ResourceFile:
    """Read a workbook; what is wrong is in ``errors``. Raises ResourceFileNotReadable."""
    try:
        sheets = read_sheets(raw, list(SHEETS))
    except TableNotReadable as error:
        raise ResourceFileNotReadable(reason=str(error)) from error
    if not sheets:
        raise ResourceFileNotReadable(reason=", ".join(SHEETS))
    found = ResourceFile()
    readers: dict[str, Callable[[ResourceFile, int, dict[str, str]], None]] = {
        "places": _place, "covers": _cover, "lines": _line, "devices": _device, "addresses": _address,
        "materials": _material, "numbers": lambda into, row_no, cells: _number(into, row_no, cells, area_code),
    }  # fmt: skip
    for name, rows in sheets:
        for row in rows:
            cells = _named(row)
            try:
                readers[name](found, row.row_no, cells)
            except _Wrong as wrong:
                params = {"reason": wrong.value} if wrong.code == "field_not_valid" else {"value": wrong.value}
                found.errors.append(row_error(f"{file}#{name}", row.row_no, wrong.field_name, wrong.code, **params))
    _twice(found, file)
    return found


def _named(row: Row) -> dict[str, str]:
    return {_HEADINGS.get(name, name): text for name, text in row.cells.items()}


def _place(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    into.places.append((row_no, {
        "place_code": _code(cells, "place_code"), "place_kind": _one_of(cells, "place_kind", PLACE_KINDS),
        "place_name": _text(cells, "name", 80), "parent_code": _code(cells, "parent_code", may_lack=True),
        "address": _text(cells, "address", 200, may_lack=True), "state": "in_use",
        "hall_code": _code(cells, "hall_code", may_lack=True),
    }))  # fmt: skip


def _cover(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    plain = rules.plain_address(_text(cells, "address", 200) or "")
    if len(plain) < 2:
        raise _Wrong("address", "field_not_valid", cells.get("address", ""))
    into.covers.append((row_no, {"cover_text": plain, "place_code": _code(cells, "place_code")}))


def _number(into: ResourceFile, row_no: int, cells: dict[str, str], area_code: str) -> None:
    first = _access("number", cells, "number", area_code)
    last = _access("number", cells, "until_number", area_code) if cells.get("until_number") else first
    if not (first.isdigit() and last.isdigit() and len(first) == len(last)):
        raise _Wrong("until_number", "range_not_valid", f"{first}-{last}")
    state = _one_of(cells, "state", rules.FIRST_STATES["access"]) if cells.get("state") else "available"
    for value in _range(int(first), int(last), "until_number"):
        key = str(value).zfill(len(first))
        _thing(into, "numbers", row_no, "number", key, state, cells, level_no=rules.level_of(key))


def _line(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    kind = _one_of(cells, "kind", _LINE_KINDS)
    place_code = _code(cells, "place_code", may_lack=kind == "circuit")
    prefix = cells.get("prefix") or f"{place_code}-"
    first, last = _whole(cells, "from_no"), _whole(cells, "until_no")
    width = max(len(cells.get("from_no", "")), len(str(last)))
    for value in _range(first, last, "until_no"):
        key = _compact(kind, f"{prefix}{value:0{width}d}", "prefix")
        _thing(into, "lines", row_no, kind, key, "available", cells, place_code=place_code)


def _device(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    kind = _one_of(cells, "kind", ("set_top_box", "card", "cable_modem"))
    key = _access(kind, cells, "code", "")
    paired = _access("card", cells, "paired_card", "") if cells.get("paired_card") else None
    state = _one_of(cells, "state", rules.FIRST_STATES["device"]) if cells.get("state") else "available"
    _thing(
        into, "devices", row_no, kind, key, state, cells, place_code=_code(cells, "place_code"), paired_key=paired,
        model_code=_code(cells, "model_code", may_lack=True),
    )  # fmt: skip


def _address(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    try:
        network = ipaddress.ip_network(cells.get("network", ""))
    except ValueError:
        raise _Wrong("network", "field_not_valid", cells.get("network", "")) from None
    if network.num_addresses > _LARGEST_RANGE:
        raise _Wrong("network", "range_not_valid", str(network))
    hosts = list(network.hosts()) if network.num_addresses > 1 else [network.network_address]
    for host in hosts:
        _thing(into, "addresses", row_no, "ip", str(host).upper(), "available", cells)


def _material(into: ResourceFile, row_no: int, cells: dict[str, str]) -> None:
    into.materials.append((row_no, {
        "place_code": _code(cells, "place_code"), "material_code": _code(cells, "material_code"),
        "material_name": _text(cells, "name", 80), "unit": _text(cells, "unit", 12),
        "quantity": _whole(cells, "quantity"),
    }))  # fmt: skip


def _thing(
    into: ResourceFile, sheet: str, row_no: int, kind: str, key: str, state: str, cells: dict[str, str], **more: Any
) -> None:
    row = {
        "access_kind": kind, "access_key": key, "state": state, "place_code": None, "level_no": None,
        "model_code": None, "paired_key": None, "hall_code": _code(cells, "hall_code", may_lack=True),
        "pool_code": _code(cells, "pool_code", may_lack=True), **more,
    }  # fmt: skip
    into.things.append((sheet, row_no, row))


def _twice(found: ResourceFile, file: str) -> None:
    seen: set[tuple[str, str]] = set()
    for sheet, row_no, row in found.things:
        key = (row["access_kind"], row["access_key"])
        if key in seen:
            found.errors.append(row_error(f"{file}#{sheet}", row_no, key[0], "code_twice", value=key[1]))
        seen.add(key)


def _range(first: int, last: int, field_name: str) -> range:
    if not first <= last < first + _LARGEST_RANGE:
        raise _Wrong(field_name, "range_not_valid", f"{first}-{last}")
    return range(first, last + 1)


def _access(kind: str, cells: dict[str, str], name: str, area_code: str) -> str:
    try:
        return rules.compact_access(kind, cells.get(name, ""), area_code)
    except ValueError:
        raise _Wrong(name, "field_not_valid", cells.get(name, "")) from None


def _compact(kind: str, text: str, name: str) -> str:
    try:
        key = rules.compact_access(kind, text, "")
    except ValueError:
        raise _Wrong(name, "field_not_valid", text) from None
    if len(key) > 64:
        raise _Wrong(name, "field_not_valid", text[:40])
    return key


def _code(cells: dict[str, str], name: str, *, may_lack: bool = False) -> str | None:
    text = cells.get(name, "").strip()
    if not text and may_lack:
        return None
    if not text or not text.isascii() or len(text) > (20 if name in ("hall_code", "pool_code") else 40) or " " in text:
        raise _Wrong(name, "field_not_valid", text[:40])
    return text


def _text(cells: dict[str, str], name: str, longest: int, *, may_lack: bool = False) -> str | None:
    text = cells.get(name, "").strip()
    if (not text and not may_lack) or len(text) > longest:
        raise _Wrong(name, "field_not_valid", text[:40])
    return text or None


def _whole(cells: dict[str, str], name: str) -> int:
    text = cells.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _Wrong(name, "field_not_valid", text[:40])
    return int(text)


def _one_of(cells: dict[str, str], name: str, known: tuple[str, ...]) -> str:
    text = cells.get(name, "").strip()
    if text not in known:
        raise _Wrong(name, "field_not_valid", f"{text[:40]} ({', '.join(known)})")
    return text
