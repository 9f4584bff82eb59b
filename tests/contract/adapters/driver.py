"""Drives one adapter as the engine does, without a database: attempts until a command has an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from server_api.business.provisioning import attempt
from server_api.business.provisioning.attempt import Ending, Verdict
from server_api.business.provisioning.contract import Adapter, Plan, Scalar, Task
from server_api.business.provisioning.manifest import Site, site_of
from server_api.business.provisioning.registry import manifest_of, story
from server_api.business.provisioning.simulation import Simulator

TIMEOUT_S = 1.0
#: Under faults: short, so that silence costs little; LATE_REPLY and DELAY of the simulators are set around it.
IMPATIENT_S = 0.08
MOST_ATTEMPTS = 8


def site_to(name: str, simulator: Simulator, timeout_s: float = TIMEOUT_S) -> Site:
    """The site that reaches a simulator."""
    manifest = manifest_of(name)
    secret_names = {field.name for field in manifest.settings.values() if field.kind == "secret"}
    settings = dict(simulator.settings())
    secrets = {key: str(settings.get(key, "")) for key in secret_names}
    given = {**settings, "pace": {"timeout_s": timeout_s, "night": ""}}
    return site_of(manifest, name, given, secrets)


def tasks_of(name: str, number: int) -> Sequence[Task]:
    """The story of one subscriber, fields checked as the engine checks them."""
    acts = manifest_of(name).acts
    return [replace(task, wanted=acts[task.act].checked(task.wanted)) for task in story(name, number)]


async def carry_out(adapter: Adapter, task: Task, *, readable: bool) -> Ending:
    """Attempts until the command is done, refused or for a person."""
    sent = False
    for _ in range(MOST_ATTEMPTS):
        begun = await attempt.begin(adapter, task, sent=sent)
        if isinstance(begun, Plan):
            # What the engine stores is the task alone: the steps must be enough for execute, not for read_back.
            ending = await attempt.finish(adapter, begun, readable=readable, settle_s=0.01)
        else:
            ending = begun
        if ending.verdict not in (Verdict.AGAIN, Verdict.UNKNOWN):
            return ending
        sent = ending.verdict is Verdict.UNKNOWN
    return replace(ending, verdict=Verdict.MANUAL)


async def listed(adapter: Adapter) -> dict[str, dict[str, Scalar]]:
    """What the system says of all subscribers."""
    return {name: dict(state) async for name, state in adapter.states()}


def compared(fields: Mapping[str, Scalar], names: Sequence[str]) -> dict[str, Scalar]:
    """The fields that the manifest names."""
    return {name: fields.get(name) for name in names}
