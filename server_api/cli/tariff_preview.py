"""``onehall tariff preview``: last month's real usage under a draft tariff, who wins and who loses, with a plot."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server_api.billing.rating.tariff.files import tariffs_in
from server_api.cli.console import OK, REFUSED, Console, language, t
from shared_models.values.clock import town_day
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

if TYPE_CHECKING:
    from server_api.billing.rating.preview import Preview

_LISTED = 10


def add_preview(verbs: Any) -> None:
    """``tariff preview``."""
    one = verbs.add_parser("preview", help=t("tariff_preview.help"), description=t("tariff_preview.description"))
    one.add_argument("files", nargs="+", type=Path, metavar="FILE", help=t("tariff.import_file"))
    one.add_argument("--month", type=_month, metavar="YYYY-MM", help=t("tariff_preview.month"))
    one.add_argument("--instead-of", metavar="CODE", help=t("tariff_preview.instead_of"))
    one.add_argument("--plot", type=Path, metavar="FILE.png", help=t("tariff_preview.plot"))
    one.add_argument("--out", type=Path, metavar="FILE.csv", help=t("tariff_preview.out"))
    one.set_defaults(run=_preview)


def _month(words: str) -> Month:
    try:
        return Month(int(words.replace("-", "")))
    except ValueError:
        raise argparse.ArgumentTypeError(t("bill.not_a_month", words=words)) from None


def _preview(args: argparse.Namespace, console: Console) -> int:
    """Nothing is stored: neither the draft nor what usage would cost under it."""
    # Loaded by who previews: `onehall rate` shares this parser and needs no database.
    from server_api.billing.account.service import view_account
    from server_api.billing.rating.preview import preview_tariffs
    from server_api.cli.house import open_house

    try:
        drafts = [tariff for path in args.files for tariff in tariffs_in(path)]
    except OSError as error:
        console.complain(f"{error.filename}: {error.strerror}")
        return REFUSED
    if args.instead_of:
        drafts = [replace(draft, code=args.instead_of) for draft in drafts]
    with open_house(args) as house:
        billing = house.databases.billing
        month = args.month or Month.of(town_day(billing.clock.now())).previous()
        seen = preview_tariffs(
            billing, month, drafts,
            progress=lambda done, total: console.progress(t("rerate.progress", done=f"{done:,}", total=f"{total:,}")),
        )  # fmt: skip
        shown = [*seen.losers["account_id"][:_LISTED], *seen.winners["account_id"][:_LISTED]]
        with billing.reading() as conn:
            numbers = {one: view_account(conn, one).account_no for one in shown}
    _say(seen, numbers, console)
    if args.plot:
        from server_api.billing.rating.preview_plot import plot  # a second of start that only this needs

        plot(seen, args.plot, language())
        console.say(t("bill.written", file=args.plot))
    if args.out:
        _write(seen, args.out)
        console.say(t("bill.written", file=args.out))
    console.result(_document(seen))
    return OK


def _say(seen: Preview, numbers: dict[str, str], console: Console) -> None:
    same = len(seen.accounts) - len(seen.losers) - len(seen.winners)
    console.say(
        t("tariff_preview.summary", tariffs=", ".join(seen.tariff_codes), month=seen.month,
          accounts=f"{len(seen.accounts):,}", more=f"{len(seen.losers):,}", less=f"{len(seen.winners):,}",
          same=f"{same:,}", now=_yuan(seen.now_micro_yuan), then=_yuan(seen.then_micro_yuan),
          change=_yuan(seen.then_micro_yuan - seen.now_micro_yuan))
    )  # fmt: skip
    heads = tuple(t(f"tariff_preview.{name}") for name in ("item", "calls", "now", "then", "change"))
    console.table(heads, [(item, f"{calls:,}", *_three(now, then)) for item, calls, now, then in seen.items.rows()])
    for name, table in (("losers", seen.losers), ("winners", seen.winners)):
        if len(table):
            console.say(t(f"tariff_preview.{name}"))
            _accounts(table.head(_LISTED).rows(), numbers, console)


def _accounts(rows: Sequence[tuple[Any, ...]], numbers: dict[str, str], console: Console) -> None:
    heads = tuple(t(f"tariff_preview.{name}") for name in ("account", "calls", "now", "then", "change"))
    console.table(heads, [(numbers[account], f"{calls:,}", *_three(now, then)) for account, calls, now, then in rows])


def _three(now: int, then: int) -> tuple[str, str, str]:
    return _yuan(now), _yuan(then), _yuan(then - now)


def _yuan(amount_micro_yuan: int) -> str:
    return MicroYuan(amount_micro_yuan).to_fen().grouped


def _write(seen: Preview, path: Path) -> None:
    """Every account with its calls and exact amounts in yuan."""
    lines = ["account_id,calls,now_yuan,then_yuan,change_yuan"]
    for account, calls, now, then in seen.accounts.rows():
        lines.append(f"{account},{calls},{MicroYuan(now)},{MicroYuan(then)},{MicroYuan(then - now)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _document(seen: Preview) -> dict[str, Any]:
    names = ("calls", "now_micro_yuan", "then_micro_yuan")
    return {
        "month": seen.month.yyyymm, "tariffs": seen.tariff_codes, "accounts": len(seen.accounts),
        "losers": len(seen.losers), "winners": len(seen.winners), "now_micro_yuan": seen.now_micro_yuan,
        "then_micro_yuan": seen.then_micro_yuan,
        "by_item": {row[0]: dict(zip(names, row[1:], strict=True)) for row in seen.items.rows()},
        "classes": [{"from_yuan": low, "to_yuan": high, "accounts": count} for low, high, count in seen.classes()],
        "by_account": {row[0]: dict(zip(names, row[1:], strict=True)) for row in seen.accounts.rows()},
    }  # fmt: skip
