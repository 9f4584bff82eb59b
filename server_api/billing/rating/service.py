"""What others ask of rating: tariffs, the price book, sums by line, the calls behind a line and their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection

import resources
from server_api.billing.rating import store
from server_api.billing.rating.document import document_of
from server_api.billing.rating.explain import Explanation, explanation_of, sentence, shown
from server_api.billing.rating.guide import books, rows_of_book, tariffs_by_number
from server_api.billing.rating.included import all_tariffs, deal_included_units, reprice
from server_api.billing.rating.tariff.compile import Compiled
from server_api.billing.rating.tariff.excel import read_workbook
from server_api.billing.rating.tariff.model import Tariff
from server_api.billing.rating.tariff.read import read_tariffs
from server_api.billing.usage.service import MOST_ROWS, town_moment
from server_api.platform.acts import digest_of
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.rating import ChargeStep, PriceRow, RatedCall, RatedCallPage, TariffsImported
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.money import MicroYuan

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


def import_tariffs(uow: UnitOfWork, *, tariffs: Sequence[Tariff]) -> TariffsImported:
    """Keep tariff versions; one that is kept already with the same content is left alone.

    A version of the same day with other content is added after it and prices what is rated from now on; what was rated
    keeps the version that priced it.
    """
    known = {}
    for row in store.tariff_rows(uow.conn):
        known[row.tariff_code, row.effective_on] = row.digest
    added = []
    for tariff in tariffs:
        document = document_of(tariff)
        digest = digest_of(document)
        if known.get((tariff.code, tariff.effective_on)) == digest:
            continue
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


def sample_tariffs() -> list[Tariff]:
    """The tariffs that ship with the product."""
    folder: Path = resources.path("catalog", "tariffs")
    return [tariff for file in sorted(folder.glob("*.yaml")) for tariff in read_tariffs(file)]


def tariffs_in(path: Path) -> list[Tariff]:
    """The tariffs of a file: YAML, or an Excel workbook (.xlsx). Raises TariffNotValid."""
    return read_workbook(path) if path.suffix.lower() in (".xlsx", ".xlsm") else read_tariffs(path)


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


def charges_for(
    conn: Connection,
    yyyymm: int,
    account_from: str | None = None,
    account_until: str | None = None,
) -> list[ChargeSum]:
    """Sums by account, product and item for accounts ``account_from`` <= id < ``account_until``, in that order."""
    return [
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
    items = _explained(conn, rows[:limit], language)
    return RatedCallPage(items=tuple(items), next_cursor=str(rows[limit - 1].usage_id) if len(rows) > limit else None)


def explain(conn: Connection, yyyymm: int, account_id: str, usage_id: int, language: str = "zh_CN") -> RatedCall:
    """One call with every step of its charge. Raises NotFound."""
    row = store.rated_call(conn, yyyymm, account_id, usage_id)
    if row is None:
        raise NotFound(what="call", id=usage_id)
    return _explained(conn, [row], language)[0]


def _explained(conn: Connection, rows: Sequence[Any], language: str) -> list[RatedCall]:
    tariffs = all_tariffs(conn)
    explanations = explain_rows(rows, tariffs)
    return [_rated_call(row, explanations.get(row.usage_id), tariffs, language) for row in rows]


def explain_rows(rows: Sequence[Any], tariffs: Compiled) -> dict[int, Explanation]:
    """The explanation of stored calls, worked out anew by the code that priced them; none for calls marked free."""
    priced = [row for row in rows if row.price_no in tariffs.keys]
    names = (
        "usage_id",
        "account_id",
        "product_id",
        "period",
        "price_no",
        "start_s",
        "duration_s",
        "quantity",
        "covered",
    )
    calls = pl.DataFrame(
        [tuple(getattr(row, name) for name in names) for row in priced], schema=_EXPLAINED, orient="row"
    )
    if not len(calls):
        return {}
    return {
        call["usage_id"]: explanation_of(call, tariffs)
        for call in reprice(calls, tariffs, explain=True, deal=False).iter_rows(named=True)
    }


_EXPLAINED = {
    "usage_id": pl.Int64,
    "account_id": pl.String,
    "product_id": pl.String,
    "period": pl.Int64,
    "price_no": pl.Int64,
    "start_s": pl.Int64,
    "duration_s": pl.Int64,
    "quantity": pl.Int64,
    "covered": pl.Int64,
}


def _rated_call(row: Any, explanation: Explanation | None, tariffs: Compiled, language: str) -> RatedCall:
    steps: tuple[ChargeStep, ...] = ()
    text = resources.text("ui.charge.marked_free", language)
    tariff = ""
    if explanation is not None:
        key = tariffs.keys[row.price_no]
        steps = tuple(shown(step, key, language) for step in explanation.steps)
        text = sentence(explanation, steps, language)
        tariff = f"{key.tariff.version}/{key.row.code}"
    return RatedCall(
        usage_id=row.usage_id,
        product_id=row.product_id,
        started=town_moment(row.start_s),
        duration_s=row.duration_s,
        quantity=row.quantity,
        covered=row.covered,
        units=row.units,
        peer_no=row.peer_no or "",
        zone_code=row.zone_code,
        item_code=row.item_code,
        tariff=tariff,
        charge_micro_yuan=MicroYuan(row.charge_micro_yuan),
        steps=steps,
        text=text,
    )


def tariff_codes(conn: Connection) -> list[str]:
    """The versions kept, as people name them."""
    return [tariff.version for tariff in tariffs_by_number(conn).values()]


def plans_in_use(conn: Connection) -> dict[int, int]:
    """How many usage price rows each live price book has."""
    return {version: sum(row.kind == "usage" for row in rows) for version, rows in books(conn).items()}
