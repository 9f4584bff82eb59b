"""One-off charges and credits booked for a bill, each on a line of its own; no credit takes more than there is left."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.billing.bill.rules.house import BillPolicy
from server_api.billing.bill.rules.inputs import (
    ACCOUNT,
    NONE,
    Charge,
    DraftLine,
    ExtraInput,
    OverdueInput,
    ProductInput,
)
from server_api.billing.bill.rules.late_fee import late_days
from server_api.billing.bill.rules.lines import item_of, line_of
from shared_models.values.faults.bill import BillProductUnknown
from shared_models.values.money import MICRO_PER_FEN
from shared_models.values.period import Cycle, Month

EXTRA, LATE_FEE, WAIVED, BOOKED_RULE, CUT_RULE = "extra", "late_fee", "waived", "booked", "cut"
LATE_RULE, LATE_CAP_RULE = "late", "late_capped"
LATE_FEE_ITEM = "late_fee"
_PER_TEN_THOUSAND = 10_000
#: Kinds of booked charges whose lines are called otherwise; the rest keep their name.
_LINE_KINDS = {"late_fee_waived": WAIVED, "minimum_spend": "minimum"}
_CUT_KINDS = ("adjustment", "discount", "late_fee_waived")


def late_fee_lines(policy: BillPolicy, overdue: Sequence[OverdueInput], cycle: Month | Cycle) -> list[DraftLine]:
    """The late fee of the days of this month, a line for each overdue bill."""
    item = item_of(policy, LATE_FEE_ITEM) if overdue else None
    lines = []
    for each in sorted(overdue):
        parts = late_days(policy.late_fee, each, cycle.first_on, cycle.until_on)
        micro = sum(part.amount_micro_yuan for part in parts)
        if item is None or not micro:
            continue
        charges = tuple(
            _bare_charge(
                LATE_FEE, LATE_CAP_RULE if part.capped else LATE_RULE, LATE_FEE_ITEM, each.bill_id, cycle
            )._replace(
                from_on=part.from_on,
                until_on=part.until_on,
                price_micro_yuan=part.owed_fen * MICRO_PER_FEN,
                numerator=part.days * policy.late_fee.per_ten_thousand,
                denominator=_PER_TEN_THOUSAND,
                amount_micro_yuan=part.amount_micro_yuan,
            )
            for part in parts
        )
        label, label_en = (words.format(label=name, bill=each.bill_no) for words, name in zip(
            policy.words["about_bill"], (item.label, item.label_en), strict=True))  # fmt: skip
        lines.append(line_of(
            LATE_FEE, ACCOUNT, charges, LATE_FEE_ITEM, item.item_group, label, label_en, "", "", "",
            parts[0].from_on, parts[-1].until_on, len(charges), 0, micro, item.tax_per_mille,
        ))  # fmt: skip
    return lines


def extra_lines(
    policy: BillPolicy,
    products: dict[str, ProductInput],
    extras: Sequence[ExtraInput],
    lines: Sequence[DraftLine],
    cycle: Month | Cycle,
) -> list[DraftLine]:
    """A line for each booked charge; charges first, then credits in the order of their days.

    A credit about days of this very month is cut at what is left, after earlier ones, of the line it is about (of the
    product's lines where it names no item on the bill, of the bill where it names no product). One about an issued bill
    was checked when it was booked.
    """
    left = _Left(lines)
    made = []
    for extra in sorted(extras, key=lambda each: (each.amount_micro_yuan < 0, each.from_on, each.charge_id)):
        product = products.get(extra.product_id) if extra.product_id else ACCOUNT
        if product is None:
            raise BillProductUnknown(product_id=extra.product_id)
        micro, rule = extra.amount_micro_yuan, BOOKED_RULE
        if micro < 0 and extra.kind in _CUT_KINDS and _about_this_month(extra, cycle):
            most = left.of(extra) * MICRO_PER_FEN
            if -micro > most:
                micro, rule = -most, CUT_RULE
        line = _extra_line(policy, product, extra, micro, rule, cycle)
        left.take(line, extra.about_bill_id if line.kind == WAIVED else "")
        made.append(line)
    return made


def _about_this_month(extra: ExtraInput, cycle: Month | Cycle) -> bool:
    """A waiver is always of this bill's late fee: that of an issued bill is a credit on its line, never on a bill."""
    return extra.kind == "late_fee_waived" or (extra.from_on >= cycle.first_on and not extra.about_bill_id)


def _extra_line(
    policy: BillPolicy, product: ProductInput, extra: ExtraInput, micro: int, rule: str, cycle: Month | Cycle
) -> DraftLine:
    item = item_of(policy, extra.item_code)
    charge = _bare_charge(EXTRA, rule, extra.item_code, extra.charge_id, cycle)._replace(
        product_id=product.product_id or NONE,
        from_on=extra.from_on,
        until_on=extra.until_on,
        price_micro_yuan=extra.amount_micro_yuan,
        amount_micro_yuan=micro,
    )
    tax = policy.tax_on(extra.item_code, item.item_group, item.tax_per_mille, extra.from_on)
    return line_of(
        _LINE_KINDS.get(extra.kind, extra.kind), product, (charge,), extra.item_code, item.item_group, item.label,
        item.label_en, "", extra.reason[:80], extra.reason[:80], extra.from_on, extra.until_on, 1, 0, micro, tax,
    )  # fmt: skip


def _bare_charge(kind: str, rule: str, item_code: str, event_id: str, cycle: Month | Cycle) -> Charge:
    return Charge(
        NONE, event_id or NONE, "", item_code, "", "", "", NONE, "", "", 0, NONE, 0, "", cycle.yyyymm, kind, rule,
        cycle.first_on, cycle.until_on, 0, 1, 1, 1000, 0,
    )  # fmt: skip


class _Left:
    """What of a draft may still be credited: by item of a product, by product, in all, and of late fees by bill."""

    def __init__(self, lines: Sequence[DraftLine]) -> None:
        self._items: dict[tuple[str, str], int] = {}
        self._products: dict[str, int] = {}
        self._late: dict[str, int] = {}
        self._all = 0
        for line in lines:
            self.take(line, line.charges[0].event_id if line.kind == LATE_FEE else "")

    def of(self, extra: ExtraInput) -> int:
        if extra.kind == "late_fee_waived":
            late = self._late.get(extra.about_bill_id, 0) if extra.about_bill_id else sum(self._late.values())
            return max(0, late)
        found = self._items.get((extra.product_id, extra.item_code))
        if found is None and extra.product_id:
            found = self._products.get(extra.product_id, 0)
        return max(0, min(self._all if found is None else found, self._all))

    def take(self, line: DraftLine, about_bill_id: str) -> None:
        """Count a line: a charge leaves more, a credit less."""
        product_id, amount = line.product.product_id, line.amount_fen
        key = (product_id, line.item_code)
        self._items[key] = self._items.get(key, 0) + amount
        self._products[product_id] = self._products.get(product_id, 0) + amount
        self._all += amount
        if line.kind in (LATE_FEE, WAIVED):
            self._late[about_bill_id] = self._late.get(about_bill_id, 0) + amount
