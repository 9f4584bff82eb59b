"""Tariffs laid out for pricing questions, and the rater's plan made ready once: the same expressions as an import's.

A batch of one costs 15 to 20 ms when its plan is built anew, two thirds of it in Python; a plan that reads its calls
from a place filled before each run costs about 4 ms, most of them outside the interpreter's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source
from sqlalchemy import Connection

from server_api.billing.rating.credit import store
from server_api.billing.rating.credit.lookup import OwnerBook
from server_api.billing.rating.guide import tariffs_by_number
from server_api.billing.rating.owners import Plans, plan_of
from server_api.billing.rating.price_books import books
from server_api.billing.rating.rater import DAY_S, rate
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.zones import town_zones

#: A call as the rater takes it. The last four only matter to tariffs with such conditions.
CALL = {
    "usage_id": pl.Int64(),
    "owner_key": pl.Int64(),
    "product_id": pl.String(),
    "plan_no": pl.Int64(),
    "account_id": pl.String(),
    "period": pl.Int64(),
    "start_s": pl.Int64(),
    "duration_s": pl.Int64(),
    "octets": pl.Int64(),
    "called_15": pl.Int64(),
    "free": pl.Int64(),
    "caller_15": pl.Int64(),
    "in_trunk": pl.Int64(),
    "out_trunk": pl.Int64(),
    "call_type": pl.Int64(),
}
_RESULT = ("usage_id", "price_no", "quantity", "units", "charge_micro_yuan", "reason")
_OPTIONS = pl.QueryOptFlags.none()


class PreparedPlan:
    """The rater's plan over calls put in place before each run."""

    def __init__(self, tariffs: Compiled, longest_s: int) -> None:
        self._calls = pl.DataFrame(schema=CALL)
        self._turn = threading.Lock()
        source = register_io_source(self._read, schema=pl.Schema(CALL))
        rated = rate(source, tariffs, None, included=False, longest_s=longest_s)
        self._plan = rated.select(_RESULT)

    def _read(
        self, with_columns: list[str] | None, _predicate: Any, _n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        yield self._calls if with_columns is None else self._calls.select(with_columns)

    def run(self, calls: pl.DataFrame) -> pl.DataFrame:
        """Rate calls; one row a call, in the order of ``usage_id``."""
        with self._turn:
            self._calls = calls
            # Optimising the plan again for each batch costs more than an optimal plan saves on a few rows.
            return self._plan.collect(optimizations=_OPTIONS).sort("usage_id")


class PriceTables:
    """Everything pricing knows of tariffs, as of one moment."""

    def __init__(self, conn: Connection) -> None:
        self.stamp = store.stamp(conn)
        self._versions = tariffs_by_number(conn)
        self._books = books(conn)
        plans = Plans()
        for row in store.offerings(conn):
            rows = self._books.get(row.book_version, ())
            plans.number(plan_of(rows, row.offering_code, row.bundle_code or "", row.service, row.from_on))
        self.owners = OwnerBook(plans, self._books)
        self._compiled_plans: Sequence[tuple[str, ...]] = ()
        self._tariffs: Compiled | None = None
        self._prepared: dict[int, PreparedPlan] = {}
        self.tariffs  # noqa: B018 - laid out now, not while the first caller waits

    @property
    def tariffs(self) -> Compiled:
        """The tariffs with all plans met so far."""
        plans = self.owners.plans.listed
        if self._tariffs is None or len(plans) != len(self._compiled_plans):
            self._tariffs = compile_tariffs(self._versions, plans, town_zones())
            self._compiled_plans = plans
            self._prepared = {}
        return self._tariffs

    def rated(self, calls: pl.DataFrame, longest_s: int) -> pl.DataFrame:
        """Rate calls of at most that length."""
        tariffs = self.tariffs
        days = 1
        while days * DAY_S < longest_s:
            days *= 4
        plan = self._prepared.get(days)
        if plan is None:
            plan = self._prepared[days] = PreparedPlan(tariffs, days * DAY_S)
        return plan.run(calls)
