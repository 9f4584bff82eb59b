"""Signing in and the first password change, without a window."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from desktop_client.desks.login.presenter import LoginPresenter, LoginStage
from desktop_client.gateway.trouble import Unreachable
from desktop_client.wording import Wording
from shared_models.contracts.session import Session
from shared_models.contracts.work import WorkContext
from tests.unit.desktop_client.runners import AtOnce, WhenTold
from tests.unit.desktop_client.test_plans import refused

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def session(must_change: bool = False) -> Session:
    context = WorkContext(staff_id="s", staff_no="1001", staff_name="张丽", hall_code="H", district_code="D")
    return Session(token="t", must_change_password=must_change, expires_at=NOW, server_time=NOW, context=context)


class Sessions:
    """Answers as told and remembers what it was asked."""

    def __init__(self, answer: Session | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, ...]] = []

    def _say(self, *asked: str) -> Session:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def sign_in(self, staff_no: str, password: str, counter_no: str) -> Session:
        return self._say(staff_no, password, counter_no)

    def change_password(self, old_password: str, new_password: str) -> Session:
        return self._say(old_password, new_password)


def login(answer: Session | Exception, runner: Any = None) -> tuple[LoginPresenter, Sessions, list[Session]]:
    sessions, signed_in = Sessions(answer), list[Session]()
    presenter = LoginPresenter(
        runner=runner or AtOnce(), sessions=sessions, wording=Wording("en"), signed_in=signed_in.append
    )
    return presenter, sessions, signed_in


def test_signing_in_trims_numbers_but_never_the_password() -> None:
    presenter, sessions, signed_in = login(session())
    presenter.sign_in(" 1001 ", " secret ", " 03 ")
    assert sessions.asked == [("1001", " secret ", "03")]
    assert len(signed_in) == 1


@pytest.mark.parametrize(("typed", "field"), [
    (("", "p", "03"), "staff_no"), (("1001", "", "03"), "password"), (("1001", "p", " "), "counter_no"),
])
def test_what_is_missing_is_pointed_at_and_nothing_is_asked(typed: tuple[str, str, str], field: str) -> None:
    presenter, sessions, _ = login(session())
    presenter.sign_in(*typed)
    assert presenter.state.bad_field == field
    assert presenter.state.message is not None
    assert sessions.asked == []


def test_a_wrong_password_is_told_in_the_servers_words() -> None:
    presenter, _, signed_in = login(refused("sign_in_refused", 401))
    presenter.sign_in("1001", "p", "03")
    assert presenter.state.stage is LoginStage.ENTER
    assert presenter.state.message is not None and presenter.state.message.text == "sign_in_refused"
    assert signed_in == []


def test_a_server_that_is_gone_is_told() -> None:
    presenter, _, _ = login(Unreachable("no_connection", maybe_sent=False))
    presenter.sign_in("1001", "p", "03")
    assert presenter.state.message is not None
    assert presenter.state.message.text == "The server cannot be reached."


def test_pressing_twice_asks_once_and_escape_stops_waiting() -> None:
    runner = WhenTold()
    presenter, sessions, signed_in = login(session(), runner)
    presenter.sign_in("1001", "p", "03")
    presenter.sign_in("1001", "p", "03")
    assert len(runner.waiting) == 1
    presenter.back()
    runner.next()
    assert signed_in == [] and presenter.state.stage is LoginStage.ENTER
    assert sessions.asked == [("1001", "p", "03")]


@pytest.mark.parametrize(("new", "again", "key"), [
    ("", "", "login.new_password_missing"), ("a", "b", "login.passwords_differ"),
    ("first", "first", "login.password_unchanged"),
])
def test_a_new_password_that_cannot_be_is_told_before_asking(new: str, again: str, key: str) -> None:
    presenter, sessions, _ = login(session(must_change=True))
    presenter.sign_in("1009", "first", "03")
    assert presenter.state.stage is LoginStage.NEW_PASSWORD
    presenter.change_password(new, again)
    assert presenter.state.message is not None and presenter.state.message.text == Wording("en").say(key)
    assert len(sessions.asked) == 1


def test_the_first_password_is_changed_with_the_old_one() -> None:
    presenter, sessions, signed_in = login(session(must_change=True))
    presenter.sign_in("1009", "first", "03")
    sessions.answer = refused("password_too_weak", 422)
    presenter.change_password("short", "short")
    assert presenter.state.stage is LoginStage.NEW_PASSWORD and signed_in == []
    sessions.answer = session()
    presenter.change_password("a long sentence", "a long sentence")
    assert sessions.asked[-1] == ("first", "a long sentence")
    assert len(signed_in) == 1
