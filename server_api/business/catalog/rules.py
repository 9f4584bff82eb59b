"""What a catalogue must hold to be taken, and the price book made from it. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from shared_models.contracts.catalog import (
    PRICE_TERMS,
    BundleMemberRow,
    CatalogDocument,
    OfferingRow,
    OfferPriceRow,
)
from shared_models.contracts.rating import PriceRow

WHOLE = 1000
#: Prices that go with fees.
RIDERS = ("discount", "minimum", "commitment")
_FAR = date.max


@dataclass(frozen=True)
class Wrong:
    """A contradiction: in which list, which row (from 0), which field, and what."""

    section: str
    index: int
    field: str
    code: str
    params: dict[str, object] = dataclasses.field(default_factory=dict)


def contradictions(catalog: CatalogDocument) -> list[Wrong]:
    """Everything that makes a catalogue unfit, in the order of its rows."""
    services: dict[str, str] = {row.offering_code: row.service for row in catalog.offerings}
    bundles = {row.offering_code for row in catalog.offerings if row.offering_kind == "bundle"}
    return [
        *_wrong_offerings(catalog.offerings),
        *_wrong_prices(catalog.prices, set(services)),
        *_overlaps(catalog.prices),
        *_wrong_members(catalog.members, services, bundles),
        *_wrong_splits(catalog, services, bundles),
        *_wrong_relations(catalog, set(services)),
    ]


def _wrong_offerings(rows: Sequence[OfferingRow]) -> Iterator[Wrong]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.offering_code in seen:
            yield Wrong("offerings", index, "offering_code", "code_twice", {"value": row.offering_code})
        seen.add(row.offering_code)
        if row.sold_until_on is not None and row.sold_until_on <= row.sold_from_on:
            yield Wrong("offerings", index, "sold_until_on", "span_backwards")


def _wrong_prices(rows: Sequence[OfferPriceRow], known: set[str]) -> Iterator[Wrong]:
    for index, row in enumerate(rows):
        if row.offering_code not in known:
            yield Wrong("prices", index, "offering_code", "code_unknown", {"value": row.offering_code})
        if row.valid_until_on is not None and row.valid_until_on <= row.valid_from_on:
            yield Wrong("prices", index, "valid_until_on", "span_backwards")
        if row.price_kind == "usage" and not row.tariff_code:
            yield Wrong("prices", index, "tariff_code", "tariff_missing")
        if row.price_kind == "discount" and bool(row.percent_per_mille) == bool(
            row.charge_micro_yuan.amount_micro_yuan
        ):
            yield Wrong("prices", index, "percent_per_mille", "discount_of_what")
        if row.price_kind in ("usage", "onetime") and terms_of(row):
            yield Wrong("prices", index, next(iter(terms_of(row))), "term_not_for_kind", {"value": row.price_kind})


def _overlaps(rows: Sequence[OfferPriceRow]) -> Iterator[Wrong]:
    """A price code has at any day one row at most: what a day costs must not depend on the order of rows."""
    by_code: dict[str, list[tuple[date, date, int]]] = {}
    for index, row in enumerate(rows):
        by_code.setdefault(row.price_code, []).append((row.valid_from_on, row.valid_until_on or _FAR, index))
    for code, spans in by_code.items():
        for (_start, end, _index), (next_start, _end, next_index) in pairwise(sorted(spans)):
            if next_start < end:
                yield Wrong("prices", next_index, "valid_from_on", "spans_overlap", {"value": code})


def _wrong_members(rows: Sequence[BundleMemberRow], services: dict[str, str], bundles: set[str]) -> Iterator[Wrong]:
    seen: set[tuple[str, str]] = set()
    for index, row in enumerate(rows):
        if row.bundle_code not in bundles:
            yield Wrong("members", index, "bundle_code", "not_a_bundle", {"value": row.bundle_code})
        if row.member_code not in services:
            yield Wrong("members", index, "member_code", "code_unknown", {"value": row.member_code})
        if (row.bundle_code, row.member_code) in seen:
            yield Wrong("members", index, "member_code", "code_twice", {"value": row.member_code})
        seen.add((row.bundle_code, row.member_code))


def _wrong_splits(catalog: CatalogDocument, services: dict[str, str], bundles: set[str]) -> Iterator[Wrong]:
    priced = {row.offering_code for row in catalog.prices if row.price_kind == "recurring"}
    for index, row in enumerate(catalog.offerings):
        code = row.offering_code
        if code not in bundles:
            continue
        shares = [one for one in catalog.members if one.bundle_code == code and one.split_weight]
        if code not in priced:
            yield Wrong("offerings", index, "offering_code", "bundle_without_price", {"value": code})
        if sum(one.split_weight for one in shares) != WHOLE:
            yield Wrong("offerings", index, "offering_code", "split_not_whole", {"value": code})
        if sum(one.takes_rest for one in shares) != 1:
            yield Wrong("offerings", index, "offering_code", "split_rest", {"value": code})
        if any(
            count > 1 for count in Counter(services.get(one.member_code, one.member_code) for one in shares).values()
        ):
            yield Wrong("offerings", index, "offering_code", "split_service_twice", {"value": code})


def _wrong_relations(catalog: CatalogDocument, known: set[str]) -> Iterator[Wrong]:
    for index, row in enumerate(catalog.relations):
        for field_name, code in (("from_code", row.from_code), ("other_code", row.other_code)):
            if code not in known:
                yield Wrong("relations", index, field_name, "code_unknown", {"value": code})
        if row.from_code == row.other_code:
            yield Wrong("relations", index, "other_code", "relation_to_itself", {"value": row.from_code})


def price_book_rows(catalog: CatalogDocument) -> list[PriceRow]:
    """The price book of a catalogue: every price of every offering, in order of offering, price and day."""
    offerings = {row.offering_code: row for row in catalog.offerings}
    rows = [_price_row(row, offerings[row.offering_code], catalog, offerings) for row in catalog.prices]
    return sorted(rows, key=lambda row: (row.offering_code, row.price_code, row.valid_from))


def terms_of(row: OfferPriceRow) -> dict[str, Any]:
    """The terms of a price that differ from their defaults, as plain data."""
    return row.model_dump(mode="json", include=set(PRICE_TERMS), exclude_defaults=True)


def _price_row(
    row: OfferPriceRow, offering: OfferingRow, catalog: CatalogDocument, offerings: dict[str, OfferingRow]
) -> PriceRow:
    params: dict[str, Any] = {"offering_zh": offering.name_zh, "offering_en": offering.name_en}
    split: dict[str, int] = {}
    if row.price_kind == "recurring":
        params |= {
            "proration": row.proration, "in_advance": row.in_advance, "kept_in_bundle": row.kept_in_bundle,
            "refund_unused_months": row.refund_unused_months,
            "suspended_micro_yuan": row.suspended_micro_yuan.amount_micro_yuan,
        }  # fmt: skip
        params |= {f"proration_{situation}": way for situation, way in row.proration_detail.items()}
    elif row.price_kind in RIDERS:
        # a discount is not cut in part of a month unless its detail says so
        whole = row.price_kind == "discount" and row.proration == "actual_days"
        params["proration"] = "full_month" if whole else row.proration
        params |= {f"proration_{situation}": way for situation, way in row.proration_detail.items()}
    if row.price_kind not in ("usage", "onetime"):
        params |= terms_of(row)
    if row.price_kind == "recurring" and offering.offering_kind == "bundle":
        members = sorted(
            (one for one in catalog.members if one.bundle_code == row.offering_code),
            key=lambda one: (one.sort_no, one.member_code),
        )
        split = {offerings[one.member_code].service: one.split_weight for one in members if one.split_weight}
        params["members"] = [one.member_code for one in members]
        params["rest_service"] = next(offerings[one.member_code].service for one in members if one.takes_rest)
    item_group = row.item_code.partition(".")[0]
    return PriceRow(
        offering_code=row.offering_code, price_code=row.price_code, kind=row.price_kind, service=offering.service,
        item_code=row.item_code, item_group=item_group, charge_micro_yuan=row.charge_micro_yuan,
        per_months=0 if row.price_kind == "onetime" else row.per_months, tariff_code=row.tariff_code, rank=row.rank,
        tax_per_mille=row.tax_per_mille, valid_from=row.valid_from_on, valid_until=row.valid_until_on,
        name_zh=row.name_zh, name_en=row.name_en, params=params, split_per_mille=split,
    )  # fmt: skip


def version_on(books: Sequence[tuple[int, date]], on: date) -> int | None:
    """The price book version a product sold on a day gets: the newest in force on it, else the first there is."""
    in_force = [version for version, effective_on in books if effective_on <= on]
    if in_force:
        return max(in_force)
    return min((version for version, _effective_on in books), default=None)


def on_sale(row: OfferingRow, on: date) -> bool:
    """True when an offering is sold on a day."""
    return row.sold_from_on <= on and (row.sold_until_on is None or on < row.sold_until_on)
