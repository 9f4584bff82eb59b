"""``onehall order batch | show | quote``: orders from a file, one shown, what one would cost."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import resources
from server_api.business.ordering import service as ordering
from server_api.business.ordering.batch import order_rows
from server_api.cli.console import OK, REFUSED, USAGE, Console, language, t
from server_api.cli.house import open_house
from shared_models.contracts.ordering import SubmitOrder
from shared_models.contracts.work import system_context


def add_commands(subparsers: Any) -> None:
    """``order batch | show | quote``."""
    parser = subparsers.add_parser("order", help=t("order.help"), description=t("order.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    batch = actions.add_parser("batch", help=t("order.batch"), description=t("order.batch"))
    batch.add_argument("file", type=Path, help=t("order.file"))
    batch.add_argument("--dry-run", action="store_true", help=t("order.dry_run"))
    batch.set_defaults(run=_batch)
    show = actions.add_parser("show", help=t("order.show"), description=t("order.show"))
    show.add_argument("order", help=t("order.order_no"))
    show.set_defaults(run=_show)
    quote = actions.add_parser("quote", help=t("order.quote"), description=t("order.quote"))
    quote.add_argument("file", type=Path, help=t("order.quote_file"))
    quote.set_defaults(run=_quote)


def _batch(args: argparse.Namespace, console: Console) -> int:
    """Order row by row; exit code 1 where a row was refused."""
    if not args.file.exists():
        console.complain(t("catalog.file_missing", file=args.file))
        return USAGE
    results: list[dict[str, Any]] = []
    refused = 0
    with open_house(args) as house:
        context = system_context("command line")
        for one in order_rows(house.databases.business, context, args.file.read_bytes(), dry_run=args.dry_run):
            if one.fault is not None:
                refused += 1
                console.complain(t("order.row_refused", row=one.row_no, text=_text(one.fault)))
                results.append({"row": one.row_no, "code": one.fault.code, "params": _plain(one.fault.params)})
            else:
                number = one.done.order_no if one.done is not None else "-"
                state = one.done.state.value if one.done is not None else "ok"
                console.say(t("order.row_done", row=one.row_no, number=number, state=state))
                results.append({"row": one.row_no, "order_no": number, "state": state})
    console.say(t("order.batch_done", done=len(results) - refused, refused=refused))
    console.result({"rows": results, "refused": refused})
    return REFUSED if refused else OK


def _show(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house, house.databases.business.reading() as connection:
        view = ordering.read_order(connection, args.order, system_context("command line"))
    console.say(t("order.line", number=view.order_no, state=view.state.value, payment=view.payment_state,
                  total=str(view.total_fen)))  # fmt: skip
    for item in view.items:
        steps = " ".join(f"{step.step}:{step.state}" for step in item.steps)
        console.say(t("order.item_line", no=item.item_no, act=item.act.value, state=item.state.value, steps=steps))
    for fee in view.fees:
        label = fee.label_zh if language().startswith("zh") else fee.label_en
        console.say(t("order.fee_line", label=label, amount=str(fee.amount_fen)))
    console.result(view.model_dump(mode="json"))
    return OK


def _quote(args: argparse.Namespace, console: Console) -> int:
    if not args.file.exists():
        console.complain(t("catalog.file_missing", file=args.file))
        return USAGE
    try:
        order = SubmitOrder.model_validate_json(args.file.read_bytes())
    except ValidationError as error:
        console.complain(str(error))
        return USAGE
    with open_house(args) as house:
        quote = ordering.quote_order(house.databases.business, system_context("command line"), order)
    for fee in quote.fees:
        label = fee.label_zh if language().startswith("zh") else fee.label_en
        console.say(t("order.fee_line", label=label, amount=str(fee.amount_fen)))
    console.say(t("order.line", number="-", state="quote", payment="-", total=str(quote.total_fen)))
    console.result(quote.model_dump(mode="json"))
    return OK


def _text(fault: Any) -> str:
    return resources.text(f"fault.{fault.code}.text", language(), **_plain(fault.params))


def _plain(params: dict[str, Any]) -> dict[str, str]:
    short = "zh" if language().startswith("zh") else "en"
    return {name: str(value[short] if isinstance(value, dict) else value) for name, value in params.items()}
