"""Rules of resources: levels of numbers, addresses as they are compared, states that the README draws."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.business.resource import rules
from tests.support.source import REPOSITORY

NOW = datetime(2026, 3, 16, 2, 0, tzinfo=timezone.utc)
TODAY = date(2026, 3, 16)


@pytest.mark.parametrize(
    ("number", "level"),
    [("2688888", 5), ("2681888", 4), ("2681122", 3), ("2681212", 3), ("2684567", 2), ("2680133", 1), ("2680136", 1),
     ("2680137", 0)],
)  # fmt: skip
def test_how_good_a_number_is(number: str, level: int) -> None:
    assert rules.level_of(number) == level


def test_addresses_are_compared_as_people_mean_them() -> None:
    assert (
        rules.plain_address("铁人大道 １２号，3单元") == rules.plain_address("铁人大道12号3单元") == "铁人大道12号3单元"
    )
    assert rules.beginnings("油城路8号") == ["油城路8号", "油城路8", "油城路", "油城"]


@given(st.text(max_size=120))
def test_a_plain_address_stays_as_it_is(text: str) -> None:
    plain = rules.plain_address(text)
    assert rules.plain_address(plain) == plain and len(plain) <= 100


def test_free_is_free_to_anybody() -> None:
    hour = timedelta(hours=1)
    assert rules.is_free("available", None, None, now=NOW, on=TODAY)
    assert rules.is_free("reserved", NOW, None, now=NOW, on=TODAY)
    assert not rules.is_free("reserved", NOW + hour, None, now=NOW, on=TODAY)
    assert not rules.is_free("reserved", None, None, now=NOW, on=TODAY)
    assert rules.is_free("cooling", None, TODAY, now=NOW, on=TODAY)
    assert not rules.is_free("cooling", None, TODAY + timedelta(days=1), now=NOW, on=TODAY)
    assert not any(rules.is_free(state, NOW, TODAY, now=NOW, on=TODAY) for state in ("in_use", "faulty", "withdrawn"))


def test_by_hand_nobody_takes_what_orders_give() -> None:
    for kind in rules.FAMILY:
        for state, event in rules.STATES[rules.FAMILY[kind]]:
            after = rules.by_hand(kind, state, event, has_product=False)
            assert after not in ("in_use", "reserved")
    assert rules.by_hand("pair", "faulty", "mend", has_product=True) == "in_use"
    assert rules.by_hand("pair", "faulty", "mend", has_product=False) == "available"


def test_every_state_can_be_left_or_is_an_end() -> None:
    for family, table in rules.STATES.items():
        left = {state for state, _ in table}
        reached = set(table.values()) | set(rules.FIRST_STATES[family])
        assert reached - left <= {"scrapped"} and left <= reached


def test_the_readme_draws_the_tables() -> None:
    text = (REPOSITORY / "server_api/business/resource/README.md").read_text(encoding="utf-8")
    for family in rules.STATES:
        assert rules.drawn(family) in text
