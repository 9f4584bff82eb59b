"""The table of states: drawn in the README as it is, every end reachable, nothing leads out of an end."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import server_api.business.ordering as slice_of_orders
from server_api.business.ordering import rules
from server_api.business.ordering.policy import order_policy, read_policy
from shared_models.contracts.ordering import OrderAct, OrderState

README = Path(slice_of_orders.__file__).parent / "README.md"


def test_the_readme_shows_the_table_as_it_is() -> None:
    """To draw it again: write rules.drawing() between the two marks."""
    text = README.read_text(encoding="utf-8")
    shown = text.partition("<!-- states -->\n")[2].partition("\n<!-- /states -->")[0]
    assert shown == rules.drawing()


def test_every_state_is_a_word_of_the_contract_and_ends_are_ends() -> None:
    known = {state.value for state in OrderState}
    assert {state for (state, _), after in rules.STATES.items() for state in (state, after)} == known
    assert not {state for state, _event in rules.STATES} & rules.ENDS
    reached, new = {"acknowledged"}, {"acknowledged"}
    while new:
        new = {after for (before, _), after in rules.STATES.items() if before in new} - reached
        reached |= new
    assert reached == known


def test_every_act_has_a_plan() -> None:
    assert set(order_policy().acts) == {act.value for act in OrderAct}
    with pytest.raises(ValueError, match="steps of x"):
        read_policy({"acts": {"x": {"needs": [], "steps": ["network"], "no_return": "network"}}})


def test_an_orders_state_follows_from_its_items() -> None:
    assert rules.order_state(["completed", "completed"]) == "completed"
    assert rules.order_state(["completed", "failed"]) == "partial"
    assert rules.order_state(["failed", "cancelled"]) == "failed"
    assert rules.order_state(["completed", "pending"]) == "pending"
    assert rules.order_state(["held", "in_progress"]) == "held"


def test_small_rules() -> None:
    assert rules.first_of_next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert rules.first_of_next_month(date(2026, 1, 31)) == date(2026, 2, 1)
    assert rules.strictest(["arrears_one_way", "lost"], {"arrears_one_way": 1, "lost": 2}) == 2
    assert rules.strictest([], {}) == 0
    assert rules.fill("$login", {"login": "a"}) == "a" and rules.fill("open", {}) == "open"
