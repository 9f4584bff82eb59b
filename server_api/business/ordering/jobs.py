"""What orders hear, their periodic work, and the rules of the books they must keep."""

from __future__ import annotations

from collections.abc import Callable

from server_api.business.ordering import store
from server_api.business.ordering.service.hear import (
    heard_not_settled,
    heard_paid,
    heard_resume,
    heard_settled,
    heard_suspension,
    heard_task,
    heard_work,
)
from server_api.business.ordering.service.upkeep import end_expired, go_on_due
from server_api.business.provisioning.news import TaskEnded
from server_api.business.resource import service as resource
from server_api.business.workorder.news import WorkOrderClosed
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Finding, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import (
    FeesPaid,
    FinalBillRefused,
    FinalBillSettled,
    ResumeWanted,
    SuspensionWanted,
)

_KIND = "ordering.upkeep"
_AT_ONCE = 50
_NAMED = 20


def wire(wiring: Wiring) -> None:
    """Ends of commands and visits, payments, dunning; every five minutes what time has brought; two invariants."""
    wiring.listen("business", TaskEnded, heard_task)
    wiring.listen("business", WorkOrderClosed, heard_work)
    wiring.hear_fact("business", FeesPaid, heard_paid)
    wiring.hear_fact("business", FinalBillSettled, heard_settled)
    wiring.hear_fact("business", FinalBillRefused, heard_not_settled)
    wiring.hear_fact("business", SuspensionWanted, heard_suspension)
    wiring.hear_fact("business", ResumeWanted, heard_resume)
    wiring.job("business", _KIND, _upkeep)
    wiring.at("*/5 * * * *", "business", _KIND)
    wiring.invariant("business", "order_resources", _nothing_kept)
    wiring.invariant("business", "order_fees", _fees_stand)


def _upkeep(run: JobRun) -> None:
    """Few orders an act, until none is left; an order that could not go on is held and not due any more."""
    turn = int(run.state.get("turn", 0))
    for work in (end_expired, go_on_due):
        looked_at = _AT_ONCE
        while looked_at == _AT_ONCE:
            looked_at = _once(run, turn, work)
            turn += 1
            run.remember(turn=turn)


def _once(run: JobRun, turn: int, work: Callable[..., int]) -> int:
    counted: list[int] = []

    def act(uow: UnitOfWork) -> None:
        counted.append(work(uow, limit=_AT_ONCE))

    perform(
        run.database,
        Act(run.act_id(run.attempt, turn), _KIND, digest_of([run.job_id, run.attempt, turn]), run.context),
        act,
    )
    return counted[0] if counted else 0


def _nothing_kept(database: Database) -> Finding:
    with database.reading() as connection:
        holding = resource.orders_holding(connection)
        wrong = store.finished_among(connection, holding)
    return Finding(counted=len(holding), wrong=tuple(f"order {order_id}" for order_id in wrong[:_NAMED]))


def _fees_stand(database: Database) -> Finding:
    with database.reading() as connection:
        counted, wrong = store.wrong_fees(connection, _NAMED)
    return Finding(counted=counted, wrong=tuple(f"order {order_id}" for order_id in wrong))
