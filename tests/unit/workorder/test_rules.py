"""Rules of work orders: readings as people type them, states that the README draws, a policy that holds together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from server_api.business.workorder import rules
from server_api.business.workorder.policy import work_policy
from tests.support.source import REPOSITORY


@pytest.mark.parametrize(("text", "value"), [("-18.5", -18500), ("−27", -27000), (" 0.001 ", 1), ("1600", 1_600_000)])
def test_a_reading_is_thousandths(text: str, value: int) -> None:
    assert rules.milli(text) == value


@pytest.mark.parametrize("text", ["", "x", "1.2345", "nan", "inf", "1e99", "1,5"])
def test_what_is_no_reading(text: str) -> None:
    with pytest.raises(ValueError):
        rules.milli(text)


@given(st.integers(-(10**12), 10**12))
def test_shown_reads_back(value: int) -> None:
    assert rules.milli(rules.shown(value)) == value


def test_a_reading_lies_within_its_limits() -> None:
    optical = work_policy().readings["optical_power"]
    good = [rules.within(value, optical.good_from, optical.good_until) for value in (-27001, -27000, -8000, -7999)]
    assert good == [False, True, True, False]


def test_every_open_state_can_be_cancelled_and_ends_are_ends() -> None:
    assert all(rules.state_after(state, "cancel") == "cancelled" for state in rules.OPEN)
    assert all(rules.state_after("cancelled", event) is None for _, event in rules.STATES)
    assert rules.state_after("done", "done") is None


def test_the_policy_has_words_for_all() -> None:
    policy = work_policy()
    assert set(policy.reasons) == {"done", "failed", "cannot_continue", "late", "contact", "transfer"}
    codes = [code for group in policy.reasons.values() for code in group]
    assert len(codes) == len(set(codes)), "one code means one thing"
    for language in ("zh_CN", "en"):
        known = resources.texts(language)
        wanted = [f"portal.work_kind.{kind}" for kind in policy.kinds]
        wanted += [f"portal.work_reading.{reading}" for reading in policy.readings]
        wanted += [f"portal.work_slot.{slot}" for slot in policy.slots]
        wanted += [f"portal.work_event.{event}" for _, event in rules.STATES]
        wanted += [f"portal.work_state.{state}" for state in {*rules.STATES.values(), *rules.OPEN}]
        assert [key for key in wanted if key not in known] == []


def test_the_readme_draws_the_table() -> None:
    text = (REPOSITORY / "server_api/business/workorder/README.md").read_text(encoding="utf-8")
    assert rules.drawn() in text
