"""What is sold: offerings, bundles, prices by date, relations, and the frozen price book versions."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table

from shared_models.tables.business.metadata import business_metadata
from shared_models.tables.types import Code, Day, Flag, Instant, JsonText, MicroYuanType, Words

offering = Table(
    "offering",
    business_metadata,
    Column("offering_code", Code(40), primary_key=True),
    Column("name_zh", Words(80), nullable=False),
    Column("name_en", Words(80), nullable=False),
    # voice, broadband, tv, leased_line, iptv, addon, bundle
    Column("service", Code(20), nullable=False),
    # base, addon, bundle
    Column("offering_kind", Code(12), nullable=False),
    Column("sold_from_on", Day, nullable=False),
    Column("sold_until_on", Day),
    Column("remark", Words(200)),
)

bundle_member = Table(
    "bundle_member",
    business_metadata,
    Column("bundle_code", Code(40), ForeignKey("offering.offering_code"), nullable=False),
    Column("member_code", Code(40), ForeignKey("offering.offering_code"), nullable=False, index=True),
    Column("mandatory", Flag(), nullable=False),
    # the member's share of the bundle's price is weight / sum of weights
    Column("split_weight", Integer, nullable=False),
    Column("takes_rest", Flag(), nullable=False),
    Column("sort_no", Integer, nullable=False),
    PrimaryKeyConstraint("bundle_code", "member_code"),
)

offer_price = Table(
    "offer_price",
    business_metadata,
    Column("price_code", Code(40), nullable=False),
    Column("valid_from_on", Day, nullable=False),
    Column("valid_until_on", Day),
    Column("offering_code", Code(40), ForeignKey("offering.offering_code"), nullable=False, index=True),
    Column("name_zh", Words(80), nullable=False),
    Column("name_en", Words(80), nullable=False),
    # recurring, usage, onetime
    Column("price_kind", Code(12), nullable=False),
    Column("item_code", Code(40), nullable=False),
    Column("charge", MicroYuanType(), nullable=False),
    Column("per_months", Integer, nullable=False),
    Column("tariff_code", Code(40)),
    Column("tax_per_mille", Integer, nullable=False),
    Column("in_advance", Flag(), nullable=False),
    Column("refund_unused_months", Flag(), nullable=False),
    Column("suspended_charge", MicroYuanType(), nullable=False),
    # a policy of resources/policy/billing.toml, and single situations that differ from it
    Column("proration", Code(20), nullable=False),
    Column("proration_detail", JsonText()),
    # charged also while the product is in a bundle
    Column("kept_in_bundle", Flag(), nullable=False),
    # usage prices: the tariff asked first has the lowest
    Column("rank_no", Integer, nullable=False),
    # what of contracts.catalog.PRICE_TERMS differs from its default
    Column("terms", JsonText()),
    PrimaryKeyConstraint("price_code", "valid_from_on"),
)

offer_relation = Table(
    "offer_relation",
    business_metadata,
    Column("from_code", Code(40), ForeignKey("offering.offering_code"), nullable=False),
    # requires, excludes, upgrades_to, downgrades_to
    Column("relation", Code(20), nullable=False),
    Column("other_code", Code(40), ForeignKey("offering.offering_code"), nullable=False, index=True),
    PrimaryKeyConstraint("from_code", "relation", "other_code"),
)

price_book = Table(
    "price_book",
    business_metadata,
    Column("book_version", Integer, primary_key=True, autoincrement=False),
    Column("effective_on", Day, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("digest", Code(64), nullable=False),
    Column("published_at", Instant(), nullable=False),
    Column("remark", Words(200)),
)

price_book_row = Table(
    "price_book_row",
    business_metadata,
    Column("book_version", Integer, ForeignKey("price_book.book_version"), nullable=False),
    Column("row_no", Integer, nullable=False),
    Column("offering_code", Code(40), nullable=False),
    Column("document", JsonText(), nullable=False),
    PrimaryKeyConstraint("book_version", "row_no"),
    Index("ix_price_book_row_offering", "book_version", "offering_code"),
)
