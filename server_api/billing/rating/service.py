"""What others ask of rating: tariffs, the price book, sums by line, the calls behind a line and their reasons.

Sums are all a month run and a counter need: what prices and explains calls is loaded by the functions that do so, for
it costs half a second of a process's start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from server_api.billing.rating import store
from server_api.billing.rating.price_books import books, rows_of_book
from server_api.billing.rating.store import changes as change_store
from server_api.billing.rating.tariff.files import sample_tariffs as sample_tariffs
from server_api.billing.rating.tariff.files import tariffs_in as tariffs_in
from server_api.billing.usage.service import MOST_ROWS
from server_api.platform.acts import digest_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rating import PriceRow, RatedCall, RatedCallPage, TariffsImported
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.money import MicroYuan

if TYPE_CHECKING:
    from server_api.billing.rating.tariff.model import Tariff
    from server_api.platform.database import Database

__all__ = [
    "ChargeSum",
    "allowances_due",
    "calls_of_line",
    "charges_for",
    "deal_included_units",
    "explain",
    "import_tariffs",
    "live_price_books",
    "price_rows",
]


@dataclass(frozen=True, slots=True)
class ChargeSum:
    """All usage of one product and item of an account in a month. The sum is exact; the bill rounds it once."""

    account_id: str
    product_id: str
    item_code: str
    charge: MicroYuan
    call_count: int
    quantity: int
    #: 0: the period's own usage; else the billed month the charge corrects, a line of its own on the next bill.
    for_month: int = 0


def import_tariffs(uow: UnitOfWork, *, tariffs: Sequence[Tariff]) -> TariffsImported:
    """Keep tariff versions; one that is kept already with the same content is left alone.

    A version of the same day with other content is added after it and prices what is rated from now on; what was rated
    keeps the version that priced it. Rate decks are those kept on its day; from the day of a later deck version the
    tariff is kept once more. Raises TariffNotValid for a deck or calendar that is not kept.
    """
    from server_api.billing.rating.document import document_of
    from server_api.billing.rating.kept import attached, bound

    tariffs = bound(uow.conn, tariffs)
    attached(uow.conn, tariffs)
    kept: dict[Any, dict[str, Any]] = {}
    for row in store.tariff_rows(uow.conn):
        kept.setdefault((row.tariff_code, row.effective_on), {})[row.digest] = row
    added = []
    for tariff in tariffs:
        document = document_of(tariff)
        digest = digest_of(document)
        versions = kept.get((tariff.code, tariff.effective_on), {})
        last = next(reversed(versions.values()), None)
        if last is not None and digest_of(last.document) == digest:
            continue
        if (
            last is not None and digest in versions
        ):  # a correction taken back is a version of its own, with the content of an earlier one
            digest = digest_of({"content": digest, "after_version": last.version_no})
        store.add_tariff(
            uow.conn,
            tariff_code=tariff.code,
            effective_on=tariff.effective_on,
            digest=digest,
            document=document,
            imported_at=uow.now,
        )
        added.append(tariff.version)
    return TariffsImported(added=tuple(added), unchanged_count=len(tariffs) - len(added))


def price_rows(conn: Connection, version: int) -> list[PriceRow]:
    """The rows of a live price book version. Raises NotFound for one that is not complete here."""
    head = store.price_book(conn, version)
    if head is None or not head.live:
        raise NotFound(what="price book", id=version)
    return rows_of_book(conn, version)


def live_price_books(conn: Connection) -> list[tuple[int, Any]]:
    """(version, effective day) of every price book that is complete here."""
    return [(row.book_version, row.effective_on) for row in store.price_books(conn)]


def allowances_due(conn: Connection, yyyymm: int) -> int:
    """How many products' included units of a month are still to be dealt out; 0 before a bill may be final."""
    return store.due_count(conn, yyyymm)


def deal_included_units(database: Database, yyyymm: int | None = None, beat: Callable[[], None] = lambda: None) -> int:
    """Deal out what is due (of one month or all); how many calls changed. Until then ``allowances_due`` is above 0."""
    from server_api.billing.rating.included import deal_included_units as deal

    return deal(database, yyyymm, beat)


def charges_for(
    conn: Connection,
    yyyymm: int,
    account_from: str | None = None,
    account_until: str | None = None,
) -> list[ChargeSum]:
    """Sums by account, product, item and corrected month for accounts ``account_from`` <= id < ``account_until``."""
    own = [
        ChargeSum(
            row.account_id,
            row.product_id,
            row.item_code,
            MicroYuan(int(row.charge_micro_yuan)),
            row.call_count,
            int(row.quantity),
        )
        for row in store.charge_sums(conn, yyyymm, account_from, account_until)
    ]
    corrections = [
        ChargeSum(
            row.account_id,
            row.product_id,
            row.item_code,
            MicroYuan(int(row.charge_micro_yuan)),
            row.call_count,
            int(row.quantity),
            row.for_month,
        )
        for row in change_store.change_sums(conn, yyyymm, account_from, account_until)
    ]
    if not corrections:
        return own
    return sorted(own + corrections, key=lambda one: (one.account_id, one.product_id, one.item_code, one.for_month))


def calls_of_line(
    conn: Connection,
    yyyymm: int,
    account_id: str,
    product_id: str,
    item_code: str,
    *,
    cursor: str | None = None,
    limit: int = 50,
    language: str = "zh_CN",
) -> RatedCallPage:
    """The calls behind a bill line, each with its tariff and its charge in words. Their charges sum to the line."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20):
        raise InputNotValid(field="cursor", reason="not one of ours")
    limit = max(1, min(limit, MOST_ROWS))
    after = int(cursor) if cursor else None
    rows = store.line_page(conn, yyyymm, account_id, product_id, item_code, after, limit + 1)
    from server_api.billing.rating.explaining import explained

    items = explained(conn, rows[:limit], language)
    return RatedCallPage(items=tuple(items), next_cursor=str(rows[limit - 1].usage_id) if len(rows) > limit else None)


def explain(conn: Connection, yyyymm: int, account_id: str, usage_id: int, language: str = "zh_CN") -> RatedCall:
    """One call with every step of its charge. Raises NotFound."""
    row = store.rated_call(conn, yyyymm, account_id, usage_id)
    if row is None:
        raise NotFound(what="call", id=usage_id)
    from server_api.billing.rating.explaining import explained

    return explained(conn, [row], language)[0]


def tariff_codes(conn: Connection) -> list[str]:
    """The versions kept, as people name them."""
    return [f"{row.tariff_code}@{row.effective_on.isoformat()}" for row in store.tariff_rows(conn)]


def plans_in_use(conn: Connection) -> dict[int, int]:
    """How many usage price rows each live price book has."""
    return {version: sum(row.kind == "usage" for row in rows) for version, rows in books(conn).items()}
