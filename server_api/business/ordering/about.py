"""What an item is about: the words its commands are filled with."""

from __future__ import annotations

from dataclasses import dataclass

from server_api.business.catalog import service as catalog
from server_api.business.inventory import service as inventory
from server_api.business.ordering import rules, store
from server_api.business.ordering.carried import Carried, Item
from server_api.business.ordering.policy import order_policy
from server_api.business.resource import service as resource
from shared_models.contracts.ordering import OrderAct, OrderItemWish

#: Acts that make a product.
MAKING = frozenset({OrderAct.INSTALL, OrderAct.ADD_FEATURE})


@dataclass(frozen=True)
class About:
    """An item with the product it concerns, as it is now."""

    wish: OrderItemWish
    #: the product concerned; of a feature, the one it belongs to
    known: inventory.KnownProduct | None
    service: str
    offering_code: str
    words: dict[str, str]
    level: int
    level_before: int


def about(carried: Carried, item: Item) -> About:
    """Read what an item is about."""
    uow, wish = carried.uow, carried.wish(item)
    act = OrderAct(item["act_name"])
    conn = uow.conn
    known = None
    if wish.product_id is not None and act is not OrderAct.INSTALL:
        known = inventory.know_product(conn, wish.product_id, uow.context, uow.today)
    offering_code = wish.offering_code or (known.offering_code if known is not None else "")
    words: dict[str, str] = {}
    host = known
    if act is OrderAct.REMOVE_FEATURE and known is not None and not known.accesses:
        made = store.item_that_made(conn, known.product_id)
        if made is not None:
            host = inventory.know_product(conn, made.wish["product_id"], uow.context, uow.today)
    if host is not None:
        words |= {access.access_kind: access.access_key for access in host.accesses}
        words |= {one.kind: one.code for one in resource.held_by_product(conn, host.product_id)}
    fresh = {access.access_kind: access.access_key for access in wish.accesses}
    if wish.things or wish.new_code:
        held = resource.held_by_order(conn, carried.order_id)
        fresh |= {one.kind: one.code for one in held if one.item_id == item["item_id"]}
    if act is OrderAct.INSTALL:
        words |= fresh
    else:
        words |= {f"new_{kind}": code for kind, code in fresh.items()}
    words |= {f"offer.{name}": str(value) for name, value in order_policy().offers.get(offering_code, {}).items()}
    level, before = _levels(act, wish, known)
    words |= {
        "password": wish.password, "level": str(level), "old_code": wish.old_code, "new_code": wish.new_code,
        "offering": offering_code, "order_no": carried.order["order_no"],
        "address": wish.address or (known.install_address if known is not None else ""),
    }  # fmt: skip
    service = _service(carried, act, offering_code, known)
    return About(wish, known, service, offering_code, words, level, before)


def _service(carried: Carried, act: OrderAct, offering_code: str, known: inventory.KnownProduct | None) -> str:
    if known is not None and act is not OrderAct.ADD_FEATURE:
        return known.service
    on = carried.uow.today
    return catalog.need_offering(carried.uow.conn, offering_code, on, sold=False).service


def _levels(act: OrderAct, wish: OrderItemWish, known: inventory.KnownProduct | None) -> tuple[int, int]:
    """How strictly the network is set after the item and before it."""
    levels = order_policy().levels
    reasons = set(known.reasons) if known is not None else set()
    before = rules.strictest(sorted(reasons), levels)
    named = {wish.suspend_reason.value} if wish.suspend_reason is not None else set()
    if act is OrderAct.SUSPEND:
        reasons |= named
    elif act is OrderAct.RESUME:
        reasons -= named
    elif act is OrderAct.PRE_TERMINATE:
        reasons |= {"admin"}
    return rules.strictest(sorted(reasons), levels), before
