"""Rating a file with tariffs and nothing else: no database, every caller its own product. The preview of everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from server_api.billing.rating.explain import explanation_of, sentence, shown
from server_api.billing.rating.rater import rate, with_origin
from server_api.billing.rating.tariff.compile import Compiled, compile_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.zones import town_zones
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.formats.reasons import town_moment
from server_api.billing.usage.formats.registry import UsageSource, open_usage
from server_api.billing.usage.policy import policy
from server_api.billing.usage.ready import made_ready
from server_api.billing.usage.rules import dialled
from shared_models.values.money import MicroYuan

#: Without a clock, usage from 1992 (the last summer time of China was 1991) to 2100 is believed.
_OLDEST_S, _NEWEST_S = 694_224_000, 4_102_444_800

#: What works the expressions out; the charges are the same.
Engine = Literal["polars", "spark"]


@dataclass
class Totals:
    """What became of a file. ``charge`` is the exact sum."""

    read_count: int = 0
    rated_count: int = 0
    duplicate_count: int = 0
    charge_micro_yuan: int = 0
    aside: dict[str, int] = field(default_factory=dict)

    @property
    def charge(self) -> MicroYuan:
        """The sum of the charges."""
        return MicroYuan(self.charge_micro_yuan)


def compiled(tariffs: Sequence[Tariff]) -> Compiled:
    """Tariffs asked in the order given (versions of one code by their days), for everybody."""
    codes = tuple(dict.fromkeys(tariff.code for tariff in tariffs))
    return compile_tariffs(dict(enumerate(tariffs, start=1)), [codes], town_zones())


def rate_file(
    path: Path,
    tariffs: Sequence[Tariff],
    format_code: str | None = None,
    *,
    explain: bool = True,
    engine: Engine = "polars",
) -> tuple[pl.DataFrame, Compiled, Totals]:
    """Rate all of a file: its calls in the order of the file with their charges, the tariffs laid out, and the totals.

    Included units are dealt out per caller over the whole file. Raises what open_usage and compile_tariffs raise.
    """
    source = open_usage(path, format_code)
    tables = compiled(tariffs)
    ready, totals = _all_calls(source)
    good = ready.filter(pl.col("reason") == 0)
    distinct = good.unique("usage_id", keep="first", maintain_order=True)
    totals.duplicate_count = len(good) - len(distinct)
    longest = policy().max_call_s if source.service == "voice" else policy().max_session_s
    calls = with_origin(distinct.lazy().drop("reason"), tables)
    if engine == "spark":
        from server_api.billing.rating.spark import rate_with_spark, spark_session  # only who asks for it has it

        with spark_session() as session:
            rated = rate_with_spark(session, calls.collect(), tables, 0, included=True, longest_s=longest)
    else:
        rated = rate(calls, tables, 0, included=True, longest_s=longest, explain=explain).collect()
    for frame in (ready, rated):
        counted = frame.filter(pl.col("reason") != 0).group_by("reason").len().rows()
        for reason, count in counted:
            totals.aside[REASONS[reason]] = totals.aside.get(REASONS[reason], 0) + count
    charged = rated.filter(pl.col("reason") == 0).sort("file_pos")
    totals.rated_count = len(charged)
    totals.charge_micro_yuan = int(charged["charge_micro_yuan"].sum())
    return charged, tables, totals


def _all_calls(source: UsageSource) -> tuple[pl.DataFrame, Totals]:
    totals = Totals()
    frames = []
    lines = 0
    for piece in source.pieces:
        decoded, absorbed = source.decode(piece, lines)
        lines += decoded.line_count
        totals.read_count += decoded.record_count - absorbed
        frames.append(made_ready(decoded.records, source.service, policy().switch_code, _OLDEST_S, _NEWEST_S))
    return pl.concat(frames), totals


def explained(
    charged: pl.DataFrame, tables: Compiled, language: str, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Calls with their charge in words: caller, called, start, duration_s, charge, tariff, text, steps."""
    shown_calls = charged.head(limit) if limit is not None else charged
    named = shown_calls.with_columns(
        caller=pl.when(pl.col("caller_len") > 0).then(dialled("caller")).otherwise(pl.col("owner_text")),
        called=dialled("called"),
    )
    for call in named.iter_rows(named=True):
        key = tables.keys[call["price_no"]]
        explanation = explanation_of(call, tables)
        steps = [shown(step, key, language) for step in explanation.steps]
        yield {
            "caller": call["caller"] or "",
            "called": call["called"] or "",
            "start": town_moment(call["start_s"]),
            "duration_s": call["duration_s"],
            "quantity": call["quantity"],
            "covered": call["covered"],
            "units": call["units"],
            "charge_micro_yuan": call["charge_micro_yuan"],
            "exact_micro_yuan": str(explanation.exact),
            "tariff": key.named,
            "item": key.row.item_code,
            "text": sentence(explanation, steps, language),
            "steps": [step.model_dump(mode="json") for step in steps],
        }
