"""Money: integer fen for what is owed, paid and booked; integer micro-yuan for prices and stored charges.

Nothing here touches a balance. There is one rounding in each direction:

* exact charge (numerator/denominator) -> micro-yuan: ``floor_div`` when a usage or proration row is stored;
* micro-yuan -> fen: ``MicroYuan.to_fen`` (half up, away from zero) when charges become a bill line.

Splits never round on their own: see :func:`split_exactly`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared_models.values.faults.base import Fault

MICRO_PER_FEN = 10_000
FEN_PER_YUAN = 100
#: The largest amount one act may name: ten thousand million yuan. Keeps every sum inside int64.
MAX_AMOUNT_FEN = 1_000_000_000_000

_YUAN_TEXT = re.compile(r"(-?)(\d{1,10})(?:\.(\d{1,2}))?")
_PRICE_TEXT = re.compile(r"(-?)(\d{1,10})(?:\.(\d+))?")


class AmountNotUnderstood(Fault):
    """The text is not an amount of money this field can hold."""

    code = "amount_not_understood"
    status = 422


class PriceTooFine(Fault):
    """The price has more than six decimals of a yuan; state it per a larger quantity instead."""

    code = "price_too_fine"
    status = 422


def round_half_up(numerator: int, denominator: int) -> int:
    """Return numerator/denominator rounded to the nearest integer, halves away from zero.

    Python's own ``round`` takes halves to the even neighbour, which a customer would call wrong.

    >>> round_half_up(5, 2), round_half_up(-5, 2), round_half_up(7, 3)
    (3, -3, 2)
    """
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


@dataclass(frozen=True, slots=True, order=True)
class Fen:
    """An amount of money in whole fen (1/100 yuan). Adds to its own kind only."""

    amount_fen: int

    def __post_init__(self) -> None:
        if type(self.amount_fen) is not int:
            raise TypeError(f"fen are whole numbers, not {type(self.amount_fen).__name__}")

    def __add__(self, other: Fen) -> Fen:
        return Fen(self.amount_fen + other.amount_fen)

    def __sub__(self, other: Fen) -> Fen:
        return Fen(self.amount_fen - other.amount_fen)

    def __neg__(self) -> Fen:
        return Fen(-self.amount_fen)

    def __mul__(self, times: int) -> Fen:
        if type(times) is not int:
            raise TypeError("money is multiplied by whole numbers only")
        return Fen(self.amount_fen * times)

    def __bool__(self) -> bool:
        return self.amount_fen != 0

    def __str__(self) -> str:
        """Yuan with two decimals, as on a receipt: ``-12.30``."""
        sign = "-" if self.amount_fen < 0 else ""
        yuan, fen = divmod(abs(self.amount_fen), FEN_PER_YUAN)
        return f"{sign}{yuan}.{fen:02d}"

    @property
    def grouped(self) -> str:
        """Yuan with thousands separators for reading on a screen: ``1,234.50``."""
        sign = "-" if self.amount_fen < 0 else ""
        yuan, fen = divmod(abs(self.amount_fen), FEN_PER_YUAN)
        return f"{sign}{yuan:,}.{fen:02d}"

    @classmethod
    def parse(cls, text: str) -> Fen:
        """Read yuan as a person types them (``12``, ``12.3``, ``￥1,200.50``).

        Raises AmountNotUnderstood for anything else, also for a third decimal: money is never rounded on the way in.
        """
        plain = text.strip().replace(",", "").replace("，", "").lstrip("￥¥")
        match = _YUAN_TEXT.fullmatch(plain)
        if match is None or not plain.isascii():
            raise AmountNotUnderstood(text=text[:40])
        sign, yuan, decimals = match.groups()
        fen = int(yuan) * FEN_PER_YUAN + int((decimals or "").ljust(2, "0"))
        return cls(-fen if sign else fen)

    @classmethod
    def total(cls, amounts: Iterable[Fen]) -> Fen:
        """Sum amounts; an empty sum is zero."""
        return cls(sum(amount.amount_fen for amount in amounts))


ZERO_FEN = Fen(0)


@dataclass(frozen=True, slots=True, order=True)
class MicroYuan:
    """A price or a stored charge in whole micro-yuan (1/1,000,000 yuan)."""

    amount_micro_yuan: int

    def __post_init__(self) -> None:
        if type(self.amount_micro_yuan) is not int:
            raise TypeError(f"micro-yuan are whole numbers, not {type(self.amount_micro_yuan).__name__}")

    def __add__(self, other: MicroYuan) -> MicroYuan:
        return MicroYuan(self.amount_micro_yuan + other.amount_micro_yuan)

    def __sub__(self, other: MicroYuan) -> MicroYuan:
        return MicroYuan(self.amount_micro_yuan - other.amount_micro_yuan)

    def __neg__(self) -> MicroYuan:
        return MicroYuan(-self.amount_micro_yuan)

    def __str__(self) -> str:
        """Yuan with as many decimals as needed, at least two: ``0.07``, ``0.1155``."""
        sign = "-" if self.amount_micro_yuan < 0 else ""
        yuan, micro = divmod(abs(self.amount_micro_yuan), 1_000_000)
        decimals = f"{micro:06d}".rstrip("0").ljust(2, "0")
        return f"{sign}{yuan}.{decimals}"

    def to_fen(self) -> Fen:
        """The one rounding from charges to a bill line: half up.

        >>> MicroYuan(115_000).to_fen(), MicroYuan(114_999).to_fen()
        (Fen(amount_fen=12), Fen(amount_fen=11))
        """
        return Fen(round_half_up(self.amount_micro_yuan, MICRO_PER_FEN))

    @classmethod
    def of_fen(cls, amount: Fen) -> MicroYuan:
        """The same money, finer."""
        return cls(amount.amount_fen * MICRO_PER_FEN)

    @classmethod
    def parse(cls, text: str) -> MicroYuan:
        """Read a price in yuan with up to six decimals; raises PriceTooFine or AmountNotUnderstood."""
        plain = text.strip().replace(",", "")
        match = _PRICE_TEXT.fullmatch(plain)
        if match is None or not plain.isascii():
            raise AmountNotUnderstood(text=text[:40])
        sign, yuan, decimals = match.groups()
        digits = (decimals or "").rstrip("0")
        if len(digits) > 6:
            raise PriceTooFine(text=text[:40])
        micro = int(yuan) * 1_000_000 + int(digits.ljust(6, "0"))
        return cls(-micro if sign else micro)

    @classmethod
    def total(cls, amounts: Iterable[MicroYuan]) -> MicroYuan:
        """Sum charges; an empty sum is zero."""
        return cls(sum(amount.amount_micro_yuan for amount in amounts))


def split_exactly(total: Fen, weights: Sequence[int], rest_at: int | None = None) -> list[Fen]:
    """Split ``total`` in proportion to ``weights`` so that the parts sum to it, always.

    Largest remainder: every part is floored and the fen left over go to the parts with the largest remainders
    (ties to the earlier), or all of them to the line ``rest_at`` where one named line takes the rest.

    >>> [str(part) for part in split_exactly(Fen(100), [1, 1, 1])]
    ['0.34', '0.33', '0.33']
    >>> [str(part) for part in split_exactly(Fen(100), [1, 1, 1], rest_at=2)]
    ['0.33', '0.33', '0.34']
    """
    whole = sum(weights)
    if not weights or whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    magnitude = abs(total.amount_fen)
    floors = [magnitude * weight // whole for weight in weights]
    left = magnitude - sum(floors)
    if rest_at is not None:
        floors[rest_at] += left
    else:
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(magnitude * weights[i] % whole), i))
        for index in by_remainder[:left]:
            floors[index] += 1
    sign = -1 if total.amount_fen < 0 else 1
    return [Fen(sign * part) for part in floors]


def split_tax(gross: Fen, rate_per_mille: int) -> tuple[Fen, Fen]:
    """Split a price that includes VAT into (net, tax); tax is gross minus net, never rounded on its own.

    ``rate_per_mille`` is the rate in thousandths: 60 for 6 %, 90 for 9 %.

    >>> split_tax(Fen(10600), 60)
    (Fen(amount_fen=10000), Fen(amount_fen=600))
    """
    net = Fen(round_half_up(gross.amount_fen * 1000, 1000 + rate_per_mille))
    return net, gross - net
