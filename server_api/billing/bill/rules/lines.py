"""Lines from charges and usage: the one rounding to fen, and the VAT inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from server_api.billing.bill.rules.charges import SUSPENDED_SUFFIX
from server_api.billing.bill.rules.house import BillPolicy, Item
from server_api.billing.bill.rules.inputs import NONE, Charge, DraftLine, ProductInput, UsageInput
from shared_models.values.faults.bill import BillAmountTooLarge, BillItemUnknown, BillProductUnknown
from shared_models.values.money import MAX_AMOUNT_FEN, MICRO_PER_FEN, Fen, round_half_up
from shared_models.values.period import Cycle, Month

RECURRING, USAGE, IMPORTED, RERATED, EARLY_STOP = "recurring", "usage", "imported", "rerated", "early_stop"
#: product, offering, price, item and month: the charges with one key make one line, and later bills correct it.
LineKey = tuple[str, str, str, str, int]


def net_of(gross_fen: int, tax_per_mille: int) -> int:
    """A gross amount without the VAT in it: ``money.split_tax`` on bare numbers.

    >>> net_of(10600, 60), net_of(-10600, 60)
    (10000, -10000)
    """
    return round_half_up(gross_fen * 1000, 1000 + tax_per_mille)


def line_of(
    kind: str,
    product: ProductInput,
    charges: tuple[Charge, ...],
    item_code: str,
    item_group: str,
    label: str,
    label_en: str,
    offering_code: str,
    offering_label: str,
    offering_en: str,
    from_on: date,
    until_on: date,
    part_count: int,
    quantity: int,
    micro: int,
    tax_per_mille: int,
) -> DraftLine:
    """One line: the one rounding from micro-yuan to fen, and the VAT inside it (tax = gross - net).

    Raises BillAmountTooLarge.
    """
    amount = round_half_up(micro, MICRO_PER_FEN)
    if abs(amount) > MAX_AMOUNT_FEN:
        raise BillAmountTooLarge(product_id=product.product_id, item_code=item_code)
    net = net_of(amount, tax_per_mille)
    return DraftLine(
        product,
        charges,
        kind,
        item_code,
        item_group,
        label,
        label_en,
        offering_code,
        offering_label,
        offering_en,
        from_on,
        until_on,
        part_count,
        quantity,
        micro,
        amount,
        tax_per_mille,
        net,
        amount - net,
        0,
    )


def item_of(policy: BillPolicy, item_code: str) -> Item:
    """What the policy says of an item. Raises BillItemUnknown."""
    item = policy.items.get(item_code)
    if item is None:
        raise BillItemUnknown(item_code=item_code)
    return item


# ---- charges ---------------------------------------------------------------------------------------------------------
def key_of(charge: Charge) -> LineKey:
    """What makes charges one line."""
    return charge.product_id, charge.offering_code, charge.price_code, charge.item_code, charge.charge_month


def lines_of_charges(
    policy: BillPolicy, product: ProductInput, charges: Sequence[Charge], on: date, kind: str = RECURRING
) -> list[DraftLine]:
    """A line for each key, in the order in which the keys come. ``on`` decides about the rate of tax.

    Charges that are nothing in themselves make no line; charges that cancel out do.
    """
    if len(charges) == 1:
        line = _line_of_charges(policy, product, tuple(charges), on, kind)
        return [line] if line.charge_micro_yuan else []
    grouped: dict[LineKey, list[Charge]] = {}
    for charge in charges:
        grouped.setdefault(key_of(charge), []).append(charge)
    return [
        _line_of_charges(policy, product, tuple(parts), on, kind)
        for parts in grouped.values()
        if any(part.amount_micro_yuan for part in parts)
    ]


def _line_of_charges(
    policy: BillPolicy, product: ProductInput, parts: tuple[Charge, ...], on: date, kind: str
) -> DraftLine:
    first = parts[0]
    label, label_en, tax = first.label, first.label_en, first.tax_per_mille
    if first.item_code.endswith(SUSPENDED_SUFFIX):
        label, label_en = policy.words["suspended"]
    if policy.tax_changes:
        tax = policy.tax_on(first.item_code, first.item_group, tax, on)
    return line_of(
        EARLY_STOP if first.kind == EARLY_STOP else kind,
        product,
        parts,
        first.item_code,
        first.item_group,
        label,
        label_en,
        "" if first.offering_code == NONE else first.offering_code,
        first.offering_label,
        first.offering_en,
        min([part.from_on for part in parts]),
        max([part.until_on for part in parts]),
        len(parts),
        0,
        sum([part.amount_micro_yuan for part in parts]),
        tax,
    )


# ---- usage -----------------------------------------------------------------------------------------------------------
def usage_lines(
    policy: BillPolicy, products: dict[str, ProductInput], usage: Iterable[UsageInput], cycle: Month | Cycle
) -> list[DraftLine]:
    """A line for each item used, of the month itself or as the difference re-rating made in an earlier one.

    Raises BillProductUnknown, BillItemUnknown.
    """
    lines = []
    for used in usage:
        product = products.get(used.product_id)
        if product is None:
            raise BillProductUnknown(product_id=used.product_id)
        item = item_of(policy, used.item_code)
        kind, label, label_en, tax = USAGE, item.label, item.label_en, item.tax_per_mille
        first_on, until_on = cycle.first_on, cycle.until_on
        if used.for_month:
            month = Month(used.for_month)
            first_on, until_on = month.first_on, month.until_on
            kind = RERATED
            label, label_en = corrected_words(policy, label, label_en, month)
        if policy.tax_changes:
            tax = policy.tax_on(used.item_code, item.item_group, tax, first_on)
        lines.append(
            line_of(
                kind,
                product,
                (),
                used.item_code,
                item.item_group,
                label,
                label_en,
                "",
                "",
                "",
                first_on,
                until_on,
                used.call_count,
                used.quantity,
                used.charge_micro_yuan,
                tax,
            )
        )
    return lines


def corrected_words(policy: BillPolicy, label: str, label_en: str, month: Month) -> tuple[str, str]:
    """A label as it stands on a line that corrects an earlier month."""
    zh, en = policy.words["corrected"]
    return zh.format(label=label, month=month), en.format(label=label_en, month=month)


# ---- old bills, netting ----------------------------------------------------------------------------------------------
def imported_line(month: Month, product: ProductInput, item_code: str, item: Item, amount: Fen) -> DraftLine:
    """A line of an old system's bill: the amount as it was, with the tax that lies in it."""
    micro = amount.amount_fen * MICRO_PER_FEN
    return line_of(
        IMPORTED, product, (), item_code, item.item_group, item.label, item.label_en, "", "", "", month.first_on,
        month.until_on, 0, 0, micro, item.tax_per_mille,
    )  # fmt: skip


def netted(lines: list[DraftLine]) -> list[DraftLine]:
    """Set credit lines against the others, in order, so that nobody owes a line that the same bill gives back.

    A credit goes against its own item first, then its own product, then whatever is left.
    """
    credits = [index for index, line in enumerate(lines) if line.amount_fen < 0]
    if not credits:
        return lines
    left = [line.amount_fen for line in lines]
    for key in (_item_key, _product_key, _any_key):
        charged: dict[tuple[str, str], list[int]] = {key(lines[index]): [] for index in credits}
        for index in range(len(lines) - 1, -1, -1):
            if left[index] > 0:
                against = charged.get(key(lines[index]))
                if against is not None:
                    against.append(index)
        for index in credits:
            against = charged[key(lines[index])]
            while against and left[index] < 0:
                part = min(left[against[-1]], -left[index])
                left[index] += part
                left[against[-1]] -= part
                if not left[against[-1]]:
                    against.pop()
        credits = [index for index in credits if left[index] < 0]
        if not credits:
            break
    return [
        line._replace(netted_fen=line.amount_fen - rest) if rest != line.amount_fen else line
        for line, rest in zip(lines, left, strict=True)
    ]


def _item_key(line: DraftLine) -> tuple[str, str]:
    return line.product.product_id, line.item_code


def _product_key(line: DraftLine) -> tuple[str, str]:
    return line.product.product_id, ""


def _any_key(_line: DraftLine) -> tuple[str, str]:
    return "", ""
