"""The price book as the calculator uses it: for an offering, version and bundle, the recurring prices that apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from server_api.billing.bill.rules.proration import Proration
from shared_models.contracts.rating import PriceRow
from shared_models.values.faults.bill import BillPriceMissing
from shared_models.values.money import Fen, split_exactly

_WAY_PARAMS = ("start", "change", "suspend", "resume", "stop")
WHOLE = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """One recurring price as a product pays it. ``split`` is set where it is a share of a bundle's price."""

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
    refund_unused_months: bool = False
    bundle_code: str = ""
    split: tuple[tuple[str, int], ...] = ()
    rest_service: str = ""

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
class PriceBook:
    """All recurring rows of the versions billing holds. Answers are kept: thousands of products share an offering."""

    policies: Mapping[str, Proration]
    default_policy: str
    _rows: dict[tuple[int, str], dict[str, list[PriceRow]]] = field(default_factory=dict)
    _versions: set[int] = field(default_factory=set)
    _offerings: set[tuple[int, str]] = field(default_factory=set)
    _known: dict[tuple[str, int, str, str, date | None], tuple[Price, ...]] = field(default_factory=dict)
    _dated: set[tuple[int, str]] = field(default_factory=set)

    def add(self, version: int, rows: Iterable[PriceRow]) -> None:
        """Take in a version's rows. An offering is known by any row of it; only recurring rows are kept."""
        self._versions.add(version)
        for row in rows:
            key = (version, row.offering_code)
            self._offerings.add(key)
            if row.kind == "recurring":
                same = self._rows.setdefault(key, {}).setdefault(row.price_code, [])
                same.append(row)
                same.sort(key=lambda each: each.valid_from)
                if len(same) > 1 or row.valid_until is not None:
                    self._dated.add(key)

    @property
    def versions(self) -> frozenset[int]:
        return frozenset(self._versions)

    def prices_of(
        self, offering_code: str, version: int, bundle_code: str, service: str, taken_on: date
    ) -> tuple[Price, ...]:
        """The recurring prices a product pays that took this offering (in this bundle) on ``taken_on``.

        Raises BillPriceMissing where the version, the offering or the bundle is not in it.
        """
        dated = (version, offering_code) in self._dated or (version, bundle_code) in self._dated
        key = (offering_code, version, bundle_code, service, taken_on if dated else None)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._find(offering_code, version, bundle_code, service, taken_on)
        return found

    def _find(self, offering_code: str, version: int, bundle_code: str, service: str, on: date) -> tuple[Price, ...]:
        if (version, offering_code) not in self._offerings:
            raise BillPriceMissing(offering_code=offering_code, price_version=version)
        own = self._rows_on(version, offering_code, on)
        if not bundle_code:
            return tuple(self._price(version, row) for row in own)
        if (version, bundle_code) not in self._offerings:
            raise BillPriceMissing(offering_code=bundle_code, price_version=version)
        shares = [row for row in self._rows_on(version, bundle_code, on) if _covers(row, offering_code, service)]
        if not shares:
            return tuple(self._price(version, row) for row in own)
        replaced = next((row for row in own if not row.params.get("kept_in_bundle")), None)
        kept = [self._price(version, row) for row in own if row.params.get("kept_in_bundle")]
        return tuple([self._share(version, row, offering_code, service, replaced) for row in shares] + kept)

    def _rows_on(self, version: int, offering_code: str, on: date) -> list[PriceRow]:
        """Per price code the row a product keeps that took the offering on this day.

        A product older than the first row (it came from another system) is priced by the first; one that took a price
        withdrawn by then pays nothing for it.
        """
        chosen: list[PriceRow] = []
        for rows in self._rows.get((version, offering_code), {}).values():
            row = next((each for each in reversed(rows) if each.valid_from <= on), rows[0])
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
            item_group=row.service if row.item_group in ("", "*") else row.item_group,
            label=row.name_zh or row.price_code,
            label_en=row.name_en or row.price_code,
            offering_label=str(params.get("offering_zh") or ""),
            offering_en=str(params.get("offering_en") or ""),
            tax_per_mille=row.tax_per_mille,
            amount_micro_yuan=row.charge_micro_yuan.amount_micro_yuan,
            per_months=max(1, row.per_months),
            proration=self._proration(row),
            suspended_micro_yuan=int(str(params.get("suspended_micro_yuan") or 0)),
            refund_unused_months=bool(params.get("refund_unused_months", False)),
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
            bundle_code=row.offering_code,
            split=tuple(row.split_per_mille.items()),
            rest_service=rest or next(iter(row.split_per_mille)),
        )

    def _proration(self, row: PriceRow) -> Proration:
        name = str(row.params.get("proration") or self.default_policy)
        if name not in self.policies:
            raise BillPriceMissing(offering_code=row.offering_code, price_version=f"proration {name}")
        ways: dict[str, str | bool] = {
            situation: str(row.params[f"proration_{situation}"])
            for situation in _WAY_PARAMS
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
