"""Taking a workbook of resources into the records: checked whole, stored in parts, the same file twice adds nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from server_api.business.party import service as party
from server_api.business.resource import store
from server_api.business.resource.files import ResourceFile, read_workbook
from server_api.business.resource.service import stock
from server_api.business.resource.store import places
from server_api.platform.tabular import row_error
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import RowError
from shared_models.contracts.resource import ResourcesImported

#: So many things are stored in one act, so that nobody waits long.
PART = 500
_SHOWN = 500


def read_resources(raw: bytes, file: str) -> ResourceFile:
    """Read a workbook of resources. Raises ResourceFileNotReadable."""
    return read_workbook(raw, file, party.area_code())


def check_resources(conn: Connection, found: ResourceFile, file: str, source: str = "") -> ResourcesImported:
    """Say what an import would add and what is wrong with it; changes nothing. ``source`` as in ``import_part``."""
    errors = [*found.errors, *_places_missing(conn, found, file)]
    added = {"place": 0, "cover": 0, "material": 0}
    for row_no, row in found.materials:
        cause_id = _cause(source, row_no)
        added["material"] += not places.moved_for(conn, row["place_code"], row["material_code"], cause_id)
    known_places = places.places(conn, [row["place_code"] for _, row in found.places])
    added["place"] = sum(row["place_code"] not in known_places for _, row in found.places)
    known_covers = places.known_covers(conn, [row["cover_text"] for _, row in found.covers])
    added["cover"] = sum((row["cover_text"], row["place_code"]) not in known_covers for _, row in found.covers)
    known = 0
    for kind in sorted({row["access_kind"] for _, _, row in found.things}):
        of_kind = [(sheet, row_no, row) for sheet, row_no, row in found.things if row["access_kind"] == kind]
        there = store.known(conn, kind, [row["access_key"] for _, _, row in of_kind])
        added[kind] = len(of_kind) - len(there)
        known += len(there)
        for sheet, row_no, row in of_kind:
            at = there.get(row["access_key"])
            if at is not None and row["place_code"] is not None and at.place_code not in (None, row["place_code"]):
                errors.append(row_error(
                    f"{file}#{sheet}", row_no, "place_code", "known_elsewhere", value=row["access_key"],
                    place=at.place_code,
                ))  # fmt: skip
    return ResourcesImported(
        stored=False, added={name: count for name, count in added.items() if count}, known=known,
        errors=tuple(errors[:_SHOWN]),
    )  # fmt: skip


def parts_of(found: ResourceFile) -> Iterator[ResourceFile]:
    """A file in parts of at most ``PART`` rows: places (parents before children), covers, things, materials."""
    ordered = _parents_first(found.places)
    for start in range(0, len(ordered), PART):
        yield ResourceFile(places=ordered[start : start + PART])
    for start in range(0, len(found.covers), PART):
        yield ResourceFile(covers=found.covers[start : start + PART])
    for start in range(0, len(found.things), PART):
        yield ResourceFile(things=found.things[start : start + PART])
    for start in range(0, len(found.materials), PART):
        yield ResourceFile(materials=found.materials[start : start + PART])


def import_part(uow: UnitOfWork, *, part: ResourceFile, source: str) -> int:
    """Store a part of a checked file; how many rows were new. What is known already stays as it is.

    ``source`` names the file (its digest): materials of a file are put into stock once.
    """
    added = _put_places(uow, part)
    known_covers = places.known_covers(uow.conn, [row["cover_text"] for _, row in part.covers])
    covers = [row for _, row in part.covers if (row["cover_text"], row["place_code"]) not in known_covers]
    places.add_covers(uow.conn, list({(row["cover_text"], row["place_code"]): row for row in covers}.values()))
    fresh: list[dict[str, Any]] = []
    for kind in sorted({row["access_kind"] for _, _, row in part.things}):
        rows = [row for _, _, row in part.things if row["access_kind"] == kind]
        there = store.known(uow.conn, kind, [row["access_key"] for row in rows])
        fresh += [{**row, "changed_at": uow.now} for row in rows if row["access_key"] not in there]
    store.add(uow.conn, fresh)
    for row_no, row in part.materials:
        cause_id = _cause(source, row_no)
        if not places.moved_for(uow.conn, row["place_code"], row["material_code"], cause_id):
            stock.put_material(uow, **row, cause_id=cause_id)
            added += 1
    return added + len(covers) + len(fresh)


def _cause(source: str, row_no: int) -> str:
    """What a row of a file is booked under in the stock."""
    return hashlib.sha256(f"{source}:{row_no}".encode()).hexdigest()


def _put_places(uow: UnitOfWork, part: ResourceFile) -> int:
    known = places.places(uow.conn, [row["place_code"] for _, row in part.places])
    fresh = [row for _, row in part.places if row["place_code"] not in known]
    places.add_places(uow.conn, fresh)
    for _, row in part.places:
        if row["place_code"] in known:
            values = {name: row[name] for name in ("place_name", "address", "parent_code", "hall_code")}
            places.change_place(uow.conn, row["place_code"], **values)
    return len(fresh)


def _places_missing(conn: Connection, found: ResourceFile, file: str) -> list[RowError]:
    in_file = {row["place_code"] for _, row in found.places}
    wanted = [("places", row_no, "parent_code", row["parent_code"]) for row_no, row in found.places]
    wanted += [("covers", row_no, "place_code", row["place_code"]) for row_no, row in found.covers]
    wanted += [("materials", row_no, "place_code", row["place_code"]) for row_no, row in found.materials]
    by_row = {(sheet, row_no): row["place_code"] for sheet, row_no, row in found.things}
    wanted += [(sheet, row_no, "place_code", code) for (sheet, row_no), code in by_row.items()]
    asked = sorted({code for _, _, _, code in wanted if code is not None and code not in in_file})
    known = set(places.places(conn, asked)) | in_file - _in_rings(found.places)
    return [
        row_error(f"{file}#{sheet}", row_no, name, "place_unknown", value=code)
        for sheet, row_no, name, code in wanted
        if code is not None and code not in known
    ]


def _in_rings(rows: list[tuple[int, dict[str, Any]]]) -> set[str]:
    """Places that hang on one another in a ring: nobody can be put in first."""
    return {row["place_code"] for _, row in rows} - {row["place_code"] for _, row in _parents_first(rows)}


def _parents_first(rows: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Places so that each comes after what it hangs on; what hangs on itself in a ring is left out."""
    left, placed, ordered = list(rows), set[str](), list[tuple[int, dict[str, Any]]]()
    codes = {row["place_code"] for _, row in rows}
    while left:
        ready = [one for one in left if one[1]["parent_code"] not in codes - placed]
        if not ready:
            return ordered
        ordered += ready
        placed |= {row["place_code"] for _, row in ready}
        left = [one for one in left if one[1]["place_code"] not in placed]
    return ordered
