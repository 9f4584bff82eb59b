"""What earlier bills left out or charged too much: the difference between what should be and what was, by line.

A correction is a whole number of fen, so that whatever was billed in whatever order ends at the fen it should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from server_api.billing.bill.rules.charges import SUSPENDED_SUFFIX
from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import ACCOUNT, NONE, BilledCharge, Charge, DraftLine, ProductInput
from server_api.billing.bill.rules.lines import LineKey, corrected_words, item_of, key_of, line_of
from server_api.billing.bill.rules.prices import PriceBook
from shared_models.values.faults.bill import BillProductUnknown
from shared_models.values.money import MICRO_PER_FEN, round_half_up
from shared_models.values.period import Cycle, Month

CORRECTION, DIFFERENCE_RULE = "correction", "difference"
_HALF_FEN = MICRO_PER_FEN // 2


def billed_fen(micro_yuan: int) -> int:
    """What charges that sum to this came to on bills: a first line rounded half up, then corrections in whole fen.

    A half-fen below zero is a charge of half a fen, billed as one, and taken back.
    """
    return 0 if micro_yuan == -_HALF_FEN else round_half_up(micro_yuan, MICRO_PER_FEN)


def billed_by_lines(lines: Iterable[DraftLine]) -> list[BilledCharge]:
    """Lines as later bills see them."""
    return [
        BilledCharge(
            charge.product_id, charge.offering_code, charge.price_code, line.item_code, charge.charge_month,
            charge.amount_micro_yuan, line.tax_per_mille,
        )
        for line in lines for charge in line.charges
    ]  # fmt: skip


def differences(
    book: PriceBook,
    policy: BillPolicy,
    products: dict[str, ProductInput],
    wanted: Sequence[DraftLine],
    billed: Iterable[BilledCharge],
    own_month: int,
    days: Sequence[tuple[int, int]] = (),
) -> list[DraftLine]:
    """A correction for each line that differs from what was billed; a line of the bill's own month that was not billed
    at all stands as it is.
    """
    before: dict[LineKey, int] = {}
    taxes: dict[LineKey, int] = {}
    for done in billed:
        if done.price_code == NONE:
            continue  # one-off charges and late fees stand as they were booked
        key = (done.product_id, done.offering_code, done.price_code, done.item_code, done.charge_month)
        before[key] = before.get(key, 0) + done.amount_micro_yuan
        taxes[key] = done.tax_per_mille
    lines: list[DraftLine] = []
    for line in wanted:
        key = key_of(line.charges[0])
        if key not in before and key[4] == own_month:
            lines.append(line)
            continue
        was = billed_fen(before.pop(key, 0))
        if was != line.amount_fen:
            lines.append(_correction(policy, line, _span(key[4], days), line.amount_fen, was))
    for key, micro in sorted(before.items()):
        was = billed_fen(micro)
        if was:
            span = _span(key[4], days)
            lines.append(_correction(policy, _forgotten(book, policy, products, key, taxes[key], span), span, 0, was))
    return lines


def _span(yyyymm: int, days: Sequence[tuple[int, int]]) -> Month | Cycle:
    return Cycle.of(yyyymm, days) if days else Month(yyyymm)


def _forgotten(
    book: PriceBook,
    policy: BillPolicy,
    products: dict[str, ProductInput],
    key: LineKey,
    tax: int,
    month: Month | Cycle,
) -> DraftLine:
    """A line that should not have been: its words come from its item, or from its price where the item has none."""
    product_id, offering_code, price_code, item_code, yyyymm = key
    product = ACCOUNT if product_id == NONE else products.get(product_id)
    if product is None:
        raise BillProductUnknown(product_id=product_id)
    plain = item_code.removesuffix(SUSPENDED_SUFFIX)
    words = book.words_of(price_code)
    if plain in policy.items or words is None:
        item = item_of(policy, plain)
        label, label_en, rate, group = item.label, item.label_en, item.tax_per_mille, item.item_group
    else:
        label, label_en, rate, group = words
    if plain != item_code:
        label, label_en = policy.words["suspended"]
    charge = Charge(
        product_id, NONE, "", item_code, group, label, label_en, offering_code, "", "", rate, price_code, 0, "", yyyymm,
        CORRECTION, DIFFERENCE_RULE, month.first_on, month.until_on, 0, 0, 1, 1000, 0,
    )  # fmt: skip
    rate = tax if tax >= 0 else policy.tax_on(item_code, group, rate, month.first_on)
    shown = "" if offering_code == NONE else offering_code
    return line_of(
        CORRECTION, product, (charge,), item_code, group, label, label_en, shown, "", "", month.first_on,
        month.until_on, 1, 0, 0, rate,
    )  # fmt: skip


def _correction(policy: BillPolicy, line: DraftLine, month: Month | Cycle, should_fen: int, was_fen: int) -> DraftLine:
    """price = what it should have cost, numerator = what was billed, amount = the difference."""
    micro = (should_fen - was_fen) * MICRO_PER_FEN
    charge = line.charges[0]._replace(
        kind=CORRECTION,
        rule=DIFFERENCE_RULE,
        from_on=month.first_on,
        until_on=month.until_on,
        price_micro_yuan=should_fen * MICRO_PER_FEN,
        numerator=was_fen * MICRO_PER_FEN,
        denominator=1,
        share_per_mille=1000,
        amount_micro_yuan=micro,
    )
    label, label_en = corrected_words(policy, line.label, line.label_en, Month(month.yyyymm))
    return line_of(
        CORRECTION, line.product, (charge,), line.item_code, line.item_group, label, label_en, line.offering_code,
        line.offering_label, line.offering_en, month.first_on, month.until_on, 1, 0, micro, line.tax_per_mille,
    )  # fmt: skip
