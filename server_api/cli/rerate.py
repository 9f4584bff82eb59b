"""``onehall rerate``: rate usage again by what is known today, see what would change, stop and go on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any

from server_api.billing.account import service as account
from server_api.billing.rating import rerate_acts
from server_api.cli.console import OK, Console, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rerate import BeginRerate, RerateView
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

_LISTED = 20
_COLUMNS = ("id", "state", "days", "tariff", "calls", "changed", "difference", "reason")


def add_commands(subparsers: Any) -> None:
    """``rerate preview|run|resume|cancel|list``."""
    parser = subparsers.add_parser("rerate", help=t("rerate.help"), description=t("rerate.description"))
    acts = parser.add_subparsers(dest="action", required=True, metavar=t("command"), title=t("commands"))
    for name, run in (("preview", _preview), ("run", _run)):
        one = acts.add_parser(name, help=t(f"rerate.{name}"), description=t(f"rerate.{name}"))
        days = one.add_mutually_exclusive_group(required=True)
        days.add_argument("--month", type=_month, metavar="YYYY-MM", help=t("rerate.month"))
        days.add_argument("--from", dest="from_on", type=date.fromisoformat, metavar="YYYY-MM-DD",
                          help=t("rerate.from"))  # fmt: skip
        one.add_argument("--until", dest="until_on", type=date.fromisoformat, metavar="YYYY-MM-DD",
                         help=t("rerate.until"))  # fmt: skip
        one.add_argument("--tariff", default="", metavar="CODE", help=t("rerate.tariff"))
        one.add_argument("--account", default="", metavar=t("rerate.account_no"), help=t("rerate.account"))
        if name == "run":
            one.add_argument("--reason", required=True, help=t("rerate.reason"))
        one.set_defaults(run=run, reason="preview")
    for name, run in (("resume", _resume), ("cancel", _cancel)):
        one = acts.add_parser(name, help=t(f"rerate.{name}"), description=t(f"rerate.{name}"))
        one.add_argument("rerate_id", metavar="ID")
        one.set_defaults(run=run)
    acts.add_parser("list", help=t("rerate.list"), description=t("rerate.list")).set_defaults(run=_list)


def _month(words: str) -> Month:
    try:
        return Month(int(words.replace("-", "")))
    except ValueError:
        raise argparse.ArgumentTypeError(t("bill.not_a_month", words=words)) from None


def _asked(house: House, args: argparse.Namespace) -> BeginRerate:
    billing = house.databases.billing
    from_on = args.month.first_on if args.month else args.from_on
    until_on = args.until_on or (args.month or Month.of(from_on)).until_on
    account_id = None
    if args.account:
        with billing.reading() as conn:
            account_id = account.find_account(conn, args.account)
    return BeginRerate(
        from_on=from_on, until_on=until_on, tariff_code=args.tariff, account_id=account_id, reason=args.reason
    )


def _preview(args: argparse.Namespace, console: Console) -> int:
    """What a re-rating would change, by account; nothing is written."""
    from server_api.billing.rating.rerate import rerate
    from server_api.billing.rating.rerate_read import Asked

    with open_house(args) as house:
        wanted = _asked(house, args)
        outcome = rerate(
            house.databases.billing,
            Asked(
                wanted.from_on, wanted.until_on, wanted.tariff_code or None,
                (wanted.account_id,) if wanted.account_id else (),
            ),
            rerate_id="",
            dry=True,
            progress=_progress(console),
        )  # fmt: skip
        differing = sorted(
            ((more, one) for one, more in outcome.by_account.items() if more), key=lambda pair: (-abs(pair[0]), pair[1])
        )
        with house.databases.billing.reading() as conn:
            numbers = {one: account.view_account(conn, one).account_no for _more, one in differing[:_LISTED]}
    console.say(
        t("rerate.would", calls=f"{outcome.call_count:,}", changed=f"{outcome.changed_count:,}",
          corrected=f"{outcome.corrected_count:,}", moved=f"{outcome.moved_count:,}",
          unresolved=f"{outcome.unresolved_count:,}", was=_yuan(outcome.was_micro_yuan),
          now=_yuan(outcome.now_micro_yuan))
    )  # fmt: skip
    if differing:
        console.table((t("rerate.column.account"), t("rerate.column.difference")),
                      [(numbers[one], _yuan(more)) for more, one in differing[:_LISTED]])  # fmt: skip
        if len(differing) > _LISTED:
            console.say(t("rerate.more", count=len(differing) - _LISTED))
    console.result({
        "call_count": outcome.call_count, "changed_count": outcome.changed_count,
        "corrected_count": outcome.corrected_count, "moved_count": outcome.moved_count,
        "unresolved_count": outcome.unresolved_count, "was_micro_yuan": outcome.was_micro_yuan,
        "now_micro_yuan": outcome.now_micro_yuan, "by_account": {one: more for more, one in differing},
    })  # fmt: skip
    return OK


def _run(args: argparse.Namespace, console: Console) -> int:
    """Rate again; killed or stopped, ``onehall rerate resume`` goes on."""
    with open_house(args, label="rerate") as house:
        wanted = _asked(house, args)
        view = _act(house, "begin_rerate", wanted.model_dump(mode="json"),
                    lambda uow: rerate_acts.begin_rerate(uow, request=wanted, by_worker=False))  # fmt: skip
        return _carry_on(house, view.rerate_id, console)


def _resume(args: argparse.Namespace, console: Console) -> int:
    """Go on with a re-rating that was cancelled or killed."""
    with open_house(args, label="rerate") as house:
        _act(house, "resume_rerate", {"rerate_id": args.rerate_id},
             lambda uow: rerate_acts.resume_rerate(uow, rerate_id=args.rerate_id, by_worker=False))  # fmt: skip
        return _carry_on(house, args.rerate_id, console)


def _carry_on(house: House, rerate_id: str, console: Console) -> int:
    console.say(t("rerate.begun", id=rerate_id))
    outcome = rerate_acts.carry_on(house.databases.billing, rerate_id, progress=_progress(console))
    with house.databases.billing.reading() as conn:
        view = rerate_acts.read_rerate(conn, rerate_id)
    console.say(
        t("rerate.stopped" if outcome is None else "rerate.done", id=rerate_id, calls=f"{view.call_count:,}",
          changed=f"{view.changed_count:,}", moved=f"{view.moved_count:,}",
          was=_yuan(view.was_micro_yuan.amount_micro_yuan), now=_yuan(view.now_micro_yuan.amount_micro_yuan))
    )  # fmt: skip
    if outcome is not None and outcome.unresolved_count:
        console.say(t("rerate.unresolved", count=f"{outcome.unresolved_count:,}"))
    console.result(view.model_dump(mode="json"))
    return OK


def _cancel(args: argparse.Namespace, console: Console) -> int:
    """Stop a re-rating under way in another process."""
    with open_house(args) as house:
        view = _act(house, "cancel_rerate", {"rerate_id": args.rerate_id},
                    lambda uow: rerate_acts.cancel_rerate(uow, rerate_id=args.rerate_id))  # fmt: skip
    console.say(t("rerate.cancelled", id=view.rerate_id))
    console.result(view.model_dump(mode="json"))
    return OK


def _list(args: argparse.Namespace, console: Console) -> int:
    """The latest re-ratings."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        views = rerate_acts.latest_rerates(conn)
    console.result([view.model_dump(mode="json") for view in views])
    console.table([t(f"rerate.column.{name}") for name in _COLUMNS], [_row(view) for view in views])
    return OK


def _row(view: RerateView) -> tuple[object, ...]:
    more = view.now_micro_yuan.amount_micro_yuan - view.was_micro_yuan.amount_micro_yuan
    return (
        view.rerate_id, t(f"rerate.state.{view.state}"), f"{view.from_on} .. {view.until_on}", view.tariff_code or "-",
        f"{view.call_count:,}", f"{view.changed_count:,}", _yuan(more), view.reason,
    )  # fmt: skip


def _act(house: House, kind: str, arguments: dict[str, Any], work: Callable[[UnitOfWork], RerateView]) -> RerateView:
    act = Act(new_id(), kind, digest_of(arguments), system_context("onehall rerate"))
    return RerateView.model_validate_json(perform(house.databases.billing, act, work).reply)


def _progress(console: Console) -> Callable[[int, int], None]:
    return lambda done, total: console.progress(t("rerate.progress", done=f"{done:,}", total=f"{total:,}"))


def _yuan(amount_micro_yuan: int) -> str:
    return str(MicroYuan(amount_micro_yuan))
