"""Postings: positive, between two accounts, and undone by their mirrors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.billing.ledger.rules import LedgerName, Posting, balances, over_or_short
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen

NAMES = [
    LedgerName(code, owner) for code in (LedgerCode.CASH, LedgerCode.ADVANCE, LedgerCode.RECEIVABLE) for owner in "ab"
]
postings = st.builds(
    lambda pair, fen: Posting(pair[0], pair[1], Fen(fen)),
    st.permutations(NAMES).map(lambda names: names[:2]),
    st.integers(min_value=1, max_value=10**12),
)


@given(st.lists(postings))
def test_balances_always_sum_to_zero(booked: list[Posting]) -> None:
    assert Fen.total(balances(booked).values()) == ZERO_FEN


@given(st.lists(postings))
def test_mirrors_bring_every_balance_back(booked: list[Posting]) -> None:
    undone = balances([*booked, *(posting.mirrored for posting in booked)])
    assert all(balance == ZERO_FEN for balance in undone.values())


@pytest.mark.parametrize("fen", [0, -1])
def test_a_posting_is_positive(fen: int) -> None:
    with pytest.raises(ValueError):
        Posting(NAMES[0], NAMES[1], Fen(fen))


def test_a_posting_goes_somewhere_else() -> None:
    with pytest.raises(ValueError):
        Posting(NAMES[0], NAMES[0], Fen(1))


def test_over_and_short_go_opposite_ways() -> None:
    drawer = LedgerName(LedgerCode.CASH, "till")
    (over,) = over_or_short(LedgerCode.OVER_SHORT, "till", drawer, Fen(5))
    (short,) = over_or_short(LedgerCode.OVER_SHORT, "till", drawer, Fen(-5))
    assert (over.target, short.source) == (drawer, drawer) and over.amount == short.amount == Fen(5)
    assert over_or_short(LedgerCode.OVER_SHORT, "till", drawer, Fen(0)) == ()
