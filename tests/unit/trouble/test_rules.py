"""Rules of faults and complaints."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import resources
from server_api.business.trouble import rules
from server_api.business.trouble.policy import trouble_policy
from tests.support.source import REPOSITORY

NOW = datetime(2026, 3, 16, 2, 0, tzinfo=timezone.utc)


def test_passed_up_step_by_step() -> None:
    assert rules.next_escalation(NOW, 0, (24, 48)) == NOW + timedelta(hours=24)
    assert rules.next_escalation(NOW, 1, (24, 48)) == NOW + timedelta(hours=48)
    assert rules.next_escalation(NOW, 2, (24, 48)) is None


def test_what_explains_most_calls_comes_first() -> None:
    assert rules.first_cause({"line": "bad", "suspension": "bad"}) == "suspension"
    assert rules.first_cause({"line": "bad", "arrears": "unknown"}) == "line"
    assert rules.first_cause({"line": "good"}) is None


def test_every_open_state_ends() -> None:
    assert all(rules.state_after(state, "resolve") == "resolved" for state in rules.OPEN)
    assert all(rules.state_after(state, "cancel") == "cancelled" for state in rules.OPEN)


def test_words_for_all() -> None:
    for language in ("zh_CN", "en"):
        known = resources.texts(language)
        wanted = [f"trouble_event.{event}" for _, event in rules.STATES]
        wanted += [f"trouble_state.{state}" for state in {*rules.STATES.values(), *rules.OPEN}]
        assert [key for key in wanted if key not in known] == []
    codes = [code for group in trouble_policy().categories.values() for code in group]
    assert len(codes) == len(set(codes))


def test_the_readme_draws_the_table() -> None:
    text = (REPOSITORY / "server_api/business/trouble/README.md").read_text(encoding="utf-8")
    assert rules.drawn() in text
