"""The draft bill: charges and usage sums become lines, each rounded once to fen; lines become a bill.

Running it twice gives the same; what is in the books already is part of the input, so nothing is billed twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from server_api.billing.bill.rules.inputs import (
    AccountInput,
    BillDraft,
    BilledCharge,
    Charge,
    DraftLine,
    ProductInput,
    UsageInput,
)
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.bill.rules.recurring import SUSPENDED_SUFFIX, charges_of, payer_of
from shared_models.values.faults.bill import BillAmountTooLarge, BillBundleDoubled, BillItemUnknown, BillProductUnknown
from shared_models.values.money import MAX_AMOUNT_FEN, MICRO_PER_FEN, Fen, round_half_up
from shared_models.values.period import Month

CORRECTION, DIFFERENCE_RULE = "correction", "difference"
RECURRING, USAGE = "recurring", "usage"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Item:
    """What a bill calls an item, its VAT rate in thousandths, and the group pay relations choose it by."""

    label: str
    label_en: str
    tax_per_mille: int
    item_group: str


@dataclass(frozen=True, slots=True)
class BillPolicy:
    """The rules that are policy: names and tax of items, order of services, words for a suspended month."""

    items: Mapping[str, Item]
    service_order: tuple[str, ...]
    suspended_label: str
    suspended_label_en: str
    correction_label: str
    correction_label_en: str


def draft_bill(book: PriceBook, policy: BillPolicy, month: Month, account: AccountInput) -> BillDraft:
    """Make an account's bill of a month. No lines: nothing to bill.

    Raises the faults of values.faults.bill that set an account aside.
    """
    lines = _recurring_lines(policy, month, account, _charges(book, month, account))
    lines += [_usage_line(policy, month, account, usage) for usage in account.usage]
    rank = {service: place for place, service in enumerate(policy.service_order)}
    lines.sort(
        key=lambda line: (
            rank.get(line.product.service, len(rank)),
            line.product.shown_as,
            line.product.product_id,
            line.kind == USAGE,
            line.from_on,
            line.item_code,
            line.offering_code,
        )
    )
    lines = _netted(lines)
    total = sum(line.amount_fen for line in lines)
    if abs(total) > MAX_AMOUNT_FEN:
        raise BillAmountTooLarge(account_id=account.account_id)
    return BillDraft(
        account.account_id,
        tuple(lines),
        total,
        sum(line.net_fen for line in lines),
        sum(line.tax_fen for line in lines),
    )


# ---- recurring -------------------------------------------------------------------------------------------------------
def _charges(book: PriceBook, month: Month, account: AccountInput) -> list[Charge]:
    """The month's own charges this account pays, and the differences of earlier months that were billed too soon."""
    charges: list[Charge] = []
    late: list[Charge] = []
    members: dict[tuple[str, str, str], str] = {}
    for product_id, events in account.events.items():
        product = account.products.get(product_id)
        if product is None:
            raise BillProductUnknown(product_id=product_id)
        pays = account.pays.get(product_id, [])
        mine = [
            charge
            for charge in charges_of(book, product, events, month)
            if payer_of(pays, charge.item_group, charge.until_on - _ONE_DAY) == account.account_id
        ]
        _refuse_doubled(members, product, mine)
        charges += mine
        for late_month in account.late_months:
            late += [
                charge
                for charge in charges_of(book, product, events, Month(late_month))
                if payer_of(pays, charge.item_group, charge.until_on - _ONE_DAY) == account.account_id
            ]
    if account.late_months:
        charges += _differences(late, account.billed)
    return charges


def _refuse_doubled(members: dict[tuple[str, str, str], str], product: ProductInput, charges: Iterable[Charge]) -> None:
    for charge in charges:
        if charge.bundle_code:
            key = (charge.bundle_instance, charge.bundle_code, product.service)
            if members.setdefault(key, product.product_id) != product.product_id:
                raise BillBundleDoubled(bundle_code=charge.bundle_code, product_id=product.product_id)


def _differences(wanted: list[Charge], billed: Iterable[BilledCharge]) -> list[Charge]:
    """What earlier months should have cost less what they were billed, a correction for each price that differs."""
    sums: dict[tuple[str, str, str, str, int], int] = {}
    sample: dict[tuple[str, str, str, str, int], Charge] = {}
    for charge in wanted:
        key = (charge.product_id, charge.offering_code, charge.price_code, charge.item_code, charge.charge_month)
        sums[key] = sums.get(key, 0) + charge.amount_micro_yuan
        sample.setdefault(key, charge)
    before: dict[tuple[str, str, str, str, int], int] = {}
    for done in billed:
        key = (done.product_id, done.offering_code, done.price_code, done.item_code, done.charge_month)
        before[key] = before.get(key, 0) + done.amount_micro_yuan
    corrections: list[Charge] = []
    for key in sorted(sums.keys() | before.keys()):
        should, was = sums.get(key, 0), before.get(key, 0)
        if should != was:
            corrections.append(_correction(key, sample.get(key), should, was))
    return corrections


def _correction(key: tuple[str, str, str, str, int], charge: Charge | None, should: int, was: int) -> Charge:
    """price = what it should have cost, numerator = what was billed, amount = the difference."""
    product_id, offering_code, price_code, item_code, charge_month = key
    month = Month(charge_month)
    if charge is None:
        charge = Charge(
            product_id,
            item_code,
            "",
            "",
            "",
            offering_code,
            "",
            "",
            -1,
            "-",
            price_code,
            0,
            "",
            "",
            charge_month,
            CORRECTION,
            DIFFERENCE_RULE,
            month.first_on,
            month.until_on,
            0,
            0,
            1,
            1000,
            0,
        )
    return charge._replace(
        kind=CORRECTION,
        rule=DIFFERENCE_RULE,
        from_on=month.first_on,
        until_on=month.until_on,
        price_micro_yuan=should,
        numerator=was,
        denominator=1,
        amount_micro_yuan=should - was,
    )


def _recurring_lines(policy: BillPolicy, month: Month, account: AccountInput, charges: list[Charge]) -> list[DraftLine]:
    """A line for each product, offering and item; a correction stands on a line of its own for its month."""
    grouped: dict[tuple[str, str, str, int, bool], list[Charge]] = {}
    for charge in charges:
        key = (
            charge.product_id,
            charge.offering_code,
            charge.item_code,
            charge.charge_month,
            charge.kind == CORRECTION,
        )
        grouped.setdefault(key, []).append(charge)
    lines = []
    for (product_id, _offering, item_code, charge_month, corrected), parts in grouped.items():
        micro = sum(part.amount_micro_yuan for part in parts)
        if not micro and all(not part.amount_micro_yuan for part in parts):
            continue
        first = parts[0]
        label, label_en, tax, group = _words(policy, first)
        if corrected:
            label = policy.correction_label.format(label=label, month=Month(charge_month))
            label_en = policy.correction_label_en.format(label=label_en, month=Month(charge_month))
        lines.append(
            _line(
                RECURRING,
                account.products[product_id],
                item_code,
                group,
                label,
                label_en,
                first.offering_code,
                first.offering_label,
                first.offering_en,
                min(part.from_on for part in parts),
                max(part.until_on for part in parts),
                len(parts),
                0,
                micro,
                tax,
                tuple(parts),
            )
        )
    return lines


def _words(policy: BillPolicy, charge: Charge) -> tuple[str, str, int, str]:
    if charge.tax_per_mille < 0:  # a correction of a price that no longer applies: its words come from the item
        item = _item(policy, charge.item_code.removesuffix(SUSPENDED_SUFFIX))
        return item.label, item.label_en, item.tax_per_mille, item.item_group
    if charge.item_code.endswith(SUSPENDED_SUFFIX):
        return policy.suspended_label, policy.suspended_label_en, charge.tax_per_mille, charge.item_group
    return charge.label, charge.label_en, charge.tax_per_mille, charge.item_group


# ---- usage and lines -------------------------------------------------------------------------------------------------
def _item(policy: BillPolicy, item_code: str) -> Item:
    item = policy.items.get(item_code)
    if item is None:
        raise BillItemUnknown(item_code=item_code)
    return item


def _usage_line(policy: BillPolicy, month: Month, account: AccountInput, usage: UsageInput) -> DraftLine:
    product = account.products.get(usage.product_id)
    if product is None:
        raise BillProductUnknown(product_id=usage.product_id)
    item = _item(policy, usage.item_code)
    return _line(
        USAGE,
        product,
        usage.item_code,
        item.item_group,
        item.label,
        item.label_en,
        "",
        "",
        "",
        month.first_on,
        month.until_on,
        usage.call_count,
        usage.quantity,
        usage.charge_micro_yuan,
        item.tax_per_mille,
        (),
    )


def net_of(gross_fen: int, tax_per_mille: int) -> int:
    """A gross amount without the VAT in it: ``money.split_tax`` on bare numbers.

    >>> net_of(10600, 60), net_of(-10600, 60)
    (10000, -10000)
    """
    return round_half_up(gross_fen * 1000, 1000 + tax_per_mille)


def _line(
    kind: str,
    product: ProductInput,
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
    charges: tuple[Charge, ...],
) -> DraftLine:
    """One line: the one rounding from micro-yuan to fen, and the VAT inside it (tax = gross - net)."""
    amount = round_half_up(micro, MICRO_PER_FEN)
    if abs(amount) > MAX_AMOUNT_FEN:
        raise BillAmountTooLarge(product_id=product.product_id, item_code=item_code)
    net = net_of(amount, tax_per_mille)
    return DraftLine(
        kind,
        product,
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
        charges,
    )


def imported_line(month: Month, product: ProductInput, item_code: str, item: Item, amount: Fen) -> DraftLine:
    """A line of an old system's bill: the amount as it was, with the tax that lies in it."""
    micro = amount.amount_fen * MICRO_PER_FEN
    return _line(
        "imported", product, item_code, item.item_group, item.label, item.label_en, "", "", "", month.first_on,
        month.until_on, 0, 0, micro, item.tax_per_mille, (),
    )  # fmt: skip


def _netted(lines: list[DraftLine]) -> list[DraftLine]:
    """Set credit lines against the others, in order, so that nobody owes a line that the same bill gives back."""
    credit = -sum(line.amount_fen for line in lines if line.amount_fen < 0)
    if not credit:
        return lines
    charge = sum(line.amount_fen for line in lines if line.amount_fen > 0)
    to_take = to_give = min(credit, charge)
    netted = []
    for line in lines:
        if line.amount_fen > 0:
            part = min(line.amount_fen, to_take)
            to_take -= part
            netted.append(line._replace(netted_fen=part))
        else:
            part = min(-line.amount_fen, to_give)
            to_give -= part
            netted.append(line._replace(netted_fen=-part))
    return netted
