"""What an import rates with, read once from the database: tariffs, plans, owners and payers, frozen for a piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection

from server_api.billing.rating import store
from server_api.billing.rating.collecting import no_collecting
from server_api.billing.rating.cycles import Cycles
from server_api.billing.rating.kept import attached
from server_api.billing.rating.owners import Plans, owner_ranks, product_payers, product_plans
from server_api.billing.rating.price_books import books
from server_api.billing.rating.rater import Owners
from server_api.billing.rating.store import arrivals
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.read import tariff_of
from server_api.billing.rating.zones import town_zones
from server_api.billing.usage import store as usage_store
from server_api.platform.database import Database

KIND_OF_SERVICE = {"voice": "number", "broadband": "login"}


@dataclass(frozen=True)
class Guide:
    """Everything rating needs to know of the world, as of one moment. ``products`` and ``accounts`` are the members of
    the columns of ``owners``, in order."""

    service: str
    tariffs: Compiled
    owners: Owners
    closed: frozenset[int]
    with_included: frozenset[int]
    products: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    cycles: Cycles = Cycles({}, ())

    def bill_period(self, period: int, closed: frozenset[int] | set[int] | None = None) -> int:
        """The month a call of ``period`` is billed in: its own, or the first open one after it.

        Below zero it is one ``cycles`` found, and final.
        """
        if period < 0:
            return -period
        shut = self.closed if closed is None else closed
        while period in shut:
            period = period + 1 if period % 100 < 12 else period + 89
        return period

    def bill_period_again(self, period: int, account_id: str, closed: set[int]) -> int:
        """Where a call found to be billed in ``period`` belongs now that other months are closed."""
        own = self.cycles.again(period, account_id, closed)
        return self.bill_period(period, closed) if own is None else own


#: Puts drafts in the place of tariff versions: all versions by number in, those to rate with out.
Drafted = Callable[[dict[int, Tariff]], dict[int, Tariff]]


def tariffs_by_number(conn: Connection, drafted: Drafted | None = None) -> dict[int, Tariff]:
    """All tariff versions by version number, drafts in place of some."""
    rows = store.tariff_rows(conn)
    tariffs = attached(conn, [tariff_of(row.document)[0] for row in rows])
    versions = {row.version_no: tariff for row, tariff in zip(rows, tariffs, strict=True)}
    return versions if drafted is None else drafted(versions)


def load_guide(database: Database, service: str, drafted: Drafted | None = None) -> Guide:
    """Read the guide of a service (voice or broadband)."""
    with no_collecting(), database.reading() as conn:
        versions = tariffs_by_number(conn, drafted)
        plans = Plans()
        by_product = product_plans(store.product_rows(conn, service), books(conn), plans)
        payers = product_payers(store.pay_relations(conn), service, only=by_product)
        kind = KIND_OF_SERVICE[service]
        ranks = owner_ranks(usage_store.access_rows(conn, kind), kind, by_product, payers)
        closed = frozenset(arrivals.closed_periods(conn))
        days = arrivals.billing_days(conn)
    tariffs = compile_tariffs(versions, plans.listed, town_zones())
    coded, products, accounts = _coded(ranks)
    drawing = prices_with_included(tariffs)
    return Guide(service, tariffs, Owners(coded), closed, drawing, products, accounts, Cycles(days, accounts, closed))


def _coded(ranks: list[pl.DataFrame]) -> tuple[list[pl.DataFrame], tuple[str, ...], tuple[str, ...]]:
    """Products and accounts as members of a list in order of their ids: four bytes to carry through a rating instead of
    a text, and in the same order."""
    names = {
        name: pl.concat([rank[name] for rank in ranks]).drop_nulls().unique().sort().to_list()
        for name in ("product_id", "account_id")
    }
    kinds = [pl.col(name).cast(pl.Enum(members)) for name, members in names.items()]
    return [rank.with_columns(kinds) for rank in ranks], tuple(names["product_id"]), tuple(names["account_id"])


def prices_with_included(tariffs: Compiled) -> frozenset[int]:
    """The tariff rows whose calls cost what else was used in the month."""
    return tariffs.monthly.rows
