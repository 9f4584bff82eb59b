"""The acts and reads of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from server_api.business.catalog import rules, store
from server_api.business.catalog.files import read_excel, read_yaml, to_excel, to_yaml
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.catalog import (
    BundleMemberRow,
    CatalogDocument,
    CatalogImported,
    CatalogPriceView,
    OfferingPage,
    OfferingRow,
    OfferingView,
    OfferPriceRow,
    PriceBookPage,
    PriceBookView,
    PublishPriceBook,
    RelationRow,
    RowError,
)
from shared_models.contracts.events import PriceBookPart, PriceBookPublished
from shared_models.contracts.rating import price_book_digest
from shared_models.values.faults.catalog import CatalogNotValid, NoPriceBook, OfferingNotSold, OfferingUnknown

__all__ = [
    "changes_allowed",
    "export_catalog",
    "import_catalog",
    "imported",
    "list_offerings",
    "list_price_books",
    "mandatory_members",
    "member_codes",
    "need_offering",
    "offering_names",
    "price_version_on",
    "prices_of",
    "publish_price_book",
    "relations_at_sale",
    "read_excel",
    "read_yaml",
    "to_excel",
    "to_yaml",
    "versions_by_day",
]

#: Rows of one PriceBookPart, as JSON; a fact holds at most 32 KiB with its own words around them.
_PART_BYTES = 24 * 1024


def import_catalog(uow: UnitOfWork, *, catalog: CatalogDocument) -> CatalogImported:
    """Take a catalogue over: offerings named in it are written whole, others stay. Raises CatalogNotValid.

    Nothing changes for products already sold: they keep the frozen version their billing events name.
    """
    wrong = rules.contradictions(catalog)
    if wrong:
        raise CatalogNotValid(count=len(wrong))
    for row in catalog.offerings:
        store.put_offering(
            uow.conn, row.offering_code, name_zh=row.name_zh, name_en=row.name_en, service=row.service,
            offering_kind=row.offering_kind, sold_from_on=row.sold_from_on, sold_until_on=row.sold_until_on,
            remark=row.remark,
        )  # fmt: skip
    store.replace_lists(
        uow.conn,
        [row.offering_code for row in catalog.offerings],
        [_price_values(row) for row in catalog.prices],
        [row.model_dump() for row in catalog.members],
        [row.model_dump() for row in catalog.relations],
    )
    audit.note(uow, "catalog.imported", "catalog", f"{len(catalog.offerings)} offerings, {len(catalog.prices)} prices")
    return imported(catalog, [], stored=True)


def imported(catalog: CatalogDocument, errors: Sequence[RowError], *, stored: bool) -> CatalogImported:
    """The report of an import or of its dry run."""
    return CatalogImported(
        stored=stored, offerings=len(catalog.offerings), prices=len(catalog.prices), members=len(catalog.members),
        relations=len(catalog.relations), errors=tuple(errors),
    )  # fmt: skip


def _price_values(row: OfferPriceRow) -> dict[str, Any]:
    return {
        "price_code": row.price_code, "valid_from_on": row.valid_from_on, "valid_until_on": row.valid_until_on,
        "offering_code": row.offering_code, "name_zh": row.name_zh, "name_en": row.name_en,
        "price_kind": row.price_kind, "item_code": row.item_code, "charge": row.charge_micro_yuan,
        "per_months": row.per_months, "tariff_code": row.tariff_code, "tax_per_mille": row.tax_per_mille,
        "in_advance": row.in_advance, "refund_unused_months": row.refund_unused_months,
        "suspended_charge": row.suspended_micro_yuan, "proration": row.proration,
        "proration_detail": row.proration_detail or None, "kept_in_bundle": row.kept_in_bundle, "rank_no": row.rank,
        "terms": rules.terms_of(row) or None,
    }  # fmt: skip


def export_catalog(conn: Connection) -> CatalogDocument:
    """The whole catalogue as a document that imports back to the same."""
    offerings, prices, members, relations = store.everything(conn)
    return CatalogDocument(
        offerings=tuple(
            OfferingRow(
                offering_code=row.offering_code, name_zh=row.name_zh, name_en=row.name_en, service=row.service,
                offering_kind=row.offering_kind, sold_from_on=row.sold_from_on, sold_until_on=row.sold_until_on,
                remark=row.remark or "",
            )
            for row in offerings
        ),
        prices=tuple(_price_row(row) for row in prices),
        members=tuple(_member_row(row) for row in members),
        relations=tuple(
            RelationRow(from_code=row.from_code, relation=row.relation, other_code=row.other_code) for row in relations
        ),
    )  # fmt: skip


def _price_row(row: Row[Any]) -> OfferPriceRow:
    return OfferPriceRow(
        price_code=row.price_code, offering_code=row.offering_code, name_zh=row.name_zh, name_en=row.name_en,
        price_kind=row.price_kind, item_code=row.item_code, charge_micro_yuan=row.charge, per_months=row.per_months,
        tariff_code=row.tariff_code or "", tax_per_mille=row.tax_per_mille, valid_from_on=row.valid_from_on,
        valid_until_on=row.valid_until_on, in_advance=row.in_advance, refund_unused_months=row.refund_unused_months,
        suspended_micro_yuan=row.suspended_charge, proration=row.proration, proration_detail=row.proration_detail or {},
        kept_in_bundle=row.kept_in_bundle, rank=row.rank_no, **(row.terms or {}),
    )  # fmt: skip


def _member_row(row: Row[Any]) -> BundleMemberRow:
    return BundleMemberRow(
        bundle_code=row.bundle_code, member_code=row.member_code, mandatory=row.mandatory,
        split_weight=row.split_weight, takes_rest=row.takes_rest, sort_no=row.sort_no,
    )  # fmt: skip


def publish_price_book(uow: UnitOfWork, *, wanted: PublishPriceBook) -> PriceBookView:
    """Freeze the catalogue as the next price book version and tell billing, in parts and then as complete.

    A catalogue that equals the last version makes no new one. Raises CatalogNotValid.
    """
    catalog = export_catalog(uow.conn)
    wrong = rules.contradictions(catalog)
    if wrong or not catalog.prices:
        raise CatalogNotValid(count=max(1, len(wrong)))
    rows = [row.model_dump(mode="json") for row in rules.price_book_rows(catalog)]
    digest = price_book_digest(rows)
    effective_on = wanted.effective_on or uow.today
    last = store.last_book(uow.conn)
    if last is not None and last.digest == digest:
        return _book_view(last)
    version = 1 if last is None else last.book_version + 1
    store.add_book(
        uow.conn,
        [
            {"book_version": version, "row_no": number, "offering_code": row["offering_code"], "document": row}
            for number, row in enumerate(rows, start=1)
        ],
        book_version=version, effective_on=effective_on, row_count=len(rows), digest=digest, published_at=uow.now,
        remark=wanted.remark,
    )  # fmt: skip
    for part_no, part in enumerate(_parts(rows), start=1):
        uow.tell("pricebook", PriceBookPart(version=version, part_no=part_no, rows=tuple(part)))
    uow.tell(
        "pricebook",
        PriceBookPublished(version=version, row_count=len(rows), digest=digest, effective_on=effective_on),
        bulk=True,  # behind its parts, in their lane
    )
    audit.note(uow, "catalog.published", f"pricebook:{version}", f"{len(rows)} rows, {digest[:16]}")
    return PriceBookView(
        version=version, effective_on=effective_on, row_count=len(rows), digest=digest, published_at=uow.now
    )


def _parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        bytes_of_row = len(json.dumps(row, ensure_ascii=False).encode())
        if part and size + bytes_of_row > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(row)
        size += bytes_of_row
    if part:
        yield part


def _book_view(row: Row[Any]) -> PriceBookView:
    return PriceBookView(
        version=row.book_version, effective_on=row.effective_on, row_count=row.row_count, digest=row.digest,
        published_at=row.published_at,
    )  # fmt: skip


def list_price_books(conn: Connection, *, limit: int, before: int | None = None) -> PriceBookPage:
    """Frozen versions, newest first."""
    rows = store.books_page(conn, 2**31 - 1 if before is None else before, limit + 1)
    items = tuple(_book_view(row) for row in rows[:limit])
    return PriceBookPage(items=items, next_cursor=str(items[-1].version) if len(rows) > limit else None)


def list_offerings(
    conn: Connection, *, on: date, limit: int, after_code: str = "", service: str | None = None
) -> OfferingPage:
    """Offerings in order of code, with the prices valid on a day."""
    rows = store.page(conn, after_code, limit + 1, service)
    codes = [row.offering_code for row in rows[:limit]]
    prices, members, relations = (
        store.prices_on(conn, codes, on), store.members_of(conn, codes), store.relations_of(conn, codes),
    )  # fmt: skip
    items = tuple(
        OfferingView(
            offering_code=row.offering_code, name_zh=row.name_zh, name_en=row.name_en, service=row.service,
            offering_kind=row.offering_kind, sold_from_on=row.sold_from_on, sold_until_on=row.sold_until_on,
            prices=tuple(_price_view(one) for one in prices.get(row.offering_code, [])),
            members=tuple(_member_row(one) for one in members.get(row.offering_code, [])),
            relations=tuple(
                RelationRow(from_code=one.from_code, relation=one.relation, other_code=one.other_code)
                for one in relations.get(row.offering_code, [])
            ),
        )
        for row in rows[:limit]
    )  # fmt: skip
    return OfferingPage(items=items, next_cursor=items[-1].offering_code if len(rows) > limit else None)


def _price_view(row: Row[Any]) -> CatalogPriceView:
    return CatalogPriceView(
        price_code=row.price_code, name_zh=row.name_zh, name_en=row.name_en, price_kind=row.price_kind,
        charge_micro_yuan=row.charge, per_months=row.per_months, tariff_code=row.tariff_code or "",
        valid_from_on=row.valid_from_on, valid_until_on=row.valid_until_on,
    )  # fmt: skip


def need_offering(conn: Connection, offering_code: str, on: date, *, sold: bool = True) -> OfferingRow:
    """An offering, sold on a day where ``sold``. Raises OfferingUnknown, OfferingNotSold."""
    row = store.one(conn, offering_code)
    if row is None:
        raise OfferingUnknown(offering_code=offering_code)
    offering = OfferingRow(
        offering_code=row.offering_code, name_zh=row.name_zh, name_en=row.name_en, service=row.service,
        offering_kind=row.offering_kind, sold_from_on=row.sold_from_on, sold_until_on=row.sold_until_on,
    )  # fmt: skip
    if sold and not rules.on_sale(offering, on):
        raise OfferingNotSold(offering_code=offering_code)
    return offering


def price_version_on(conn: Connection, on: date) -> int:
    """The price book version a product sold on a day gets. Raises NoPriceBook."""
    return versions_by_day(conn)(on)


def versions_by_day(conn: Connection) -> Callable[[date], int]:
    """Asks the price books once, then tells the version of any day. What it returns raises NoPriceBook."""
    books = store.books(conn)

    def version_on(on: date) -> int:
        version = rules.version_on(books, on)
        if version is None:
            raise NoPriceBook()
        return version

    return version_on


def member_codes(conn: Connection, bundle_code: str) -> set[str]:
    """The offerings a bundle may hold."""
    return {row.member_code for row in store.members_of(conn, [bundle_code]).get(bundle_code, [])}


def relations_at_sale(conn: Connection, offering_code: str) -> tuple[set[str], set[str]]:
    """What an offering requires (one of them is enough) and what it excludes."""
    rows = store.relations_of(conn, [offering_code]).get(offering_code, [])
    required = {row.other_code for row in rows if row.relation == "requires"}
    return required, {row.other_code for row in rows if row.relation == "excludes"}


def offering_names(conn: Connection, offering_codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Names (Chinese, English) by code."""
    return {code: (row.name_zh, row.name_en) for code, row in store.names(conn, offering_codes).items()}


def changes_allowed(conn: Connection, offering_code: str) -> set[str]:
    """What an offering may be changed to, up or down; empty where the catalogue does not say."""
    rows = store.relations_of(conn, [offering_code]).get(offering_code, [])
    return {row.other_code for row in rows if row.relation in ("upgrades_to", "downgrades_to")}


def mandatory_members(conn: Connection, bundle_code: str) -> set[str]:
    """The offerings a bundle cannot be without."""
    return {row.member_code for row in store.members_of(conn, [bundle_code]).get(bundle_code, []) if row.mandatory}


def prices_of(conn: Connection, offering_codes: Sequence[str], on: date) -> dict[str, list[OfferPriceRow]]:
    """Prices valid on a day, by offering."""
    found = store.prices_on(conn, sorted(set(offering_codes)), on)
    return {code: [_price_row(row) for row in rows] for code, rows in found.items()}
