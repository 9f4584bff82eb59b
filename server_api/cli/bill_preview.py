"""``onehall bill preview``: shown as a table, kept as a report of files that a spreadsheet or a program opens."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from server_api.billing.bill import service
from server_api.cli.console import OK, Console, language, t
from server_api.cli.house import open_house
from server_api.platform.tabular import write_csv
from shared_models.contracts.bill import RunPreview

_SHOWN = 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the report goes."""
    parser.add_argument("--out", type=Path, metavar=t("bill.folder"), help=t("bill.preview_out"))


def preview(args: argparse.Namespace, console: Console) -> int:
    """What a month run would make now, compared with the month before; written to a folder, nothing billed."""
    with open_house(args) as house:
        found = service.preview_run(
            house.databases.billing,
            args.month,
            billing_day=args.day,
            language=language(),
            on_progress=lambda done, total: console.progress(f"{done:,}/{total:,}"),
        )
        folder = args.out or house.settings.data_dir / "reports" / f"bill-preview-{args.month}"
    files = write_report(found, folder)
    console.say(
        t("bill.previewed", month=args.month, accounts=f"{found.account_count:,}", bills=f"{found.bill_count:,}",
          total=found.total_fen.grouped, aside=found.aside_count, outliers=f"{found.outlier_count:,}")
    )  # fmt: skip
    if found.last_bill_count:
        console.say(t("bill.last_month", bills=f"{found.last_bill_count:,}", total=found.last_total_fen.grouped))
    _tell(console, found)
    console.say(t("bill.written", file=folder))
    console.result({**found.model_dump(mode="json"), "files": [str(file) for file in files]})
    return OK


def _tell(console: Console, found: RunPreview) -> None:
    if found.rows:
        console.table(
            tuple(t(f"bill.{name}") for name in ("service", "region", "item", "last", "draft", "difference")),
            [
                (row.service, row.region, row.item_code, row.last_fen.grouped, row.draft_fen.grouped,
                 row.difference_fen.grouped)
                for row in found.rows
            ],
        )  # fmt: skip
    if found.outliers:
        console.say(t("bill.outliers"))
        console.table(
            (t("bill.account"), t("bill.last"), t("bill.draft"), t("bill.difference"), t("bill.why")),
            [
                (each.account_no, each.last_fen.grouped, each.draft_fen.grouped, each.difference_fen.grouped, each.text)
                for each in found.outliers[:_SHOWN]
            ],
        )
    for each in found.aside[:_SHOWN]:
        console.say(f"{each.account_no or each.account_id}  {each.text}")


def write_report(found: RunPreview, folder: Path) -> list[Path]:
    """Write a preview to a folder: preview.json, and totals, outliers and set-asides as CSV (UTF-8 with a mark).

    Amounts in the CSV files are yuan with two decimals.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "preview.json"
    whole.write_text(json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=1), encoding="utf-8")
    totals, outliers, aside = (folder / f"{name}.csv" for name in ("totals", "outliers", "aside"))
    write_csv(
        totals,
        ("service", "region", "item", "last_lines", "last_yuan", "draft_lines", "draft_yuan", "difference_yuan"),
        [
            (row.service, row.region, row.item_code, row.last_count, str(row.last_fen), row.draft_count,
             str(row.draft_fen), str(row.difference_fen))
            for row in found.rows
        ],
    )  # fmt: skip
    write_csv(
        outliers,
        ("account", "last_yuan", "draft_yuan", "difference_yuan", "why", "item", "item_last_yuan", "item_draft_yuan"),
        [
            (each.account_no, str(each.last_fen), str(each.draft_fen), str(each.difference_fen), each.why,
             each.item_code, str(each.item_last_fen), str(each.item_draft_fen))
            for each in found.outliers
        ],
    )  # fmt: skip
    write_csv(
        aside,
        ("account", "reason", "text"),
        [(one.account_no or one.account_id, one.reason, one.text) for one in found.aside],
    )
    return [whole, totals, outliers, aside]
