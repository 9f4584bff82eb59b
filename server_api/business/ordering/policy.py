"""How orders are carried out, as read from resources/policy/orders.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import resources

STEPS = frozenset({"after", "accept", "pay", "day", "network", "work", "settle", "book"})


@dataclass(frozen=True, slots=True)
class ActPlan:
    """One act: what its item must name, its steps, the step of no return, the kind of visit, its rank in the queue."""

    needs: tuple[str, ...]
    steps: tuple[str, ...]
    no_return: str
    work: str
    rank: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command to a system outside, with words to be filled in, and what takes it back."""

    system: str
    key: str
    act: str
    wanted: Mapping[str, str]
    undo: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """All of it."""

    keep: timedelta
    hold: timedelta
    acts: Mapping[str, ActPlan]
    fees: Mapping[str, tuple[str, ...]]
    offers: Mapping[str, Mapping[str, str]]
    levels: Mapping[str, int]
    network: Mapping[str, Mapping[str, tuple[Command, ...]]]
    ask_settle: bool

    def commands(self, offering_code: str, service: str, act: str) -> tuple[Command, ...]:
        """The commands of an act: those of the offering, else those of its service."""
        for name in (offering_code, service):
            found = self.network.get(name, {}).get(act)
            if found is not None:
                return found
        return ()


@lru_cache(maxsize=1)
def order_policy() -> OrderPolicy:
    """The policy of this installation. Raises ValueError where it contradicts itself."""
    return read_policy(tomllib.loads(resources.path("policy", "orders.toml").read_text(encoding="utf-8")))


def read_policy(tree: Mapping[str, Any]) -> OrderPolicy:
    """A policy from its document. Raises ValueError."""
    acts = {
        name: ActPlan(
            tuple(row["needs"]), tuple(row["steps"]), row["no_return"], row.get("work", ""), row.get("rank", "normal")
        )
        for name, row in tree["acts"].items()
    }
    for name, act in acts.items():
        if not set(act.steps) <= STEPS or act.steps[-1] != "book" or act.no_return not in act.steps:
            raise ValueError(f"orders.toml: steps of {name}")
    return OrderPolicy(
        keep=timedelta(days=tree["keep_days"]),
        hold=timedelta(days=tree["hold_days"]),
        acts=acts,
        fees={name: tuple(endings) for name, endings in tree["fees"].items()},
        offers=tree["offers"],
        levels=tree["levels"],
        network={
            service: {name: tuple(_command(row) for row in rows) for name, rows in by_act.items()}
            for service, by_act in tree["network"].items()
        },
        ask_settle=bool(tree["settle"]["ask"]),
    )


def _command(row: Mapping[str, Any]) -> Command:
    return Command(row["system"], row["key"], row["act"], row.get("wanted", {}), row.get("undo"))
