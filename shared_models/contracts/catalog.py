"""The catalogue as it is listed, imported and published. Price book rows are ``contracts.rating.PriceRow``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models.contracts.base import CodeField, Contract, MicroYuanField, PageOf
from shared_models.values.money import MicroYuan

TitleField = Annotated[str, StringConstraints(min_length=1, max_length=80)]
ItemField = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=40)]
#: Fees; and what goes with them: discounts, minimum spends, commitments (docs/billing.md).
PriceKind = Literal["recurring", "usage", "onetime", "discount", "minimum", "commitment"]
#: How a part of a month is charged: nothing, all of it, half before or after the 15th, days of the month, days of 30.
ProrationWay = Literal["none", "full", "half", "actual_days", "thirty_days"]
#: Named sets of these (resources/policy/billing.toml).
ProrationPolicy = Literal["actual_days", "full_month", "half_by_15", "free_first", "thirty_days", "none"]
Situation = Literal["start", "change", "suspend", "resume", "stop"]
RelationKind = Literal["requires", "excludes", "upgrades_to", "downgrades_to"]


class OfferingRow(Contract):
    """One offering."""

    offering_code: CodeField
    name_zh: TitleField
    name_en: TitleField
    service: Literal["voice", "broadband", "tv", "leased_line", "iptv", "addon", "bundle"]
    offering_kind: Literal["base", "addon", "bundle"] = "base"
    sold_from_on: date
    sold_until_on: date | None = None
    remark: Annotated[str, StringConstraints(max_length=200)] = ""


class OfferPriceRow(Contract):
    """One price of an offering over a span of days; a later row of the same code follows an earlier one."""

    price_code: CodeField
    offering_code: CodeField
    name_zh: TitleField
    name_en: TitleField
    price_kind: PriceKind
    item_code: ItemField
    charge_micro_yuan: MicroYuanField = MicroYuan(0)
    per_months: int = Field(default=1, ge=0, le=60)
    tariff_code: Annotated[str, StringConstraints(max_length=40)] = ""
    tax_per_mille: int = Field(default=0, ge=0, le=1000)
    valid_from_on: date
    valid_until_on: date | None = None
    in_advance: bool = False
    refund_unused_months: bool = False
    suspended_micro_yuan: MicroYuanField = MicroYuan(0)
    proration: ProrationPolicy = "actual_days"
    proration_detail: dict[Situation, ProrationWay] = Field(default_factory=dict)
    kept_in_bundle: bool = False
    rank: int = Field(default=10, ge=0, le=999)
    # what follows is stored and sent only where it differs from its default: see PRICE_TERMS
    first_part: Literal["now", "next"] = "now"
    suspended_per: Literal["month", "day"] = "month"
    last_day_counts: bool | None = None
    percent_per_mille: int = Field(default=0, ge=0, le=1000)
    scope: Literal["", "product", "number", "bundle", "account"] = ""
    on_items: tuple[str, ...] = ()
    on_groups: tuple[str, ...] = ()
    on_members: tuple[str, ...] = ()
    first_months: int = Field(default=0, ge=0, le=600)
    after_months: int = Field(default=0, ge=0, le=600)
    from_month: int = Field(default=0, ge=0, le=999912)
    until_month: int = Field(default=0, ge=0, le=999912)
    best_of: str = Field(default="", max_length=40)
    least_spend_micro_yuan: MicroYuanField = MicroYuan(0)
    stop_fee: Literal["fixed", "per_month", "declining", "stepped"] = "fixed"
    decline_micro_yuan: MicroYuanField = MicroYuan(0)
    forgiven_reasons: tuple[str, ...] = ()
    forgiven_to: tuple[str, ...] = ()


#: The terms of a price beyond its amount: columns of a sheet, one JSON column of the table, ``params`` of a price row.
PRICE_TERMS = (
    "first_part", "suspended_per", "last_day_counts", "percent_per_mille", "scope", "on_items", "on_groups",
    "on_members", "first_months", "after_months", "from_month", "until_month", "best_of",
    "least_spend_micro_yuan", "stop_fee", "decline_micro_yuan", "forgiven_reasons", "forgiven_to",
)  # fmt: skip


class BundleMemberRow(Contract):
    """One member of a bundle and its share of the bundle's price."""

    bundle_code: CodeField
    member_code: CodeField
    mandatory: bool = True
    split_weight: int = Field(default=0, ge=0, le=1000)
    takes_rest: bool = False
    sort_no: int = 0


class RelationRow(Contract):
    """How one offering stands to another."""

    from_code: CodeField
    relation: RelationKind
    other_code: CodeField


class CatalogDocument(Contract):
    """A whole catalogue: what a file holds and what a version freezes."""

    offerings: tuple[OfferingRow, ...] = ()
    prices: tuple[OfferPriceRow, ...] = ()
    members: tuple[BundleMemberRow, ...] = ()
    relations: tuple[RelationRow, ...] = ()


class RowError(Contract):
    """What is wrong in one row of a file, and what to do about it. Words in both languages by code."""

    file: str
    row_no: int = Field(description="as a person counts: the first row of the sheet or list is 1")
    field: str = ""
    code: str
    text_zh: str
    text_en: str
    remedy_zh: str = ""
    remedy_en: str = ""


class CatalogPriceView(Contract):
    """A price as lists show it."""

    price_code: str
    name_zh: str
    name_en: str
    price_kind: PriceKind
    charge_micro_yuan: MicroYuanField
    per_months: int
    tariff_code: str = ""
    valid_from_on: date
    valid_until_on: date | None = None


class OfferingView(Contract):
    """An offering with the prices valid on a day."""

    offering_code: str
    name_zh: str
    name_en: str
    service: str
    offering_kind: str
    sold_from_on: date
    sold_until_on: date | None = None
    prices: tuple[CatalogPriceView, ...] = ()
    members: tuple[BundleMemberRow, ...] = ()
    relations: tuple[RelationRow, ...] = ()


class OfferingPage(PageOf):
    """Offerings in order of code."""

    items: tuple[OfferingView, ...]


class ImportCatalog(Contract):
    """A catalogue file as text (YAML) to be taken over whole; ``dry_run`` only reports."""

    file_name: Annotated[str, StringConstraints(min_length=1, max_length=120)] = "catalog.yaml"
    document: Annotated[str, StringConstraints(min_length=1, max_length=2_000_000)]
    dry_run: bool = False


class CatalogImported(Contract):
    """What an import did; with errors nothing was stored."""

    stored: bool
    offerings: int
    prices: int
    members: int
    relations: int
    errors: tuple[RowError, ...] = ()


class PublishPriceBook(Contract):
    """Freeze the catalogue as the next price book version."""

    effective_on: date | None = None
    remark: Annotated[str, StringConstraints(max_length=200)] = ""


class PriceBookView(Contract):
    """A frozen version."""

    version: int
    effective_on: date
    row_count: int
    digest: str
    published_at: datetime


class PriceBookPage(PageOf):
    """Versions, newest first."""

    items: tuple[PriceBookView, ...]
