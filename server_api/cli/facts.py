"""``onehall facts``: what has crossed, what stands still, and how to let it go on."""

from __future__ import annotations

import argparse
from typing import Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import House, open_house
from server_api.platform.facts.parking import list_parked, retry_parked, skip_parked
from server_api.platform.facts.rebuild import rebuild
from server_api.platform.facts.replay import announce_restore, compare, replay
from server_api.platform.facts.standing import facts_standing
from shared_models.values.clock import town_text

ROLES = ("business", "billing")


def add_commands(subparsers: Any) -> None:
    """``facts list | retry | skip | compare | replay | rebuild | epoch``."""
    parser = subparsers.add_parser("facts", help=t("facts.help"), description=t("facts.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    actions.add_parser("list", help=t("facts.list")).set_defaults(run=_list)
    retry = actions.add_parser("retry", help=t("facts.retry"))
    retry.add_argument("aggregate", help=t("facts.aggregate"))
    retry.set_defaults(run=_retry)
    skip = actions.add_parser("skip", help=t("facts.skip"))
    skip.add_argument("aggregate", help=t("facts.aggregate"))
    skip.add_argument("--reason", required=True, help=t("facts.reason"))
    skip.set_defaults(run=_skip)
    actions.add_parser("compare", help=t("facts.compare")).set_defaults(run=_compare)
    actions.add_parser("replay", help=t("facts.replay")).set_defaults(run=_replay)
    again = actions.add_parser("rebuild", help=t("facts.rebuild"))
    again.add_argument("copy", nargs="?", help=t("facts.copy"))
    again.set_defaults(run=_rebuild)
    epoch = actions.add_parser("epoch", help=t("facts.epoch"))
    epoch.add_argument("role", choices=ROLES)
    epoch.set_defaults(run=_epoch)


def _list(args: argparse.Namespace, console: Console) -> int:
    """Show each side's figures and every parked fact; 1 when something stands still."""
    shown: dict[str, Any] = {}
    with open_house(args) as house:
        for role in ROLES:
            database = house.databases.of(role)  # type: ignore[arg-type]
            standing, parked = facts_standing(database), list_parked(database)
            shown[role] = {
                "epoch": standing.epoch, "pending": standing.pending, "parked": standing.parked,
                "lag_s": standing.lag_s,
                "parked_facts": [dict(row._mapping) for row in parked],
            }
            console.say(t("facts.standing", role=role, epoch=standing.epoch, pending=standing.pending,
                          parked=standing.parked, lag=standing.lag_s))
            for row in parked:
                console.say(f"  {row.aggregate} #{row.seq} {row.kind} {town_text(row.parked_at)}: {row.error}")
    console.result(shown)
    return REFUSED if any(side["parked"] for side in shown.values()) else OK


def _source_of(house: House, aggregate: str) -> Any:
    """The side on which this aggregate stands still, and the other; None when it does not."""
    for source in (house.databases.business, house.databases.billing):
        if any(row.aggregate == aggregate for row in list_parked(source)):
            return source
    return None


def _retry(args: argparse.Namespace, console: Console) -> int:
    """Let a parked aggregate be tried again."""
    with open_house(args) as house:
        source = _source_of(house, args.aggregate)
        if source is None:
            console.complain(t("facts.not_parked", aggregate=args.aggregate))
            return REFUSED
        retry_parked(source, args.aggregate)
    console.say(t("facts.retried", aggregate=args.aggregate))
    console.result({"aggregate": args.aggregate, "retried": True})
    return OK


def _skip(args: argparse.Namespace, console: Console) -> int:
    """Go past a parked fact, with a reason that stays."""
    with open_house(args) as house:
        source = _source_of(house, args.aggregate)
        if source is None:
            console.complain(t("facts.not_parked", aggregate=args.aggregate))
            return REFUSED
        fact = skip_parked(source, house.databases.other(source), args.aggregate, args.reason)
    console.say(t("facts.skipped", aggregate=args.aggregate, seq=fact.seq, kind=fact.kind))
    console.result({"aggregate": args.aggregate, "seq": fact.seq, "kind": fact.kind, "reason": args.reason})
    return OK


def _compare(args: argparse.Namespace, console: Console) -> int:
    """Count what each side lacks of the other; 1 when anything is missing or lost."""
    shown = {}
    with open_house(args) as house:
        for crossing in house.crossings:
            found = compare(crossing.source, crossing.target)
            name = f"{crossing.source.role}->{crossing.target.role}"
            shown[name] = {"aggregates": found.aggregates, "facts": found.facts, "waiting": found.waiting,
                           "missing": found.missing, "lost_future": found.lost_future}
            console.say(t("facts.compared", name=name, aggregates=found.aggregates, facts=found.facts,
                          waiting=found.waiting, missing=found.missing, lost=len(found.lost_future)))
    console.result(shown)
    return REFUSED if any(side["missing"] or side["lost_future"] for side in shown.values()) else OK


def _replay(args: argparse.Namespace, console: Console) -> int:
    """After a restore of either side: queue again what is lacking, name what was lost."""
    shown = {}
    with open_house(args) as house:
        for crossing in house.crossings:
            done = replay(crossing.source, crossing.target)
            name = f"{crossing.source.role}->{crossing.target.role}"
            shown[name] = {"queued": done.queued, "lost_future": done.lost_future, "epoch": done.epoch}
            console.say(t("facts.replayed", name=name, queued=done.queued, lost=done.lost_future))
    console.result(shown)
    return OK


def _rebuild(args: argparse.Namespace, console: Console) -> int:
    """Replay a copy from the other side's log and report what was different; without a name, list the copies."""
    with open_house(args) as house:
        if args.copy is None or args.copy not in house.wiring.copies:
            for name, copy in sorted(house.wiring.copies.items()):
                console.say(f"{name}  {copy.role}  {', '.join(copy.kinds)}")
            console.result({"copies": sorted(house.wiring.copies)})
            return OK if args.copy is None else REFUSED
        copy = house.wiring.copies[args.copy]
        crossing = house.crossings[0] if copy.role == "billing" else house.crossings[1]
        done = rebuild(crossing, copy, lambda facts: console.progress(t("facts.rebuilding", facts=facts)))
    console.say(t("facts.rebuilt", name=copy.name, facts=done.facts, differences=len(done.differences)))
    for line in done.differences[:200]:
        console.say(f"  {line}")
    console.result({"copy": copy.name, "facts": done.facts, "differences": done.differences})
    return REFUSED if done.differences else OK


def _epoch(args: argparse.Namespace, console: Console) -> int:
    """Begin a new epoch on a side that was restored from a backup."""
    with open_house(args) as house:
        restored = house.databases.of(args.role)
        epoch = announce_restore(restored, house.databases.other(restored))
    console.say(t("facts.epoch_begun", role=args.role, epoch=epoch))
    console.result({"role": args.role, "epoch": epoch})
    return OK
