"""Gapless business numbers from a locked counter row, one per counter name: desks do not queue for each other."""

from __future__ import annotations

from sqlalchemy import select, update

from server_api.platform.unit_of_work import UnitOfWork


def next_number(uow: UnitOfWork, counter_name: str) -> int:
    """Take the next number of a counter (the first is 1). Given back if the act fails: there are no gaps.

    Locks the counter's row, last in the lock order.
    """
    table = uow.platform.number_counter
    row = uow.lock_or_insert(
        select(table.c.next_value).where(table.c.counter_name == counter_name), table,
        {"counter_name": counter_name, "next_value": 2},
    )
    if row is None:
        return 1
    value = int(row[0])
    uow.conn.execute(update(table).where(table.c.counter_name == counter_name).values(next_value=value + 1))
    return value


def take_numbers(uow: UnitOfWork, counter_name: str, how_many: int) -> int:
    """Take several numbers at once and return the first; they follow each other. For imports."""
    if how_many < 1:
        raise ValueError("at least one number is taken")
    table = uow.platform.number_counter
    row = uow.lock_or_insert(
        select(table.c.next_value).where(table.c.counter_name == counter_name), table,
        {"counter_name": counter_name, "next_value": 1 + how_many},
    )
    if row is None:
        return 1
    value = int(row[0])
    uow.conn.execute(
        update(table).where(table.c.counter_name == counter_name).values(next_value=value + how_many)
    )
    return value
