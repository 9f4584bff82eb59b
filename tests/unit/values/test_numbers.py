"""Telephone, identity and card numbers: published examples, and what must be refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_models.values.numbers import Phone, ResidentId, SmartCard


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "440524188001010014", "810000199408230021", "830000199201300022"]
)
def test_published_identity_numbers_are_valid(number: str) -> None:
    assert ResidentId.validate(number.lower()) == number


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310020", "440524188001010010", "810000199408230020", "11010519491331002X", "110105194913310021",
        "110105202602300026", "", "１１", "11010519491231002", "11010519491231002é",
    ],
)  # fmt: skip
def test_wrong_identity_numbers_are_refused(number: str) -> None:
    assert not ResidentId.is_valid(number)


@pytest.mark.parametrize(
    ("first", "check"), [("62098119900101123", "2"), ("81000019900101123", "0"), ("91084019900101001", "7")]
)
def test_check_digit(first: str, check: str) -> None:
    assert ResidentId.complete(first) == first + check


def test_identity_masks_and_formats() -> None:
    assert ResidentId.mask("11010519491231002x") == "110***********002X"
    assert ResidentId.format("11010519491231002x") == "110105 19491231 002X"


@pytest.mark.parametrize(
    ("typed", "compact"),
    [
        ("0937-3961234", "09373961234"), ("3961234", "09373961234"), ("+86 937 3961234", "09373961234"),
        ("0086-13909371234", "13909371234"), ("139 0937 1234", "13909371234"), ("（0937）3961234", "09373961234"),
        ("３９６１２３４", "09373961234"), ("10086", "10086"),
    ],
)  # fmt: skip
def test_phone_compact(typed: str, compact: str) -> None:
    assert Phone.compact(typed, "937") == compact


def test_phone_valid_and_shown() -> None:
    assert Phone.is_valid("0937-3961234") and Phone.is_valid("13909371234")
    assert not Phone.is_valid("0937-39") and not Phone.is_valid("abc") and not Phone.is_valid("")
    assert Phone.format("09373961234", "937") == "0937-3961234"
    assert Phone.format("13909371234") == "139 0937 1234"
    assert Phone.local("0937-3961234", "937") == "3961234"
    assert Phone.mask("13909371234") == "139******34"


def test_smart_card() -> None:
    assert SmartCard.validate("8537 0025 1234 5678") == "8537002512345678"
    assert SmartCard.format("8537002512345678") == "8537 0025 1234 5678"
    for wrong in ("1234567", "1" * 21, "85370025ABCD", ""):
        assert not SmartCard.is_valid(wrong)


@given(st.text(max_size=40))
def test_any_text_is_answered_without_a_crash(text: str) -> None:
    for kind in (Phone, ResidentId, SmartCard):
        kind.is_valid(text)
        kind.format(text)
    Phone.mask(text)
    ResidentId.mask(text)
