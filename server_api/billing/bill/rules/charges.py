"""One charge: its amount from a price and a part of it, with all that made it."""

from __future__ import annotations

from datetime import date

from server_api.billing.bill.rules.inputs import NONE, Charge, EventInput, ProductInput
from server_api.billing.bill.rules.prices import Price
from shared_models.values.money import MICRO_PER_FEN, Fen, round_half_up
from shared_models.values.period import Cycle, Month

SUSPENDED_SUFFIX = ".suspended"


def amount_micro_yuan(price: Price, whole_micro_yuan: int, numerator: int, denominator: int) -> int:
    """A part of a price, floored once to micro-yuan; of a bundle's price this product's share, in whole fen.

    A refund (numerator below zero) is the mirror image of the charge it takes back.
    """
    sign = -1 if numerator < 0 else 1
    if not price.split:
        return sign * (whole_micro_yuan * abs(numerator) // denominator)
    whole = Fen(round_half_up(whole_micro_yuan * abs(numerator), denominator * MICRO_PER_FEN))
    return sign * price.share_of(whole).amount_fen * MICRO_PER_FEN


def charge_of(
    price: Price,
    product: ProductInput,
    event: EventInput,
    month: Month | Cycle,
    kind: str,
    rule: str,
    from_on: date,
    until_on: date,
    numerator: int,
    denominator: int,
    whole_micro_yuan: int | None = None,
) -> Charge:
    """A charge of ``whole_micro_yuan`` (the price's own amount unless told) × numerator ÷ denominator."""
    whole = price.amount_micro_yuan if whole_micro_yuan is None else whole_micro_yuan
    return Charge(
        product.product_id or NONE,
        event.event_id,
        event.bundle_instance if price.bundle_code else "",
        price.item_code + SUSPENDED_SUFFIX if kind == "suspended" else price.item_code,
        price.item_group,
        price.label,
        price.label_en,
        event.offering_code,
        price.offering_label,
        price.offering_en,
        price.tax_per_mille,
        price.price_code,
        price.price_version,
        price.bundle_code,
        month.yyyymm,
        kind,
        rule,
        from_on,
        until_on,
        whole,
        numerator,
        denominator,
        price.share_per_mille,
        amount_micro_yuan(price, whole, numerator, denominator),
    )
