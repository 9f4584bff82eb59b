"""Money: exact in, exact out, one rounding each way."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_models.values import money
from shared_models.values.money import (
    ZERO_FEN,
    AmountNotUnderstood,
    Fen,
    MicroYuan,
    PriceTooFine,
    round_half_up,
    split_exactly,
    split_tax,
)

amounts = st.integers(-(10**14), 10**14).map(Fen)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(lambda found: sum(found) > 0)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(money).failed == 0


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("12", 1200), ("12.3", 1230), ("12.30", 1230), ("￥1,200.50", 120050), ("-0.01", -1), (" 7.05 ", 705)],
)
def test_amounts_are_read_as_people_write_them(text: str, fen: int):
    assert Fen.parse(text) == Fen(fen)


@pytest.mark.parametrize("text", ["", "1.234", "1e3", "abc", "１２", "1..2", "--1", "99999999999", "NaN", "1.2元", "²"])
def test_what_is_not_an_amount_is_refused(text: str):
    with pytest.raises(AmountNotUnderstood):
        Fen.parse(text)


@pytest.mark.parametrize("wrong", [1.0, "1", True, None])
def test_only_whole_numbers_become_money(wrong: object):
    with pytest.raises(TypeError):
        Fen(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        MicroYuan(wrong)  # type: ignore[arg-type]


def test_money_is_never_multiplied_by_a_fraction():
    with pytest.raises(TypeError):
        Fen(100) * 0.5  # type: ignore[operator]


@given(amounts)
def test_text_and_back_is_the_same_amount(amount: Fen):
    if abs(amount.amount_fen) < 10**12:
        assert Fen.parse(str(amount)) == amount
        assert Fen.parse(amount.grouped) == amount


@given(st.integers(-(10**12), 10**12))
def test_a_price_in_text_and_back_is_the_same_price(micro: int):
    assert MicroYuan.parse(str(MicroYuan(micro))) == MicroYuan(micro)


def test_a_price_finer_than_a_micro_yuan_is_refused_but_trailing_zeros_are_not():
    assert MicroYuan.parse("0.07000000") == MicroYuan(70_000)
    with pytest.raises(PriceTooFine):
        MicroYuan.parse("0.0000001")


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (0, 7, 0)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, expected: int):
    assert round_half_up(numerator, denominator) == expected


@given(st.integers(-(10**15), 10**15))
def test_rounding_to_fen_is_off_by_half_a_fen_at_most(micro: int):
    assert abs(MicroYuan(micro).to_fen().amount_fen * 10_000 - micro) <= 5_000


@given(amounts, weights)
def test_the_parts_of_a_split_sum_to_the_whole_and_keep_its_sign(total: Fen, by: list[int]):
    parts = split_exactly(total, by)
    assert Fen.total(parts) == total
    whole = sum(by)
    for part, weight in zip(parts, by, strict=True):
        assert abs(part.amount_fen * whole - total.amount_fen * weight) < whole
        assert part.amount_fen * total.amount_fen >= 0


@given(amounts, weights, st.data())
def test_the_named_line_takes_the_whole_rest(total: Fen, by: list[int], data: st.DataObject):
    named = data.draw(st.integers(0, len(by) - 1))
    parts = split_exactly(total, by, rest_at=named)
    assert Fen.total(parts) == total
    sign = -1 if total.amount_fen < 0 else 1
    for index, (part, weight) in enumerate(zip(parts, by, strict=True)):
        if index != named:
            assert part == Fen(sign * (abs(total.amount_fen) * weight // sum(by)))


@pytest.mark.parametrize("by", [[], [0], [0, 0], [-1, 2]])
def test_a_split_by_nothing_is_a_mistake_of_ours(by: list[int]):
    with pytest.raises(ValueError, match="weights"):
        split_exactly(Fen(1), by)


@given(amounts, st.sampled_from([0, 10, 30, 60, 90, 130]))
def test_net_and_tax_sum_to_gross(gross: Fen, rate: int):
    net, tax = split_tax(gross, rate)
    assert net + tax == gross
    assert abs(net.amount_fen * (1000 + rate) - gross.amount_fen * 1000) <= (1000 + rate) // 2 + 1


def test_known_vat_splits():
    assert split_tax(Fen(10000), 60) == (Fen(9434), Fen(566))
    assert split_tax(Fen(10000), 90) == (Fen(9174), Fen(826))
    assert split_tax(ZERO_FEN, 60) == (ZERO_FEN, ZERO_FEN)
