"""The only place where rating divides. Expressions for narwhals, exact on whole numbers.

``//`` on 64-bit integers is exact on Polars; engines that divide in floating point need another body here, and nowhere
else. A test keeps ``//`` and ``/`` out of the other expression files.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw


def floor_div(quantity: nw.Expr, divisor: nw.Expr | int) -> nw.Expr:
    """quantity // divisor for whole numbers; the divisor is positive."""
    return quantity // divisor


def ceil_div(quantity: nw.Expr, divisor: nw.Expr | int) -> nw.Expr:
    """The number of blocks of size ``divisor`` that hold ``quantity`` (≥ 0)."""
    return floor_div(quantity + divisor - 1, divisor)


def remainder(quantity: nw.Expr, divisor: nw.Expr | int) -> nw.Expr:
    """quantity % divisor for whole numbers ≥ 0."""
    return quantity % divisor


def at_most(left: Any, right: Any) -> nw.Expr:
    """The smaller of two."""
    return nw.min_horizontal(left, right)


def at_least(left: Any, right: Any) -> nw.Expr:
    """The larger of two."""
    return nw.max_horizontal(left, right)


def constant(value: int) -> nw.Expr:
    """A 64-bit constant."""
    return nw.lit(value, dtype=nw.Int64())
