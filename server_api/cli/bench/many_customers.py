"""A business database with a million customers, made once by bulk writes and kept for the next measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from random import Random

from sqlalchemy import Table

from server_api.business.party import rules
from server_api.business.party import store as party_store
from server_api.business.party.pinyin import initials
from server_api.business.party.rules import KeyKind
from server_api.migration.sample.people import Address, organisation_name, person_name
from server_api.platform.database import Database
from shared_models.tables.business.party import account_ref, customer, customer_key, id_document, org_gram
from shared_models.values.ids import derived_id
from shared_models.values.numbers import ResidentId

_ROWS_A_TURN = 20_000
_HALLS = 20
#: One in so many is an organisation.
_ORGANISATIONS = 200
_WHEN = datetime(2020, 1, 1)  # noqa: DTZ001 - raw rows hold instants without a zone
Row = tuple[object, ...]


class ManyCustomers:
    """What is known of customer ``n`` without asking the database."""

    def __init__(self, count: int) -> None:
        self.count = count

    def id_of(self, number: int) -> str:
        return derived_id("bench", "customer", str(number))

    def name_of(self, number: int) -> str:
        if number % _ORGANISATIONS == 0:
            return f"{organisation_name(number // _ORGANISATIONS)}{number:07d}分店"
        return person_name(Random(number))

    def phone_of(self, number: int) -> str:
        return f"0937{3_000_000 + number}"

    def account_no_of(self, number: int) -> str:
        return str(1_000_000_000 + number * 7)

    def customer_no_of(self, number: int) -> str:
        return f"C{number:08d}"

    def document_of(self, number: int) -> str:
        return ResidentId.complete(
            f"99{number // 1000 % 10_000:04d}{1950 + number % 55}0{number % 9 + 1}15{number % 1000:03d}"
        )

    def hall_of(self, number: int) -> tuple[str, str]:
        hall = number % _HALLS
        return f"H{hall:02d}", f"D{hall // 5}"


def build(database: Database, many: ManyCustomers, progress: Callable[[str], None]) -> None:
    """Fill an empty database; one that holds this many customers is left alone."""
    with database.reading() as connection:
        if party_store.exists(connection, many.id_of(many.count)):
            return
    numbers = range(1, many.count + 1)
    _write(database, progress, customer, (
        "customer_id", "customer_no", "customer_name", "customer_kind", "customer_class", "state", "hall_code",
        "district_code", "address", "created_at", "changed_at", "version_no",
    ), (_customer(many, number) for number in numbers))  # fmt: skip
    _write(database, progress, account_ref, (
        "account_id", "account_no", "customer_id", "standing", "closed", "source_seq",
    ), (_account(many, number) for number in numbers))  # fmt: skip
    kinds: dict[KeyKind, Callable[[int], Sequence[str]]] = {
        KeyKind.NUMBER: lambda n: rules.number_keys(many.phone_of(n), "937"),
        KeyKind.ACCOUNT: lambda n: (many.account_no_of(n),),
        KeyKind.CUSTOMER_NO: lambda n: (rules.code_key(many.customer_no_of(n)),),
        KeyKind.NAME: lambda n: (rules.name_key(many.name_of(n)),),
        KeyKind.INITIALS: lambda n: _initials(many.name_of(n), n % _ORGANISATIONS != 0),
    }
    for kind, keys in kinds.items():
        # In key order: the index is filled from left to right instead of all over.
        rows = sorted((kind.value, key, many.id_of(n), *many.hall_of(n)) for n in numbers for key in keys(n))
        _write(database, progress, customer_key, (
            "key_kind", "key_text", "customer_id", "hall_code", "district_code"), rows)  # fmt: skip
    grams = sorted(
        (gram, many.id_of(n)) for n in numbers if n % _ORGANISATIONS == 0 for gram in rules.name_grams(many.name_of(n))
    )
    _write(database, progress, org_gram, ("gram", "customer_id"), grams)
    _write(database, progress, id_document, (
        "customer_id", "document_kind", "sealed_no", "blind_no", "masked_no",
    ), (_document(database, many, number) for number in numbers))  # fmt: skip


@lru_cache(maxsize=400_000)
def _initials(name: str, person: bool) -> tuple[str, ...]:
    return initials(name, person=person)


def _customer(many: ManyCustomers, number: int) -> Row:
    kind = "organisation" if number % _ORGANISATIONS == 0 else "person"
    hall, district = many.hall_of(number)
    return (
        many.id_of(number), many.customer_no_of(number), many.name_of(number), kind, "normal", "normal", hall, district,
        Address(number % 30_000).long(), _WHEN, _WHEN, 1,
    )  # fmt: skip


def _account(many: ManyCustomers, number: int) -> Row:
    account_id = derived_id("bench", "account", str(number))
    return account_id, many.account_no_of(number), many.id_of(number), "clear", 0, 1


def _document(database: Database, many: ManyCustomers, number: int) -> Row:
    no = many.document_of(number)
    secrets = database.secrets
    return many.id_of(number), "resident_id", secrets.seal(no), secrets.blind(no), rules.mask_document(no)


def _write(
    database: Database, progress: Callable[[str], None], table: Table, columns: tuple[str, ...],
    rows: Iterator[Row] | Sequence[Row],
) -> None:  # fmt: skip
    done = 0
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_A_TURN:
            done += _flush(database, table, columns, chunk)
            progress(f"{table.name}: {done}")
    done += _flush(database, table, columns, chunk)
    progress(f"{table.name}: {done}")


def _flush(database: Database, table: Table, columns: tuple[str, ...], chunk: list[Row]) -> int:
    with database.batch() as connection:
        database.bulk_insert(connection, table, columns, chunk)
    count = len(chunk)
    chunk.clear()
    return count
