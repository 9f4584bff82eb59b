"""Packs of included units and pools that share them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query

from server_api.billing.rating import packs
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope
from shared_models.contracts.allowance import (
    EndPack,
    GrantPack,
    JoinPool,
    LeavePool,
    OwnerKind,
    PackList,
    PackView,
    PoolMember,
    PoolView,
)
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import AlreadyInPool

router = hall_router("allowances")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5c" * 16])]
PoolId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}$", examples=["FAMILY-1"])]
OwnerQuery = Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}$", examples=["5c" * 16])]
_EVER = (date(1, 1, 1), date(9999, 12, 31))


def _insist(caller: Caller, owner_kind: str, owner_id: str) -> None:
    """Every account whose calls may draw on the units is the caller's to see. Raises AccountNotFound, NotFound."""
    with caller.reading("billing") as connection:
        accounts = packs.accounts_behind(connection, owner_kind, owner_id, _EVER)
    for account_id in accounts:
        account_in_scope(caller.databases, caller.context, account_id)


@router.post(
    "/allowances/packs",
    response_model=PackView,
    status_code=201,
    responses=refusals(InputNotValid, NotFound, AccountNotFound),
)
def grant_pack(body: GrantPack, caller: Caller = permit(Permission.BILL_ADJUST)) -> Response:
    """Give a product, account, customer or pool units for some days."""
    _insist(caller, body.owner_kind, body.owner_id)
    billing = caller.databases.billing
    return caller.act(
        "billing", "grant_pack", body, lambda uow: packs.grant_pack(uow, billing, request=body), status_code=201
    )


@router.post(
    "/allowances/packs/{pack_id}/end",
    response_model=PackView,
    responses=refusals(InputNotValid, NotFound, AccountNotFound),
)
def end_pack(pack_id: HexId, body: EndPack, caller: Caller = permit(Permission.BILL_ADJUST)) -> Response:
    """Let a pack end before its time, or take it back."""
    billing = caller.databases.billing
    with caller.reading("billing") as connection:
        owner = packs.owner_of(connection, pack_id)
    _insist(caller, *owner)
    return caller.act(
        "billing", "end_pack", body, lambda uow: packs.end_pack(uow, billing, pack_id=pack_id, request=body)
    )


@router.get("/allowances/packs", response_model=PackList, responses=refusals(NotFound, AccountNotFound))
def list_packs(
    owner_kind: OwnerKind, owner_id: OwnerQuery, caller: Caller = permit(Permission.ACCOUNT_VIEW)
) -> Response:
    """List the packs of an owner."""
    _insist(caller, owner_kind, owner_id)
    with caller.reading("billing") as connection:
        return reply(packs.packs_of(connection, owner_id))


@router.post(
    "/allowances/pools/{pool_id}/members",
    response_model=PoolMember,
    status_code=201,
    responses=refusals(NotFound, AccountNotFound, AlreadyInPool),
)
def join_pool(pool_id: PoolId, body: JoinPool, caller: Caller = permit(Permission.PRODUCT_EDIT)) -> Response:
    """Let a product share a pool's units."""
    _insist(caller, "product", body.product_id)
    billing = caller.databases.billing
    return caller.act(
        "billing", "join_pool", body,
        lambda uow: packs.join_pool(uow, billing, pool_id=pool_id, request=body), status_code=201,
    )  # fmt: skip


@router.post(
    "/allowances/pools/{pool_id}/members/{product_id}/leave",
    response_model=PoolView,
    responses=refusals(NotFound, AccountNotFound),
)
def leave_pool(
    pool_id: PoolId, product_id: HexId, body: LeavePool, caller: Caller = permit(Permission.PRODUCT_EDIT)
) -> Response:
    """Let a product leave a pool."""
    _insist(caller, "product", product_id)
    billing = caller.databases.billing
    return caller.act(
        "billing", "leave_pool", body,
        lambda uow: packs.leave_pool(uow, billing, pool_id=pool_id, product_id=product_id, request=body),
    )  # fmt: skip


@router.get("/allowances/pools/{pool_id}", response_model=PoolView, responses=refusals(NotFound, AccountNotFound))
def read_pool(pool_id: PoolId, caller: Caller = permit(Permission.ACCOUNT_VIEW)) -> Response:
    """See who shares a pool's units."""
    _insist(caller, "pool", pool_id)
    with caller.reading("billing") as connection:
        return reply(packs.read_pool(connection, pool_id))
