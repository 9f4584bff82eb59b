"""``onehall debit``: files to a bank (托收送盘) and its answers (回盘)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from server_api.billing.payment.debit_files import debit_file_text, make_debit_file, take_debit_answer
from server_api.billing.payment.debit_text import read_answer
from server_api.cli.console import OK, REFUSED, Console, t
from server_api.cli.house import open_house
from shared_models.contracts.work import system_context

_OWNER_ONLY = 0o600


def add_commands(subparsers: Any) -> None:
    """``debit out | again | in``."""
    verbs = subparsers.add_parser("debit", help=t("debit.help"), description=t("debit.help")).add_subparsers(
        dest="debit_verb", required=True, metavar="VERB"
    )
    out = verbs.add_parser("out", help=t("debit.out_help"))
    out.add_argument("--bank", required=True, help=t("debit.bank"))
    out.add_argument("file", type=Path, metavar="FILE", help=t("debit.file"))
    out.set_defaults(run=_out)
    again = verbs.add_parser("again", help=t("debit.again_help"))
    again.add_argument("file_no", metavar="NUMBER", help=t("debit.file_no"))
    again.add_argument("file", type=Path, metavar="FILE", help=t("debit.file"))
    again.set_defaults(run=_again)
    back = verbs.add_parser("in", help=t("debit.in_help"))
    back.add_argument("file", type=Path, metavar="FILE", help=t("debit.file"))
    back.set_defaults(run=_in)


def _out(args: argparse.Namespace, console: Console) -> int:
    """Ask a bank; the file is readable by its owner alone, because it names people and their bank accounts."""
    with open_house(args) as house:
        billing = house.databases.billing
        made = make_debit_file(billing, bank_code=args.bank, context=system_context("bank debit"))
        _write(args.file, debit_file_text(billing, made.file_no))
    console.say(t("debit.made", file_no=made.file_no, count=made.item_count, total=made.total_fen, path=args.file))
    console.result(made.model_dump(mode="json"))
    return OK


def _again(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house:
        _write(args.file, debit_file_text(house.databases.billing, args.file_no))
    console.result({"file_no": args.file_no})
    return OK


def _in(args: argparse.Namespace, console: Console) -> int:
    """Take an answer; refused (1) while something must be looked at by a person."""
    answer = read_answer(args.file.read_text(encoding="utf-8"))
    with open_house(args) as house:
        done = take_debit_answer(house.databases.billing, answer=answer, context=system_context("bank debit"))
    console.say(
        t("debit.answered", file_no=done.file_no, paid=done.paid_count, amount=done.paid_fen, failed=done.failed_count,
          check_failed=done.check_failed_count, waiting=done.waiting_count)
    )  # fmt: skip
    console.result(done.model_dump(mode="json"))
    return REFUSED if done.check_failed_count else OK


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w", encoding="utf-8") as file:
        file.write(text)
