"""Reserving, occupying, releasing and giving up things, for orders and products.

Whoever wants a thing changes its row on the condition that it is free; a changed row is the proof, so two orders never
get the same one, on any engine. Things are claimed from the exchange outwards and in order of key, which no two acts
do in opposite directions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from server_api.business.party import service as party
from server_api.business.resource import rules, store
from server_api.business.resource.service import ways
from server_api.business.resource.service.ways import LOOK_AT, RunOut, claim_first
from server_api.business.resource.uselog import use_row
from server_api.business.resource.wording import called
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.business.resource import number_resource
from shared_models.values.faults.inventory import NumberNotValid
from shared_models.values.faults.resource import NoneFree, ResourceTaken, ResourceUnknown

_MANY = 100_000
#: How long a number chosen at the counter is kept before an order takes it, and what such a choice has as its item.
PRESELECTION = timedelta(minutes=30)
CHOICE = "choice"
_NOBODY: dict[str, Any] = {"order_id": None, "item_id": None, "reserved_until_at": None}


@dataclass(frozen=True)
class Criteria:
    """What will do where no single thing is named."""

    address: str = ""
    #: the other end of a circuit
    address_z: str = ""
    place_code: str | None = None
    pool_code: str | None = None
    prefix: str = ""
    level_max: int | None = None
    model_code: str | None = None


@dataclass(frozen=True)
class Held:
    """A thing and who has it."""

    kind: str
    code: str
    state: str
    place_code: str | None
    order_id: str | None
    item_id: str | None
    product_id: str | None
    until_at: datetime | None
    route_end: str | None = None


@dataclass(frozen=True)
class _For:
    """Who wants a thing, and until when it is kept."""

    order_id: str
    item_id: str
    until_at: datetime
    adopt_id: str | None


def reserve(
    uow: UnitOfWork, *, kind: str, order_id: str, item_id: str, until_at: datetime, code: str | None = None,
    criteria: Criteria | None = None, adopt_id: str | None = None,
) -> tuple[Held, ...]:  # fmt: skip
    """Keep a thing for an item of an order until an instant: the one named, or a free one that fits.

    The same wish again gives what is held already, kept until the new instant. ``adopt_id`` is the id under which it
    was chosen beforehand. Raises ResourceTaken, ResourceUnknown, NoneFree, AddressNotReached, PlaceUnknown,
    NumberNotValid.
    """
    if kind not in rules.WANTED_KINDS:
        raise ResourceUnknown(kind=called(kind), code=code or "-")
    wanted = criteria or Criteria()
    want = _For(order_id, item_id, until_at, adopt_id)
    mine = [
        row
        for row in store.of_order(uow.conn, order_id, item_id)
        if _is_of(kind, row.access_kind)
        and store.keep_longer(uow.conn, row.access_kind, row.access_key, order_id, until_at)
    ]
    if code is not None:
        key = _compact(kind, code)
        if not any(row.access_key == key for row in mine):
            _claim_named(uow, kind, key, want)
        return tuple(_held(row) for row in store.of_order(uow.conn, order_id, item_id) if row.access_key == key)
    if not mine:
        if kind == "line":
            ways.claim_way(uow, kind, wanted, lambda *one: _claim(uow, *one, want=want), end=None)
        elif kind == "circuit":
            _claim_free(uow, kind, wanted, want)
            a_end = replace(wanted, address_z="")
            z_end = replace(wanted, address=wanted.address_z, place_code=None)
            for end, one_end in (("a", a_end), ("z", z_end)):
                if one_end.address or one_end.place_code:
                    ways.claim_way(uow, "line", one_end, lambda *one: _claim(uow, *one, want=want), end=end)
        elif kind == "onu" and (wanted.address or wanted.place_code):
            ways.claim_way(uow, kind, wanted, lambda *one: _claim(uow, *one, want=want), end=None)
        else:
            _claim_free(uow, kind, wanted, want)
    return tuple(_held(row) for row in store.of_order(uow.conn, order_id, item_id) if _is_of(kind, row.access_kind))


def choose(uow: UnitOfWork, *, choice_id: str, kind: str, code: str) -> Held:
    """Keep one thing for half an hour before there is an order; what was kept under the same id before is freed.

    Raises ResourceTaken, ResourceUnknown, NumberNotValid.
    """
    release(uow, order_id=choice_id)
    until_at = uow.now + PRESELECTION
    return reserve(uow, kind=kind, order_id=choice_id, item_id=CHOICE, until_at=until_at, code=code)[0]


def occupy(uow: UnitOfWork, *, order_id: str, item_id: str, product_id: str) -> tuple[Held, ...]:
    """Hand what an item of an order holds to its product. What it holds no more is not in the answer."""
    done = []
    for row in store.of_order(uow.conn, order_id, item_id):
        if row.state != "reserved":
            continue
        locked = uow.lock(store.lock_query(row.access_kind, row.access_key), number_resource)
        if locked is None or locked.state != "reserved" or locked.order_id != order_id:
            continue
        _put(
            uow, locked, "occupy", "in_use", product_id=product_id, order_id=None, item_id=None, reserved_until_at=None
        )
        done.append(locked)
    keys = {(row.access_kind, row.access_key) for row in done}
    return tuple(one for one in held_by_product(uow.conn, product_id) if (one.kind, one.code) in keys)


def release(uow: UnitOfWork, *, order_id: str, item_id: str | None = None) -> int:
    """Free what an order (or one item) holds and has not handed to a product; how many things there were."""
    freed = 0
    for row in store.of_order(uow.conn, order_id, item_id):
        locked = uow.lock(store.lock_query(row.access_kind, row.access_key), number_resource)
        if locked is not None and locked.state == "reserved" and locked.order_id == order_id:
            _put(
                uow, locked, "release", "available", order_id=None, item_id=None, reserved_until_at=None, route_end=None
            )
            freed += 1
    return freed


def extend(uow: UnitOfWork, *, order_id: str, until_at: datetime) -> int:
    """Keep what an order holds until another instant; how many things there are."""
    rows = store.of_order(uow.conn, order_id)
    return sum(store.keep_longer(uow.conn, row.access_kind, row.access_key, order_id, until_at) for row in rows)


def quit(uow: UnitOfWork, *, product_id: str, kind: str | None = None, code: str | None = None) -> tuple[Held, ...]:
    """Take from a product what it has (all, a kind, or one thing): numbers rest, lines are free, devices come back."""
    left = []
    for row in store.of_product(uow.conn, product_id):
        if (kind is not None and not _is_of(kind, row.access_kind)) or (code is not None and row.access_key != code):
            continue
        locked = uow.lock(store.lock_query(row.access_kind, row.access_key), number_resource)
        if locked is None or locked.product_id != product_id:
            continue
        after = rules.state_after(locked.access_kind, locked.state, "quit") or locked.state
        until_on = uow.today + rules.COOLING if after == "cooling" else None
        _put(uow, locked, "quit", after, product_id=None, cooling_until_on=until_on, route_end=None)
        left.append(_held(locked))
    return tuple(left)


def release_expired(uow: UnitOfWork, *, limit: int = 500) -> int:
    """Free reservations that have run out and numbers that have rested; how many. Called until nothing is left."""
    freed = 0
    for row in store.expired(uow.conn, sorted(rules.FAMILY), uow.now, uow.today, limit):
        locked = uow.lock(store.lock_query(row.access_kind, row.access_key), number_resource)
        if locked is None or locked.state not in ("reserved", "cooling") or not _free(uow, locked):
            continue
        event = "expire" if locked.state == "reserved" else "rested"
        _put(uow, locked, event, "available", cooling_until_on=None, route_end=None, **_NOBODY)
        freed += 1
    return freed


def held_by_order(conn: Connection, order_id: str) -> tuple[Held, ...]:
    """What an order holds."""
    return tuple(_held(row) for row in store.of_order(conn, order_id))


def held_by_product(conn: Connection, product_id: str) -> tuple[Held, ...]:
    """What a product has."""
    return tuple(_held(row) for row in store.of_product(conn, product_id))


def orders_holding(conn: Connection) -> list[str]:
    """Orders for which something is kept; the books ask whether they are all in being."""
    return store.orders_holding(conn, sorted(rules.FAMILY), CHOICE, _MANY)


def _is_of(kind: str, access_kind: str) -> bool:
    if kind == "line":
        return access_kind in ("pair", "port")
    return access_kind == kind or (kind == "circuit" and access_kind in ("pair", "port"))


def _compact(kind: str, code: str) -> str:
    try:
        return rules.compact_access(kind, code, party.area_code())
    except ValueError:
        raise NumberNotValid(number=code) from None


def _claim_named(uow: UnitOfWork, kind: str, key: str, want: _For) -> None:
    if kind == "login":
        first = {
            "access_kind": kind, "access_key": key, "state": "available", "hall_code": uow.context.hall_code,
            "changed_at": uow.now,
        }  # fmt: skip
        uow.lock_or_insert(store.lock_query(kind, key), number_resource, first)
    if _claim(uow, kind, key, None, want=want):
        return
    row = store.one(uow.conn, kind, key)
    if row is None:
        raise ResourceUnknown(kind=called(kind), code=key)
    if want.adopt_id is not None and row.state == "reserved" and row.order_id == want.adopt_id:
        locked = uow.lock(store.lock_query(kind, key), number_resource)
        if locked is not None and locked.order_id == want.adopt_id:
            _put(uow, locked, "adopt", "reserved", order_id=want.order_id, item_id=want.item_id,
                 reserved_until_at=want.until_at)  # fmt: skip
            return
    raise ResourceTaken(kind=called(kind), code=key, state=called(row.state))


def _claim_free(uow: UnitOfWork, kind: str, wanted: Criteria, want: _For) -> None:
    """Claim the first free one that fits; those somebody else gets meanwhile are passed over."""
    beginning = (wanted.prefix, wanted.prefix[:-1] + chr(ord(wanted.prefix[-1]) + 1)) if wanted.prefix else None

    def looked_at(after_key: str, run_out: RunOut) -> list[Any]:
        return store.free_rows(
            uow.conn, kind, LOOK_AT, place_code=wanted.place_code, pool_code=wanted.pool_code, beginning=beginning,
            model_code=wanted.model_code, level_max=wanted.level_max, after_key=after_key, run_out=run_out,
        )  # fmt: skip

    if not claim_first(uow, looked_at, lambda key: _claim(uow, kind, key, None, want=want)):
        raise NoneFree(kind=called(kind), place=wanted.place_code or wanted.pool_code or wanted.prefix or "-")


def _claim(uow: UnitOfWork, kind: str, key: str, end: str | None, *, want: _For) -> bool:
    """Reserve one thing if it is free at this moment."""
    before = store.one(uow.conn, kind, key)
    claimed = store.claim(
        uow.conn, kind, key, uow.now, uow.today, state="reserved", order_id=want.order_id, item_id=want.item_id,
        reserved_until_at=want.until_at, route_end=end, product_id=None,
    )  # fmt: skip
    if claimed:
        use = use_row(uow, kind, key, "reserve", before.state if before is not None else None, "reserved")
        store.log(uow.conn, [use | {"order_id": want.order_id, "item_id": want.item_id}])
    return claimed


def _put(uow: UnitOfWork, row: Any, event: str, state: str, **values: Any) -> None:
    store.change(uow.conn, row.access_kind, row.access_key, state=state, changed_at=uow.now, **values)
    use = use_row(uow, row.access_kind, row.access_key, event, row.state, state)
    store.log(uow.conn, [use | {
        "order_id": values.get("order_id") or row.order_id, "item_id": values.get("item_id") or row.item_id,
        "product_id": values.get("product_id") or row.product_id, "place_code": row.place_code,
    }])  # fmt: skip


def _free(uow: UnitOfWork, row: Any) -> bool:
    return rules.is_free(row.state, row.reserved_until_at, row.cooling_until_on, now=uow.now, on=uow.today)


def _held(row: Any) -> Held:
    return Held(
        row.access_kind, row.access_key, row.state, row.place_code, row.order_id, row.item_id, row.product_id,
        row.reserved_until_at, row.route_end,
    )  # fmt: skip
