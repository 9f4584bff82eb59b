"""A takeover from first row to control totals: read, check, act by act, compare both sides with the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server_api.billing.bill.policy import billing_policy
from server_api.business.catalog import service as catalog
from server_api.migration import billing_side, business_side, checking, store
from server_api.migration.business_side import Known, Place
from server_api.migration.mapping import SystemMapping
from server_api.migration.reading import OldFiles, read_system
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database, Databases
from server_api.platform.facts.dispatcher import Crossing, deliver_all
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import RowError
from shared_models.contracts.migration import ControlTotal, MigrationReport
from shared_models.contracts.work import WorkContext, system_context
from shared_models.values.ids import derived_id, new_id
from shared_models.values.money import Fen

#: Old records one act takes over: few enough that an act beside it waits a fraction of a second.
CHUNK = 250
Progress = Callable[[str, int, int], None]


def _silent(_step: str, _done: int, _total: int) -> None:
    return None


@dataclass
class Takeover:
    """One run over one or more old systems."""

    databases: Databases
    crossings: Sequence[Crossing]
    folder: Path
    dry_run: bool = False
    context: WorkContext = field(default_factory=lambda: system_context("migration"))
    progress: Progress = _silent
    run_id: str = field(default_factory=new_id)

    def run(self, systems: Sequence[SystemMapping]) -> MigrationReport:
        """Take the systems over in this order. Bad rows are set aside; everything else goes on."""
        began = time.monotonic()
        known = Known()
        with self.databases.business.reading() as connection:
            known.identities = dict(store.all_links(connection, "business", store.EVERYWHERE, "identity"))
        parts = [self._system(mapping, known) for mapping in systems]
        report = MigrationReport(
            run_id=self.run_id, systems=tuple(mapping.system for mapping in systems), dry_run=self.dry_run,
            rows_read=sum(part.files.rows_read for part in parts), rows_new=sum(part.new for part in parts),
            rows_already_there=sum(part.there for part in parts),
            rows_set_aside=sum(part.set_aside for part in parts), customers_merged=known.merged,
            totals=tuple(total for part in parts for total in part.totals),
            errors=tuple(error for part in parts for error in part.files.errors),
            duration_s=round(time.monotonic() - began),
        )  # fmt: skip
        if not self.dry_run:
            self._keep(report)
        return report

    def _system(self, mapping: SystemMapping, known: Known) -> _Part:
        files = read_system(mapping, self.folder)
        world, places = self._world(mapping)
        checking.check(files, world)
        part = _Part(files)
        known.customers, known.accounts = {}, {}
        known.new = known.there = 0
        if not self.dry_run:
            self._take(mapping, files, known, places)
        part.new, part.there = known.new, known.there
        part.totals = self._totals(mapping, files)
        return part

    def _world(self, mapping: SystemMapping) -> tuple[checking.World, dict[str, Place]]:
        with self.databases.business.reading() as connection:
            halls = store.halls(connection)
            document = catalog.export_catalog(connection)
            taken = store.open_accesses(connection, mapping.access_kind)
            digests = {
                kind: store.all_digests(connection, "business", mapping.system, kind)
                for kind in ("customer", "product")
            }
        with self.databases.billing.reading() as connection:
            for kind in ("account", "balance"):
                digests[kind] = store.all_digests(connection, "billing", mapping.system, kind)
        bundles: dict[str, set[str]] = {}
        for member in document.members:
            bundles.setdefault(member.bundle_code, set()).add(member.member_code)
        offerings = {row.offering_code for row in document.offerings if row.offering_kind != "bundle"}
        world = checking.World(halls, offerings, bundles, set(billing_policy().bill.items), taken, digests)
        return world, {code: Place(code, district) for code, district in halls.items()}

    def _take(self, mapping: SystemMapping, files: OldFiles, known: Known, halls: dict[str, Place]) -> None:
        system = mapping.system
        business, billing = self.databases.business, self.databases.billing
        deliver_all(self.crossings)
        with business.reading() as connection:
            known.customers.update(store.all_links(connection, "business", system, "customer"))
        with billing.reading() as connection:
            known.accounts.update(store.all_links(connection, "billing", system, "account"))
        places = {one.old_key: halls[one.hall] for one in files.records["customer"]}

        def customers(uow: UnitOfWork, chunk: Sequence[Any], layer: Known) -> None:
            business_side.take_customers(uow, system=system, records=chunk, known=layer, places=places)

        grouped = [one for one in files.records["customer"] if one.customer_class == "group"]
        others = [one for one in files.records["customer"] if one.customer_class != "group"]
        for part, records in (("groups", grouped), ("customers", others)):
            self._acts(business, f"{system}.{part}", records, known, customers)
        self._take_accounts_and_products(mapping, files, known)
        self.progress(f"{system}.facts", 0, 1)
        deliver_all(self.crossings)  # a bill freezes its payer: billing must know the customers first

        def bills(uow: UnitOfWork, chunk: Sequence[Any], layer: Known) -> None:
            billing_side.take_bills(uow, system=system, bill_seq=mapping.bill_seq, groups=chunk, known=layer)

        def balances(uow: UnitOfWork, chunk: Sequence[Any], layer: Known) -> None:
            billing_side.take_balances(uow, system=system, records=chunk, known=layer)

        self._acts(billing, f"{system}.bills", billing_side.bill_groups(files.records["bill"]), known, bills)
        self._acts(billing, f"{system}.balances", files.records["balance"], known, balances)
        deliver_all(self.crossings)

    def _take_accounts_and_products(self, mapping: SystemMapping, files: OldFiles, known: Known) -> None:
        system, owners = mapping.system, self._owners(known)
        groups = {one for one, row in owners.items() if row.customer_class == "group"}
        where = {one: Place(row.hall_code, row.district_code) for one, row in owners.items()}

        def accounts(uow: UnitOfWork, chunk: Sequence[Any], layer: Known) -> None:
            billing_side.take_accounts(
                uow, system=system, prefix=mapping.account_prefix, records=chunk, known=layer, groups=groups
            )

        def products(uow: UnitOfWork, chunk: Sequence[Any], layer: Known) -> None:
            business_side.take_products(
                uow, system=system, access_kind=mapping.access_kind, records=chunk, known=layer, places=where
            )

        self._acts(self.databases.billing, f"{system}.accounts", files.records["account"], known, accounts)
        self._acts(self.databases.business, f"{system}.products", files.records["product"], known, products)

    def _owners(self, known: Known) -> dict[str, Any]:
        with self.databases.business.reading() as connection:
            return store.customer_places(connection, list(dict.fromkeys(known.customers.values())))

    def _acts(
        self, database: Database, step: str, records: Sequence[Any], known: Known,
        take: Callable[[UnitOfWork, Sequence[Any], Known], None],
    ) -> None:  # fmt: skip
        """One act per chunk; what an act learnt is known only once it is durable."""
        done = 0
        for number, chunk in enumerate(_chunks(records), start=1):
            layers: list[Known] = []

            def work(uow: UnitOfWork, chunk: Sequence[Any] = chunk, layers: list[Known] = layers) -> None:
                layer = known.fork()
                take(uow, chunk, layer)
                layers.append(layer)

            act_id = derived_id(self.run_id, step, str(number))
            perform(database, Act(act_id, "migrate", digest_of([self.run_id, step, number]), self.context), work)
            known.join(layers[-1])
            done += len(chunk)
            self.progress(step, done, len(records))

    def _totals(self, mapping: SystemMapping, files: OldFiles) -> list[ControlTotal]:
        """Counts and fen of the good rows of the source, beside what both databases hold of the system."""
        system, records = mapping.system, files.records
        bills = billing_side.bill_groups(records["bill"])
        held = Fen.total(one.amount for one in records["balance"])
        owed = Fen.total(one.amount for one in records["bill"])
        numbers = sum(1 for one in records["product"] if one.access)
        with self.databases.business.reading() as connection:
            here = [
                ("customers", len(records["customer"]), store.count_customers(connection, system)),
                ("products", len(records["product"]), store.count_products(connection, system)),
                ("numbers", numbers, store.count_numbers(connection, system, mapping.access_kind)),
            ]
        with self.databases.billing.reading() as connection:
            accounts = store.count_accounts(connection, system)
            balances, open_bills = (store.count_links(connection, system, kind) for kind in ("balance", "bill"))
            held_here, owed_here = store.opening_fen(connection, system)
        return [
            *(_total(f"{system}.{name}", "business", source, stored) for name, source, stored in here),
            _total(f"{system}.accounts", "billing", len(records["account"]), accounts),
            _total(f"{system}.balances", "billing", len(records["balance"]), balances, held, held_here),
            _total(f"{system}.open_bills", "billing", len(bills), open_bills, owed, owed_here),
        ]

    def _keep(self, report: MigrationReport) -> None:
        """Write down what the run did and set aside, so that it can be asked for later."""
        database = self.databases.business
        now = database.clock.now()
        rows = [_error_row(self.run_id, number, error) for number, error in enumerate(report.errors, start=1)]

        def work(uow: UnitOfWork) -> None:
            store.add_run(
                uow.conn, run_id=self.run_id, system_code=",".join(report.systems)[:20], started_at=now, ended_at=now,
                row_count=report.rows_read, error_count=len(report.errors),
                totals=[total.model_dump(mode="json") for total in report.totals],
            )  # fmt: skip
            store.add_errors(uow.conn, rows)

        perform(database, Act(derived_id(self.run_id, "keep"), "migrate", digest_of(self.run_id), self.context), work)


@dataclass
class _Part:
    """What became of one system."""

    files: OldFiles
    new: int = 0
    there: int = 0
    totals: list[ControlTotal] = field(default_factory=list)

    @property
    def set_aside(self) -> int:
        return self.files.rows_read - sum(len(records) for records in self.files.records.values())


def _total(
    name: str, side: str, source: int, stored: int, source_fen: Fen | None = None, stored_fen: Fen | None = None
) -> ControlTotal:
    return ControlTotal(
        name=name, side=side, source_count=source, stored_count=stored, source_fen=source_fen, stored_fen=stored_fen
    )


def _chunks(records: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(records), CHUNK):
        yield records[start : start + CHUNK]


def _error_row(run_id: str, number: int, error: RowError) -> dict[str, Any]:
    return {
        "run_id": run_id, "error_no": number, "file_name": error.file[:120], "row_no": error.row_no,
        "field": error.field[:60], "error_code": error.code, "params": {"zh": error.text_zh, "en": error.text_en},
    }  # fmt: skip


def errors_as_rows(errors: Iterable[RowError]) -> Iterator[list[object]]:
    """Errors as rows of a list for those who mend the source."""
    for error in errors:
        yield [error.file, error.row_no, error.field, error.text_zh, error.remedy_zh, error.text_en, error.remedy_en]
