"""Gapless business numbers from a locked counter row, one per counter name: desks do not queue for each other."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.exc import DBAPIError

from server_api.platform.dialects.base import Trouble
from server_api.platform.dialects.prepared import Prepared
from server_api.platform.unit_of_work import UnitOfWork


@cache
def _move(table: Table) -> Prepared:
    """Take numbers and say which is next: the update locks the row. Built once, for each receipt takes a number."""
    statement = (
        update(table).where(table.c.counter_name == bindparam("b_name"))
        .values(next_value=table.c.next_value + bindparam("b_how_many")).returning(table.c.next_value)
    )
    return Prepared(statement)


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
    params = {"b_name": counter_name, "b_how_many": how_many}
    row = _move(table).one_or_none(uow.conn, params)
    if row is None:
        try:
            with uow.conn.begin_nested():
                uow.conn.execute(insert(table).values(counter_name=counter_name, next_value=1 + how_many))
        except DBAPIError as error:
            if uow.database.dialect.classify(error) is not Trouble.DUPLICATE:
                raise
            row = _move(table).one_or_none(uow.conn, params)  # another act made the counter just now
    return 1 if row is None else int(row.next_value) - how_many
