"""The step 'network': commands asked for, their ends heard, what was done taken back."""

from __future__ import annotations

from typing import Any

from server_api.business.ordering import rules
from server_api.business.ordering.about import About, about
from server_api.business.ordering.carried import Carried, Item, Step
from server_api.business.ordering.policy import Command, order_policy
from server_api.business.provisioning import service as provisioning
from server_api.business.provisioning.news import End, Lane, NewTask, Priority, TaskEnded
from server_api.business.provisioning.sites import SITES
from shared_models.values.faults.ordering import OrderFieldMissing, OrderPastReturn

_RANKS = {"resume": Priority.RESUME, "normal": Priority.NORMAL, "suspend": Priority.SUSPEND}
NOT_CONNECTED = "NOT_CONNECTED"


def commands_of(item: Item, found: About) -> tuple[Command, ...]:
    """The commands of an item. Suspending and resuming send none where the network stays as strict as it was."""
    act = item["act_name"]
    if act in ("suspend", "resume", "pre_terminate"):
        if found.level == found.level_before:
            return ()
        act = "suspend" if found.level else "resume"
    return order_policy().commands(found.offering_code, found.service, act)


def begin(carried: Carried, item: Item, step: Step) -> str:
    """Ask for the commands; done at once where there are none. Raises OrderFieldMissing, CommandNotValid."""
    found = about(carried, item)
    commands = commands_of(item, found)
    if not commands:
        return "skipped"
    rank = _RANKS[order_policy().acts[item["act_name"]].rank]
    bulk = carried.order["channel"] == "dunning" and item["act_name"] == "suspend"
    tasks = [_task(item, found, command, rank, bulk) for command in commands]
    ids = provisioning.request_tasks(carried.uow, order_id=carried.order_id, item_id=item["item_id"], tasks=tasks)
    step["refs"] = [
        {"task": task_id, "state": "waiting", "undo": _undo(command, task)}
        for task_id, command, task in zip(ids, commands, tasks, strict=True)
    ]
    if any(SITES.get(task.system) is None for task in tasks):
        item["result_code"] = NOT_CONNECTED
        step["held"] = True
    return "running"


def heard(carried: Carried, item: Item, step: Step, news: TaskEnded) -> str:
    """What an end makes of the step: running, done, held or failed."""
    ref = next((one for one in step["refs"] if one["task"] == news.task_id), None)
    if ref is None:
        return "running"
    ref["state"] = news.outcome.value
    if news.outcome is End.REFUSED:
        return "failed"
    if news.outcome is End.MANUAL:
        step["held"] = True
        return "held"
    states = {one["state"] for one in step["refs"]}
    step["held"] = "manual" in states
    if states == {End.DONE.value}:
        return "done"
    return "held" if step["held"] else "running"


def withdraw(carried: Carried, item: Item, step: Step, *, by_force: bool) -> None:
    """Take back what was asked for: what has not begun is withdrawn, what was done gets its opposite.

    Raises OrderPastReturn where a command is being carried out right now, or was and has no opposite; ``by_force``
    (the order failed) lets those be: their end is heard later.
    """
    refs = step.get("refs") or []
    open_refs = [ref for ref in refs if ref["state"] in ("waiting", "manual")]
    if open_refs:
        withdrawn = provisioning.cancel_tasks(carried.uow, order_id=carried.order_id, item_id=item["item_id"])
        if withdrawn < len(open_refs) and not by_force:
            raise OrderPastReturn(item=item["item_no"], step="network")
        if withdrawn == len(open_refs):
            for ref in open_refs:
                ref["state"] = End.CANCELLED.value
    done = [ref for ref in refs if ref["state"] == End.DONE.value]
    if any(ref["undo"] is None for ref in done) and not by_force:
        raise OrderPastReturn(item=item["item_no"], step="network")
    take_back(carried, item, done)


def take_back(carried: Carried, item: Item, refs: list[dict[str, Any]]) -> None:
    """Ask for the opposite of what was done. One subscriber's commands keep their order, so nobody waits for it."""
    tasks = []
    for ref in reversed(refs):
        if ref["undo"] is not None:
            tasks.append(NewTask(**ref["undo"]))
            ref["state"] = "undone"
    if tasks:
        provisioning.request_tasks(carried.uow, order_id=carried.order_id, item_id=item["item_id"], tasks=tasks)


def _task(item: Item, found: About, command: Command, rank: Priority, bulk: bool) -> NewTask:
    key = rules.fill(command.key, found.words)
    if not key:
        raise OrderFieldMissing(item=item["item_no"], act=item["act_name"], field=command.key.lstrip("$"))
    wanted = {name: rules.fill(text, found.words) for name, text in command.wanted.items()}
    return NewTask(
        command.system, key, command.act, {name: value for name, value in wanted.items() if value},
        lane=Lane.BULK if bulk else Lane.INTERACTIVE, priority=rank,
    )  # fmt: skip


def _undo(command: Command, task: NewTask) -> dict[str, Any] | None:
    if command.undo is None:
        return None
    return {"system": task.system, "subscriber": task.subscriber, "act": command.undo["act"]}
