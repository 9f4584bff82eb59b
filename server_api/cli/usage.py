"""``onehall usage``: files in, what waits in the error pool, and another try for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import resources
from server_api.billing.usage import service
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import House, open_house
from server_api.cli.usage_profiles import add_profiles
from server_api.cli.usage_radius import add_radius
from server_api.cli.usage_traffic import add_traffic
from shared_models.contracts.usage import UsageFileReport
from shared_models.values.faults.base import Fault
from shared_models.values.faults.usage import AlreadyRegistered
from shared_models.values.period import Month

_MB = 1_048_576


def add_commands(subparsers: Any) -> None:
    """``usage import | files | errors | retry | sample | profile | radius | trunks | settlement | agreements``."""
    parser = subparsers.add_parser("usage", help=t("usage.help"))
    verbs = parser.add_subparsers(dest="usage_verb", required=True, metavar="VERB")
    take = verbs.add_parser("import", help=t("usage.import_help"))
    take.add_argument("files", nargs="+", type=Path, metavar="FILE", help=t("usage.import_file"))
    take.add_argument("--format", help=t("usage.import_format"))
    take.add_argument("--switch", help=t("usage.import_switch"))
    take.set_defaults(run=_import)
    files = verbs.add_parser("files", help=t("usage.files_help"))
    files.set_defaults(run=_files)
    errors = verbs.add_parser("errors", help=t("usage.errors_help"))
    errors.add_argument("--reason", help=t("usage.errors_reason"))
    errors.add_argument("--file", type=int, help=t("usage.errors_file"))
    errors.add_argument("--limit", type=int, default=50, help=t("usage.errors_limit"))
    errors.add_argument("--cursor", help=t("usage.errors_cursor"))
    errors.set_defaults(run=_errors)
    retry = verbs.add_parser("retry", help=t("usage.retry_help"))
    retry.set_defaults(run=_retry)
    sample = verbs.add_parser("sample", help=t("usage.sample_help"))
    sample.add_argument("folder", type=Path, help=t("usage.sample_folder"))
    sample.add_argument("--month", type=int, required=True, help=t("usage.sample_month"))
    sample.add_argument("--calls", type=int, default=10_000, help=t("usage.sample_calls"))
    sample.add_argument("--sessions", type=int, default=2_000, help=t("usage.sample_sessions"))
    sample.add_argument("--numbers", type=Path, metavar="FILE", help=t("usage.sample_numbers"))
    sample.add_argument("--logins", type=Path, metavar="FILE", help=t("usage.sample_logins"))
    sample.set_defaults(run=_sample)
    add_profiles(verbs)
    add_radius(verbs)
    add_traffic(verbs)


def _import(args: argparse.Namespace, console: Console) -> int:
    """Import each file; one that was refused does not keep the next from being taken."""
    from server_api.billing.rating.included import deal_included_units  # the engine: only where it is needed
    from server_api.billing.usage.formats.tables import site_tables

    reports, refused = [], 0
    with open_house(args) as house, site_tables(house.settings.data_dir / "usage"):
        for path in args.files:

            def tell(done: int, total: int, records: int, name: str = path.name) -> None:
                console.progress(t("usage.progress", file=name, done=done // _MB, total=total // _MB, records=records))

            try:
                report = _taken(house, path, args, tell)
            except Fault as fault:
                console.refusal(fault)
                refused += not isinstance(fault, AlreadyRegistered)
                continue
            except OSError as error:
                console.complain(f"{path}: {error.strerror}")
                refused += 1
                continue
            reports.append(report)
            console.say(
                t(
                    "usage.report",
                    file=report.file_name,
                    read=report.read_count,
                    accepted=report.accepted_count,
                    rejected=report.rejected_count,
                    duplicate=report.duplicate_count,
                    charge=report.charge_micro_yuan,
                )
            )
            for name, count in (("traffic", report.traffic_count), ("joined", report.joined_count)):
                if count:
                    console.say(f"    {count:>9}  {t(f'usage.report_{name}')}")
            for reason, count in sorted(report.reasons.items(), key=lambda pair: -pair[1]):
                console.say(f"    {count:>9}  {_reason(reason)}")
        # once for all files; an import that was broken off before this is made good by the next, or by the month run
        deal_included_units(house.databases.billing)
    console.result({"files": [report.model_dump(mode="json") for report in reports], "refused": refused})
    return REFUSED if refused else OK


def _taken(
    house: House, path: Path, args: argparse.Namespace, tell: Callable[[int, int, int], None]
) -> UsageFileReport:
    """Import a file of calls or sessions, or add RADIUS messages to their sessions."""
    from server_api.billing.rating.importer import import_file
    from server_api.billing.usage.radius.files import is_accounting, take_file

    billing = house.databases.billing
    if args.format is None and is_accounting(path):
        return take_file(billing, path)
    return import_file(billing, path, format_code=args.format, switch_code=args.switch, progress=tell, deal=False)


def _files(args: argparse.Namespace, console: Console) -> int:
    """List the files taken, the latest first."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        reports = service.files(conn)
    console.table(
        tuple(
            t(f"usage.files_{name}")
            for name in ("no", "name", "state", "read", "accepted", "traffic", "rejected", "duplicate", "joined")
        ),
        [
            (
                r.file_no,
                r.file_name,
                r.state,
                r.read_count,
                r.accepted_count,
                r.traffic_count,
                r.rejected_count,
                r.duplicate_count,
                r.joined_count,
            )
            for r in reports
        ],
    )
    console.result([report.model_dump(mode="json") for report in reports])
    return OK


def _errors(args: argparse.Namespace, console: Console) -> int:
    """Show what waits in the error pool."""
    with open_house(args) as house, house.databases.billing.reading() as conn:
        page = service.errors(conn, reason=args.reason, file_no=args.file, cursor=args.cursor, limit=args.limit)
    if not page.items:
        console.say(t("usage.errors_none"))
    else:
        console.table(
            tuple(t(f"usage.errors_{name}") for name in ("place", "why", "key", "started", "record")),
            [
                (f"{row.file_no}:{row.file_pos}", _reason(row.reason), row.owner_key, row.started, row.raw_record[:60])
                for row in page.items
            ],
        )
    if page.next_cursor:
        console.say(t("usage.errors_more", cursor=page.next_cursor))
    console.result(page.model_dump(mode="json"))
    return OK


def _retry(args: argparse.Namespace, console: Console) -> int:
    """Rate what can be rated now."""
    from server_api.billing.rating.retry import retry_pool

    with open_house(args) as house:
        report = retry_pool(house.databases.billing)
    console.say(
        t(
            "usage.retried",
            tried=report.tried_count,
            rated=report.rated_count,
            left=report.left_count,
            charge=report.charge_micro_yuan,
        )
    )
    console.result(report.model_dump(mode="json"))
    return OK


def _sample(args: argparse.Namespace, console: Console) -> int:
    """Write a made-up month."""
    from server_api.billing.usage.samples import write_month

    numbers = _listed(args.numbers) or [f"0937{3_960_000 + index}" for index in range(1_000)]
    logins = _listed(args.logins) or [f"bb{index:05d}" for index in range(1_000)]
    made = write_month(
        args.folder, numbers, logins, Month(args.month), call_count=args.calls, session_count=args.sessions
    )
    for file in made:
        console.say(
            t(
                "usage.sample_made",
                file=file.path,
                read=file.read_count,
                dirty=file.dirty_count,
                duplicate=file.duplicate_count,
            )
        )
    console.result(
        [
            {
                "file": str(file.path),
                "read": file.read_count,
                "dirty": file.dirty_count,
                "duplicate": file.duplicate_count,
            }
            for file in made
        ]
    )
    return OK


def _listed(path: Path | None) -> list[str]:
    """The lines of a file, blanks left out."""
    return path.read_text(encoding="utf-8").split() if path is not None else []


def _reason(code: str) -> str:
    return resources.text(f"ui.usage_reason.{code}", language())
