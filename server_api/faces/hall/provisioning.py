"""Commands to the network: their live state at the counter, and the queue that people work."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from server_api.business.provisioning import service
from server_api.business.provisioning.service import reading
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    cursor_after,
    cursor_key,
    hall_router,
    permit,
    refusals,
    reply,
)
from server_api.faces.hall.keyset import instant_after, instant_key
from shared_models.contracts.provisioning import (
    CommandAsked,
    CommandDetail,
    CommandPage,
    Commands,
    DifferencePage,
    RetryCommand,
    SettleCommand,
    SettleDifference,
    StartSystem,
    StopSystem,
    SystemStandings,
)
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.provisioning import (
    CommandNotForPerson,
    CommandNotFound,
    DifferenceNotOpen,
    SystemUnknown,
)

router = hall_router("provisioning")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["3f" * 16])]
System = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,40}$", examples=["srun"])]
_NAME = r"^[A-Za-z0-9_.\-]{0,40}$"


@router.get("/provisioning/commands", response_model=Commands, responses=refusals(InputNotValid))
def list_commands(
    order_id: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    system: Annotated[str, Query(pattern=_NAME)] = "",
    subscriber: Annotated[str, Query(max_length=64)] = "",
    caller: Caller = permit(Permission.PROVISIONING_VIEW, Permission.PROVISIONING_WORK),
) -> Response:
    """See how the commands of an order, or of one subscriber of a system, stand now."""
    if not order_id and not (system and subscriber):
        raise InputNotValid(
            field="order_id", reason={"zh": "填写订单，或系统与用户", "en": "an order, or a system and a subscriber"}
        )
    with caller.reading("business") as connection:
        if order_id:
            return reply(Commands(items=reading.commands_of_order(connection, order_id)))
        return reply(Commands(items=reading.commands_of_subscriber(connection, system, subscriber)))


@router.get("/provisioning/queue", response_model=CommandPage)
def list_manual_queue(
    system: Annotated[str, Query(pattern=_NAME)] = "",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.PROVISIONING_WORK),
) -> Response:
    """List the commands that wait for a person, oldest first."""
    after = instant_key(cursor)
    with caller.reading("business") as connection:
        items = reading.manual_queue(connection, system=system, after=after, limit=limit)
    more = instant_after(items[-1].asked_at, items[-1].task_id) if len(items) == limit else None
    return reply(CommandPage(items=items, next_cursor=more))


@router.get("/provisioning/commands/{task_id}", response_model=CommandDetail, responses=refusals(CommandNotFound))
def read_command(task_id: HexId, caller: Caller = permit(Permission.PROVISIONING_WORK)) -> Response:
    """See a command with its plan and what was said; secrets are masked."""
    with caller.reading("business") as connection:
        return reply(reading.read_command(connection, task_id))


@router.post(
    "/provisioning/commands/{task_id}/retry",
    status_code=204,
    responses=refusals(CommandNotFound, CommandNotForPerson, SystemUnknown),
)
def retry_command(
    task_id: HexId, body: RetryCommand, caller: Caller = permit(Permission.PROVISIONING_WORK)
) -> Response:
    """Try a command again now; one whose outcome is not known is read back first."""
    return caller.act(
        "business", "retry_command", body,
        lambda uow: service.retry_task(uow, task_id=task_id, reason=body.reason), status_code=204,
    )  # fmt: skip


@router.post(
    "/provisioning/commands/{task_id}/settle",
    status_code=204,
    responses=refusals(CommandNotFound, CommandNotForPerson),
)
def settle_command(
    task_id: HexId, body: SettleCommand, caller: Caller = permit(Permission.PROVISIONING_WORK)
) -> Response:
    """Say that a command was done by hand, or will not be done; the order goes on from there."""
    return caller.act(
        "business", "settle_command", body,
        lambda uow: service.settle_task(uow, task_id=task_id, done=body.done, reason=body.reason), status_code=204,
    )  # fmt: skip


@router.get("/provisioning/systems", response_model=SystemStandings)
def list_systems(
    caller: Caller = permit(Permission.PROVISIONING_VIEW, Permission.PROVISIONING_WORK),
) -> Response:
    """See every connected system: who works it, whether it is down or stopped, what waits."""
    with caller.reading("business") as connection:
        return reply(SystemStandings(items=reading.system_standings(connection)))


@router.post("/provisioning/systems/{system}/stop", status_code=204, responses=refusals(SystemUnknown))
def stop_system(system: System, body: StopSystem, caller: Caller = permit(Permission.PROVISIONING_WORK)) -> Response:
    """Let nothing more begin on a system; what is under way ends."""
    return caller.act(
        "business", "stop_system", body,
        lambda uow: service.stop_system(uow, system=system, reason=body.reason), status_code=204,
    )  # fmt: skip


@router.post("/provisioning/systems/{system}/start", status_code=204, responses=refusals(SystemUnknown))
def start_system(system: System, body: StartSystem, caller: Caller = permit(Permission.PROVISIONING_WORK)) -> Response:
    """Let commands begin again on a system."""
    return caller.act(
        "business", "start_system", body,
        lambda uow: service.start_system(uow, system=system, reason=body.reason), status_code=204,
    )  # fmt: skip


@router.get("/provisioning/differences", response_model=DifferencePage)
def list_differences(
    system: Annotated[str, Query(pattern=_NAME)] = "",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.PROVISIONING_WORK),
) -> Response:
    """List where systems say something else than we left there."""
    key = cursor_key(cursor, str)
    with caller.reading("business") as connection:
        items = reading.open_differences(connection, system=system, after="" if key is None else key[0], limit=limit)
    more = cursor_after(items[-1].difference_id) if len(items) == limit else None
    return reply(DifferencePage(items=items, next_cursor=more))


@router.post("/provisioning/differences/{difference_id}/accept", status_code=204, responses=refusals(DifferenceNotOpen))
def accept_difference(
    difference_id: HexId, body: SettleDifference, caller: Caller = permit(Permission.PROVISIONING_WORK)
) -> Response:
    """Take what the system says as right."""
    return caller.act(
        "business", "accept_difference", body,
        lambda uow: service.accept_difference(uow, difference_id=difference_id, reason=body.reason), status_code=204,
    )  # fmt: skip


@router.post(
    "/provisioning/differences/{difference_id}/repair",
    response_model=CommandAsked,
    responses=refusals(DifferenceNotOpen, SystemUnknown),
)
def repair_difference(
    difference_id: HexId, body: SettleDifference, caller: Caller = permit(Permission.PROVISIONING_WORK)
) -> Response:
    """Ask again for the command that last set what differs."""
    return caller.act(
        "business", "repair_difference", body,
        lambda uow: CommandAsked(
            task_id=service.repair_difference(uow, difference_id=difference_id, reason=body.reason)
        ),
    )  # fmt: skip
