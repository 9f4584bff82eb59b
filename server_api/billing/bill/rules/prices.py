"""The price book as the calculator uses it: for an offering, version and bundle, the prices that apply.

Prices are monthly fees and terms; *riders* are what goes with them: discounts, minimum spends, commitments.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from server_api.billing.bill.rules.proration import SITUATIONS, Proration
from shared_models.contracts.rating import PriceRow
from shared_models.values.faults.bill import BillPriceMissing
from shared_models.values.money import Fen, split_exactly

WHOLE = 1000
RECURRING, DISCOUNT, MINIMUM, COMMITMENT = "recurring", "discount", "minimum", "commitment"
_RIDERS = (DISCOUNT, MINIMUM, COMMITMENT)
#: Where a part of a month is charged how, unless the row says so: a discount is not cut, a minimum is.
_DEFAULT_PRORATION = {DISCOUNT: "full_month", MINIMUM: "actual_days"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rider says beyond its amount. Codes of items, groups and offerings it is about; none: all of them."""

    percent_per_mille: int = 0
    scope: str = "product"
    items: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    rank: int = 0
    first_months: int = 0
    after_months: int = 0
    from_month: int = 0
    until_month: int = 999912
    #: of discounts with one name here only the one is given that gives most
    best_of: str = ""
    #: a discount is given where the lines it is about come to this, before discounts
    least_spend_micro_yuan: int = 0
    method: str = "fixed"
    decline_micro_yuan: int = 0
    forgiven: frozenset[str] = frozenset()
    forgiven_to: frozenset[str] = frozenset()


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Price:
    """One price as a product pays it. ``split`` is set where it is a share of a bundle's price."""

    offering_code: str
    price_code: str
    price_version: int
    service: str
    item_code: str
    item_group: str
    label: str
    label_en: str
    offering_label: str
    offering_en: str
    tax_per_mille: int
    amount_micro_yuan: int
    per_months: int
    proration: Proration
    suspended_micro_yuan: int = 0
    suspended_per_day: bool = False
    refund_unused_months: bool = False
    in_advance: bool = False
    first_part_next: bool = False
    bundle_code: str = ""
    split: tuple[tuple[str, int], ...] = ()
    rest_service: str = ""
    kind: str = RECURRING
    terms: Terms = NO_TERMS

    @property
    def share_per_mille(self) -> int:
        """What part of ``amount_micro_yuan`` this product carries, in thousandths (1000: all of it)."""
        return next((share for service, share in self.split if service == self.service), WHOLE) if self.split else WHOLE

    def share_of(self, whole: Fen) -> Fen:
        """This product's part of the bundle's ``whole``: parts by largest remainder, the rest on the named service."""
        services = [service for service, _share in self.split]
        rest_at = services.index(self.rest_service) if self.rest_service else None
        return split_exactly(whole, [share for _service, share in self.split], rest_at)[services.index(self.service)]


@dataclass(slots=True)
class Offer:
    """All that a product pays under an offering (in a bundle). ``made`` keeps whole months made once and shared."""

    prices: tuple[Price, ...]
    riders: tuple[Price, ...]
    #: only monthly fees: a whole month is the same for every product
    monthly: bool
    has_advance: bool
    bundle_code: str
    made: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PriceBook:
    """The rows of the versions billing holds. Answers are kept: thousands of products share an offering."""

    policies: Mapping[str, Proration]
    default_policy: str
    #: some price is charged in advance, some first part-month with the next bill: else nobody looks for it
    has_advance: bool = False
    has_first_next: bool = False
    _rows: dict[tuple[int, str], dict[str, list[PriceRow]]] = field(default_factory=dict)
    _versions: set[int] = field(default_factory=set)
    _offerings: set[tuple[int, str]] = field(default_factory=set)
    _known: dict[tuple[str, int, str, str, int, int], Offer] = field(default_factory=dict)
    #: days on which rows of an offering begin or end: between two of them the answer is the same
    _edges: dict[tuple[int, str], list[date]] = field(default_factory=dict)
    _by_code: dict[str, PriceRow] = field(default_factory=dict)

    def add(self, version: int, rows: Iterable[PriceRow]) -> None:
        """Take in a version's rows. An offering is known by any row of it; usage and one-time rows are not kept."""
        self._versions.add(version)
        for row in rows:
            key = (version, row.offering_code)
            self._offerings.add(key)
            if row.kind == RECURRING or row.kind in _RIDERS:
                same = self._rows.setdefault(key, {}).setdefault(row.price_code, [])
                same.append(row)
                same.sort(key=lambda each: each.valid_from)
                self._by_code[row.price_code] = row
                self.has_advance = self.has_advance or _in_advance(row)
                self.has_first_next = self.has_first_next or row.params.get("first_part") == "next"
                edges = self._edges.setdefault(key, [])
                edges += [row.valid_from] if row.valid_until is None else [row.valid_from, row.valid_until]
                edges.sort()

    @property
    def versions(self) -> frozenset[int]:
        return frozenset(self._versions)

    def words_of(self, price_code: str) -> tuple[str, str, int, str] | None:
        """Label, English label, tax and item group of a price by its code alone, whatever version it stood in."""
        row = self._by_code.get(price_code)
        return (row.name_zh, row.name_en, row.tax_per_mille, _group(row)) if row is not None else None

    def offer_of(self, offering_code: str, version: int, bundle_code: str, service: str, taken_on: date) -> Offer:
        """What a product pays that took this offering (in this bundle) on ``taken_on``.

        Raises BillPriceMissing where the version, the offering or the bundle is not in it.
        """
        own = bisect_right(self._edges.get((version, offering_code), ()), taken_on)
        joint = bisect_right(self._edges.get((version, bundle_code), ()), taken_on) if bundle_code else 0
        key = (offering_code, version, bundle_code, service, own, joint)
        found = self._known.get(key)
        if found is None:
            prices = self._find(offering_code, version, bundle_code, service, taken_on)
            fees = tuple(price for price in prices if price.kind == RECURRING)
            found = self._known[key] = Offer(
                fees,
                tuple(sorted((each for each in prices if each.kind != RECURRING), key=_rider_order)),
                all(price.per_months == 1 for price in fees),
                any(price.per_months == 1 and price.in_advance for price in fees),
                bundle_code if any(price.bundle_code for price in fees) else "",
            )
        return found

    def prices_of(
        self, offering_code: str, version: int, bundle_code: str, service: str, taken_on: date
    ) -> tuple[Price, ...]:
        """The recurring prices of ``offer_of``."""
        return self.offer_of(offering_code, version, bundle_code, service, taken_on).prices

    def _find(self, offering_code: str, version: int, bundle_code: str, service: str, on: date) -> list[Price]:
        if (version, offering_code) not in self._offerings:
            raise BillPriceMissing(offering_code=offering_code, price_version=version)
        rows = self._rows_on(version, offering_code, on)
        own = [row for row in rows if row.kind == RECURRING]
        riders = [self._price(version, row) for row in rows if row.kind != RECURRING]
        if not bundle_code:
            return [self._price(version, row) for row in own] + riders
        if (version, bundle_code) not in self._offerings:
            raise BillPriceMissing(offering_code=bundle_code, price_version=version)
        rows = self._rows_on(version, bundle_code, on)
        shares = [row for row in rows if row.kind == RECURRING and _covers(row, offering_code, service)]
        if not shares:
            return [self._price(version, row) for row in own] + riders
        replaced = next((row for row in own if not row.params.get("kept_in_bundle")), None)
        kept = [self._price(version, row) for row in own if row.params.get("kept_in_bundle")]
        members = [self._share(version, row, offering_code, service, replaced) for row in shares]
        split = members[0].split, members[0].rest_service
        joint = [row for row in rows if row.kind != RECURRING and _member_of(row, offering_code)]
        return members + kept + riders + [self._joint(version, row, service, *split) for row in joint]

    def _rows_on(self, version: int, offering_code: str, on: date) -> list[PriceRow]:
        """Per price code the row a product keeps that took the offering on this day.

        A product older than the first row of a fee (it came from another system) is priced by the first; one that took
        a price withdrawn by then pays nothing for it. A discount, minimum or commitment begins with its first row.
        """
        chosen: list[PriceRow] = []
        for rows in self._rows.get((version, offering_code), {}).values():
            row = next((each for each in reversed(rows) if each.valid_from <= on), rows[0])
            if row.kind in _RIDERS and on < row.valid_from:
                continue
            if row.valid_until is None or on < row.valid_until:
                chosen.append(row)
        return chosen

    def _price(self, version: int, row: PriceRow) -> Price:
        params = row.params
        return Price(
            offering_code=row.offering_code,
            price_code=row.price_code,
            price_version=version,
            service=row.service,
            item_code=row.item_code,
            item_group=_group(row),
            label=row.name_zh or row.price_code,
            label_en=row.name_en or row.price_code,
            offering_label=str(params.get("offering_zh") or ""),
            offering_en=str(params.get("offering_en") or ""),
            tax_per_mille=row.tax_per_mille,
            amount_micro_yuan=row.charge_micro_yuan.amount_micro_yuan,
            per_months=max(1, row.per_months),
            proration=self._proration(row),
            suspended_micro_yuan=_number(row, "suspended_micro_yuan"),
            suspended_per_day=params.get("suspended_per") == "day",
            refund_unused_months=bool(params.get("refund_unused_months", False)),
            in_advance=bool(params.get("in_advance", False)),
            first_part_next=params.get("first_part") == "next",
            kind=row.kind,
            terms=_terms(row) if row.kind in _RIDERS else NO_TERMS,
        )

    def _share(self, version: int, row: PriceRow, offering_code: str, service: str, own: PriceRow | None) -> Price:
        """A member's share of a bundle's price: the bundle's amount and words, the member's own item and tax."""
        whole = self._price(version, row)
        mine = self._price(version, own) if own is not None else whole
        rest = str(row.params.get("rest_service") or row.params.get("split_rest") or "")
        return Price(
            offering_code=offering_code,
            price_code=row.price_code,
            price_version=version,
            service=service,
            item_code=mine.item_code,
            item_group=mine.item_group,
            label=mine.label,
            label_en=mine.label_en,
            offering_label=whole.offering_label or whole.label,
            offering_en=whole.offering_en or whole.label_en,
            tax_per_mille=mine.tax_per_mille,
            amount_micro_yuan=whole.amount_micro_yuan,
            per_months=whole.per_months,
            proration=whole.proration,
            refund_unused_months=whole.refund_unused_months,
            in_advance=whole.in_advance,
            first_part_next=whole.first_part_next,
            bundle_code=row.offering_code,
            split=tuple(row.split_per_mille.items()),
            rest_service=rest or next(iter(row.split_per_mille)),
        )

    def _joint(self, version: int, row: PriceRow, service: str, split: tuple[tuple[str, int], ...], rest: str) -> Price:
        """A bundle's rider as one member carries it: its amount is split like the fee unless it names its members."""
        rider = self._price(version, row)
        divided = not rider.terms.members and row.kind != MINIMUM
        terms = (
            replace(rider.terms, scope="bundle") if row.kind == MINIMUM and "scope" not in row.params else rider.terms
        )
        return replace(
            rider,
            service=service,
            bundle_code=row.offering_code,
            split=split if divided else (),
            rest_service=rest if divided else "",
            terms=terms,
        )

    def _proration(self, row: PriceRow) -> Proration:
        name = str(row.params.get("proration") or _DEFAULT_PRORATION.get(row.kind, self.default_policy))
        if name not in self.policies:
            raise BillPriceMissing(offering_code=row.offering_code, price_version=f"proration {name}")
        ways: dict[str, str | bool] = {
            situation: str(row.params[f"proration_{situation}"])
            for situation in SITUATIONS
            if row.params.get(f"proration_{situation}")
        }
        if "last_day_counts" in row.params:
            ways["last_day_counts"] = bool(row.params["last_day_counts"])
        return self.policies[name].with_ways(**ways)


def _covers(row: PriceRow, offering_code: str, service: str) -> bool:
    if service not in row.split_per_mille:
        return False
    members = row.params.get("members")
    return not isinstance(members, list) or not members or offering_code in members


def _member_of(row: PriceRow, offering_code: str) -> bool:
    members = _codes(row, "on_members")
    return not members or offering_code in members


def _in_advance(row: PriceRow) -> bool:
    return row.kind == RECURRING and bool(row.params.get("in_advance")) and row.per_months <= 1


def _group(row: PriceRow) -> str:
    return row.service if row.item_group in ("", "*") else row.item_group


def _number(row: PriceRow, name: str) -> int:
    return int(str(row.params.get(name) or 0))


def _codes(row: PriceRow, name: str) -> frozenset[str]:
    value = row.params.get(name)
    return frozenset(value) if isinstance(value, list) else frozenset()


def _terms(row: PriceRow) -> Terms:
    params = row.params
    return Terms(
        percent_per_mille=_number(row, "percent_per_mille"),
        scope=str(params.get("scope") or "product"),
        items=_codes(row, "on_items"),
        groups=_codes(row, "on_groups"),
        members=_codes(row, "on_members"),
        rank=row.rank,
        first_months=_number(row, "first_months"),
        after_months=_number(row, "after_months"),
        from_month=_number(row, "from_month"),
        until_month=_number(row, "until_month") or 999912,
        best_of=str(params.get("best_of") or ""),
        least_spend_micro_yuan=_number(row, "least_spend_micro_yuan"),
        method=str(params.get("stop_fee") or "fixed"),
        decline_micro_yuan=_number(row, "decline_micro_yuan"),
        forgiven=_codes(row, "forgiven_reasons"),
        forgiven_to=_codes(row, "forgiven_to"),
    )


def _rider_order(rider: Price) -> tuple[int, str]:
    return rider.terms.rank, rider.price_code
