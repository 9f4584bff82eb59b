"""How news stands on one side: what waits, how long, what is parked. For /health, /metrics and `onehall doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from server_api.platform.database import Database


@dataclass(frozen=True)
class FactsStanding:
    """Figures of one side's outgoing news. ``lag_s`` is the age of the oldest fact that waits and is not parked."""

    epoch: int
    pending: int
    parked: int
    lag_s: float


def facts_standing(database: Database) -> FactsStanding:
    """Read the figures. Raises DatabaseAway where the database does not answer."""
    tables = database.platform
    pending, out, parked = tables.fact_pending, tables.fact_out, tables.fact_parked
    waiting = (
        select(func.min(out.c.recorded_at))
        .select_from(pending.join(out, pending.c.fact_id == out.c.fact_id))
        .where(~pending.c.aggregate.in_(select(parked.c.aggregate)))
    )
    with database.reading() as connection:
        parked_count = connection.execute(select(func.count()).select_from(parked)).scalar_one()
        pending_count = connection.execute(select(func.count()).select_from(pending)).scalar_one()
        oldest = connection.execute(waiting).scalar() if pending_count else None
        epoch = database.epoch(connection)
    lag_s = 0.0 if oldest is None else max(0.0, (database.clock.now() - oldest).total_seconds())
    return FactsStanding(epoch=epoch, pending=int(pending_count), parked=int(parked_count), lag_s=round(lag_s, 3))
