"""Amounts in capitals: the six published examples of 支付结算办法 附件一, the awkward zeros, and reading them back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_models.values.money import Fen
from shared_models.values.rmb import rmb_capitals

# fen, spellings the rule accepts. The first six are the examples printed in the rule itself.
PUBLISHED = [
    (140950, ["人民币壹仟肆佰零玖元伍角"]),
    (600714, ["人民币陆仟零柒元壹角肆分"]),
    (168032, ["人民币壹仟陆佰捌拾元零叁角贰分", "人民币壹仟陆佰捌拾元叁角贰分"]),
    (10700053, ["人民币壹拾万柒仟元零伍角叁分", "人民币壹拾万零柒仟元伍角叁分"]),
    (1640902, ["人民币壹万陆仟肆佰零玖元零贰分"]),
    (32504, ["人民币叁佰贰拾伍元零肆分"]),
]
COMPUTED = [
    (0, "人民币零元整"),
    (1, "人民币壹分"),
    (10, "人民币壹角"),
    (19, "人民币壹角玖分"),
    (100, "人民币壹元整"),
    (101, "人民币壹元零壹分"),
    (110, "人民币壹元壹角"),
    (1000, "人民币壹拾元整"),
    (1010, "人民币壹拾元零壹角"),
    (10000, "人民币壹佰元整"),
    (100000000, "人民币壹佰万元整"),
    (100000100, "人民币壹佰万零壹元整"),
    (1005000, "人民币壹万零伍拾元整"),
    (1050000, "人民币壹万零伍佰元整"),
    (10000000000, "人民币壹亿元整"),
    (10000000100, "人民币壹亿零壹元整"),
    (10010000000, "人民币壹亿零壹拾万元整"),
    (10500000000, "人民币壹亿零伍佰万元整"),
    (1000000000000, "人民币壹佰亿元整"),
    (-117136, "人民币负壹仟壹佰柒拾壹元叁角陆分"),
]
DIGITS = {digit: value for value, digit in enumerate("零壹贰叁肆伍陆柒捌玖")}


@pytest.mark.parametrize(("fen", "accepted"), PUBLISHED)
def test_published_examples(fen: int, accepted: list[str]) -> None:
    assert rmb_capitals(Fen(fen)) in accepted


@pytest.mark.parametrize(("fen", "text"), COMPUTED)
def test_awkward_zeros(fen: int, text: str) -> None:
    assert rmb_capitals(Fen(fen)) == text


def read_back(text: str) -> int:
    """Read capitals as a person would, without knowing how they were made."""
    assert text.startswith("人民币")
    text = text.removeprefix("人民币")
    sign = -1 if text.startswith("负") else 1
    total = section = digit = yuan = fen = 0
    for character in text.removeprefix("负"):
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in "拾佰仟":
            section += digit * {"拾": 10, "佰": 100, "仟": 1000}[character]
            digit = 0
        elif character in "万亿":
            total += (section + digit) * {"万": 10**4, "亿": 10**8}[character]
            section = digit = 0
        elif character == "元":
            yuan, total, section, digit = total + section + digit, 0, 0, 0
        elif character in "角分":
            fen += digit * {"角": 10, "分": 1}[character]
            digit = 0
    return sign * (yuan * 100 + fen)


@given(st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1))
def test_capitals_say_exactly_the_amount(fen: int) -> None:
    text = rmb_capitals(Fen(fen))
    assert read_back(text) == fen
    assert "零零" not in text
    assert text.endswith("整") == (fen % 100 == 0)


def test_an_amount_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        rmb_capitals(Fen(10**14))
