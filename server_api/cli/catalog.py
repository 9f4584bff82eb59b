"""``onehall catalog``: the catalogue from and to files, and its publication as a price book."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import resources
from server_api.business.catalog import service as catalog
from server_api.cli.console import OK, REFUSED, USAGE, Console, language, t
from server_api.cli.house import House, open_house
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.facts.dispatcher import deliver_all
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import CatalogDocument, PublishPriceBook, RowError
from shared_models.contracts.work import system_context
from shared_models.values.ids import new_id


def add_commands(subparsers: Any) -> None:
    """``catalog import | export | publish``."""
    parser = subparsers.add_parser("catalog", help=t("catalog.help"), description=t("catalog.help"))
    actions = parser.add_subparsers(dest="action", required=True, metavar=t("command"))
    importing = actions.add_parser("import", help=t("catalog.import"), description=t("catalog.import"))
    importing.add_argument("file", nargs="?", type=Path, help=t("catalog.file"))
    importing.add_argument("--sample", action="store_true", help=t("catalog.sample"))
    importing.add_argument("--dry-run", action="store_true", help=t("catalog.dry_run"))
    importing.set_defaults(run=_import)
    exporting = actions.add_parser("export", help=t("catalog.export"), description=t("catalog.export"))
    exporting.add_argument("file", type=Path, help=t("catalog.file"))
    exporting.set_defaults(run=_export)
    publishing = actions.add_parser("publish", help=t("catalog.publish"), description=t("catalog.publish"))
    publishing.set_defaults(run=_publish)


def _import(args: argparse.Namespace, console: Console) -> int:
    """Take a file over; with errors nothing changes and the exit code is 1."""
    file = resources.path("catalog", "sample.yaml") if args.sample else args.file
    if file is None or not file.exists():
        console.complain(t("catalog.file_missing", file=file or "-"))
        return USAGE
    document, errors = _read(file)
    _show(errors, console)
    stored = not errors and not args.dry_run
    if stored:
        with open_house(args) as house:
            perform(
                house.databases.business, _act("import_catalog", document.model_dump(mode="json")),
                lambda uow: catalog.import_catalog(uow, catalog=document),
            )  # fmt: skip
    key = "catalog.imported" if stored else "catalog.not_imported"
    console.say(t(key, offerings=len(document.offerings), prices=len(document.prices), errors=len(errors)))
    console.result(catalog.imported(document, errors, stored=stored).model_dump(mode="json"))
    return REFUSED if errors else OK


def _read(file: Path) -> tuple[CatalogDocument, list[RowError]]:
    if file.suffix.lower() == ".xlsx":
        return catalog.read_excel(file.read_bytes(), file.name)
    return catalog.read_yaml(file.read_text(encoding="utf-8"), file.name)


def _show(errors: list[RowError], console: Console) -> None:
    for error in errors:
        words = (error.text_zh, error.remedy_zh) if language() == "zh_CN" else (error.text_en, error.remedy_en)
        console.say(f"  {error.file}:{error.row_no} {error.field}: {words[0]} {words[1]}")


def _act(kind: str, content: object) -> Act:
    return Act(new_id(), kind, digest_of({"kind": kind, "content": content}), system_context("command line"))


def _export(args: argparse.Namespace, console: Console) -> int:
    """Write the catalogue to a file, Excel where its name ends so."""
    with open_house(args) as house, house.databases.business.reading() as connection:
        document = catalog.export_catalog(connection)
    if args.file.suffix.lower() == ".xlsx":
        args.file.write_bytes(catalog.to_excel(document))
    else:
        args.file.write_text(catalog.to_yaml(document), encoding="utf-8")
    console.say(t("catalog.exported", file=args.file, offerings=len(document.offerings)))
    console.result({"file": str(args.file), "offerings": len(document.offerings), "prices": len(document.prices)})
    return OK


def _publish(args: argparse.Namespace, console: Console) -> int:
    """Freeze the catalogue as the next price book version and see that billing has it."""
    with open_house(args) as house:
        version = _publish_in(house)
    console.say(t("catalog.published", version=version))
    console.result({"version": version})
    return OK


def _publish_in(house: House) -> int:
    versions: list[int] = []

    def work(uow: UnitOfWork) -> None:
        versions.append(catalog.publish_price_book(uow, wanted=PublishPriceBook()).version)

    perform(house.databases.business, _act("publish_price_book", new_id()), work)
    deliver_all(house.crossings)
    return versions[-1]
