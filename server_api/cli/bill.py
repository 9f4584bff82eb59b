"""``onehall bill``: preview a month, run it, show a bill, put it on paper."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import resources
from server_api.billing.bill import service
from server_api.billing.bill.paper import Paper, bill_pdf
from server_api.cli.bill_cycles import add_cycles
from server_api.cli.bill_output import add_output
from server_api.cli.bill_preview import add_options, preview
from server_api.cli.bill_reports import add_reports
from server_api.cli.console import OK, Console, language, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.bill import BillDocument, RunProgress
from shared_models.contracts.work import system_context
from shared_models.values.clock import town_day
from shared_models.values.faults.bill import BillRunNotRunning
from shared_models.values.ids import new_id
from shared_models.values.period import Month


def add_commands(subparsers: Any) -> None:
    """``bill preview|run|days|set-day|aside|show|pdf|income|compare-old|output``."""
    parser = subparsers.add_parser("bill", help=t("bill.help"), description=t("bill.description"))
    acts = parser.add_subparsers(dest="bill_command", required=True, metavar=t("command"), title=t("commands"))
    for name, run in (("preview", preview), ("run", _run)):
        one = acts.add_parser(name, help=t(f"bill.{name}"), description=t(f"bill.{name}"))
        one.add_argument("--month", required=True, type=_month, metavar="YYYY-MM", help=t("bill.month"))
        one.add_argument("--day", type=int, default=1, choices=range(1, 32), metavar="DAY", help=t("bill.day"))
        one.set_defaults(run=run)
        if name == "preview":
            add_options(one)
        if name == "run":
            one.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help=t("bill.workers"))
    assist = acts.add_parser("assist", help=t("bill.assist"), description=t("bill.assist"))
    assist.add_argument("run_id", metavar="RUN")
    assist.set_defaults(run=_assist)
    for name, run in (("show", _show), ("pdf", _pdf)):
        one = acts.add_parser(name, help=t(f"bill.{name}"), description=t(f"bill.{name}"))
        one.add_argument("bill", metavar=t("bill.which"), help=t("bill.which_help"))
        one.set_defaults(run=run)
        if name == "show":
            one.add_argument("--open", action="store_true", help=t("bill.open"))
        else:
            one.add_argument("--paper", choices=[each.value for each in Paper], default="A4", help=t("bill.paper"))
            one.add_argument("--out", type=Path, help=t("bill.out"))
    add_cycles(acts, _month)
    add_reports(acts, _month)
    add_output(acts, _month)


def _month(words: str) -> Month:
    try:
        return Month(int(words.replace("-", "")))
    except ValueError:
        raise argparse.ArgumentTypeError(t("bill.not_a_month", words=words)) from None


# ---- the month -----------------------------------------------------------------------------------------------------
def _run(args: argparse.Namespace, console: Console) -> int:
    """Bill a month; killed or stopped, the same command goes on."""
    with open_house(args, label="billrun") as house:
        begin_month(house, args.month, args.day)
        run_id = service.run_id_of(args.month, args.day)

        def progress(done: int, total: int) -> None:
            billing = house.databases.billing
            with billing.reading() as connection:
                console.progress(_progress_words(service.read_run(connection, run_id, billing.clock.now())))

        done = service.run_month(house.databases.billing, run_id, on_progress=progress, workers=max(1, args.workers))
    console.say(
        _text(
            "closed",
            month=args.month,
            bills=f"{done.bill_count:,}",
            total=done.total_fen.grouped,
            aside=done.aside_count,
        )
    )
    console.result(done.model_dump(mode="json"))
    return OK


def _assist(args: argparse.Namespace, console: Console) -> int:
    """One more process for a run under way; ends with it, also when it is cancelled."""
    with open_house(args, label="billrun") as house:
        try:
            service.assist_run(house.databases.billing, args.run_id)
        except BillRunNotRunning:
            return OK
    return OK


def begin_month(house: House, month: Month, day: int = 1) -> None:
    """The act that opens the run of a month and billing day, or goes on with it."""
    digest = digest_of({"yyyymm": month.yyyymm, "billing_day": day})
    act = Act(new_id(), "begin_bill_run", digest, system_context("onehall bill run"))
    perform(house.databases.billing, act, lambda uow: service.begin_run(uow, month=month, billing_day=day))


def _progress_words(run: RunProgress) -> str:
    remaining = _text("unknown_time") if run.remaining_s is None else _text("seconds", seconds=run.remaining_s)
    return _text(
        "running",
        month=Month(run.yyyymm),
        done=f"{run.done_count:,}",
        accounts=f"{run.account_count:,}",
        bills=f"{run.bill_count:,}",
        total=run.total_fen.grouped,
        aside=run.aside_count,
        remaining=remaining,
    )


# ---- one bill ------------------------------------------------------------------------------------------------------
def _show(args: argparse.Namespace, console: Console) -> int:
    """One bill as text; ``--open`` shows what made each line."""
    with open_house(args) as house:
        document = _document(house, args.bill)
        opened = _openings(house, document) if args.open else {}
    head = document.head
    console.say(f"{text_of('title')} {head.bill_no}  {document.payer.name}  {document.from_on} .. {document.until_on}")
    rows: list[tuple[str, ...]] = []
    for line in document.lines:
        rows.append((line.service_label, line.shown_as, line.label, str(line.part_count), line.amount_fen.grouped))
        rows += [("", "", f"  {words}", "", "") for words in opened.get(line.line_no, ())]
    console.table((text_of("service"), "", text_of("item"), "", text_of("amount")), rows)
    console.say(f"{text_of('total')} {head.total_fen.grouped}")
    console.result(document.model_dump(mode="json"))
    return OK


def _openings(house: House, document: BillDocument) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    with house.databases.billing.reading() as connection:
        for line in document.lines:
            opening = service.open_line(
                connection, document.head.bill_id, line.line_no, 20, None, language(), with_calls=False
            )
            found[line.line_no] = (*(charge.text for charge in opening.charges), opening.rounding)
    return found


def _pdf(args: argparse.Namespace, console: Console) -> int:
    """One bill as a PDF file."""
    with open_house(args) as house:
        document = _document(house, args.bill)
    file = args.out or Path(f"bill-{document.head.bill_no}.pdf")
    file.write_bytes(bill_pdf(document, Paper(args.paper), language()))
    console.say(t("bill.written", file=file))
    console.result({"file": str(file)})
    return OK


def _document(house: House, which: str) -> BillDocument:
    """A bill by its id or number (202603-1000000001)."""
    billing = house.databases.billing
    with billing.reading() as connection:
        bill_id = service.find_bill(connection, which)
        return service.read_bill(connection, bill_id, language(), billing.secrets, town_day(billing.clock.now()))


def text_of(key: str) -> str:
    return resources.text(f"bill.{key}", language())


def _text(key: str, **params: object) -> str:
    return resources.text(f"ui.billrun.{key}", language(), **params)
