"""Stored calls explained: worked out anew by the code that priced them, with what else was used in their month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

import polars as pl
from sqlalchemy import Connection

import resources
from server_api.billing.rating import months
from server_api.billing.rating.explain import Explanation, explanation_of, sentence, shown
from server_api.billing.rating.included import calls_of_group, reprice
from server_api.billing.rating.months import Truth
from server_api.billing.rating.tariff.compile import Compiled
from server_api.billing.usage.formats.reasons import town_moment
from shared_models.contracts.rating import ChargeStep, RatedCall
from shared_models.values.clock import town_day
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

_EXPLAINED = {
    "usage_id": pl.Int64,
    "account_id": pl.String,
    "product_id": pl.String,
    "period": pl.Int64,
    "price_no": pl.Int64,
    "start_s": pl.Int64,
    "duration_s": pl.Int64,
    "quantity": pl.Int64,
    "covered": pl.Int64,
}


def explained(conn: Connection, rows: Sequence[Any], language: str) -> list[RatedCall]:
    """Rated rows as people read them, in their order."""
    truth = months.read_truth(conn)
    explanations = explain_rows(conn, rows, truth)
    return [_rated_call(row, explanations.get(row.usage_id), truth.tariffs, language) for row in rows]


def explain_rows(conn: Connection, rows: Sequence[Any], truth: Truth | None = None) -> dict[int, Explanation]:
    """The explanation of stored calls; none for calls marked free.

    What depends on the month is worked out from the whole month of those who share it. A row of a billed month that
    would cost something else today (its correction is billed elsewhere) is explained as it stands.
    """
    truth = truth or months.read_truth(conn)
    priced = [row for row in rows if row.price_no in truth.tariffs.keys]
    found = _by_month(conn, truth, priced)
    stands = {
        row.usage_id
        for row in priced
        if row.usage_id in found and found[row.usage_id].charge.amount_micro_yuan != row.charge_micro_yuan
    }
    alone = [row for row in priced if row.usage_id not in found or row.usage_id in stands]
    calls = pl.DataFrame(
        [tuple(getattr(row, name) for name in _EXPLAINED) for row in alone], schema=_EXPLAINED, orient="row"
    )
    if len(calls):
        for call in reprice(calls, truth.tariffs, explain=True).iter_rows(named=True):
            by_itself = explanation_of(call, truth.tariffs)
            if call["usage_id"] not in stands or _says_more(by_itself, found[call["usage_id"]], call, rows):
                found[call["usage_id"]] = by_itself
    return found


def _says_more(by_itself: Explanation, by_month: Explanation, call: dict[str, Any], rows: Sequence[Any]) -> bool:
    """Whether a call taken by itself comes to what is stored, where the month does not."""
    stored = next(row.charge_micro_yuan for row in rows if row.usage_id == call["usage_id"])
    return by_itself.charge.amount_micro_yuan == stored != by_month.charge.amount_micro_yuan


def _by_month(conn: Connection, truth: Truth, rows: Sequence[Any]) -> dict[int, Explanation]:
    """The explanations of calls that depend on what else was used in their month."""
    by_month: dict[int, list[Any]] = {}
    for row in rows:
        month = Month.of(town_day_of(row.start_s))
        if truth.tariffs.keys[row.price_no].row_no in truth.monthly(month).rows:
            by_month.setdefault(month.yyyymm, []).append(row)
    found: dict[int, Explanation] = {}
    for yyyymm, some in sorted(by_month.items()):
        month = Month(yyyymm)
        group = months.together(conn, truth.monthly(month), month, sorted({row.account_id for row in some}))
        calls = calls_of_group(conn, truth, month, group)
        charged, layout = months.charged(conn, truth, month, group, calls, explain=True)
        tables = months.with_layout(truth, month, layout)
        wanted = charged.filter(pl.col("usage_id").is_in([row.usage_id for row in some]))
        found |= {call["usage_id"]: explanation_of(call, tables) for call in wanted.iter_rows(named=True)}
    return found


def town_day_of(start_s: int) -> date:
    """The day of the town an instant falls on."""
    return town_day(datetime.fromtimestamp(start_s, tz=timezone.utc))


def _rated_call(row: Any, explanation: Explanation | None, tariffs: Compiled, language: str) -> RatedCall:
    steps: tuple[ChargeStep, ...] = ()
    text = resources.text("ui.charge.marked_free", language)
    tariff = ""
    if explanation is not None:
        key = tariffs.keys[row.price_no]
        steps = tuple(shown(step, key, language) for step in explanation.steps)
        text = sentence(explanation, steps, language)
        tariff = key.named
    return RatedCall(
        usage_id=row.usage_id,
        product_id=row.product_id,
        started=town_moment(row.start_s),
        duration_s=row.duration_s,
        quantity=row.quantity,
        covered=row.covered,
        units=row.units,
        peer_no=row.peer_no or "",
        zone_code=row.zone_code,
        item_code=row.item_code,
        tariff=tariff,
        charge_micro_yuan=MicroYuan(row.charge_micro_yuan),
        steps=steps,
        text=text,
    )
