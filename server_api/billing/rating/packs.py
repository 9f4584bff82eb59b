"""Packs of units and pools, as acts: granted, ended, joined, left. What calls may draw on them is dealt out again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from server_api.billing.rating import store
from server_api.billing.rating.store import months as month_store
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun, enqueue
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.allowance import (
    EndPack,
    GrantPack,
    JoinPool,
    LeavePool,
    PackList,
    PackView,
    PoolMember,
    PoolView,
)
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import AlreadyInPool
from shared_models.values.period import Month

DEAL_JOB = "rating.deal"
_LONGEST = timedelta(days=366 * 10)


def grant_pack(uow: UnitOfWork, database: Database, *, request: GrantPack) -> PackView:
    """Give an owner units for some days; calls of open months are dealt out again by the worker.

    Raises InputNotValid for days that are no span, NotFound for a package no tariff has or an owner nobody knows.
    """
    if not timedelta(0) < request.until_on - request.from_on <= _LONGEST:
        raise InputNotValid(field="until_on", reason={"zh": "应晚于起始日", "en": "must be later than from_on"})
    if request.code not in _packages(uow.conn):
        raise NotFound(what="package", id=request.code)
    accounts = accounts_behind(uow.conn, request.owner_kind, request.owner_id, (request.from_on, request.until_on))
    if not accounts:
        raise NotFound(what=request.owner_kind, id=request.owner_id)
    month_store.add_pack(
        uow.conn,
        pack_id=uow.act_id,
        **request.model_dump(exclude={"reason"}),
        reason=request.reason or None,
        act_id=uow.act_id,
        staff_id=uow.context.staff_id or None,
        granted_at=uow.now,
    )
    _deal_again(uow, database, accounts, (request.from_on, request.until_on))
    return _view(uow.conn, month_store.pack(uow.conn, uow.act_id))


def end_pack(uow: UnitOfWork, database: Database, *, pack_id: str, request: EndPack) -> PackView:
    """Let a pack end on another, earlier day. Raises NotFound, InputNotValid for a day after its end."""
    row = month_store.pack(uow.conn, pack_id)
    if row is None:
        raise NotFound(what="pack", id=pack_id)
    if request.until_on > row.until_on:
        raise InputNotValid(field="until_on", reason={"zh": "不能晚于原终止日", "en": "must not be after its end"})
    until_on = max(request.until_on, row.from_on)
    month_store.end_pack(uow.conn, pack_id, until_on)
    accounts = accounts_behind(uow.conn, row.owner_kind, row.owner_id, (row.from_on, row.until_on))
    _deal_again(uow, database, accounts, (until_on, row.until_on))
    return _view(uow.conn, month_store.pack(uow.conn, pack_id), from_on=until_on)


def owner_of(conn: Connection, pack_id: str) -> tuple[str, str]:
    """Kind and id of who a pack belongs to. Raises NotFound."""
    row = month_store.pack(conn, pack_id)
    if row is None:
        raise NotFound(what="pack", id=pack_id)
    return str(row.owner_kind), str(row.owner_id)


def packs_of(conn: Connection, owner_id: str) -> PackList:
    """The packs of an owner, the newest first."""
    rows = month_store.packs_of(conn, [owner_id], (date.min, date.max))
    ordered = sorted(rows, key=lambda row: (row.granted_at, row.pack_id), reverse=True)
    return PackList(items=tuple(_view(conn, row) for row in ordered))


def join_pool(uow: UnitOfWork, database: Database, *, pool_id: str, request: JoinPool) -> PoolMember:
    """A product shares a pool's units from a day on. Raises NotFound, AlreadyInPool."""
    if not store.product_known(uow.conn, request.product_id):
        raise NotFound(what="product", id=request.product_id)
    for row in month_store.memberships(uow.conn, products=[request.product_id]):
        if row.until_on is None or row.until_on > request.from_on:
            raise AlreadyInPool(id=request.product_id, pool=row.pool_id)
    month_store.add_member(
        uow.conn,
        product_id=request.product_id,
        from_on=request.from_on,
        until_on=None,
        pool_id=pool_id,
        act_id=uow.act_id,
    )
    _deal_pool(uow, database, pool_id, request.product_id, request.from_on)
    return PoolMember(pool_id=pool_id, product_id=request.product_id, from_on=request.from_on)


def leave_pool(uow: UnitOfWork, database: Database, *, pool_id: str, product_id: str, request: LeavePool) -> PoolView:
    """A product leaves its pool. Raises NotFound where it is no member of it."""
    mine = [
        row
        for row in month_store.memberships(uow.conn, products=[product_id])
        if row.pool_id == pool_id and (row.until_on is None or row.until_on > request.until_on)
    ]
    if not mine:
        raise NotFound(what="pool member", id=product_id)
    for row in mine:
        month_store.end_membership(uow.conn, product_id, row.from_on, request.until_on)
    _deal_pool(uow, database, pool_id, product_id, request.until_on)
    return read_pool(uow.conn, pool_id)


def read_pool(conn: Connection, pool_id: str) -> PoolView:
    """A pool's members, those of before too."""
    rows = month_store.memberships(conn, pools=[pool_id])
    members = tuple(
        PoolMember(pool_id=row.pool_id, product_id=row.product_id, from_on=row.from_on, until_on=row.until_on)
        for row in sorted(rows, key=lambda row: (row.product_id, row.from_on))
    )
    return PoolView(pool_id=pool_id, members=members)


def accounts_behind(conn: Connection, owner_kind: str, owner_id: str, days: tuple[date, date]) -> set[str]:
    """The accounts whose calls may draw on an owner's units on any of the days; empty where nobody knows the owner."""
    if owner_kind == "account":
        return set(month_store.customers_of(conn, [owner_id]))
    if owner_kind == "customer":
        return set(month_store.accounts_of_customers(conn, [owner_id]))
    products = {owner_id}
    if owner_kind == "pool":
        products = {row.product_id for row in month_store.memberships(conn, pools=[owner_id])}
    return {row.account_id for row in month_store.relations_of_products(conn, products, days)}


def deal(run: JobRun) -> None:
    """Deal out what is due; where an import goes on, its end does."""
    from server_api.billing.rating.included import deal_included_units  # the engine is loaded by who rates

    deal_included_units(run.database, None, run.beat)


def _packages(conn: Connection) -> set[str]:
    """The packages only packs bring units of."""
    from server_api.billing.rating.guide import tariffs_by_number  # the engine is loaded by who rates

    return {one.code for tariff in tariffs_by_number(conn).values() for one in tariff.included if one.by_pack}


def _deal_pool(uow: UnitOfWork, database: Database, pool_id: str, product_id: str, from_on: date) -> None:
    until_on = uow.today + timedelta(days=1)
    accounts = accounts_behind(uow.conn, "pool", pool_id, (from_on, max(until_on, from_on + timedelta(days=1))))
    accounts |= accounts_behind(uow.conn, "product", product_id, (from_on, max(until_on, from_on + timedelta(days=1))))
    _deal_again(uow, database, accounts, (from_on, until_on))


def _deal_again(uow: UnitOfWork, database: Database, accounts: Iterable[str], days: tuple[date, date]) -> None:
    """Calls of some accounts that began on some days and may have come already are due to be dealt out again."""
    from server_api.billing.rating.store import arrivals  # brings what only rating needs

    until_on = min(days[1], uow.today + timedelta(days=1))
    months, month = [], Month.of(days[0])
    closed = store.closed_periods(uow.conn)
    while month.first_on < until_on:
        if month.yyyymm not in closed:
            months.append(month)
        month = month.next()
    if not months:
        return
    keys = [
        (month.yyyymm, row.account_id, row.product_id)
        for month in months
        for row in month_store.relations_of_accounts(uow.conn, accounts, (month.first_on, month.until_on))
    ]
    arrivals.note_due(database, uow.conn, keys)
    enqueue(uow, DEAL_JOB)


def _view(conn: Connection, row: Any, from_on: date | None = None) -> PackView:
    closed = [Month(period) for period in store.closed_periods(conn) if 200001 <= period <= 999912]
    begin = from_on or row.from_on
    late = [max(begin, month.first_on) for month in closed if month.until_on > begin and month.first_on < row.until_on]
    return PackView(
        pack_id=row.pack_id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        code=row.code,
        quantity=int(row.quantity),
        from_on=row.from_on,
        until_on=row.until_on,
        priority=row.priority,
        reason=row.reason or "",
        granted_at=row.granted_at,
        rate_again_from=min(late, default=None),
    )
