"""Why a call costs what it costs: the same expressions with their block counts kept, turned into steps and words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from math import gcd
from typing import Any

import polars as pl

import resources
from server_api.billing.rating.month_steps import inside_steps, sum_steps
from server_api.billing.rating.tariff.compile import Compiled, PriceKey
from server_api.billing.rating.tariff.model import WHOLE_CALL, WHOLE_DAY, WHOLE_PPM, Quantity
from shared_models.contracts.rating import ChargeStep
from shared_models.values.money import MicroYuan


@dataclass(frozen=True)
class Step:
    """One part of a charge. ``numerator`` over ``denominator`` is the exact amount in micro-yuan."""

    kind: str
    units: int
    unit_size: int
    numerator: int
    denominator: int
    #: What is left of the package it draws on.
    left: int | None = None

    @property
    def amount_micro_yuan(self) -> int:
        """The amount of this part alone, floored: for showing; only the sum is rounded for charging."""
        return self.numerator // self.denominator


@dataclass(frozen=True)
class Explanation:
    """The steps of a charge, their exact sum, and the one rounding (a floor to micro-yuan) that closes it."""

    steps: tuple[Step, ...]
    charge: MicroYuan
    rounded_away_numerator: int
    denominator: int

    @property
    def exact(self) -> Fraction:
        """The charge before its one rounding, in micro-yuan."""
        return self.charge.amount_micro_yuan + Fraction(self.rounded_away_numerator, self.denominator)


def explanation_of(call: dict[str, Any], tariffs: Compiled) -> Explanation:
    """The explanation of one call rated with ``explain``: a row of the rater's result."""
    key = tariffs.keys[call["price_no"]]
    row = tariffs.price_row(call["price_no"])
    den = row["den"]
    if call.get("free"):
        return Explanation((Step("free", call["quantity"], 1, 0, den),), MicroYuan(0), 0, den)
    steps: list[Step] = []
    if call["units"] and row["connect"]:
        steps.append(Step("connect", 1, 1, row["connect"], den))
    steps += _window_steps(call, row, key, den)
    steps, den = _adjusted(steps, key.row.adjust_ppm, den)
    exact = sum(step.numerator for step in steps)
    charge = exact // den
    if call["units"] and charge < row["minimum"]:
        steps.append(Step("minimum", 1, 1, row["minimum"] * den - exact, den))
        exact = row["minimum"] * den
    if call["units"] and exact // den > row["cap"]:
        steps.append(Step("cap", 1, 1, row["cap"] * den - exact, den))
        exact = row["cap"] * den
    monthly = tariffs.monthly
    inside = [Step(*astuple(one)) for one in inside_steps(call, monthly)]
    if not inside and call["covered"]:
        inside = [Step("included:", call["covered"], 1, 0, 1)]
    summed = [Step(*astuple(one)) for one in sum_steps(call, monthly)]
    return Explanation((*inside, *steps, *summed), MicroYuan(call["charge_micro_yuan"]), exact % den, den)


def _adjusted(steps: list[Step], ppm: int, den: int) -> tuple[list[Step], int]:
    """The steps at their full price and what a surcharge or discount makes of them; the sum is the same."""
    if ppm in (0, WHOLE_PPM) or not steps:
        return steps, den
    part = gcd(ppm, WHOLE_PPM)
    asked, whole = ppm // part, WHOLE_PPM // part
    full = [replace(step, numerator=step.numerator * whole, denominator=den * asked) for step in steps]
    change = sum(step.numerator for step in steps) * (asked - whole)
    kind = "surcharge" if ppm > WHOLE_PPM else "discount"
    percent = f"{MicroYuan(abs(ppm - WHOLE_PPM) * 100)}".removesuffix(".00")
    return [*full, Step(f"{kind}:{percent} %", 1, 1, change, den * asked)], den * asked


def _window_steps(call: dict[str, Any], row: dict[str, Any], key: PriceKey, den: int) -> list[Step]:
    """The blocks by window in the order of the clock, days together where the price is the same."""
    found: list[Step] = []
    day = 0
    own_first = (row["first"] != row["step"] and row["first"] > 0) or bool(key.row.first)
    while f"s{day}_0_rest" in call:
        for window, spec in enumerate(key.tariff.windows):
            first, rest = call.get(f"s{day}_{window}_first") or 0, call.get(f"s{day}_{window}_rest") or 0
            code = spec.code
            if first and own_first:
                found.append(Step(f"first:{code}", 1, row["first"], row[f"w{window}_first"], den))
            blocks = rest + (first if not own_first else 0)
            if blocks:
                step = row.get(f"w{window}_step", row["step"])
                kind = "flat" if step == WHOLE_CALL else "window"
                found.append(Step(f"{kind}:{code}", blocks, step, blocks * row[f"w{window}_price"], den))
            for group in range(1, len(key.row.then) + 1):
                more = call.get(f"s{day}_{window}_rest{group}") or 0
                if more:
                    amount = more * row[f"w{window}_price{group}"]
                    found.append(Step(f"window:{code}", more, row[f"step{group}"], amount, den))
        day += 1
    return found


def shown(step: Step, key: PriceKey, language: str) -> ChargeStep:
    """A step with its words."""
    kind, _, code = step.kind.partition(":")
    quantity = key.tariff.quantity_of(key.row)
    price = MicroYuan(step.numerator // (step.denominator * step.units)) if step.units else MicroYuan(0)
    amount = MicroYuan(step.amount_micro_yuan)
    where = (
        ""
        if code in ("", WHOLE_DAY) or kind in ("included", "tier", "surcharge", "discount")
        else resources.text("ui.charge.in_window", language, window=_window_name(code, language))
    )
    words = resources.text(
        f"ui.charge.{kind}",
        language,
        units=step.units,
        size=size_text(step.unit_size, quantity, language),
        quantity=size_text(step.units, quantity, language),
        price=price,
        amount=amount,
        code=code,
        where=where,
    )
    if kind == "included":
        if step.numerator:
            words += resources.text("ui.charge.included_paid", language, amount=amount)
        if step.left is not None:
            left = size_text(step.left, quantity, language)
            words += resources.text("ui.charge.included_left", language, left=left)
    return ChargeStep(
        kind=step.kind,
        units=step.units,
        unit_size=step.unit_size,
        price_micro_yuan=price,
        amount_micro_yuan=amount,
        exact=str(Fraction(step.numerator, step.denominator)),
        text=words,
    )


def _window_name(code: str, language: str) -> str:
    key = f"ui.charge.window_{code}"
    name = resources.text(key, language)
    return code if name == key else name


def size_text(size: int, quantity: Quantity, language: str) -> str:
    """A quantity as a person says it: 3 分钟, 6 秒, 1 MB."""
    if quantity is Quantity.SESSIONS:
        return resources.text("ui.charge.sessions", language, n=size)
    units: Sequence[tuple[int, str]] = (
        ((3600, "hours"), (60, "minutes"), (1, "seconds"))
        if quantity is Quantity.SECONDS
        else ((2**30, "gigabytes"), (2**20, "megabytes"), (2**10, "kilobytes"), (1, "octets"))
    )
    for unit, name in units:
        if size and size % unit == 0:
            return resources.text(f"ui.charge.{name}", language, n=size // unit)
    return resources.text(f"ui.charge.{units[-1][1]}", language, n=size)


def sentence(explanation: Explanation, steps: Sequence[ChargeStep], language: str) -> str:
    """The whole charge as one line: the steps, their sum, and what the rounding took."""
    words = resources.text("ui.charge.and", language).join(step.text for step in steps)
    total = resources.text("ui.charge.total", language, amount=explanation.charge)
    if explanation.rounded_away_numerator:
        words += resources.text(
            "ui.charge.rounded",
            language,
            numerator=explanation.rounded_away_numerator,
            denominator=explanation.denominator,
        )
    return f"{words}{total}" if words else total.lstrip(" ＝=")


def stored_steps(rated: pl.DataFrame, tariffs: Compiled) -> pl.DataFrame:
    """Step rows (usage_id, step_no, kind, quantity, price, amount) of calls that have more than one step or a draw."""
    rows: list[tuple[Any, ...]] = []
    for call in rated.iter_rows(named=True):
        steps = explanation_of(call, tariffs).steps
        if len(steps) > 1 or any(step.kind.startswith("included") for step in steps):
            rows += [
                (
                    call["usage_id"],
                    number,
                    step.kind[:32],
                    step.units * step.unit_size,
                    step.numerator // (step.denominator * max(step.units, 1)),
                    step.amount_micro_yuan,
                )
                for number, step in enumerate(steps)
            ]
    names = ("usage_id", "step_no", "kind", "quantity", "price_micro_yuan", "amount_micro_yuan")
    kinds = (pl.Int64, pl.Int64, pl.String, pl.Int64, pl.Int64, pl.Int64)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def several_parts(columns: Sequence[str]) -> pl.Expr:
    """In how many windows and groups of steps a call's blocks lie, of the columns a rater's explanation left."""
    first = {name.removesuffix("_first"): pl.col(name) for name in columns if _PART.fullmatch(name)}
    used = []
    for name in columns:
        if part := _REST.fullmatch(name):
            blocks = pl.col(name)
            if not part[2] and part[1] in first:
                blocks = blocks + first[part[1]]
            used.append((blocks > 0).cast(pl.Int64))
    return pl.sum_horizontal(used)


_PART = re.compile(r"s\d+_\d+_first")
_REST = re.compile(r"(s\d+_\d+)_rest(\d*)")
