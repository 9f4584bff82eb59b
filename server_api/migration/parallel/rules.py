"""Why an old system's bill of an account differs from ours. Pure; amounts are bare fen inside, micro-yuan where named.

Items are compared one by one. A difference gets the first reason that accounts for it **exactly** (or, where the reason
is rounding, within what rounding can do); what is left and sums to nothing within a service was billed under other
items; what then still differs and has no reason is called unexplained, never waved through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from server_api.billing.bill.rules.proration import ONE, WAYS, share_from, share_of_piece, share_until
from shared_models.values.money import MICRO_PER_FEN, round_half_up
from shared_models.values.period import Month

#: Terms an old system may spread over months, or we may.
_TERMS = (3, 6, 12, 24)


class Reason(StrEnum):
    """Why two amounts differ, or that they do not."""

    EQUAL = "equal"
    OTHER_MONTH = "other_month"
    PRORATION = "proration"
    TERM = "term"
    ROUNDING = "rounding"
    CALLS = "calls"
    DISCOUNT = "discount"
    NET_OF_TAX = "net_of_tax"
    REGROUPED = "regrouped"
    LATE_FEE = "late_fee"
    ONE_OFF = "one_off"
    USAGE_MISSING = "usage_missing"
    NOT_OURS = "not_ours"
    NOT_THEIRS = "not_theirs"
    ACCOUNT_NOT_OURS = "account_not_ours"
    ACCOUNT_NOT_THEIRS = "account_not_theirs"
    UNEXPLAINED = "unexplained"


class Piece(NamedTuple):
    """A charge behind one of our lines, as far as another way to charge a part of a month would change it."""

    kind: str
    charge_month: int
    from_on: date
    until_on: date
    price_micro_yuan: int
    share_per_mille: int
    amount_micro_yuan: int


class OurLine(NamedTuple):
    """One line of our bill."""

    item_code: str
    service: str
    kind: str
    amount_fen: int
    net_fen: int
    part_count: int
    pieces: tuple[Piece, ...] = ()


class OldItem(NamedTuple):
    """What the old system billed for one item; ``call_count`` where it says so."""

    item_code: str
    amount_fen: int
    call_count: int | None = None


class Finding(NamedTuple):
    """One item of one account: both amounts and the reason they differ by ``old - ours``."""

    account_no: str
    item_code: str
    old_fen: int
    our_fen: int
    reason: Reason
    detail: str = ""

    @property
    def difference_fen(self) -> int:
        return self.old_fen - self.our_fen


#: Kinds of our lines that are about another month than the bill's.
_OTHER_MONTH = ("correction", "rerated")
_ONE_OFF = ("fee", "adjustment", "deposit", "early_stop", "minimum", "other")
_LATE = ("late_fee", "waived")


@dataclass
class _Item:
    """One item while it is compared."""

    item_code: str
    old: OldItem | None = None
    lines: list[OurLine] = field(default_factory=list)

    def sum_of(self, *kinds: str) -> int:
        return sum(line.amount_fen for line in self.lines if line.kind in kinds)

    @property
    def ours(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def theirs(self) -> int:
        return self.old.amount_fen if self.old else 0

    @property
    def service(self) -> str:
        """The service of our line, or what the item's name begins with."""
        return self.lines[0].service if self.lines else self.item_code.partition(".")[0]


def compare_account(
    account_no: str, old: Mapping[str, OldItem] | None, ours: Sequence[OurLine] | None
) -> Iterable[Finding]:
    """Compare one account's bills. None is a system that knows no bill of this account.

    The differences of the findings sum to the difference of the two bills.
    """
    items = _paired(old or {}, ours or ())
    if old is None or ours is None:
        reason = Reason.ACCOUNT_NOT_THEIRS if old is None else Reason.ACCOUNT_NOT_OURS
        return [Finding(account_no, item.item_code, item.theirs, item.ours, reason) for item in items]
    findings: list[Finding] = []
    left: list[_Item] = []
    for item in items:
        alone, detail = _by_itself(item)
        if alone is None:
            left.append(item)
        else:
            findings.append(Finding(account_no, item.item_code, item.theirs, item.ours, alone, detail))
    for item, shared, detail in _together(left):
        findings.append(Finding(account_no, item.item_code, item.theirs, item.ours, shared, detail))
    return sorted(findings)


def _paired(old: Mapping[str, OldItem], ours: Iterable[OurLine]) -> list[_Item]:
    items = {code: _Item(code, row) for code, row in old.items()}
    for line in ours:
        items.setdefault(line.item_code, _Item(line.item_code)).lines.append(line)
    return [items[code] for code in sorted(items)]


def _by_itself(item: _Item) -> tuple[Reason | None, str]:
    """The reason that accounts for an item's difference without looking at others."""
    difference = item.theirs - item.ours
    if not difference:
        return Reason.EQUAL, ""
    if item.old is None:
        return _only_ours(item)
    if not item.lines:
        return None, ""
    other_month = item.sum_of(*_OTHER_MONTH)
    if other_month and difference == -other_month:
        return Reason.OTHER_MONTH, ""
    discount = item.sum_of("discount")
    if discount and difference == -discount:
        return Reason.DISCOUNT, ""
    for way in WAYS:
        if (other := _under(item.lines, way)) is not None and abs(item.theirs - other) <= _pieces(item):
            return Reason.PRORATION, way
    if (months := _spread(item)) is not None:
        return Reason.TERM, str(months)
    if item.theirs == sum(line.net_fen for line in item.lines):
        return Reason.NET_OF_TAX, ""
    calls = sum(line.part_count for line in item.lines if line.kind == "usage")
    told = item.old.call_count
    if told is not None and calls != told:
        return Reason.CALLS, f"{told} / {calls}"
    # each call, or each piece of a fee, brought to a whole fen by itself, whichever way
    parts = calls or _pieces(item)
    if abs(difference) <= parts:
        return Reason.ROUNDING, str(parts)
    return None, ""


def _only_ours(item: _Item) -> tuple[Reason | None, str]:
    kinds = {line.kind for line in item.lines}
    if kinds <= {*_OTHER_MONTH}:
        return Reason.OTHER_MONTH, ""
    if kinds <= {*_LATE}:
        return Reason.LATE_FEE, ""
    if kinds <= {*_ONE_OFF}:
        return Reason.ONE_OFF, ""
    return (Reason.DISCOUNT, "") if kinds == {"discount"} else (None, "")


def _pieces(item: _Item) -> int:
    return max(1, sum(len(line.pieces) for line in item.lines))


def _under(lines: Sequence[OurLine], way: str) -> int | None:
    """What the lines would come to if parts of months were charged that way; None where no part of a month is."""
    total, parts = 0, False
    for line in lines:
        micro = 0
        for piece in line.pieces:
            amount = _piece_under(piece, way) if piece.kind == "month" else None
            parts |= amount is not None
            micro += piece.amount_micro_yuan if amount is None else amount
        total += round_half_up(micro, MICRO_PER_FEN) if line.pieces else line.amount_fen
    return total if parts else None


def _piece_under(piece: Piece, way: str) -> int | None:
    month = Month(piece.charge_month)
    begins_late, ends_early = piece.from_on > month.first_on, piece.until_on < month.until_on
    if not (begins_late or ends_early):
        return None
    share = share_of_piece(
        share_from(way, piece.from_on.day, month.days) if begins_late else ONE,
        share_until(way, piece.until_on.day, month.days) if ends_early else ONE,
    )
    per_mille = piece.share_per_mille
    return piece.price_micro_yuan * per_mille * share.numerator // (1000 * share.denominator)


def _spread(item: _Item) -> int | None:
    """Over how many months one of the two systems spreads what the other bills at once."""
    small, large = sorted((abs(item.theirs), abs(item.ours)))
    return next((months for months in _TERMS if small and abs(small * months - large) <= months), None)


def _together(items: Sequence[_Item]) -> Iterable[tuple[_Item, Reason, str]]:
    """Reasons that only show when items are looked at together: the same money under other names."""
    left = list(items)
    for same in ({item.service for item in items}, {""}):
        for service in sorted(same):
            group = [item for item in left if not service or item.service == service]
            if len(group) > 1 and not sum(item.theirs - item.ours for item in group):
                yield from ((item, Reason.REGROUPED, service) for item in group)
                left = [item for item in left if item not in group]
    services = {item.service for item in items if item.lines}
    for item in left:
        if item.old is None:
            yield item, Reason.NOT_THEIRS, ""
        elif not item.lines:
            usage = item.old.call_count is not None
            yield (
                item,
                Reason.USAGE_MISSING if usage else Reason.NOT_OURS,
                "" if item.service in services else "service",
            )
        else:
            yield item, Reason.UNEXPLAINED, ""
