"""``onehall pay``: take cash for an account from the command line, as the teller who signs in, under an act id.

The same act id (also one first sent over REST with the same content) is never booked twice.
"""

from __future__ import annotations

import argparse
import getpass
import os
from typing import Any

from server_api.billing.account import store as account_store
from server_api.billing.cashdesk import service as cashdesk
from server_api.billing.payment import service as payment
from server_api.business.staff import service as staff
from server_api.cli.console import OK, Console, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, Outcome, digest_of, perform
from shared_models.contracts.cashdesk import OpenTill
from shared_models.contracts.payment import PaymentTaken, TakePayment
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.common import NotPermitted
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import Fen
from shared_models.values.permissions import Permission

PASSWORD_VARIABLE = "ONEHALL_PASSWORD"


def add_commands(subparsers: Any) -> None:
    """``onehall pay ACCOUNT_NO AMOUNT``."""
    parser = subparsers.add_parser("pay", help=t("pay.help"), description=t("pay.description"))
    parser.add_argument("account_no", metavar=t("pay.account_no"), help=t("pay.account_no_help"))
    parser.add_argument("amount", metavar=t("pay.amount"), help=t("pay.amount_help"))
    parser.add_argument("--staff", required=True, help=t("pay.staff"))
    parser.add_argument("--counter", required=True, help=t("pay.counter"))
    parser.add_argument("--received", help=t("pay.received"))
    parser.add_argument("--note", default="", help=t("pay.note"))
    parser.add_argument("--act-id", default="", help=t("pay.act_id"))
    parser.add_argument("--open-till", metavar=t("pay.amount"), help=t("pay.open_till"))
    parser.add_argument("--preview", action="store_true", help=t("pay.preview"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Sign in, take the payment, and say what became of it."""
    amount = Fen.parse(args.amount)
    received = Fen.parse(args.received) if args.received else amount
    with open_house(args) as house:
        context = _signed_in(house, args)
        request = TakePayment(
            account_id=_account_id(house, args.account_no), amount_fen=amount, received_fen=received, note=args.note
        )
        if args.preview:
            return _preview(house, context, request, console)
        act_id = args.act_id or new_id()
        if args.open_till is not None:
            _open_till(house, context, Fen.parse(args.open_till), act_id)
        outcome = _take(house, context, request, act_id)
    taken = PaymentTaken.model_validate_json(outcome.reply)
    console.say(
        t(
            "pay.taken",
            receipt_no=taken.receipt.receipt_no,
            amount=taken.receipt.total_fen.grouped,
            capitals=taken.receipt.total_capitals,
            change=taken.change_fen,
            owed=taken.owed_after_fen,
            balance=taken.balance_after_fen,
        )
    )
    if outcome.replayed:
        console.say(t("pay.replayed", act_id=act_id))
    console.result({"act_id": act_id, "replayed": outcome.replayed, **taken.model_dump(mode="json")})
    return OK


def _signed_in(house: House, args: argparse.Namespace) -> WorkContext:
    business = house.databases.business
    password = os.environ.get(PASSWORD_VARIABLE) or getpass.getpass(t("pay.password", staff_no=args.staff))
    found = staff.sign_in(
        business, staff_no=args.staff, password=password, counter_no=args.counter, clock_now=business.clock.now()
    )
    context = found.context.model_copy(update={"hall_name": found.hall_name})
    if not context.may(Permission.PAYMENT_TAKE):
        raise NotPermitted(permission=Permission.PAYMENT_TAKE.value)
    return context


def _account_id(house: House, account_no: str) -> str:
    with house.databases.billing.reading() as connection:
        account_id = account_store.account_id_of(connection, account_no)
    if account_id is None:
        raise AccountNotFound(account_no=account_no)
    return account_id


def _open_till(house: House, context: WorkContext, float_: Fen, act_id: str) -> None:
    """Open the till where the teller has none at this counter."""
    billing = house.databases.billing
    with billing.reading() as connection:
        live = cashdesk.current_till(connection, context).till
    if live is not None and live.counter_no == context.counter_no and live.closed_at is None:
        return
    request = OpenTill(float_fen=float_)
    act = Act(derived_id(act_id, "open_till"), "open_till", _digest("open_till", request), context)
    perform(billing, act, lambda uow: cashdesk.open_till(uow, request=request))


def _take(house: House, context: WorkContext, request: TakePayment, act_id: str) -> Outcome:
    act = Act(act_id, "take_payment", _digest("take_payment", request), context)
    return perform(house.databases.billing, act, lambda uow: payment.take_payment(uow, request=request))


def _preview(house: House, context: WorkContext, request: TakePayment, console: Console) -> int:
    billing = house.databases.billing
    with billing.reading() as connection:
        shown = payment.preview_payment(connection, context, billing.clock, request=request)
    for step in shown.explanation:
        console.say(step)
    console.say(t("pay.previewed", owed=shown.owed_after_fen, balance=shown.balance_after_fen))
    console.result(shown.model_dump(mode="json"))
    return OK


def _digest(kind: str, request: Any) -> str:
    """The digest the same act has over REST, so that the two are one."""
    return digest_of({"kind": kind, "path": {}, "body": request.model_dump(mode="json")})
