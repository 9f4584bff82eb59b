"""What ``onehall bench usage`` measures with: products with tariffs and payers, and a month of files of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

import resources
from server_api.billing.rating import service
from server_api.billing.usage.formats import calls_csv, sessions_csv
from server_api.billing.usage.formats.gb2048_encode import blocks_of
from server_api.billing.usage.formats.gb2048_encode import records_of as block_records
from server_api.billing.usage.formats.record_layout import read_layout
from server_api.billing.usage.formats.records_encode import head_of, records_of
from server_api.billing.usage.samples import sample_calls, sample_sessions
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.contracts.work import system_context
from shared_models.tables.billing.bill import pay_relation
from shared_models.tables.billing.rating import rating_price_book, rating_price_part, rating_product
from shared_models.tables.billing.usage import usage_access
from shared_models.values.ids import derived_id, new_id
from shared_models.values.period import Month

LONG_AGO = date(2020, 1, 1)
_OFFERINGS = {
    "FIX": ("voice", ("VOICE-STD",)), "FIX300": ("voice", ("VOICE-PKG300", "VOICE-STD")),
    "BB": ("broadband", ("BB-FLAT",)),
}  # fmt: skip
#: Calls made at once; also what a day's file of a large exchange holds.
_SLICE = 500_000
_DAYS = 28
#: Exchanges whose files are equal records, by layout table.
RECORDS = {"zxj10": "zxj10_v302", "huawei": "huawei_147"}
CSV, BLOCKS, SESSIONS = "csv", "gb2048", "sessions"


def numbers_of(products: int) -> list[str]:
    """The telephone numbers of so many products."""
    return [f"0937{3_000_000 + index}" for index in range(products)]


def logins_of(products: int) -> list[str]:
    """The broadband logins of so many products."""
    return [f"bb{index:06d}" for index in range(products)]


def _slices(products: int, month: Month, count: int) -> Iterator[pl.DataFrame]:
    """A month of calls in the order of time, some at a time."""
    slices = max(1, -(-count // _SLICE))
    if slices > _DAYS:
        raise ValueError("a slice lasts a day at least")
    edges = [_DAYS * index // slices for index in range(slices + 1)]
    for index in range(slices):
        size = count * (index + 1) // slices - count * index // slices
        days = (edges[index], edges[index + 1])
        calls = sample_calls(numbers_of(products), month, size, 20_261 + index, days)
        yield calls.with_columns(seq_no=pl.col("seq_no") + index * _SLICE)


def write_calls(path: Path, kind: str, products: int, month: Month, count: int) -> Path:
    """A month of calls in one file of a kind."""
    layout = read_layout(resources.path("usage", f"{RECORDS[kind]}.toml")) if kind in RECORDS else None
    with path.open("wb") as file:
        for index, calls in enumerate(_slices(products, month, count)):
            if kind == CSV:
                data = calls_csv.encode(calls)
                file.write(data if index == 0 else data.partition(b"\n")[2])
            elif layout is not None:
                file.write(head_of(layout) if index == 0 else b"")
                file.write(records_of(calls, layout).tobytes())
            else:
                file.write(blocks_of(block_records(calls), int(month.starts_at.timestamp()), index + 1))
    return path


def write_sessions(path: Path, products: int, month: Month, count: int) -> Path:
    """A month of broadband sessions."""
    path.write_bytes(sessions_csv.encode(sample_sessions(logins_of(products), month, count, 20_264)))
    return path


def furnish(database: Database, products: int) -> None:
    """Tariffs, one price book, and so many telephone and as many broadband products, each number with its payer; every
    fourth telephone has units included."""
    tariffs = service.sample_tariffs()
    act = Act(new_id(), "tariff.import", digest_of([one.version for one in tariffs]), system_context("bench"))
    perform(database, act, lambda uow: service.import_tariffs(uow, tariffs=tariffs))
    rows = [
        PriceRow(offering_code=code, price_code=f"{code}.{rank}", kind="usage", service=sold, tariff_code=tariff,
                 rank=rank, valid_from=LONG_AGO).model_dump(mode="json")
        for code, (sold, named) in _OFFERINGS.items() for rank, tariff in enumerate(named)
    ]  # fmt: skip
    keys = [
        ("number", f"86{number[1:]}", "voice", "FIX300" if index % 4 == 0 else "FIX")
        for index, number in enumerate(numbers_of(products))
    ]
    keys += [("login", login, "broadband", "BB") for login in logins_of(products)]
    product = [derived_id("product", key) for _kind, key, _sold, _offer in keys]
    at, on = "2020-01-01 00:00:00.000000", LONG_AGO.isoformat()  # as SQLite keeps them
    book = (1, len(rows), price_book_digest(rows), on, 1, at)
    access = [(kind, key, product[i], at, None, 1) for i, (kind, key, _sold, _offer) in enumerate(keys)]
    priced = [(product[i], on, None, sold, offer, None, 1, 1) for i, (_kind, _key, sold, offer) in enumerate(keys)]
    payers = [(product[i], "*", derived_id("account", str(i % products)), on, None, 0, 1) for i in range(len(keys))]
    with database.batch() as conn:
        for table, some in (
            (rating_price_book, [book]), (rating_price_part, [(1, 1, json.dumps(rows))]), (usage_access, access),
            (rating_product, priced), (pay_relation, payers),
        ):  # fmt: skip
            database.bulk_insert(conn, table, _FURNISHED[table.name], some)


#: The columns written above, in this order.
_FURNISHED = {
    "rating_price_book": ("book_version", "row_count", "digest", "effective_on", "live", "heard_at"),
    "rating_price_part": ("book_version", "part_no", "document"),
    "usage_access": ("kind", "access_key", "product_id", "from_at", "until_at", "source_seq"),
    "rating_product": ("product_id", "from_on", "until_on", "service", "offering_code", "bundle_code", "book_version",
                       "source_seq"),
    "pay_relation": ("product_id", "item_group", "account_id", "from_on", "until_on", "priority", "source_seq"),
}  # fmt: skip
