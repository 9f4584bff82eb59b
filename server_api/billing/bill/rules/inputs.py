"""What the bill calculator is given, and what it hands back. Plain tuples: a run makes millions of them.

Units: ``*_micro_yuan`` and ``*_fen`` are bare integers inside the calculator only; the slice's service wraps them.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class ProductInput(NamedTuple):
    """A product as bills print it."""

    product_id: str
    product_no: str
    service: str
    shown_as: str
    region: str


class EventInput(NamedTuple):
    """One change of what a product costs, from the day ``effective_on`` on."""

    event_id: str
    seq_no: int
    kind: str
    effective_on: date
    offering_code: str
    price_version: int
    bundle_code: str
    bundle_instance: str
    #: why a product was terminated, by code: some reasons forgive an early-stop fee
    reason: str = ""


#: What the account itself pays, not one of its products.
ACCOUNT = ProductInput("", "", "account", "", "")


class PayInput(NamedTuple):
    """Who pays which items of a product."""

    item_group: str
    account_id: str
    priority: int
    from_on: date
    until_on: date | None


class UsageInput(NamedTuple):
    """The rated usage of one item of one product in the month, summed.

    ``for_month`` above 0: the difference that re-rating an earlier, frozen month made.
    """

    product_id: str
    item_code: str
    charge_micro_yuan: int
    call_count: int
    quantity: int
    for_month: int = 0


class ExtraInput(NamedTuple):
    """A one-off charge or, below zero, a credit booked for this bill. No product: it is about the account.

    ``kind``: fee, adjustment, late_fee, late_fee_waived, early_stop, minimum_spend, deposit, discount, other.
    """

    charge_id: str
    product_id: str
    item_code: str
    kind: str
    amount_micro_yuan: int
    from_on: date
    until_on: date
    reason: str = ""
    #: the issued bill (and line) it is about; of a waiver the bill whose late fee is waived, '' any
    about_bill_id: str = ""
    about_line_no: int = 0


class OverdueInput(NamedTuple):
    """An earlier bill as far as its late fee goes.

    ``owed`` says from which day on how many fen of principal (the bill without its late-fee lines) were open, as of the
    end of that day, in order of days, beginning on or before ``due_on``. All of the bill's history is given, so that
    the cap can be held against what earlier months took; nothing need be stored. ``waived`` are half-open spans of days
    that cost nothing.
    """

    bill_id: str
    bill_no: str
    due_on: date
    owed: tuple[tuple[date, int], ...]
    waived: tuple[tuple[date, date], ...] = ()


class BilledCharge(NamedTuple):
    """What was already billed for a product's price in a month: the sum over all its bills."""

    product_id: str
    offering_code: str
    price_code: str
    item_code: str
    charge_month: int
    amount_micro_yuan: int
    #: the rate of the lines it stood on; below zero: not known, the item's own
    tax_per_mille: int = -1


class AccountInput(NamedTuple):
    """All that makes an account's bill of a month, frozen.

    ``late_months`` are months billed before some event of theirs was heard, or before their usage was rated as it is
    now: for them the difference between what should be and what ``billed`` says is charged, and nothing else.
    Where there are any, ``billed`` holds all charges of those months **and of the bill's own month** (fees in advance)
    on any earlier bill, of every kind; and ``late_usage`` the usage of the late months as rated now, each with its
    month in ``for_month`` (discounts and minimum spend are computed from it; it makes no lines of its own).
    """

    account_id: str
    products: dict[str, ProductInput]
    events: dict[str, list[EventInput]]
    pays: dict[str, list[PayInput]]
    usage: list[UsageInput]
    late_months: tuple[int, ...] = ()
    billed: tuple[BilledCharge, ...] = ()
    late_usage: tuple[UsageInput, ...] = ()
    extras: tuple[ExtraInput, ...] = ()
    overdue: tuple[OverdueInput, ...] = ()
    #: (from month, billing day) in order of month; empty: calendar months. See values.period.Cycle.
    billing_days: tuple[tuple[int, int], ...] = ()


#: Stands in a charge for a product, event or offering where there is none; the columns hold no empty text.
NONE = "-"


class Charge(NamedTuple):
    """One charge with all that made it: amount = price × numerator ÷ denominator, floored once to micro-yuan.

    What differs between two products with the same price stands first: the rest is made once and shared.
    """

    product_id: str
    event_id: str
    bundle_instance: str
    item_code: str
    item_group: str
    label: str
    label_en: str
    offering_code: str
    offering_label: str
    offering_en: str
    tax_per_mille: int
    price_code: str
    price_version: int
    bundle_code: str
    charge_month: int
    kind: str
    rule: str
    from_on: date
    until_on: date
    price_micro_yuan: int
    numerator: int
    denominator: int
    share_per_mille: int
    amount_micro_yuan: int


class DraftLine(NamedTuple):
    """One line of a draft bill. ``charges`` is empty for usage: the rated calls are its parts."""

    product: ProductInput
    charges: tuple[Charge, ...]
    kind: str
    item_code: str
    item_group: str
    label: str
    label_en: str
    offering_code: str
    offering_label: str
    offering_en: str
    from_on: date
    until_on: date
    part_count: int
    quantity: int
    charge_micro_yuan: int
    amount_fen: int
    tax_per_mille: int
    net_fen: int
    tax_fen: int
    netted_fen: int


class BillDraft(NamedTuple):
    """A bill before it is frozen. ``total_fen`` is the sum of its lines; below zero it is money the customer gets."""

    account_id: str
    lines: tuple[DraftLine, ...]
    total_fen: int
    net_fen: int
    tax_fen: int
