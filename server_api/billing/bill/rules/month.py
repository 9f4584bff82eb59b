"""Everything one month costs an account, as far as it is known: fees, usage, discounts, minimum spend, early stops.

A month's lines fall into three groups by when they are billed. Fees in arrears and usage come with the month's own
bill, fees in advance with the bill before it, a first part-month put off with the bill after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from server_api.billing.bill.rules.discounts import PRODUCT_SCOPE, Discounter, in_force
from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import (
    AccountInput,
    Charge,
    DraftLine,
    EventInput,
    PayInput,
    ProductInput,
    UsageInput,
)
from server_api.billing.bill.rules.lines import lines_of_charges, usage_lines
from server_api.billing.bill.rules.minimum import minimum_lines
from server_api.billing.bill.rules.prices import DISCOUNT, MINIMUM, Offer, PriceBook
from server_api.billing.bill.rules.recurring import Found, RiderInForce, find_charges, offer_of, payer_of
from server_api.billing.bill.rules.timeline import FOREVER, OPEN, START, Span, spans_of, taken_on
from shared_models.values.faults.bill import BillBundleDoubled, BillProductUnknown
from shared_models.values.period import Cycle, Month

_ONE_DAY = timedelta(days=1)
_LONG_AGO = date(1900, 1, 1)
_ANY = ProductInput("", "", "", "", "")
#: product, event and bundle sale stand first in a charge, product and charges first in a line: the rest is shared
_OWN_FIELDS, _OWN_LINE_FIELDS = 3, 2


@dataclass(slots=True)
class MonthLines:
    """The lines of a month by when they are billed; the riders met on the way; products with fees in advance."""

    own: list[DraftLine] = field(default_factory=list)
    advance: list[DraftLine] = field(default_factory=list)
    deferred: list[DraftLine] = field(default_factory=list)
    riders: list[RiderInForce] = field(default_factory=list)
    advance_products: list[str] = field(default_factory=list)
    members: dict[tuple[str, str, str], str] = field(default_factory=dict)


class _WholeMonth(NamedTuple):
    """What a product that changes nothing in a month pays, made once: the parts of its lines that all share."""

    policy: BillPolicy
    own: list[tuple[str, list[tuple[Any, ...]], tuple[Any, ...]]]
    advance: list[tuple[str, list[tuple[Any, ...]], tuple[Any, ...]]]
    riders: list[RiderInForce]


@dataclass(slots=True)
class MonthOf:
    """Makes the lines of an account's months. Its methods raise the faults of values.faults.bill."""

    book: PriceBook
    policy: BillPolicy
    account: AccountInput

    def whole(self, cycle: Month | Cycle, usage: Sequence[UsageInput]) -> MonthLines:
        """All that a month costs, given its usage."""
        account, lines = self.account, MonthLines()
        for product_id, events in account.events.items():
            self._product(lines, cycle, product_id, events)
        lines.own += usage_lines(self.policy, account.products, usage, cycle)
        if lines.riders:
            self._ride(lines, cycle)
        return lines

    def ahead(self, cycle: Month | Cycle, product_ids: Iterable[str], before: date) -> list[DraftLine]:
        """The fees in advance of a month, as they stand with what happens before ``before``; discounts taken off."""
        lines = MonthLines()
        for product_id in product_ids:
            events = [event for event in self.account.events[product_id] if event.effective_on < before]
            if events:
                self._product(lines, cycle, product_id, events)
        if lines.riders:
            discounts = in_force(lines.riders, DISCOUNT, cycle, self.account.billing_days)
            lines.advance += Discounter(discounts).lines_for(lines.advance)
        return lines.advance

    def _ride(self, lines: MonthLines, cycle: Month | Cycle) -> None:
        """Fees in advance get their discounts as they got them in advance, the month's own what is left."""
        days = self.account.billing_days
        discounter = Discounter(in_force(lines.riders, DISCOUNT, cycle, days))
        lines.advance += discounter.lines_for(lines.advance)
        lines.own += discounter.lines_for(lines.own)
        if lines.deferred:
            lines.deferred += discounter.lines_for(lines.deferred, percent_only=True)
        minimums = in_force(lines.riders, MINIMUM, cycle, days)
        if minimums:
            spent = [*lines.advance, *lines.own, *lines.deferred]
            lines.own += minimum_lines(self.policy, minimums, lines.riders, spent, cycle)

    # ---- one product -------------------------------------------------------------------------------------------------
    def _product(self, lines: MonthLines, cycle: Month | Cycle, product_id: str, events: Sequence[EventInput]) -> None:
        product = self.account.products.get(product_id)
        if product is None:
            raise BillProductUnknown(product_id=product_id)
        spans = spans_of(product_id, events)
        index = _steady_span(spans, cycle)
        if index is not None:
            span = spans[index]
            offer = offer_of(self.book, product, span.event)
            if offer.monthly:
                self._steady(lines, cycle, product, offer, span, taken_on(spans, index) if index else None)
                return
        found = Found()
        find_charges(found, self.book, product, events, spans, cycle)
        lines.own += self._lines(lines, product, found.charges, cycle)
        if found.advance:
            lines.advance += self._lines(lines, product, found.advance, cycle)
        if found.deferred:
            lines.deferred += self._lines(lines, product, found.deferred, cycle)
        if found.has_advance:
            lines.advance_products.append(product_id)
        lines.riders += [each for each in found.riders if self._rides(each, cycle)]

    def _lines(
        self, lines: MonthLines, product: ProductInput, charges: Sequence[Charge], cycle: Month | Cycle
    ) -> list[DraftLine]:
        """The lines of those charges that this account pays."""
        mine = [charge for charge in charges if self._pays(product, charge.item_group, charge.until_on - _ONE_DAY)]
        for charge in mine:
            if charge.bundle_code:
                _refuse_doubled(lines, charge.bundle_instance, charge.bundle_code, product)
        return lines_of_charges(self.policy, product, mine, cycle.first_on) if mine else []

    def _steady(
        self, lines: MonthLines, cycle: Month | Cycle, product: ProductInput, offer: Offer, span: Span,
        since_on: date | None,
    ) -> None:  # fmt: skip
        """A product that changes nothing in the month: its lines from what was made once."""
        key = cycle.yyyymm if cycle.__class__ is Month else cycle
        made = offer.made.get(key)
        if made is None or made.policy is not self.policy:
            made = offer.made[key] = self._whole_month(cycle, product, span)
        event = span.event
        pays: Sequence[PayInput] = self.account.pays.get(product.product_id, ())
        only: PayInput | None = pays[0] if len(pays) == 1 else None
        all_mine = only is not None and only.item_group == "*"
        if only is not None and all_mine and only.account_id != self.account.account_id:
            return
        if offer.bundle_code:
            _refuse_doubled(lines, event.bundle_instance, offer.bundle_code, product)
        last_on = None if all_mine else cycle.until_on - _ONE_DAY
        ids = (product.product_id, event.event_id)
        groups: tuple[tuple[Any, list[DraftLine]], ...] = ((made.own, lines.own),)
        if made.advance:
            groups = ((made.own, lines.own), (made.advance, lines.advance))
            lines.advance_products.append(product.product_id)
        for parts, into in groups:
            for item_group, tails, rest in parts:
                if last_on is None or self._pays(product, item_group, last_on):
                    charges = tuple(
                        [
                            tuple.__new__(Charge, (*ids, event.bundle_instance if in_bundle else "", *tail))
                            for in_bundle, tail in tails
                        ]
                    )
                    into.append(tuple.__new__(DraftLine, (product, charges, *rest)))
        for each in made.riders:
            pieces = tuple([piece._replace(product_id=ids[0], event_id=ids[1]) for piece in each.pieces])
            since = since_on or event.effective_on
            rides = RiderInForce(each.rider, product, each.offering_code, event.bundle_instance, since, pieces)
            if self._rides(rides, cycle):
                lines.riders.append(rides)

    def _whole_month(self, cycle: Month | Cycle, product: ProductInput, span: Span) -> _WholeMonth:
        event = span.event._replace(event_id="", bundle_instance="", effective_on=_LONG_AGO)
        whole = Span(_LONG_AGO, FOREVER, START, OPEN, True, event)
        found = Found()
        find_charges(found, self.book, _ANY._replace(service=product.service), (event,), (whole,), cycle, span.event)
        groups = []
        for charges in (found.charges, found.advance):
            lines = lines_of_charges(self.policy, _ANY, charges, cycle.first_on) if charges else []
            groups.append([
                (line.item_group, [(bool(one.bundle_code), tuple(one)[_OWN_FIELDS:]) for one in line.charges],
                 tuple(line)[_OWN_LINE_FIELDS:])
                for line in lines
            ])  # fmt: skip
        return _WholeMonth(self.policy, groups[0], groups[1], found.riders)

    # ---- who pays ----------------------------------------------------------------------------------------------------
    def _pays(self, product: ProductInput, item_group: str, on: date) -> bool:
        pays: Sequence[PayInput] = self.account.pays.get(product.product_id, ())
        return payer_of(pays, item_group, on) == self.account.account_id

    def _rides(self, each: RiderInForce, cycle: Month | Cycle) -> bool:
        """A part of what this account pays is this account's to get off; an amount is given to one account only."""
        terms = each.rider.terms
        if terms.percent_per_mille and terms.scope == PRODUCT_SCOPE:
            return True
        return self._pays(each.product, each.rider.item_group, cycle.until_on - _ONE_DAY)


def _steady_span(spans: Sequence[Span], cycle: Month | Cycle) -> int | None:
    """The place of the span that holds all month long with nothing before it that could still cost, or None."""
    for index, span in enumerate(spans):
        if span.until_on >= cycle.until_on:
            begins = span.from_on < cycle.first_on or (not index and span.from_on == cycle.first_on)
            return index if begins and span.active else None
    return None


def _refuse_doubled(lines: MonthLines, instance: str, bundle_code: str, product: ProductInput) -> None:
    key = (instance, bundle_code, product.service)
    if lines.members.setdefault(key, product.product_id) != product.product_id:
        raise BillBundleDoubled(bundle_code=bundle_code, product_id=product.product_id)
