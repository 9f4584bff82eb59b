"""``onehall resource``: numbers, lines, devices and stock from Excel; what is free; a line from end to end."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import resources
from server_api.business.resource import service as resource
from server_api.business.resource.template import sample_workbook
from server_api.cli.console import OK, REFUSED, USAGE, Console, language, t
from server_api.cli.house import House, open_house
from server_api.faces.joined.lines import line_picture, traced
from server_api.platform.acts import Act, digest_of, perform
from shared_models.contracts.catalog import RowError
from shared_models.contracts.resource import ThingView, TraceView
from shared_models.contracts.work import system_context
from shared_models.values.clock import town_day, town_text
from shared_models.values.ids import derived_id

_SHOWN = 50


def add_commands(subparsers: Any) -> None:
    """``resource import | template | show | free | trace``."""
    parser = subparsers.add_parser("resource", help=t("resource.help"), description=t("resource.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    importing = actions.add_parser("import", help=t("resource.import"), description=t("resource.import"))
    importing.add_argument("file", type=Path, help=t("resource.file"))
    importing.add_argument("--dry-run", action="store_true", help=t("resource.dry_run"))
    importing.set_defaults(run=_import)
    template = actions.add_parser("template", help=t("resource.template"), description=t("resource.template"))
    template.add_argument("file", type=Path, help=t("resource.new_file"))
    template.set_defaults(run=_template)
    show = actions.add_parser("show", help=t("resource.show"), description=t("resource.show"))
    show.add_argument("kind", help=t("resource.kind"))
    show.add_argument("code", help=t("resource.code"))
    show.set_defaults(run=_show)
    free = actions.add_parser("free", help=t("resource.free"), description=t("resource.free"))
    free.add_argument("what", choices=("numbers", "line", "onu"))
    free.add_argument("text", nargs="?", default="", help=t("resource.free_text"))
    free.add_argument("--limit", type=int, default=20, help=t("resource.limit"))
    free.set_defaults(run=_free)
    trace = actions.add_parser("trace", help=t("resource.trace"), description=t("resource.trace"))
    trace.add_argument("kind", help=t("resource.trace_kind"))
    trace.add_argument("code", help=t("resource.code"))
    trace.add_argument("--svg", type=Path, metavar="FILE", help=t("resource.svg"))
    trace.set_defaults(run=_trace)


def _import(args: argparse.Namespace, console: Console) -> int:
    """Take a workbook over; with errors nothing is stored and the exit code is 1."""
    if not args.file.exists():
        console.complain(t("catalog.file_missing", file=args.file))
        return USAGE
    raw = args.file.read_bytes()
    source = hashlib.sha256(raw).hexdigest()
    found = resource.read_resources(raw, args.file.name)
    with open_house(args) as house:
        business = house.databases.business
        with business.reading() as connection:
            report = resource.check_resources(connection, found, args.file.name, source)
        if not report.errors and not args.dry_run:
            _store(house, found, source)
            report = report.model_copy(update={"stored": True})
    _complain(report.errors, console)
    added = ", ".join(f"{_word(kind)} {count}" for kind, count in report.added.items()) or "0"
    key = "resource.imported" if report.stored else "resource.not_imported"
    console.say(t(key, added=added, known=report.known, errors=len(report.errors)))
    console.result(report.model_dump(mode="json"))
    return REFUSED if report.errors else OK


def _template(args: argparse.Namespace, console: Console) -> int:
    """Write a workbook with every sheet and column, filled with a small town to try things with."""
    args.file.write_bytes(sample_workbook())
    console.say(t("resource.template_written", file=args.file))
    console.result({"file": str(args.file)})
    return OK


def _store(house: House, found: Any, source: str) -> None:
    """Each part is an act whose id follows from the file: an import cut short is simply begun again."""
    for number, part in enumerate(resource.parts_of(found)):
        content = [source, number]
        act = Act(
            derived_id("resource.import", source, str(number)), "import_resources", digest_of(content),
            system_context("command line"),
        )  # fmt: skip
        perform(house.databases.business, act, lambda uow, part=part: _part(uow, part, source))  # type: ignore[misc]


def _part(uow: Any, part: Any, source: str) -> None:
    resource.import_part(uow, part=part, source=source)


def _complain(errors: tuple[RowError, ...], console: Console) -> None:
    for error in errors[:_SHOWN]:
        words = (error.text_zh, error.remedy_zh) if language() == "zh_CN" else (error.text_en, error.remedy_en)
        console.say(f"  {error.file}:{error.row_no} {error.field}: {words[0]} {words[1]}")


def _show(args: argparse.Namespace, console: Console) -> int:
    """One thing and its log."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        found = resource.read_thing(connection, args.kind, args.code)
    console.say(_line(found))
    for one in found.log:
        console.say(
            f"  {town_text(one.at)}  {one.event}: {_word(one.from_state)} → {_word(one.to_state)}  {one.staff_no}"
        )
    console.result(found.model_dump(mode="json"))
    return OK


def _free(args: argparse.Namespace, console: Console) -> int:
    """Free numbers by their beginning, or boxes and ports by an address."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        now = house.databases.business.clock.now()
        if args.what == "numbers":
            numbers = resource.free_numbers(connection, limit=args.limit, prefix=args.text)
            for one in numbers:
                console.say(f"{one.number}  {one.level_no}")
            console.result([one.model_dump() for one in numbers])
            return OK
        ways = resource.free_lines(connection, kind=args.what, address=args.text, now=now, on=town_day(now))
    for way in ways:
        hops = " → ".join(f"{hop.place_name} {hop.free}" for hop in way.hops)
        console.say(f"{way.place_code}  {way.place_name}: {way.free}  ({hops})")
    console.result([way.model_dump() for way in ways])
    return OK


def _trace(args: argparse.Namespace, console: Console) -> int:
    """A line from end to end, on the screen and as a picture."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        found = traced(connection, system_context("command line"), args.kind, args.code)
    _say_trace(found, console)
    if args.svg is not None:
        args.svg.write_text(line_picture(found, language()), encoding="utf-8")
        console.say(t("resource.drawn", file=args.svg))
    console.result(found.model_dump(mode="json"))
    return OK


def _say_trace(found: TraceView, console: Console) -> None:
    console.say(" ".join(filter(None, (found.title, found.address))))
    for end in found.ends:
        for depth, hop in enumerate(end.hops):
            used = f"  {_word(hop.kind)} {hop.code} ({_word(hop.state)})" if hop.kind else ""
            console.say(f"{'  ' * depth}{_word(hop.place_kind)} {hop.place_name}{used}")
    for one in found.things:
        if one.kind not in ("pair", "port", "onu"):
            console.say(_line(one))


def _line(one: ThingView) -> str:
    parts = [_word(one.kind), one.code, _word(one.state), one.place_code, one.model_code]
    return "  ".join(part for part in parts if part)


def _word(name: str | None) -> str:
    """A kind or state as people say it."""
    return "-" if name is None else resources.texts(language()).get(f"resource.{name}", name)
