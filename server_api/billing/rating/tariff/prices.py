"""A row of a tariff as numbers: everything that could overflow 63 bits or lose a fraction is settled here. Pure.

A charge is ``(connect + sum of block counts × numerators) // den`` with one floor; surcharges and discounts are in the
numerators already, so they cost nothing per call.
"""

from __future__ import annotations

from math import gcd, lcm

import polars as pl

from server_api.billing.rating.tariff.model import DAY_S, WHOLE_PPM, Quantity, Row, Tariff
from server_api.billing.rating.tariff.reader import in_words
from shared_models.values.faults.rating import TariffNotValid

#: Sums of a call stay below this, with room to add and multiply by small numbers.
SAFE = 2**61
#: Where a group of steps that a row does not have would begin: never.
NEVER = 2**53
QUANTITY_NO = {Quantity.SECONDS: 0, Quantity.OCTETS: 1, Quantity.SESSIONS: 2}
_LARGEST = {Quantity.SECONDS: 40 * DAY_S, Quantity.OCTETS: 2**53, Quantity.SESSIONS: 1}


def price_schema(windows: int, groups: int, window_steps: bool) -> dict[str, pl.DataType]:
    """Columns of a price by name."""
    names = ["price_no", "quantity_no", "calendar_no", "first", "step", "den", "connect", "minimum", "cap"]
    for group in range(1, groups):
        names += [f"at{group}", f"step{group}"]
    for window in range(windows):
        names += [f"w{window}_{part}" for part in ("from", "until", "days", "first", "price")]
        names += [f"w{window}_price{group}" for group in range(1, groups)]
        names += [f"w{window}_step"] if window_steps else []
    return {name: pl.Int64() for name in names}


def price_columns(
    price_no: int, tariff: Tariff, row: Row, windows: int, groups: int, calendar_no: int, window_steps: bool
) -> dict[str, int]:
    """A price as numbers: without a first block, the first step is one; all fractions have one denominator."""
    steps = [(row.step, row.per or row.step, row.prices_micro_yuan)]
    steps += [(group.step, group.per, group.prices_micro_yuan) for group in row.then]
    part = gcd(row.adjust_ppm, WHOLE_PPM)
    times, den = row.adjust_ppm // part, WHOLE_PPM // part
    common = gcd(times, den)
    times, den = times // common, den // common
    whole = den
    for step, per, prices in steps:
        for amount in prices.values():
            whole = lcm(whole, den * (per // gcd(per, amount * step * times)))
    for code, step in row.window_steps.items() if row.per else ():
        amount = row.prices_micro_yuan[code]
        whole = lcm(whole, den * (row.per // gcd(row.per, amount * step * times)))
    den = whole

    def numerator(amount: int, step: int = 1, per: int = 1) -> int:
        exact = amount * step * row.adjust_ppm * den
        return exact // (per * WHOLE_PPM)

    codes = [window.code for window in tariff.windows]
    columns: dict[str, int] = {
        "price_no": price_no,
        "quantity_no": QUANTITY_NO[tariff.quantity_of(row)],
        "calendar_no": calendar_no,
        "first": row.first if window_steps else row.first or row.step,
        "step": row.step,
        "den": den,
        "connect": numerator(row.connect_micro_yuan),
        "minimum": row.minimum_micro_yuan,
        "cap": row.cap_micro_yuan if row.cap_micro_yuan is not None else SAFE,
    }
    for group in range(1, groups):
        has = row.then[group - 1] if group <= len(row.then) else None
        columns |= {f"at{group}": has.after if has else NEVER, f"step{group}": has.step if has else 1}
    for j in range(windows):
        window = tariff.windows[j] if j < len(tariff.windows) else None
        code = codes[j] if window else ""
        in_window = [numerator(amounts[code], step, per) if window else 0 for step, per, amounts in steps]
        step_here = row.window_steps.get(code, row.step)
        if window and row.window_steps and row.per:
            in_window[0] = numerator(row.prices_micro_yuan[code], step_here, row.per)
        columns |= {
            f"w{j}_from": window.from_s if window else DAY_S,
            f"w{j}_until": window.until_s if window else DAY_S,
            f"w{j}_days": window.days if window else 0,
            f"w{j}_first": numerator(row.first_prices_micro_yuan[code])
            if window and row.first_prices_micro_yuan
            else in_window[0],
            f"w{j}_price": in_window[0],
        }
        if window_steps:
            columns[f"w{j}_step"] = step_here
        for group in range(1, groups):
            columns[f"w{j}_price{group}"] = in_window[group] if group < len(in_window) else 0
    _fits(tariff, row, columns, steps)
    return columns


def _fits(tariff: Tariff, row: Row, columns: dict[str, int], steps: list[tuple[int, int, dict[str, int]]]) -> None:
    """Refuse a row whose largest possible charge would wrap around silently. Raises TariffNotValid."""
    longest = _LARGEST[tariff.quantity_of(row)]
    most = columns["connect"] + max(value for name, value in columns.items() if name.endswith("_first"))
    shortest = min([row.step, *row.window_steps.values()])
    for group, (length, _per, _prices) in enumerate(steps):
        step = length if group else shortest
        dearest = max(value for name, value in columns.items() if name.endswith(f"_price{group or ''}"))
        most += dearest * (longest // step + 2)
    if most >= SAFE or max(columns["minimum"], row.cap_micro_yuan or 0) * columns["den"] >= SAFE:
        raise overflow(tariff, row)


def overflow(tariff: Tariff, row: Row) -> TariffNotValid:
    """The refusal of a row whose sums do not fit."""
    return TariffNotValid(file=tariff.version, row=row.code, field="price", problem=in_words("overflow", ""), others=0)


def deck_columns(first_price_no: int, tariff: Tariff, row: Row) -> pl.DataFrame:
    """The prices of a rate deck as the row names it: price_no, first, step, den, connect, d_first, d_price.

    A first block without a price of its own costs its share of the price. Raises TariffNotValid for what could
    overflow, by the largest values of each column.
    """
    rows = tariff.decks[row.deck].rows
    step, first = pl.col("step").fill_null(row.step), pl.col("first").fill_null(row.first or 0)
    lengths = rows.select(step=step, first=pl.when(first > 0).then(first).otherwise(step))
    part = gcd(row.adjust_ppm, WHOLE_PPM)
    times, over = row.adjust_ppm // part, WHOLE_PPM // part
    common = gcd(row.per, *lengths["step"].unique().to_list(), *lengths["first"].unique().to_list())
    per = row.per // common
    dearest = max(_most(rows, "price"), _most(rows, "first_price"), 1) * times
    longest = max(_most(lengths, "step"), _most(lengths, "first")) // common
    blocks = _LARGEST[tariff.quantity_of(row)] // _least(lengths, "step") + 2
    if dearest * (longest * blocks + per) + _most(rows, "connect") * times * per >= SAFE:
        raise overflow(tariff, row)
    frame = pl.concat([rows.select("price", "first_price", "connect"), lengths], how="horizontal")
    own_first = pl.col("first_price") * (per * times)
    share = pl.col("price") * (pl.col("first") // common) * times
    return frame.select(
        price_no=pl.int_range(first_price_no, first_price_no + pl.len(), dtype=pl.Int64),
        d_len=pl.col("first"),
        d_step=pl.col("step"),
        d_den=pl.lit(per * over, dtype=pl.Int64),
        d_connect=pl.col("connect") * (per * times),
        d_first=pl.when(pl.col("first_price").is_null()).then(share).otherwise(own_first),
        d_price=pl.col("price") * (pl.col("step") // common) * times,
    )


def _most(frame: pl.DataFrame, name: str) -> int:
    return int(frame[name].max() or 0)  # type: ignore[arg-type]


def _least(frame: pl.DataFrame, name: str) -> int:
    return int(frame[name].min() or 1)  # type: ignore[arg-type]
