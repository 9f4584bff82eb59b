"""Faults hear of their work orders; what waits too long is passed up by the calendar."""

from __future__ import annotations

from server_api.business.trouble.service.handle import escalate_due, heard_work_order
from server_api.business.workorder.news import WorkOrderClosed
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Wiring

_KIND = "trouble.escalate"
_AT_ONCE = 50


def wire(wiring: Wiring) -> None:
    """One listener, one job every ten minutes."""
    wiring.listen("business", WorkOrderClosed, heard_work_order)
    wiring.job("business", _KIND, _escalate)
    wiring.at("*/10 * * * *", "business", _KIND)


def _escalate(run: JobRun) -> None:
    """Pass up what is due, few at a time: each act is short."""
    turn, passed = int(run.state.get("turn", 0)), _AT_ONCE
    while passed == _AT_ONCE:
        counted: list[int] = []
        act = Act(run.act_id(run.attempt, turn), _KIND, digest_of([run.job_id, run.attempt, turn]), run.context)
        perform(run.database, act, lambda uow, counted=counted: counted.append(escalate_due(uow, limit=_AT_ONCE)))  # type: ignore[misc]
        passed = counted[0] if counted else 0
        turn += 1
        run.remember(turn=turn)
