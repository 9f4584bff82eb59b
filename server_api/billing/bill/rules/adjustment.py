"""How a credit on an issued line splits into net and tax, and what is left of the line. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared_models.values.money import Fen, round_half_up


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit with the tax that goes with it; ``left`` is what the line has left afterwards."""

    amount: Fen
    net: Fen
    tax: Fen
    left: Fen


def left_of(amount: Fen, netted: Fen, adjusted: Fen) -> Fen:
    """What a line still stands for: less what credit lines of its own bill took, less earlier adjustments."""
    return amount - netted - adjusted


def split_credit(
    credit: Fen, *, line_amount: Fen, line_tax: Fen, adjusted: Fen, adjusted_tax: Fen, left: Fen
) -> Credit:
    """The tax of a credit, cumulative: a line credited whole, in however many steps, gives back exactly its tax."""
    taken = adjusted + credit
    tax_fen = round_half_up(line_tax.amount_fen * taken.amount_fen, line_amount.amount_fen) - adjusted_tax.amount_fen
    tax = Fen(tax_fen)
    return Credit(credit, credit - tax, tax, left - credit)
