"""The only place where rating divides. Expressions for narwhals, exact on whole numbers.

``//`` on 64-bit integers is exact on Polars. For engines that divide in floating point expressions are built within
``dividing_in_floats()``: a multiple of the divisor and half of it more is divided then, whose floor is right for
quotients below 2^52 (4.5 thousand million yuan in micro-yuan). A test keeps ``//`` and ``/`` out of the other
expression files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import narwhals as nw

_in_floats = ContextVar("dividing_in_floats", default=False)


@contextmanager
def dividing_in_floats() -> Iterator[None]:
    """Expressions built inside are for an engine whose ``//`` divides in floating point."""
    before = _in_floats.set(True)
    try:
        yield
    finally:
        _in_floats.reset(before)


def floor_div(quantity: nw.Expr, divisor: nw.Expr | int) -> nw.Expr:
    """quantity // divisor for whole numbers; the divisor is positive."""
    if _in_floats.get():
        return ((quantity - quantity % divisor + divisor // 2) // divisor).cast(nw.Int64())
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
