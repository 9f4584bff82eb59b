"""What a person does: again, done with a reason, refused with a reason; a system stopped and started; differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server_api.business.provisioning import rules
from server_api.business.provisioning.contract import Scalar
from server_api.business.provisioning.manifest import ActSpec, ManifestNotValid
from server_api.business.provisioning.news import End, Lane, NewTask, Priority, TaskEnded
from server_api.business.provisioning.service.request import request_tasks
from server_api.business.provisioning.service.storing import task_of
from server_api.business.provisioning.sites import SITES
from server_api.business.provisioning.store import systems
from server_api.business.provisioning.store import tasks as commands
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.faults.provisioning import (
    CommandNotForPerson,
    CommandNotFound,
    DifferenceNotOpen,
)

BY_HAND = "BY_HAND"


def retry_task(uow: UnitOfWork, *, task_id: str, reason: str = "") -> None:
    """Let a command be tried again from the start of its patience; one in doubt is read back first.

    Also hurries a command that is waiting for its next try. Raises CommandNotFound, CommandNotForPerson, SystemUnknown
    where its system is not connected.
    """
    row = _held(uow, task_id, (End.MANUAL.value, *commands.OPEN))
    SITES.site(row.system_name)
    state = "sent" if row.in_doubt else "waiting"
    commands.change(
        uow.conn, task_id, (row.state,), state=state, try_count=0, due_at=uow.now, settled_by=uow.context.staff_no,
        settle_reason=reason or None, rank_no=min(row.rank_no, rules.rank_of(bulk=False, priority=Priority.NORMAL)),
    )  # fmt: skip
    audit.note(uow, "provisioning.retry", task_id, reason)


def settle_task(uow: UnitOfWork, *, task_id: str, done: bool, reason: str) -> None:
    """Say what became of a command that waits for a person: done by hand, or refused; with the reason.

    TaskEnded is announced in this act. Raises CommandNotFound, CommandNotForPerson.
    """
    row = _held(uow, task_id, (End.MANUAL.value,))
    end = End.DONE if done else End.REFUSED
    commands.change(
        uow.conn, task_id, (End.MANUAL.value,), state=end.value, in_doubt=False, ended_at=uow.now, result_code=BY_HAND,
        settled_by=uow.context.staff_no, settle_reason=reason,
    )  # fmt: skip
    site = SITES.get(row.system_name)
    spec = None if site is None else site.manifest.acts.get(row.act_name)
    if done and spec is not None and (spec.removes or spec.sets):
        kept = systems.kept(uow.conn, row.system_name, [row.subscriber_key]).get(row.subscriber_key)
        made = spec.makes_of(kept, task_of(uow.database.secrets, row).wanted)
        systems.keep(uow.conn, row.system_name, {row.subscriber_key: made})
    audit.note(uow, f"provisioning.settle.{end}", task_id, reason)
    uow.announce(TaskEnded(task_id, row.order_id or "", row.item_id or "", end, BY_HAND, reason))


def stop_system(uow: UnitOfWork, *, system: str, reason: str) -> None:
    """Let nothing more begin on a system; what is under way ends. Raises SystemUnknown."""
    SITES.site(system)
    systems.ensure(uow, system)
    systems.note(uow.conn, system, stopped=True, stop_reason=reason, stopped_by=uow.context.staff_no)
    audit.note(uow, "provisioning.stop", system, reason)


def start_system(uow: UnitOfWork, *, system: str, reason: str = "") -> None:
    """Let commands begin again. Raises SystemUnknown."""
    SITES.site(system)
    systems.ensure(uow, system)
    systems.note(uow.conn, system, stopped=False, stop_reason=None, stopped_by=None)
    audit.note(uow, "provisioning.start", system, reason)


def accept_difference(uow: UnitOfWork, *, difference_id: str, reason: str) -> None:
    """Take what the system says as right: from now on it is compared with that. Raises DifferenceNotOpen."""
    row = _open_difference(uow, difference_id)
    kept = systems.kept(uow.conn, row.system_name, [row.subscriber_key])
    state: dict[str, Any] | None = kept.get(row.subscriber_key)
    if row.difference_kind == "missing":
        state = None
    elif row.difference_kind == "differs":
        state = {name: value for name, value in (state or {}).items() if name != row.field_name}
    if row.difference_kind != "extra":
        systems.keep(uow.conn, row.system_name, {row.subscriber_key: state})
    _settle(uow, row, reason)


def repair_difference(uow: UnitOfWork, *, difference_id: str, reason: str) -> str:
    """Ask for the command that makes it as we left it; it writes only what is not so. Returns the command's id.

    A field is set by the act that sets it alone; a subscriber who is missing is opened as he was opened last.
    Raises DifferenceNotOpen, also where no act can do it: that is for a person at the system itself.
    """
    row = _open_difference(uow, difference_id)
    site = SITES.site(row.system_name)
    found: tuple[str, Mapping[str, Scalar]] | None = None
    if row.difference_kind == "differs":
        kept = systems.kept(uow.conn, row.system_name, [row.subscriber_key]).get(row.subscriber_key) or {}
        found = _setting(site.manifest.acts, row.field_name, kept.get(row.field_name))
    elif row.difference_kind == "missing":
        removing = [name for name, spec in site.manifest.acts.items() if spec.removes]
        opening = commands.first_done(uow.conn, row.system_name, row.subscriber_key, removing)
        if opening is not None:
            found = opening.act_name, task_of(uow.database.secrets, opening).wanted
    if found is None:
        raise DifferenceNotOpen(difference_id=difference_id, why=row.difference_kind)
    new = NewTask(row.system_name, row.subscriber_key, found[0], found[1], Lane.INTERACTIVE, Priority.NORMAL)
    task_id = request_tasks(uow, order_id="", item_id="", tasks=[new])[0]
    _settle(uow, row, reason)
    return task_id


def _setting(acts: Mapping[str, ActSpec], field: str, value: Scalar) -> tuple[str, dict[str, Scalar]] | None:
    """The act that sets this field alone to this value, with its fields; one without fields is preferred."""
    for with_field in (False, True):
        for name, spec in acts.items():
            if set(spec.sets) != {field} or spec.removes:
                continue
            told = spec.sets[field]
            named = isinstance(told, str) and told.startswith("$")
            wanted: dict[str, Scalar] = {str(told)[1:]: value} if named else {}
            if named is not with_field or (not named and told != value):
                continue
            try:
                spec.checked(wanted)
            except ManifestNotValid:  # this act cannot set that value, or needs more than we know
                continue
            return name, wanted
    return None


def _open_difference(uow: UnitOfWork, difference_id: str) -> Any:
    row = systems.difference(uow.conn, difference_id)
    if row is None or row.state != "open":
        raise DifferenceNotOpen(difference_id=difference_id, why="-" if row is None else row.state)
    return row


def _settle(uow: UnitOfWork, row: Any, reason: str) -> None:
    systems.end_difference(
        uow.conn, row.difference_id, "settled", settled_at=uow.now, settled_by=uow.context.staff_no,
        settle_reason=reason,
    )  # fmt: skip
    audit.note(uow, "provisioning.difference", row.difference_id, reason)


def _held(uow: UnitOfWork, task_id: str, states: tuple[str, ...]) -> Any:
    row = commands.held(uow, [task_id]).get(task_id)
    if row is None:
        raise CommandNotFound(task_id=task_id)
    if row.state not in states:
        raise CommandNotForPerson(task_id=task_id, state=row.state)
    return row
