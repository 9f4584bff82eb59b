"""``onehall bench orders``: orders submitted a second through the one way of writing, beside bare durable commits."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import resources
from server_api.business.catalog import service as catalog
from server_api.business.ordering import service as ordering
from server_api.business.party import service as party
from server_api.cli.bench.load import Tally
from server_api.cli.bench.payments import bare_commits
from server_api.cli.console import OK, Console, t
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import PublishPriceBook
from shared_models.contracts.inventory import Access
from shared_models.contracts.ordering import OrderAct, OrderItemWish, SubmitOrder
from shared_models.contracts.party import CreateCustomer
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.ids import derived_id, new_id

_CUSTOMERS = 200


@dataclass(frozen=True)
class Figures:
    """Orders of one broadband line each: login reserved, fees, command asked for, in one durable act."""

    orders: int
    workers: int
    per_s: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    bare_commit_per_s: float


def add_bench(subparsers: Any) -> None:
    """Add ``orders`` to ``onehall bench``."""
    parser = subparsers.add_parser("orders", help=t("bench.orders"), description=t("bench.orders"))
    parser.add_argument("--orders", type=int, default=2_000, help=t("bench.orders_number"))
    parser.add_argument("--workers", type=int, default=10, help=t("bench.orders_workers"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="onehall-bench-"))
    try:
        found = measure(folder, orders=args.orders, workers=args.workers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.say(t(
        "bench.orders_line", rate=f"{found.per_s:.0f}", count=found.orders, workers=found.workers,
        p50=f"{found.p50_ms:.1f}", p99=f"{found.p99_ms:.1f}", worst=f"{found.worst_ms:.1f}",
        bare=f"{found.bare_commit_per_s:.0f}",
    ))  # fmt: skip
    console.result({"orders": asdict(found)})
    return OK


def measure(folder: Path, *, orders: int, workers: int) -> Figures:
    """Submit ``orders`` orders by ``workers`` callers against a fresh embedded database."""
    bare = bare_commits(folder, seconds=2.0)
    secrets = Secrets(bytes(32))
    database = Database("business", f"sqlite:///{folder / 'business.db'}", secrets=secrets, label="bench")
    try:
        database.create_all()
        context = system_context("bench").model_copy(update={"hall_code": "H01", "district_code": "D1"})
        owners = _furnish(database, context)
        tally = _drive(database, context, owners, orders, workers)
    finally:
        database.close()
    return Figures(
        orders=len(tally.took_s), workers=workers, per_s=tally.per_second, p50_ms=tally.quantile_ms(0.5),
        p99_ms=tally.quantile_ms(0.99), worst_ms=tally.quantile_ms(1.0), bare_commit_per_s=bare.per_second,
    )  # fmt: skip


def _furnish(database: Database, context: WorkContext) -> list[str]:
    text = resources.path("catalog", "sample.yaml").read_text(encoding="utf-8")
    document, _errors = catalog.read_yaml(text, "sample.yaml")
    owners = [new_id() for _ in range(_CUSTOMERS)]

    def work(uow: UnitOfWork) -> None:
        catalog.import_catalog(uow, catalog=document)
        catalog.publish_price_book(uow, wanted=PublishPriceBook())

    perform(database, Act(new_id(), "bench", digest_of(0), context), work)
    for number, owner in enumerate(owners):
        wanted = CreateCustomer(customer_id=owner, name=f"客户{number}")
        perform(
            database, Act(new_id(), "bench", digest_of(wanted), context),
            lambda uow, wanted=wanted: party.create_customer(uow, customer=wanted),  # type: ignore[misc]
        )  # fmt: skip
    return owners


def _drive(database: Database, context: WorkContext, owners: list[str], orders: int, workers: int) -> Tally:
    tally = Tally()

    def call(worker: int) -> None:
        took = []
        for number in range(worker, orders, workers):
            order = _order(owners[number % len(owners)], number)
            start = time.perf_counter()
            perform(
                database, Act(new_id(), "submit_order", digest_of(order), context),
                lambda uow, order=order: ordering.submit_order(uow, order=order),  # type: ignore[misc]
            )  # fmt: skip
            took.append(time.perf_counter() - start)
        tally.took_s.extend(took)

    threads = [threading.Thread(target=call, args=(worker,)) for worker in range(workers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.span_s = time.perf_counter() - began
    return tally


def _order(customer_id: str, number: int) -> SubmitOrder:
    item = OrderItemWish(
        act=OrderAct.INSTALL, offering_code="BB-100M", password="bench-7788",
        accesses=(Access(access_kind="login", access_key=f"bench{number:06d}"),),
    )  # fmt: skip
    return SubmitOrder(
        order_id=new_id(), customer_id=customer_id, items=(item,), account_id=derived_id("account", customer_id)
    )
