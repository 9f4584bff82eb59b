"""A stored charge in words: the explanation is rendered from the columns that made the amount, in either language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from resources import text
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Month

_ONE_DAY = timedelta(days=1)
_PLAIN_WHY = ("whole", "in_and_out", "capped")


def charge_words(charge: Any, language: str) -> str:
    """Why a recurring charge is what it is: price, part, days, amount. ``charge`` has the columns of bill_charge."""
    amount = charge.amount_micro_yuan
    last_on = charge.until_on - _ONE_DAY
    if charge.kind == "correction":
        return text(
            "bill.charge.difference",
            language,
            month=Month(charge.charge_month),
            should=charge.price_micro_yuan,
            was=MicroYuan(charge.numerator),
            amount=amount,
        )
    if charge.kind == "refund":
        return text(
            "bill.charge.refund",
            language,
            unused=-charge.numerator,
            months=charge.denominator,
            price=charge.price_micro_yuan,
            amount=amount,
        )
    if charge.bundle_code:
        whole = charge.numerator == charge.denominator
        return text(
            "bill.charge.share" if whole else "bill.charge.share_part",
            language,
            bundle=charge.bundle_code,
            whole=charge.price_micro_yuan,
            share=charge.share_per_mille,
            numerator=charge.numerator,
            denominator=charge.denominator,
            why=_why(charge, language),
            amount=amount,
        )
    if charge.kind == "term":
        months = _months_between(charge.from_on, charge.until_on)
        return text(
            "bill.charge.term",
            language,
            months=months,
            price=charge.price_micro_yuan,
            from_on=charge.from_on,
            last_on=last_on,
            amount=amount,
        )
    if charge.kind == "suspended":
        return text(
            "bill.charge.suspended",
            language,
            price=charge.price_micro_yuan,
            numerator=charge.numerator,
            denominator=charge.denominator,
            why=_why(charge, language),
            amount=amount,
        )
    if charge.numerator == charge.denominator:
        return text("bill.charge.whole", language, price=charge.price_micro_yuan, amount=amount)
    return text(
        "bill.charge.part",
        language,
        price=charge.price_micro_yuan,
        numerator=charge.numerator,
        denominator=charge.denominator,
        why=_why(charge, language),
        from_on=charge.from_on,
        last_on=last_on,
        amount=amount,
    )


def _why(charge: Any, language: str) -> str:
    if charge.rule_code in _PLAIN_WHY:
        return text(f"bill.why.{charge.rule_code}", language)
    situation, _dot, way = charge.rule_code.partition(".")
    begins = situation in ("start", "resume") or (situation == "change" and charge.from_on.day > 1)
    on = charge.from_on if begins else charge.until_on
    return text(f"bill.why.{situation}", language, day=on, way=text(f"bill.way.{way}", language))


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
