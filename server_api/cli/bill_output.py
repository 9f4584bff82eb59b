"""``onehall bill output``: a month's bills as files for mail, short messages and the printer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server_api.billing.bill.outputs import write_outputs
from server_api.cli.console import OK, Console, language, t
from server_api.cli.house import open_house
from shared_models.values.period import Month


def add_output(acts: Any, month: Callable[[str], Month]) -> None:
    """``bill output --month YYYY-MM --dir DIR [--pdf]``."""
    one = acts.add_parser("output", help=t("bill.output"), description=t("bill.output"))
    one.add_argument("--month", required=True, type=month, metavar="YYYY-MM", help=t("bill.month"))
    one.add_argument("--dir", type=Path, required=True, metavar="DIR", help=t("bill.output_dir"))
    one.add_argument("--pdf", action="store_true", help=t("bill.output_pdf"))
    one.set_defaults(run=_output)


def _output(args: argparse.Namespace, console: Console) -> int:
    with open_house(args) as house:
        made = write_outputs(
            house.databases.billing,
            args.month,
            args.dir,
            language(),
            pdf=args.pdf,
            progress=lambda done: console.progress(t("bill.output_progress", done=f"{done:,}")),
        )
    for channel, count in made.counts.items():
        console.say(t(f"bill.output_{channel}", count=f"{count:,}", total=made.sums[channel].grouped))
    console.result(
        {
            "counts": {str(one): count for one, count in made.counts.items()},
            "sums_fen": {str(one): total.amount_fen for one, total in made.sums.items()},
            "drawn": made.drawn,
        }
    )
    return OK
