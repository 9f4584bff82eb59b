"""Telling billing the whole billing-side state of a product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from server_api.business.inventory import store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import (
    AccessKey,
    BillingEventKind,
    BillingEventState,
    PayRelationState,
    ProductRecorded,
)


def tell_product(uow: UnitOfWork, row: Row[Any] | Mapping[str, Any], effective_at: datetime | None = None) -> None:
    """Tell what is stored of a product now: accesses, who pays, every billing event in order."""
    values = row if isinstance(row, Mapping) else row._mapping
    product_id = values["product_id"]
    fact = ProductRecorded(
        product_id=product_id,
        product_no=values["product_no"],
        customer_id=values["customer_id"],
        service=values["service"],
        shown_as=values["shown_as"],
        region=values["region"] or "",
        accesses=tuple(access_state(dict(one._mapping)) for one in store.accesses(uow.conn, product_id)),
        pay_relations=tuple(relation_state(dict(one._mapping)) for one in store.relations(uow.conn, product_id)),
        events=tuple(event_state(dict(one._mapping)) for one in store.events(uow.conn, product_id)),
    )
    uow.tell(f"product:{product_id}", fact, effective_at)


def access_state(row: Mapping[str, Any]) -> AccessKey:
    """An access as billing keeps it."""
    return AccessKey(
        kind=row["access_kind"], key=row["access_key"], from_at=row["from_at"], until_at=row.get("until_at")
    )


def relation_state(row: Mapping[str, Any]) -> PayRelationState:
    """A pay relation as billing keeps it."""
    return PayRelationState(
        account_id=row["account_id"], item_group=row["item_group"], priority=row["priority"], from_on=row["from_on"],
        until_on=row.get("until_on"),
    )  # fmt: skip


def event_state(row: Mapping[str, Any]) -> BillingEventState:
    """A billing event as billing keeps it."""
    return BillingEventState(
        event_id=row["event_id"], kind=BillingEventKind(row["event_kind"]), effective_on=row["effective_on"],
        offering_code=row["offering_code"], price_version=row["price_version"],
        bundle_code=row.get("bundle_code") or "", bundle_instance=row.get("bundle_instance") or "",
        reason=row.get("reason") or "",
    )  # fmt: skip
