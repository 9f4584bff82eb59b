"""A few subscribers in the billing database, as the facts leave them, for tests of usage and rating."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert

from server_api.billing.rating import jobs as rating_jobs
from server_api.billing.rating.service import import_tariffs, sample_tariffs
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.usage import jobs as usage_jobs
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import (
    AccessKey,
    BillingEventKind,
    BillingEventState,
    PriceBookPart,
    PriceBookPublished,
    ProductRecorded,
)
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.contracts.work import system_context
from shared_models.tables.billing.bill import pay_relation
from shared_models.values.clock import town_midnight
from shared_models.values.ids import derived_id, new_id

LONG_AGO = date(2020, 1, 1)
#: Offering -> the tariffs its usage is priced by.
OFFERINGS = {
    "FIX": ("voice", ("VOICE-STD",)),
    "FIX300": ("voice", ("VOICE-PKG300", "VOICE-STD")),
    "BB": ("broadband", ("BB-FLAT",)),
    "BBVOL": ("broadband", ("BB-VOLUME",)),
}


def act(database: Database, work: Any, kind: str = "test") -> Any:
    """Do an act of the tests."""
    return perform(database, Act(new_id(), kind, digest_of({}), system_context("test")), work)


def price_rows() -> list[PriceRow]:
    """The usage rows of price book 1."""
    return [
        PriceRow(
            offering_code=code,
            price_code=f"{code}.{rank}",
            kind="usage",
            service=service,
            tariff_code=tariff,
            rank=rank,
            valid_from=LONG_AGO,
        )
        for code, (service, tariffs) in OFFERINGS.items()
        for rank, tariff in enumerate(tariffs)
    ]


def envelope(seq: int = 1) -> Any:
    """As much of a fact's envelope as the handlers look at."""
    return SimpleNamespace(seq=seq, fact_id=new_id())


def publish_prices(uow: UnitOfWork, version: int = 1) -> None:
    """Let billing hear a price book in two parts."""
    rows = [row.model_dump(mode="json") for row in price_rows()]
    head = PriceBookPublished(
        version=version, row_count=len(rows), digest=price_book_digest(rows), effective_on=LONG_AGO
    )
    rating_jobs.keep_price_part(uow, envelope(), PriceBookPart(version=version, part_no=1, rows=tuple(rows[:2])))
    rating_jobs.keep_price_book(uow, envelope(), head)
    rating_jobs.keep_price_part(uow, envelope(), PriceBookPart(version=version, part_no=2, rows=tuple(rows[2:])))


def product(
    key: str,
    offering: str,
    *,
    from_on: date = LONG_AGO,
    until_at: datetime | None = None,
    version: int = 1,
    product_id: str = "",
) -> ProductRecorded:
    """A product reached by a number or login, with one offering from a day on."""
    service = OFFERINGS[offering][0]
    return ProductRecorded(
        product_id=product_id or derived_id("product", key),
        product_no=key,
        customer_id="c",
        service=service,
        shown_as=key,
        accesses=(
            AccessKey(
                kind="number" if service == "voice" else "login",
                key=key,
                from_at=town_midnight(from_on),
                until_at=until_at,
            ),
        ),
        events=(
            BillingEventState(
                event_id=derived_id("event", key),
                kind=BillingEventKind.ACTIVATED,
                effective_on=from_on,
                offering_code=offering,
                price_version=version,
            ),
        ),
    )


def install(uow: UnitOfWork, recorded: ProductRecorded, account_id: str = "", seq: int = 1) -> None:
    """Let billing hear of a product, and who pays for it."""
    usage_jobs.keep_access(uow, envelope(seq), recorded)
    rating_jobs.keep_product(uow, envelope(seq), recorded)
    if account_id:
        uow.conn.execute(
            insert(pay_relation).values(
                product_id=recorded.product_id,
                item_group="*",
                account_id=account_id,
                from_on=LONG_AGO,
                until_on=None,
                priority=0,
                source_seq=seq,
            )
        )


def account_of(key: str) -> str:
    """The account that pays for a number or login."""
    return derived_id("account", key)


def small_town(
    database: Database, numbers: Sequence[str], logins: Sequence[str] = (), tariffs: Sequence[Tariff] = ()
) -> None:
    """Tariffs, prices, and a product and account for each number and login; every fourth has something included."""

    def work(uow: UnitOfWork) -> None:
        import_tariffs(uow, tariffs=tariffs or sample_tariffs())
        publish_prices(uow)
        for index, number in enumerate(numbers):
            install(uow, product(number, "FIX" if index % 4 else "FIX300"), account_of(number))
        for index, login in enumerate(logins):
            install(uow, product(login, "BB" if index % 4 else "BBVOL"), account_of(login))

    act(database, work)
