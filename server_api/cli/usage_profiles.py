"""``onehall usage profile list | check | sample``: kinds of usage files, and trying a table on a real file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import resources
from server_api.cli.console import OK, REFUSED, Console, language, t
from server_api.cli.house import settings_of

_SHOWN = 10


def add_profiles(verbs: Any) -> None:
    """Add the verbs to ``usage``."""
    profile = verbs.add_parser("profile", help=t("usage.profile_help"))
    kinds = profile.add_subparsers(dest="profile_verb", required=True, metavar="VERB")
    listed = kinds.add_parser("list", help=t("usage.profile_list_help"))
    listed.set_defaults(run=_list)
    check = kinds.add_parser("check", help=t("usage.profile_check_help"))
    check.add_argument("table", type=Path, metavar="TABLE", help=t("usage.profile_table"))
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help=t("usage.profile_files"))
    check.set_defaults(run=_check)
    sample = kinds.add_parser("sample", help=t("usage.profile_sample_help"))
    sample.add_argument("code", metavar="CODE", help=t("usage.profile_code"))
    sample.add_argument("file", type=Path, metavar="FILE", help=t("usage.profile_out"))
    sample.add_argument("--month", type=int, default=202_610, help=t("usage.sample_month"))
    sample.add_argument("--calls", type=int, default=1_000, help=t("usage.sample_calls"))
    sample.set_defaults(run=_sample)


def _list(args: argparse.Namespace, console: Console) -> int:
    """The kinds known here, those of the site included."""
    from server_api.billing.usage.formats.registry import kinds
    from server_api.billing.usage.formats.tables import site_tables

    with site_tables(settings_of(args).data_dir / "usage"):
        found = [(kind.code, kind.service, type(kind).__name__) for kind in kinds().values()]
    console.table(("code", "service", "kind"), found)
    console.result([{"code": code, "service": service, "kind": kind} for code, service, kind in found])
    return OK


def _check(args: argparse.Namespace, console: Console) -> int:
    """Check a table, and try it on files: how many records are readable, why others are not, and the first of them."""
    from server_api.billing.usage.formats.registry import kind_of, open_usage
    from server_api.billing.usage.formats.tables import site_tables

    with site_tables(settings_of(args).data_dir / "usage"):
        kind = kind_of(args.table)
        console.say(t("usage.profile_right", code=kind.code))
        tried = [_tried(path, open_usage(path, str(args.table)), console) for path in args.files]
    console.result({"code": kind.code, "files": tried})
    return REFUSED if any(one["bad"] for one in tried) else OK


def _tried(path: Path, source: Any, console: Console) -> dict[str, Any]:
    import polars as pl

    from server_api.billing.usage.formats.reasons import REASONS, town_moment

    decoded, _joined = source.decode(source.pieces[0])
    bad = decoded.records.filter(pl.col("reason") != 0).group_by("reason").len().sort("reason").rows()
    console.say(t("usage.profile_tried", file=path.name, read=decoded.record_count, bad=sum(one[1] for one in bad)))
    for number, count in bad:
        console.say(f"    {count:>9}  {resources.text(f'ui.usage_reason.{REASONS[number]}', language())}")
    first = decoded.records.filter(pl.col("reason") == 0).head(_SHOWN)
    rows = [
        (
            row["owner_text"] or str(row["caller_n"]).zfill(row["caller_len"]),
            str(row["called_n"]).zfill(row["called_len"]) if row["called_len"] else "",
            town_moment(row["start_s"]),
            row["duration_s"],
            row["call_type"],
            row["in_trunk"],
            row["out_trunk"],
            row["free"],
            row["charged_party"],
        )
        for row in first.iter_rows(named=True)
    ]
    names = ("caller", "called", "start", "seconds", "type", "in", "out", "free", "payer")
    console.table(tuple(t(f"usage.profile_column_{name}") for name in names), rows)
    return {
        "file": str(path),
        "read": decoded.record_count,
        "bad": sum(one[1] for one in bad),
        "reasons": {REASONS[number]: count for number, count in bad},
        "first": [dict(zip(names, row, strict=True)) for row in rows],
    }


def _sample(args: argparse.Namespace, console: Console) -> int:
    """Write made-up usage in any kind's own layout: for training, and to try a reader on."""
    from server_api.billing.usage.formats.registry import kinds
    from server_api.billing.usage.formats.tables import site_tables

    with site_tables(settings_of(args).data_dir / "usage"):
        kind = kinds().get(args.code)
        data = _made_up(kind, args.month, args.calls) if kind is not None else None
    if data is None:
        console.complain(t("usage.profile_no_sample", code=args.code))
        return REFUSED
    args.file.write_bytes(data)
    console.say(t("usage.profile_sampled", file=args.file, calls=args.calls))
    console.result({"file": str(args.file), "calls": args.calls})
    return OK


def _made_up(kind: Any, yyyymm: int, count: int) -> bytes | None:
    """A file of this kind; None for one whose samples ``onehall usage sample`` writes."""
    from server_api.billing.usage.formats import records_encode, srun_details, text_encode
    from server_api.billing.usage.formats.kinds import EqualRecords, ProfiledLines, SrunDetails
    from server_api.billing.usage.samples import sample_calls, sample_sessions
    from shared_models.values.period import Month

    numbers = [f"0937{3_960_000 + index}" for index in range(1_000)]
    logins = [f"bb{index:05d}" for index in range(1_000)]
    month = Month(yyyymm)
    if isinstance(kind, EqualRecords):
        return records_encode.encode(sample_calls(numbers, month, count, 1), kind.layout)
    if isinstance(kind, ProfiledLines):
        voice = kind.service == "voice"
        usage = sample_calls(numbers, month, count, 1) if voice else sample_sessions(logins, month, count, 1)
        return text_encode.encode(usage, kind.profile)
    if isinstance(kind, SrunDetails):
        return srun_details.encode(sample_sessions(logins, month, count, 1))
    return None
