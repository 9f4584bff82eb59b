"""``onehall bill days|set-day`` and the late bills of ``bill aside``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from server_api.billing.account import service as account_service
from server_api.billing.bill import service
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.bill import BillingDayView, LateBill, SetAside, SetBillingDay
from shared_models.contracts.work import system_context
from shared_models.values.faults.base import Fault
from shared_models.values.ids import new_id
from shared_models.values.period import Month

_PAGE = 500


def add_cycles(acts: Any, month: Callable[[str], Month]) -> None:
    """``bill days``, ``bill set-day`` and ``bill aside``."""
    days = acts.add_parser("days", help=t("bill.days"), description=t("bill.days"))
    days.set_defaults(run=_days)
    aside = acts.add_parser("aside", help=t("bill.aside"), description=t("bill.aside"))
    aside.add_argument("--bill", action="store_true", help=t("bill.bill_asides"))
    aside.set_defaults(run=_aside)
    for one in (days, aside):
        one.add_argument("--month", required=True, type=month, metavar="YYYY-MM", help=t("bill.month"))
    one = acts.add_parser("set-day", help=t("bill.set_day"), description=t("bill.set_day"))
    one.add_argument("account", help=t("bill.account_help"))
    one.add_argument("day", type=int, choices=range(1, 32), metavar="DAY", help=t("bill.set_day_day"))
    one.add_argument("--from", dest="from_month", type=month, metavar="YYYY-MM", help=t("bill.from_month"))
    one.set_defaults(run=_set_day)


def _days(args: argparse.Namespace, console: Console) -> int:
    """The runs a month needs: one for each day its cycles end on."""
    with open_house(args) as house, house.databases.billing.reading() as connection:
        found = service.cycles_of_month(connection, args.month)
    console.table(
        tuple(t(f"bill.{name}") for name in ("billing_day", "ends_on", "accounts", "state")),
        [(str(one.billing_day), str(one.until_on), f"{one.account_count:,}", one.state) for one in found.items],
    )
    console.result(found.model_dump(mode="json"))
    return OK


def _set_day(args: argparse.Namespace, console: Console) -> int:
    """Let an account's cycles begin on another day."""
    request = SetBillingDay(billing_day=args.day, from_month=args.from_month.yyyymm if args.from_month else None)
    with open_house(args) as house:
        billing = house.databases.billing
        with billing.reading() as connection:
            account_id = account_service.find_account(connection, args.account)
        body = {"account_id": account_id, **request.model_dump(mode="json")}
        act = Act(new_id(), "set_billing_day", digest_of(body), system_context("onehall bill set-day"))
        reply = perform(billing, act, lambda uow: service.set_billing_day(uow, account_id=account_id, request=request))
    done = BillingDayView.model_validate_json(reply.reply)
    last_on = done.last_until_on - timedelta(days=1)
    console.say(
        t("bill.day_set", account=args.account, day=args.day, month=Month(done.from_month),
          last_from=done.last_from_on, last_until=last_on)
    )  # fmt: skip
    console.result(done.model_dump(mode="json"))
    return OK


def _aside(args: argparse.Namespace, console: Console) -> int:
    """The accounts a month's run could not bill, and why; with ``--bill`` their bills are made where that works by now.

    1 when there are any left.
    """
    with open_house(args) as house:
        left = _listed(house, args.month)
        made: list[LateBill] = []
        if args.bill:
            made, left = _bill_them(house, args.month, left, console)
    for one in left:
        console.say(f"{one.account_no or one.account_id}  {one.text}")
    console.result(
        {
            "month": str(args.month),
            "aside": [one.model_dump(mode="json") for one in left],
            "billed": [one.model_dump(mode="json") for one in made],
        }
    )
    return REFUSED if left else OK


def _listed(house: House, month: Month) -> list[SetAside]:
    found: list[SetAside] = []
    cursor: str | None = None
    with house.databases.billing.reading() as connection:
        while True:
            page = service.set_asides(connection, month.yyyymm, _PAGE, cursor, language())
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found


def _bill_them(
    house: House, month: Month, aside: list[SetAside], console: Console
) -> tuple[list[LateBill], list[SetAside]]:
    made: list[LateBill] = []
    left: list[SetAside] = []
    for one in aside:
        body = {"account_id": one.account_id, "yyyymm": month.yyyymm}
        act = Act(new_id(), "bill_set_aside", digest_of(body), system_context("onehall bill aside"))
        try:
            reply = perform(house.databases.billing, act, _late_bill(month, one)).reply
        except Fault as fault:
            left.append(one.model_copy(update={"text": service.fault_words(fault, language())}))
            continue
        done = LateBill.model_validate_json(reply)
        made.append(done)
        words = "late_made" if done.bill_no else "late_none"
        console.say(
            t(f"bill.{words}", account=one.account_no, number=done.bill_no, total=done.total_fen.grouped,
              due_on=done.due_on)
        )  # fmt: skip
    return made, left


def _late_bill(month: Month, one: SetAside) -> Callable[[Any], LateBill]:
    return lambda uow: service.bill_set_aside(uow, month=month, account_id=one.account_id)
