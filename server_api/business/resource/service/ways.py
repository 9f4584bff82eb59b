"""The way from an exchange to an address: which places lie on it, and one free thing claimed at each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from server_api.business.resource import rules, store
from server_api.business.resource.store import places
from server_api.business.resource.wording import called
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.faults.resource import AddressNotReached, NoneFree, PlaceUnknown

if TYPE_CHECKING:
    from server_api.business.resource.service.hold import Criteria

#: A tree deeper than this is a loop.
DEEPEST = 12
#: The boxes that are tried before giving up, and the free things looked at together.
_BOXES = 20
LOOK_AT = 40
_TERMINALS = {"line": ("box",), "onu": ("pon_port",)}

Claim = Callable[[str, str, "str | None"], bool]
#: None asks for what is available, an instant and day for what has run out by then.
RunOut = tuple[datetime, date] | None


@dataclass(frozen=True)
class FreeWay:
    """A box or port that reaches an address, and how many free things each place towards the exchange has."""

    place_code: str
    place_name: str
    cover_text: str
    hops: tuple[tuple[str, str, str, int], ...]

    @property
    def free(self) -> int:
        """How many lines can still be made this way."""
        return min((count for _, _, _, count in self.hops), default=0)


def way_up(conn: Connection, place_code: str) -> list[Any]:
    """A place and all it hangs on, the exchange first. Raises PlaceUnknown."""
    found: list[Any] = []
    code: str | None = place_code
    while code is not None and len(found) < DEEPEST:
        row = places.place(conn, code)
        if row is None:
            raise PlaceUnknown(place=code)
        found.insert(0, row)
        code = row.parent_code
    return found


def terminals(conn: Connection, kind: str, criteria: Criteria) -> list[Any]:
    """The boxes or ports that may serve, the best first. Raises PlaceUnknown, AddressNotReached."""
    if criteria.place_code is not None:
        row = places.place(conn, criteria.place_code)
        if row is None:
            raise PlaceUnknown(place=criteria.place_code)
        return [row]
    rows = places.covering(conn, rules.beginnings(criteria.address), _TERMINALS[kind])
    if not rows:
        raise AddressNotReached(address=criteria.address or "-")
    return list(dict.fromkeys(rows))[:_BOXES]


def hops(conn: Connection, kind: str, place_code: str) -> list[tuple[Any, str]]:
    """The places on a way at which something must be had, the exchange first, with the kind of thing."""
    found = []
    for row in way_up(conn, place_code):
        wanted = rules.HOP_KIND.get(row.place_kind)
        if wanted is None or (kind == "onu") != (wanted == "onu"):
            continue
        if row.place_code == place_code or store.has_any(conn, row.place_code, wanted):
            found.append((row, wanted))
    return found


def claim_way(uow: UnitOfWork, kind: str, criteria: Criteria, claim: Claim, *, end: str | None) -> None:
    """Claim one thing at each place of a way that has something free everywhere. Raises NoneFree and those above."""
    last = ""
    for box in terminals(uow.conn, kind, criteria):
        route = hops(uow.conn, kind, box.place_code)
        last = box.place_code
        if not route or not all(_any_free(uow, row.place_code, wanted) for row, wanted in route):
            continue
        # Somebody may still take the last thing of a place: then the act ends here, and all it claimed is free again.
        for row, wanted in route:
            _claim_hop(uow, row.place_code, wanted, claim, end)
        return
    raise NoneFree(kind=called(kind), place=last)


def free_ways(uow_conn: Connection, kind: str, criteria: Criteria, now: Any, on: Any) -> list[FreeWay]:
    """Which boxes or ports reach an address, with what is free on the way. Changes nothing."""
    found = []
    for box in terminals(uow_conn, kind, criteria):
        counted = tuple(
            (row.place_code, row.place_name, wanted, store.count_free(uow_conn, row.place_code, wanted, now, on))
            for row, wanted in hops(uow_conn, kind, box.place_code)
        )
        found.append(FreeWay(box.place_code, box.place_name, getattr(box, "cover_text", ""), counted))
    return found


def _claim_hop(uow: UnitOfWork, place_code: str, wanted: str, claim: Claim, end: str | None) -> None:
    def looked_at(after_key: str, run_out: RunOut) -> list[Any]:
        return store.free_rows(uow.conn, wanted, LOOK_AT, place_code=place_code, after_key=after_key, run_out=run_out)

    if not claim_first(uow, looked_at, lambda key: claim(wanted, key, end)):
        raise NoneFree(kind=called(wanted), place=place_code)


def _any_free(uow: UnitOfWork, place_code: str, wanted: str) -> bool:
    return any(
        store.free_rows(uow.conn, wanted, 1, place_code=place_code, run_out=run_out)
        for run_out in (None, (uow.now, uow.today))
    )


def claim_first(uow: UnitOfWork, looked_at: Callable[[str, RunOut], list[Any]], claim: Callable[[str], bool]) -> bool:
    """Claim the first that can be had: of those that are available, then of those whose time has run out."""
    for run_out in (None, (uow.now, uow.today)):
        after_key = ""
        while True:
            rows = looked_at(after_key, run_out)
            if any(claim(row.access_key) for row in rows):
                return True
            if len(rows) < LOOK_AT:
                break
            after_key = rows[-1].access_key
    return False
