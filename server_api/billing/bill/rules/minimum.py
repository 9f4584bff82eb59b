"""Minimum spend: what is missing to it stands on a line of its own; part of a month costs part of the minimum."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.billing.bill.rules.discounts import ACCOUNT_SCOPE, BUNDLE_SCOPE, Near, covers
from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import ACCOUNT, NONE, Charge, DraftLine
from server_api.billing.bill.rules.lines import line_of
from server_api.billing.bill.rules.prices import DISCOUNT, MINIMUM, WHOLE
from server_api.billing.bill.rules.recurring import RiderInForce
from shared_models.values.money import MICRO_PER_FEN
from shared_models.values.period import Cycle, Month

COUNTED_RULE = "counted"


def minimum_lines(
    policy: BillPolicy,
    minimums: Sequence[RiderInForce],
    riders: Sequence[RiderInForce],
    lines: Sequence[DraftLine],
    cycle: Month | Cycle,
) -> list[DraftLine]:
    """The lines that are missing to each minimum, given all lines of the month, discounts taken off.

    ``riders`` are all of the account's: a bundle's minimum counts what all of its members here spent.
    """
    made: list[DraftLine] = []
    near = Near(lines)
    together: dict[tuple[str, str], list[RiderInForce]] = {}
    for each in riders:
        together.setdefault(_joint(each), []).append(each)
    for each in minimums:
        holders = together[_joint(each)] if each.rider.terms.scope == BUNDLE_SCOPE else [each]
        counted = {index for holder in holders for index in near.to(holder) if _counts(holder, lines[index])}
        spent = sum([lines[index].amount_fen for index in counted])
        wanted = sum([piece.amount_micro_yuan for piece in each.pieces])
        if wanted > spent * MICRO_PER_FEN:
            made.append(_line(policy, each, spent, cycle))
    return made


def _joint(each: RiderInForce) -> tuple[str, str]:
    return each.rider.price_code, each.bundle_instance


def _counts(holder: RiderInForce, line: DraftLine) -> bool:
    return covers(holder, line._replace(kind="recurring") if line.kind == DISCOUNT else line)


def _line(policy: BillPolicy, each: RiderInForce, spent: int, cycle: Month | Cycle) -> DraftLine:
    """The minimum's own pieces, and below nothing what was spent: they sum to what is missing."""
    rider = each.rider
    product = ACCOUNT if rider.terms.scope == ACCOUNT_SCOPE else each.product
    pieces = [piece._replace(product_id=product.product_id or NONE, kind=MINIMUM) for piece in each.pieces]
    if spent:
        micro = -spent * MICRO_PER_FEN
        pieces.append(
            pieces[0]._replace(
                rule=COUNTED_RULE,
                from_on=cycle.first_on,
                until_on=cycle.until_on,
                price_micro_yuan=micro,
                numerator=1,
                denominator=1,
                share_per_mille=WHOLE,
                amount_micro_yuan=micro,
            )
        )
    charges: tuple[Charge, ...] = tuple(pieces)
    first = charges[0]
    return line_of(
        MINIMUM,
        product,
        charges,
        first.item_code,
        first.item_group,
        rider.label,
        rider.label_en,
        "" if product is ACCOUNT else first.offering_code,
        rider.offering_label,
        rider.offering_en,
        min(charge.from_on for charge in charges),
        max(charge.until_on for charge in charges),
        len(charges),
        0,
        sum(charge.amount_micro_yuan for charge in charges),
        policy.tax_on(first.item_code, first.item_group, first.tax_per_mille, cycle.first_on),
    )
