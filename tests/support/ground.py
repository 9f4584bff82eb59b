"""A small town's ground for tests: two exchanges, a cabinet, boxes, pairs, a PON port, numbers and devices in stock."""

from __future__ import annotations

from typing import Any

from server_api.business.resource import rules, store
from server_api.business.resource.store import places
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from tests.support.business import do

#: place, kind, parent, covers
PLACES = (
    ("EX1", "exchange", None, ()), ("MDF1", "mdf", "EX1", ()), ("CAB1", "cabinet", "MDF1", ()),
    ("BOX1", "box", "CAB1", ("铁人大道12号",)), ("BOX2", "box", "CAB1", ("铁人大道14号", "铁人大道12号3单元")),
    ("EX2", "exchange", None, ()), ("BOX9", "box", "EX2", ("油城路8号",)),
    ("OLT1", "olt", "EX1", ()), ("PON1", "pon_port", "OLT1", ("广场路",)), ("WH1", "store", None, ()),
    ("VAN1", "van", None, ()),
)  # fmt: skip


def lay(database: Database, *, pairs: int = 5, main_pairs: int = 8, ports: int = 10, numbers: int = 20) -> None:
    """Put the ground into the records."""

    def work(uow: UnitOfWork) -> None:
        places.add_places(uow.conn, [
            {"place_code": code, "place_kind": kind, "place_name": f"{code}号", "parent_code": parent,
             "state": "in_use", "address": None, "hall_code": None}
            for code, kind, parent, _ in PLACES
        ])  # fmt: skip
        places.add_covers(uow.conn, [
            {"cover_text": rules.plain_address(cover), "place_code": code}
            for code, _, _, covers in PLACES for cover in covers
        ])  # fmt: skip
        rows = [_row(uow, "port", f"EX1-P{n:03d}", "EX1") for n in range(1, ports + 1)]
        rows += [_row(uow, "port", f"EX2-P{n:03d}", "EX2") for n in range(1, ports + 1)]
        rows += [_row(uow, "pair", f"CAB1-{n:03d}", "CAB1") for n in range(1, main_pairs + 1)]
        for box in ("BOX1", "BOX2", "BOX9"):
            rows += [_row(uow, "pair", f"{box}-{n:02d}", box) for n in range(1, pairs + 1)]
        rows += [_row(uow, "onu", f"PON1:{n:02d}", "PON1") for n in range(1, 5)]
        rows += [_row(uow, "set_top_box", f"STB{n:04d}", "WH1", model_code="S1") for n in range(1, 4)]
        rows += [_row(uow, "circuit", f"CIR{n:04d}", None) for n in range(1, 3)]
        rows += [
            _row(uow, "number", f"0937268{n:04d}", None, pool_code="P1", level_no=rules.level_of(f"268{n:04d}"))
            for n in range(1, numbers + 1)
        ]
        store.add(uow.conn, rows)

    do(database, work)


def _row(uow: UnitOfWork, kind: str, key: str, place_code: str | None, **more: Any) -> dict[str, Any]:
    return {
        "access_kind": kind, "access_key": key, "state": "available", "place_code": place_code, "changed_at": uow.now,
        "pool_code": None, "level_no": None, "model_code": None, **more,
    }  # fmt: skip
