"""Periodic work of resources: reservations that have run out and numbers that have rested are free again."""

from __future__ import annotations

from server_api.business.resource import store
from server_api.business.resource.service.hold import release_expired
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Finding, Wiring

_KIND = "resource.release_expired"
_AT_ONCE = 50
_NAMED = 20


def wire(wiring: Wiring) -> None:
    """A job every five minutes, and the rule that state and owner go together."""
    wiring.invariant("business", "resource_owner_agrees", owners_agree)
    wiring.job("business", _KIND, _release)
    wiring.at("*/5 * * * *", "business", _KIND)


def owners_agree(database: Database) -> Finding:
    """What is in use has a product, what is reserved an order, what is free neither."""
    with database.reading() as connection:
        counted, wrong = store.disagreeing(connection, _NAMED)
    return Finding(counted=counted, wrong=tuple(wrong))


def _release(run: JobRun) -> None:
    """Free what has run out, few at a time: each act is short."""
    turn, freed = int(run.state.get("turn", 0)), _AT_ONCE
    while freed == _AT_ONCE:
        counted: list[int] = []
        act = Act(run.act_id(run.attempt, turn), _KIND, digest_of([run.job_id, run.attempt, turn]), run.context)
        perform(run.database, act, lambda uow, counted=counted: counted.append(release_expired(uow, limit=_AT_ONCE)))  # type: ignore[misc]
        freed = counted[0] if counted else 0
        turn += 1
        run.remember(turn=turn)
