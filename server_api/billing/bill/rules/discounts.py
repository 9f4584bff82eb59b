"""Discounts: an amount or a part of what is left of the lines they are about, spread over them before tax.

A discount is rounded once, to fen, and then split in proportion to the lines by largest remainder; each part stands on
a line of its own with the item and tax of the line it takes from, so that revenue and VAT fall by item. Discounts
follow one another by rank; none takes more than earlier ones left.

Some are earned by what the lines come to: a bonus from a least spend on, the best of several. That is judged once, over
the lines billed together before any discount: fees in advance for themselves, then what is billed with the month.
"""

from __future__ import annotations

from collections.abc import Sequence

from server_api.billing.bill.rules.charges import SUSPENDED_SUFFIX
from server_api.billing.bill.rules.inputs import NONE, Charge, DraftLine
from server_api.billing.bill.rules.lines import LineKey, key_of, line_of
from server_api.billing.bill.rules.prices import DISCOUNT, WHOLE
from server_api.billing.bill.rules.recurring import RiderInForce
from shared_models.values.money import MICRO_PER_FEN, Fen, round_half_up, split_exactly
from shared_models.values.period import Cycle, Month, cycle_label

PERCENT_RULE, AMOUNT_RULE = "percent", "amount"
ACCOUNT_SCOPE, NUMBER_SCOPE, PRODUCT_SCOPE, BUNDLE_SCOPE = "account", "number", "product", "bundle"
#: So few lines are looked at faster than sorted by product.
_FEW = 12
_DISCOUNTED = ("recurring", "usage")


def in_force(
    riders: Sequence[RiderInForce], kind: str, cycle: Month | Cycle, billing_days: Sequence[tuple[int, int]]
) -> list[RiderInForce]:
    """The riders of a kind that hold in this month, in the order in which they are applied, one of each that is joint.

    Months are counted from the one in which the offering was taken, however short its first part was.
    """
    holding = []
    for each in riders:
        terms = each.rider.terms
        if each.rider.kind != kind or not terms.from_month <= cycle.yyyymm <= terms.until_month:
            continue
        if terms.first_months or terms.after_months:
            since = cycle_label(each.taken_on, billing_days)
            past = (cycle.yyyymm // 100 - since // 100) * 12 + cycle.yyyymm % 100 - since % 100 - terms.after_months
            if past < 0 or (terms.first_months and past >= terms.first_months):
                continue
        holding.append(each)
    if len(holding) < 2:
        return holding
    holding.sort(key=_order)
    seen: set[tuple[str, str]] = set()
    return [each for each in holding if not _is_repeated(each, seen)]


def _order(each: RiderInForce) -> tuple[int, str, int, str]:
    share = sum(piece.amount_micro_yuan for piece in each.pieces)
    return each.rider.terms.rank, each.rider.price_code, -share, each.product.product_id


def _is_repeated(each: RiderInForce, seen: set[tuple[str, str]]) -> bool:
    """True for a second of what an account, a number or a bundle has only one of."""
    key = each.rider.price_code, _whose(each)
    repeated = key in seen
    seen.add(key)
    return repeated


def _whose(each: RiderInForce) -> str:
    """What a rider is one of: the account, a number, a bundle, a product."""
    return {
        ACCOUNT_SCOPE: "*",
        NUMBER_SCOPE: each.product.shown_as,
        BUNDLE_SCOPE: each.bundle_instance,
    }.get(each.rider.terms.scope, each.product.product_id)


class Near:
    """Finds the lines a rider can be about without looking at all of them: an account may have thousands of each."""

    def __init__(self, lines: Sequence[DraftLine]) -> None:
        self._all = range(len(lines))
        self._few = len(lines) <= _FEW
        if self._few:
            return
        self._by_product: dict[str, list[int]] = {}
        self._by_number: dict[str, list[int]] = {}
        for index, line in enumerate(lines):
            self._by_product.setdefault(line.product.product_id, []).append(index)
            self._by_number.setdefault(line.product.shown_as, []).append(index)

    def to(self, each: RiderInForce) -> Sequence[int]:
        """Places of lines, in order."""
        scope = each.rider.terms.scope
        if self._few or scope == ACCOUNT_SCOPE:
            return self._all
        if scope == NUMBER_SCOPE:
            return self._by_number.get(each.product.shown_as, ())
        return self._by_product.get(each.product.product_id, ())


class Discounter:
    """Applies an account's discounts to groups of lines, one group after the other, and remembers what is left.

    ``left`` maps the place of an amount discount to the micro-yuan it may still give.
    """

    def __init__(self, riders: Sequence[RiderInForce]) -> None:
        self._riders = riders
        self._left = [sum(piece.amount_micro_yuan for piece in each.pieces) for each in riders]
        self._some_earned = any(_is_earned(each) for each in riders)

    def lines_for(self, lines: Sequence[DraftLine], percent_only: bool = False) -> list[DraftLine]:
        """The discount lines that these lines get."""
        if not lines:
            return []
        left = [line.amount_fen for line in lines]
        near = Near(lines)
        missed = self._missed(lines, near, percent_only) if self._some_earned else ()
        found: dict[LineKey, tuple[DraftLine, list[Charge]]] = {}
        for place, each in enumerate(self._riders):
            per_mille = each.rider.terms.percent_per_mille
            if (percent_only and not per_mille) or place in missed:
                continue
            targets = [index for index in near.to(each) if left[index] > 0 and covers(each, lines[index])]
            base = sum([left[index] for index in targets])
            whole = self._gives(place, base)
            if not per_mille:
                self._left[place] -= whole * MICRO_PER_FEN
            if whole <= 0:
                continue
            weights = [left[index] for index in targets]
            parts = [Fen(whole)] if len(targets) == 1 else split_exactly(Fen(whole), weights)
            for index, part in zip(targets, parts, strict=True):
                if part:
                    charge = _charge(each, lines[index], whole, left[index], base, part.amount_fen)
                    left[index] -= part.amount_fen
                    found.setdefault(key_of(charge), (lines[index], []))[1].append(charge)
        return [_line(about, tuple(charges)) for about, charges in found.values()]

    def _gives(self, place: int, base_fen: int) -> int:
        """What a discount takes off lines that come to ``base_fen``."""
        per_mille = self._riders[place].rider.terms.percent_per_mille
        if per_mille:
            return round_half_up(base_fen * min(per_mille, WHOLE), WHOLE)
        return min(base_fen, round_half_up(self._left[place], MICRO_PER_FEN))

    def _missed(self, lines: Sequence[DraftLine], near: Near, percent_only: bool) -> set[int]:
        """The places of discounts that these lines do not earn: too little was spent, or another gives more."""
        missed: set[int] = set()
        best: dict[tuple[str, str], tuple[int, int]] = {}
        for place, each in enumerate(self._riders):
            terms = each.rider.terms
            if not _is_earned(each) or (percent_only and not terms.percent_per_mille):
                continue
            amounts = [lines[index].amount_fen for index in near.to(each) if covers(each, lines[index])]
            base = sum([amount for amount in amounts if amount > 0])
            if base * MICRO_PER_FEN < terms.least_spend_micro_yuan:
                missed.add(place)
            elif terms.best_of:
                gives, key = self._gives(place, base), (terms.best_of, _whose(each))
                most, first = best.get(key, (-1, -1))
                if gives > most:
                    best[key] = gives, place
                    missed.add(first)
                else:
                    missed.add(place)
        return missed


def _is_earned(each: RiderInForce) -> bool:
    return bool(each.rider.terms.best_of or each.rider.terms.least_spend_micro_yuan)


def covers(each: RiderInForce, line: DraftLine) -> bool:
    """Whether a line is one that a discount or minimum spend is about."""
    terms, product = each.rider.terms, line.product
    if line.kind not in _DISCOUNTED or line.item_code.endswith(SUSPENDED_SUFFIX):
        return False
    if terms.scope == ACCOUNT_SCOPE:
        near = True
    elif terms.scope == NUMBER_SCOPE:
        near = product.shown_as == each.product.shown_as
    else:
        near = product.product_id == each.product.product_id and line.offering_code in ("", each.offering_code)
    return (
        near
        and (not terms.groups or line.item_group in terms.groups)
        and (not terms.items or line.item_code in terms.items)
        and (not terms.members or not line.offering_code or line.offering_code in terms.members)
    )


def _charge(each: RiderInForce, line: DraftLine, whole: int, weight: int, base: int, part: int) -> Charge:
    """price = the whole discount, numerator of denominator = the line's part of what it was taken from (fen)."""
    rider, piece = each.rider, each.pieces[0]
    return Charge(
        line.product.product_id or NONE,
        piece.event_id,
        piece.bundle_instance,
        line.item_code,
        line.item_group,
        rider.label,
        rider.label_en,
        piece.offering_code,
        rider.offering_label,
        rider.offering_en,
        line.tax_per_mille,
        rider.price_code,
        rider.price_version,
        rider.bundle_code,
        piece.charge_month,
        DISCOUNT,
        PERCENT_RULE if rider.terms.percent_per_mille else AMOUNT_RULE,
        line.from_on,
        line.until_on,
        whole * MICRO_PER_FEN,
        weight,
        base,
        rider.terms.percent_per_mille or WHOLE,
        -part * MICRO_PER_FEN,
    )


def _line(about: DraftLine, charges: tuple[Charge, ...]) -> DraftLine:
    """A discount's line, named by the discount and, below it, by the item it is about."""
    first = charges[0]
    return line_of(
        DISCOUNT,
        about.product,
        charges,
        first.item_code,
        first.item_group,
        first.label,
        first.label_en,
        about.offering_code,
        about.label,
        about.label_en,
        min(charge.from_on for charge in charges),
        max(charge.until_on for charge in charges),
        len(charges),
        0,
        sum(charge.amount_micro_yuan for charge in charges),
        about.tax_per_mille,
    )
