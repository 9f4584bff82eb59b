"""Commands to the network: how each stands, what was said, and what a person may do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from shared_models.contracts.base import Contract, PageOf, example

Reason = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Command(Contract):
    """One command as it stands now."""

    task_id: str
    system: str
    subscriber: str
    act: str
    state: str = Field(description="waiting, sent, done, refused, manual, cancelled")
    lane: str = Field(description="interactive, bulk")
    order_id: str = ""
    item_id: str = ""
    code: str = Field(default="", description="the system's own code, or ours for what became of it")
    text: str = ""
    tries: int = Field(description="since it was asked for, or since a person said: again")
    asked_at: datetime
    due_at: datetime = Field(description="when it is tried next, where it waits")
    ended_at: datetime | None = None
    settled_by: str = ""
    settle_reason: str = ""
    waits_for: str = Field(default="", description="the command of the same subscriber it waits behind")
    system_down_since_at: datetime | None = None
    system_stopped: bool = False


class Commands(Contract):
    """Commands of an order or of a subscriber."""

    items: tuple[Command, ...]


class CommandPage(PageOf):
    """Commands that wait for a person, oldest first."""

    items: tuple[Command, ...]


class CommandStep(Contract):
    """One request that was planned, secrets masked."""

    name: str
    request: str


class CommandExchange(Contract):
    """One request and what came back, secrets masked; nothing came back = an empty text."""

    at: datetime
    sent: str
    received: str


class CommandTry(Contract):
    """One try and what it ended with."""

    at: datetime
    verdict: str = Field(description="done, refused, again, unknown, manual")
    code: str = ""
    text: str = ""
    exchanges: tuple[CommandExchange, ...] = ()


class CommandDetail(Contract):
    """A command with what was planned and said."""

    command: Command
    wanted: dict[str, str | int | bool | None] = Field(description="its fields; secret ones are left out")
    steps: tuple[CommandStep, ...] = ()
    tries: tuple[CommandTry, ...] = ()


class RetryCommand(Contract):
    """Try a command again now."""

    reason: str = Field(default="", max_length=200)
    model_config = example(reason="端口已修复")


class SettleCommand(Contract):
    """Say what became of a command that waits for a person."""

    done: bool = Field(description="true: it was done by hand; false: it will not be done")
    reason: Reason
    model_config = example(done=True, reason="已在网管上手工开通")


class StopSystem(Contract):
    """Let nothing more begin on a system."""

    reason: Reason
    model_config = example(reason="割接")


class StartSystem(Contract):
    """Let commands begin again."""

    reason: str = Field(default="", max_length=200)
    model_config = example(reason="割接完成")


class SystemStanding(Contract):
    """A connected system and how it stands."""

    system: str
    adapter: str
    held_by: str = Field(default="", description="the worker that works it")
    stopped: bool = False
    stop_reason: str = ""
    down_since_at: datetime | None = None
    down_code: str = ""
    compared_at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict, description="commands by state; ended ones of all time")
    open_differences: int = 0


class SystemStandings(Contract):
    """All connected systems."""

    items: tuple[SystemStanding, ...]


class Difference(Contract):
    """Where a system says something else than we left there."""

    difference_id: str
    system: str
    subscriber: str
    kind: str = Field(description="missing, extra, differs")
    field: str = ""
    ours: str = ""
    theirs: str = ""
    found_at: datetime
    seen_at: datetime


class DifferencePage(PageOf):
    """Differences nobody has settled."""

    items: tuple[Difference, ...]


class SettleDifference(Contract):
    """Take the system's word, or have ours done again."""

    reason: Reason
    model_config = example(reason="用户自助改速")


class CommandAsked(Contract):
    """The command that was asked for."""

    task_id: str
