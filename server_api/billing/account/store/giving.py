"""What people gave away, against their limits, and the approvals they used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.billing.account import approval_use, day_allowance, giving_entry
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month

_D, _G, _U = day_allowance.c, giving_entry.c, approval_use.c


def use_allowance(uow: UnitOfWork, what: str, amount: Fen) -> tuple[Fen, Fen]:
    """Add to what the caller gave away and return the sums of the day and of its month.

    The day's row is locked after account and till, so that two acts of one person never both pass a limit.
    """
    staff_id, today = uow.context.staff_id, uow.today
    mine = and_(_D.staff_id == staff_id, _D.what == what)
    first = {"staff_id": staff_id, "day_on": today, "what": what, "used_fen": amount, "act_count": 1}
    row = uow.lock_or_insert(select(day_allowance).where(mine, _D.day_on == today), day_allowance, first)
    if row is None:
        day = amount
    else:
        day = row.used_fen + amount
        uow.conn.execute(
            update(day_allowance).where(mine, _D.day_on == today).values(used_fen=day, act_count=row.act_count + 1)
        )
    month = Month.of(today)
    earlier = uow.conn.execute(
        select(func.sum(_D.used_fen)).where(mine, _D.day_on >= month.first_on, _D.day_on < today)
    ).scalar_one()
    return day, day + (earlier or ZERO_FEN)


def insert_giving(conn: Connection, values: dict[str, Any]) -> None:
    """Keep the act behind the sum."""
    conn.execute(insert(giving_entry).values(**values))


def approval_used(conn: Connection, approval_id: str) -> bool:
    """True where the approval was used before."""
    return conn.execute(select(_U.approval_id).where(_U.approval_id == approval_id)).first() is not None


def insert_approval(conn: Connection, values: dict[str, Any]) -> None:
    """Mark an approval as used; a second mark violates the key."""
    conn.execute(insert(approval_use).values(**values))


def allowances(conn: Connection, month: Month, staff_id: str = "") -> Sequence[Any]:
    """The sums of a month by person, kind and day."""
    query = select(day_allowance).where(_D.day_on >= month.first_on, _D.day_on < month.until_on)
    if staff_id:
        query = query.where(_D.staff_id == staff_id)
    return conn.execute(query.order_by(_D.staff_id, _D.what, _D.day_on)).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def allowance_sums(conn: Connection) -> dict[tuple[str, date, str], tuple[Fen, int]]:
    """What the sums say, by person, day and kind."""
    return {
        (row.staff_id, row.day_on, row.what): (row.used_fen, row.act_count)
        for row in conn.execute(select(day_allowance))
    }


def giving_sums(conn: Connection) -> dict[tuple[str, date, str], tuple[Fen, int]]:
    """What the acts themselves come to, by person, day and kind."""
    query = select(
        _G.staff_id, _G.day_on, _G.what, func.sum(_G.amount_fen).label("amount_fen"), func.count().label("acts")
    ).group_by(_G.staff_id, _G.day_on, _G.what)
    return {(row.staff_id, row.day_on, row.what): (row.amount_fen, int(row.acts)) for row in conn.execute(query)}


def all_approvals(conn: Connection) -> Sequence[Any]:
    """Every approval used."""
    return conn.execute(select(approval_use).order_by(_U.approval_id)).all()


def approved_givings(conn: Connection) -> dict[str, tuple[str, Fen]]:
    """The account and amount of what each approval let pass."""
    rows = conn.execute(select(giving_entry).where(_G.approval_id.is_not(None)))
    return {row.approval_id: (row.account_id, row.amount_fen) for row in rows}
