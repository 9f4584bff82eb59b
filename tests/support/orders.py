"""A town in which orders can be taken: ground, catalogue, a customer, the broadband manager simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server_api.business.ordering import service as ordering
from server_api.business.provisioning.manifest import Site
from server_api.business.provisioning.registry import build_simulator
from server_api.business.provisioning.simulation import Simulator
from server_api.business.provisioning.training import Training, site_to
from server_api.business.resource import service as resource
from server_api.platform.database import Database
from server_api.wiring import new_wiring
from shared_models.contracts.events import Payload
from shared_models.contracts.inventory import Access
from shared_models.contracts.ordering import OrderDone, OrderItemWish, OrderView, SubmitOrder
from shared_models.values.ids import new_id
from tests.support.business import ask, make_customer, publish_sample_catalog, worker
from tests.support.ground import lay
from tests.support.network import connected

ACCOUNT = "ac" * 16
PACE = {"timeout_s": 0.3, "night": "", "retry_s": 0.05}


def furnish(database: Database) -> str:
    """Ground, catalogue, listeners; the id of a customer."""
    lay(database)
    publish_sample_catalog(database)
    for news, listeners in new_wiring().listeners["business"].items():
        database.listeners[news] = list(listeners)
    return make_customer(database, "张三").customer_id


@contextmanager
def broadband_manager() -> Iterator[tuple[Simulator, Site]]:
    """The simulated broadband manager, connected."""
    simulator = build_simulator("srun")
    with Training(simulator):
        site = site_to(simulator, pace=PACE)
        with connected(site):
            yield simulator, site


def broadband(login: str = "zhangsan", **more: Any) -> OrderItemWish:
    """A broadband line wanted."""
    return OrderItemWish.model_validate({
        "act": "install", "offering_code": "BB-100M", "password": "geheim-7788",
        "accesses": (Access(access_kind="login", access_key=login),), **more,
    })  # fmt: skip


def phone(number: str = "2680001", **more: Any) -> OrderItemWish:
    """A telephone wanted."""
    return OrderItemWish.model_validate({
        "act": "install", "offering_code": "VOICE-HOME", "accesses": (Access(access_key=number),), **more,
    })  # fmt: skip


def wish(act: str, product_id: str, **more: Any) -> OrderItemWish:
    """Something done to a product."""
    return OrderItemWish.model_validate({"act": act, "product_id": product_id, **more})


def an_order(customer_id: str, *items: OrderItemWish, **more: Any) -> SubmitOrder:
    """An order of these items."""
    return SubmitOrder.model_validate({
        "order_id": new_id(), "customer_id": customer_id, "items": items, "account_id": ACCOUNT, **more,
    })  # fmt: skip


def submit(database: Database, order: SubmitOrder) -> OrderDone:
    """Submit an order."""
    return ask(database, lambda uow: ordering.submit_order(uow, order=order))


def shown(database: Database, order_id: str) -> OrderView:
    """An order as it is now."""
    with database.reading() as connection:
        return ordering.read_order(connection, order_id, worker())


def kept(database: Database, order_id: str) -> dict[str, str]:
    """What is kept for an order: kind → code."""
    with database.reading() as connection:
        return {held.kind: held.code for held in resource.held_by_order(connection, order_id)}


def told(database: Database, kind: type[Payload]) -> list[Any]:
    """Facts of a kind, in the order they were told."""
    from sqlalchemy import select

    table = database.platform.fact_out
    with database.reading() as connection:
        rows = connection.execute(
            select(table.c.payload).where(table.c.kind == kind.__name__).order_by(table.c.aggregate, table.c.seq)
        ).scalars()
        return [kind.model_validate(row) for row in rows]
