"""``onehall check-books``: every rule of the books over both databases, with counts and sums."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import resources
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import House, open_house
from server_api.platform.registry import Finding, Invariant


@dataclass(frozen=True)
class Checked:
    """One rule and what was found."""

    invariant: Invariant
    finding: Finding
    seconds: float


def add_commands(subparsers: Any) -> None:
    """``check-books``."""
    parser = subparsers.add_parser("check-books", help=t("books.help"), description=t("books.description"))
    parser.add_argument("only", nargs="*", help=t("books.only"))
    parser.set_defaults(run=_check_books)


def check_books(house: House, only: tuple[str, ...] = ()) -> list[Checked]:
    """Run the rules (all, or those named) and return what each found."""
    checked = []
    for invariant in house.wiring.invariants:
        if only and invariant.name not in only:
            continue
        begun = time.monotonic()
        looked_at = house.databases if invariant.role is None else house.databases.of(invariant.role)
        checked.append(Checked(invariant, invariant.check(looked_at), time.monotonic() - begun))
    return checked


def _check_books(args: argparse.Namespace, console: Console) -> int:
    """Check and print; 1 when a rule does not hold."""
    with open_house(args) as house:
        checked = check_books(house, tuple(args.only))
    rows = []
    for one in checked:
        finding = one.finding
        rows.append((
            one.invariant.role or t("books.both"), _words(one.invariant.name), finding.counted,
            "" if finding.amount is None else finding.amount.amount_fen,
            t("books.holds") if finding.holds else t("books.broken"),
        ))
    console.table((t("books.side"), t("books.rule"), t("books.count"), t("books.fen"), t("books.result")), rows)
    broken = [one for one in checked if not one.finding.holds]
    for one in broken:
        console.say(f"{_words(one.invariant.name)}: {one.finding.wrong_count or len(one.finding.wrong)}")
        for line in one.finding.wrong[:20]:
            console.say(f"  {line}")
    console.say(t("books.balance") if not broken else t("books.no_balance", count=len(broken)))
    console.result({"balance": not broken, "rules": [_as_json(one) for one in checked]})
    return REFUSED if broken else OK


def _words(name: str) -> str:
    key = f"invariant.{name}"
    words = resources.text(key, language())
    return name if words == key else words


def _as_json(one: Checked) -> dict[str, Any]:
    finding = one.finding
    return {
        "rule": one.invariant.name, "side": one.invariant.role or "both", "holds": finding.holds,
        "count": finding.counted, "amount_fen": None if finding.amount is None else finding.amount.amount_fen,
        "wrong": list(finding.wrong), "seconds": round(one.seconds, 3),
    }
