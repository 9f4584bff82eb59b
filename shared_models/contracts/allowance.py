"""Packs of units granted by date, and pools whose members share units."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shared_models.contracts.base import CodeField, Contract, IdField, example

OwnerKind = Literal["product", "account", "customer", "pool"]
LARGEST_PACK = 2**53


class GrantPack(Contract):
    """Give an owner units for some days: ``from_on`` .. the day before ``until_on``."""

    model_config = example(
        owner_kind="account", owner_id="5c" * 16, code="local-pack", quantity=6000, from_on="2026-03-01",
        until_on="2026-04-01", reason="春节赠送100分钟",
    )  # fmt: skip

    owner_kind: OwnerKind
    owner_id: CodeField = Field(description="id of the product, account or customer, or the code of a pool")
    code: CodeField = Field(description="the package of a tariff (by_pack) whose calls may draw on it")
    quantity: int = Field(gt=0, le=LARGEST_PACK, description="in the tariff's quantity: seconds, octets or sessions")
    from_on: date
    until_on: date
    priority: int = Field(default=100, ge=0, le=1000, description="of packs that end together the lower is drawn first")
    reason: str = Field(default="", max_length=200)


class EndPack(Contract):
    """Let a pack end before its time; a day at or before its first takes it back."""

    until_on: date


class PackView(Contract):
    """A pack as it is kept."""

    pack_id: IdField
    owner_kind: OwnerKind
    owner_id: str
    code: str
    quantity: int
    from_on: date
    until_on: date
    priority: int
    reason: str = ""
    granted_at: datetime
    rate_again_from: date | None = Field(
        default=None, description="the first of its days in a billed month, whose calls are put right by a re-rating"
    )


class PackList(Contract):
    """The packs of an owner, the newest first."""

    items: tuple[PackView, ...]


class JoinPool(Contract):
    """A product shares a pool's units from a day on."""

    product_id: IdField
    from_on: date


class LeavePool(Contract):
    """A product leaves its pool; a day at or before it joined takes the joining back."""

    until_on: date


class PoolMember(Contract):
    """A product in a pool."""

    pool_id: str
    product_id: IdField
    from_on: date
    until_on: date | None = None


class PoolView(Contract):
    """A pool's members, those of before too."""

    pool_id: str
    members: tuple[PoolMember, ...]
