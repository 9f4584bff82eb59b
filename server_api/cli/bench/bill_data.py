"""A billing database with many accounts for measuring the month run, made by bulk writes.

Ids are spread as real ones are: the products of neighbouring accounts lie far apart, so that a run over a million
accounts pays for it as it would in service.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import Table

from server_api.billing.account.rules import advance_book_id
from server_api.platform.database import Database
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.tables.billing import billing_platform
from shared_models.tables.billing.account import balance_book, billing_account, payer
from shared_models.tables.billing.bill import billed_product, billing_event, pay_relation
from shared_models.tables.billing.rating import rated_usage, rating_price_book, rating_price_part
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

_ROWS_A_TURN = 20_000
_LONG_AGO, _AT = date(2020, 1, 1), "2020-01-01 00:00:00.000000"
#: Products that follow one another are so many places apart in the order of their ids.
_APART = 9_973
_SEALED = "v1.1." + "c2VhbGVkIG5hbWUgb2YgYSBwYXllciBvZiB0aGUgbWVhc3VyZW1lbnQ" * 2
#: One account in so many holds money in advance, enough for its bill.
_WITH_ADVANCE = 10
_ADVANCE_FEN = 50_000

SERVICES = (("voice", "PSTN", "25"), ("broadband", "BB100", "60"), ("tv", "TV", "26"))
_ITEMS = ("voice.local", "voice.local", "voice.long_distance", "voice.local")
_CALL_MICRO_YUAN = (220_000, 75_001, 1_234_567, 110_000)


@dataclass(frozen=True)
class Town:
    """So many accounts with three products each and four rated calls in ``month``."""

    accounts: int
    month: Month
    products_each: int = 3
    #: what names and addresses are kept as; a bill is only shown where it can be unsealed
    sealed: str = _SEALED

    def account_id(self, number: int) -> str:
        """Ids in the order of the numbers."""
        return f"{number * (2**63 // max(1, self.accounts)):016x}{number:016x}"

    def customer_id(self, number: int) -> str:
        return f"{number * (2**63 // max(1, self.accounts)) ^ 2**63:016x}{number:016x}"

    @property
    def products(self) -> int:
        return self.accounts * self.products_each

    def products_by_id(self) -> Iterator[tuple[str, int, int]]:
        """(product id, account number, which of the account's) in order of id."""
        rank = 0
        for begins in range(min(_APART, self.products)):
            for product in range(begins, self.products, _APART):
                yield self._id(rank), product // self.products_each, product % self.products_each
                rank += 1

    def product_id(self, number: int, which: int) -> str:
        """The id ``products_by_id`` gives this product."""
        product = number * self.products_each + which
        begins, place = product % _APART, product // _APART
        whole, rest = divmod(self.products, _APART)
        return self._id(begins * whole + min(begins, rest) + place)

    def _id(self, rank: int) -> str:
        return f"{rank * (2**63 // max(1, self.products)):016x}{rank:016x}"


def furnish(database: Database, town: Town, progress: Callable[[str], None] = lambda words: None) -> None:
    """Fill an empty billing database."""
    _prices(database)
    for table, columns, rows in (
        (billing_account, _ACCOUNT, _accounts(town)),
        (payer, _PAYER, _payers(town)),
        (balance_book, _BOOK, _books(town)),
        (billing_platform.fact_aggregate, _AGGREGATE, _aggregates(town)),
        (billed_product, _PRODUCT, _products(town)),
        (pay_relation, _RELATION, _relations(town)),
        (billing_event, _EVENT, _events(town)),
        (rated_usage, _USAGE, _usage(town)),
    ):
        progress(table.name)
        _write(database, table, columns, rows)


def _write(database: Database, table: Table, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    while chunk := list(islice(rows, _ROWS_A_TURN)):
        with database.batch() as connection:
            database.bulk_insert(connection, table, columns, chunk)


def price_rows() -> list[PriceRow]:
    """A monthly price for each service."""
    return [
        PriceRow(
            offering_code=offering,
            price_code=f"{offering}-M",
            kind="recurring",
            service=service,
            item_code=f"{service}.monthly",
            item_group=service,
            charge_micro_yuan=MicroYuan.parse(yuan),
            tax_per_mille=90 if service == "voice" else 60,
            valid_from=_LONG_AGO,
            name_zh="月租费",
            name_en="Monthly fee",
        )
        for service, offering, yuan in SERVICES
    ]


def _prices(database: Database) -> None:
    rows = [row.model_dump(mode="json") for row in price_rows()]
    with database.batch() as connection:
        database.bulk_insert(
            connection, rating_price_book, ("book_version", "row_count", "digest", "effective_on", "live", "heard_at"),
            [(1, len(rows), price_book_digest(rows), _LONG_AGO.isoformat(), 1, _AT)],
        )  # fmt: skip
        database.bulk_insert(
            connection, rating_price_part, ("book_version", "part_no", "document"), [(1, 1, json.dumps(rows))]
        )


# ---- rows, each in the order of its table's key ----------------------------------------------------------------------
_ACCOUNT = (
    "account_id", "account_no", "customer_id", "payment_type", "credit_limit_fen", "standing", "version",
    "settle_wanted", "restricted", "opened_at",
)  # fmt: skip
_PAYER = (
    "customer_id", "customer_no", "customer_class", "sealed_name", "sealed_address", "source_seq", "heard_at",
)  # fmt: skip
_BOOK = (
    "book_id", "account_id", "book_type", "item_group", "spend_order", "from_on", "in_fen", "out_fen", "opened_at",
)  # fmt: skip
_AGGREGATE = ("aggregate", "last_seq", "epoch", "epoch_first_seq")
_PRODUCT = ("product_id", "product_no", "customer_id", "service", "shown_as", "region", "source_seq")
_RELATION = ("product_id", "item_group", "account_id", "from_on", "until_on", "priority", "source_seq")
_EVENT = (
    "product_id", "event_id", "seq_no", "kind", "effective_on", "offering_code", "price_version", "heard_at",
    "source_seq",
)  # fmt: skip
_USAGE = (
    "period", "account_id", "usage_id", "product_id", "price_no", "item_code", "zone_code", "start_s", "duration_s",
    "quantity", "units", "covered", "charge_micro_yuan", "peer_no", "call_type", "file_no", "file_pos",
)  # fmt: skip


def _accounts(town: Town) -> Iterator[tuple[Any, ...]]:
    for number in range(town.accounts):
        yield (
            town.account_id(number), str(1_000_000_000 + number), town.customer_id(number), "postpaid", 0, "clear", 1,
            0, 0, _AT,
        )  # fmt: skip


def _payers(town: Town) -> Iterator[tuple[Any, ...]]:
    for number in range(town.accounts):
        yield town.customer_id(number), f"C{number:08d}", "normal", town.sealed, town.sealed, 1, _AT


def _books(town: Town) -> Iterator[tuple[Any, ...]]:
    """Book ids follow from the account's, so they come in no order; the table keeps them by row."""
    on = _LONG_AGO.isoformat()
    for number in range(town.accounts):
        account_id = town.account_id(number)
        held = _ADVANCE_FEN if number % _WITH_ADVANCE == 0 else 0
        yield advance_book_id(account_id), account_id, "advance", "*", 100, on, held, 0, _AT


def _aggregates(town: Town) -> Iterator[tuple[Any, ...]]:
    """Business has heard of each account once."""
    for number in range(town.accounts):
        yield f"account:{town.account_id(number)}", 1, 1, 1


def _products(town: Town) -> Iterator[tuple[Any, ...]]:
    for product_id, number, which in town.products_by_id():
        shown = f"0937-{3_000_000 + number}" if which == 0 else f"zy{number:08d}"
        yield product_id, f"P{number:08d}{which}", town.customer_id(number), _service(which)[0], shown, "0937", 1


def _relations(town: Town) -> Iterator[tuple[Any, ...]]:
    on = _LONG_AGO.isoformat()
    for product_id, number, _which in town.products_by_id():
        yield product_id, "*", town.account_id(number), on, None, 0, 1


def _events(town: Town) -> Iterator[tuple[Any, ...]]:
    """One in thirty was installed in the middle of the month."""
    on, middle = _LONG_AGO.isoformat(), town.month.first_on.replace(day=17).isoformat()
    for product_id, number, which in town.products_by_id():
        since = middle if number % 30 == 7 else on
        yield product_id, product_id, 1, "activated", since, _service(which)[1], 1, _AT, 1


def _service(which: int) -> tuple[str, str, str]:
    return SERVICES[which % len(SERVICES)]


def _usage(town: Town) -> Iterator[tuple[Any, ...]]:
    period, begins = town.month.yyyymm, int(town.month.starts_at.timestamp())
    for number in range(town.accounts):
        account_id, product_id = town.account_id(number), town.product_id(number, 0)
        for call, (item, charge) in enumerate(zip(_ITEMS, _CALL_MICRO_YUAN, strict=True)):
            yield (
                period, account_id, call, product_id, 1_000_001, item, "local", begins + call * 86_400, 61, 61, 2, 0,
                charge + number % 997, "09378000000", 1, 1, number * 4 + call,
            )  # fmt: skip
