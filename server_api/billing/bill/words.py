"""A stored charge in words: the explanation is rendered from the columns that made the amount, in either language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from resources import text
from server_api.billing.bill.policy import billing_policy
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Month


def item_words(item_code: str, language: str) -> str:
    """An item as people call it; its code where the policy does not name it."""
    item = billing_policy().bill.items.get(item_code)
    return item_code if item is None else item.label if language == "zh_CN" else item.label_en


_ONE_DAY = timedelta(days=1)
_WITHOUT_WHY = ("correction", "refund", "term", "discount", "early_stop", "late_fee", "extra")
_PLAIN_WHY = ("whole", "in_and_out", "capped", "cycle", "counted", "per_day")
#: Kinds whose sentence is chosen by the rule alone: discount.percent, late_fee.late_capped, extra.cut ...
_BY_RULE = ("discount", "early_stop", "late_fee", "extra")


def charge_words(charge: Any, language: str) -> str:
    """Why a charge is what it is: price, part, days, amount. ``charge`` has the columns of bill_charge."""
    price = charge.price_micro_yuan
    return text(
        f"bill.charge.{_form(charge)}", language,
        price=price, whole=price, should=price, amount=charge.amount_micro_yuan, was=MicroYuan(charge.numerator),
        numerator=charge.numerator, denominator=charge.denominator, unused=-charge.numerator,
        months=charge.denominator if charge.kind == "refund" else _months_between(charge.from_on, charge.until_on),
        month=Month(charge.charge_month), share=charge.share_per_mille, bundle=charge.bundle_code or "",
        why="" if charge.kind in _WITHOUT_WHY else _why(charge, language),
        from_on=charge.from_on, until_on=charge.until_on, last_on=charge.until_on - _ONE_DAY,
        credit=MicroYuan(-price.amount_micro_yuan), off=MicroYuan(-charge.amount_micro_yuan.amount_micro_yuan),
        part=Fen(charge.numerator), base=Fen(charge.denominator), percent=_percent(charge.share_per_mille),
        days=(charge.until_on - charge.from_on).days,
    )  # fmt: skip


def _form(charge: Any) -> str:
    """Which sentence explains a charge of this kind."""
    whole = charge.numerator == charge.denominator
    if charge.kind == "correction":
        return "difference"
    if charge.kind in _BY_RULE:
        return f"{charge.kind}_{charge.rule_code.removeprefix('stop.')}"
    if charge.kind == "minimum":
        return "minimum_counted" if charge.rule_code == "counted" else "minimum" if whole else "minimum_part"
    if charge.rule_code == "per_day":
        return "suspended_days"
    if charge.rule_code == "term_used":
        return "term_used"
    if charge.kind == "refund":
        return "refund"
    if charge.bundle_code:
        return "share" if whole else "share_part"
    if charge.kind in ("term", "suspended"):
        return str(charge.kind)
    return "whole" if whole else "part"


def _why(charge: Any, language: str) -> str:
    if charge.rule_code in _PLAIN_WHY:
        return text(f"bill.why.{charge.rule_code}", language)
    situation, _dot, way = charge.rule_code.partition(".")
    begins = situation in ("start", "resume") or (situation == "change" and charge.from_on.day > 1)
    on = charge.from_on if begins else charge.until_on
    return text(f"bill.why.{situation}", language, day=on, way=text(f"bill.way.{way}", language))


def _percent(per_mille: int) -> str:
    """Thousandths as a percentage is written: 200 is 20, 125 is 12.5."""
    whole, tenth = divmod(per_mille, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)


def _months_between(from_on: Any, until_on: Any) -> int:
    return int((until_on.year - from_on.year) * 12 + until_on.month - from_on.month)


def rounding_words(kind: str, charge: MicroYuan, amount: Fen, language: str) -> str:
    """The one rounding of a line, in words."""
    if kind == "imported":
        return text("bill.imported_line", language)
    return text("bill.calls_sum" if kind == "usage" else "bill.charges_sum", language, exact=charge, amount=amount)


def service_words(service: str, language: str) -> str:
    """The name of a service; one billing does not know by name is 'other'."""
    key = f"bill.services.{service}"
    found = text(key, language)
    return found if found != key else text("bill.services.other", language)
