"""Gapless business numbers from a locked counter row, one per counter name: desks do not queue for each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, Update, bindparam, select, update

from server_api.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class _Statements:
    """Built once: each receipt of the day takes a number."""

    read: Select[Any]
    move: Update


@cache
def _statements(table: Table) -> _Statements:
    mine = table.c.counter_name == bindparam("b_name")
    return _Statements(
        read=select(table.c.next_value).where(mine),
        move=update(table).where(mine).values(next_value=bindparam("b_next")),
    )


def next_number(uow: UnitOfWork, counter_name: str) -> int:
    """Take the next number of a counter (the first is 1). Given back if the act fails: there are no gaps.

    Locks the counter's row, last in the lock order.
    """
    return take_numbers(uow, counter_name, 1)


def take_numbers(uow: UnitOfWork, counter_name: str, how_many: int) -> int:
    """Take several numbers at once and return the first; they follow each other. For imports."""
    if how_many < 1:
        raise ValueError("at least one number is taken")
    table = uow.platform.number_counter
    statements = _statements(table)
    row = uow.lock_or_insert(
        statements.read, table, {"counter_name": counter_name, "next_value": 1 + how_many}, {"b_name": counter_name},
    )
    if row is None:
        return 1
    value = int(row[0])
    uow.conn.execute(statements.move, {"b_name": counter_name, "b_next": value + how_many})
    return value
