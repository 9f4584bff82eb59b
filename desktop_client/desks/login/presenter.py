"""Signing in and the first password change. Decides; knows no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from desktop_client.wording import Message, Tone, Wording
from desktop_client.work.runner import CallHandle, Runner
from shared_models.contracts.session import Session


class LoginStage(StrEnum):
    """What the page shows."""

    ENTER = "enter"
    SIGNING_IN = "signing_in"
    NEW_PASSWORD = "new_password"
    CHANGING = "changing"


@dataclass(frozen=True, slots=True)
class LoginState:
    """Everything the page shows. ``bad_field`` is the field that gets the cursor."""

    stage: LoginStage = LoginStage.ENTER
    message: Message | None = None
    bad_field: str = ""


class SessionsGateway(Protocol):
    """The session routes."""

    def sign_in(self, staff_no: str, password: str, counter_no: str) -> Session: ...

    def change_password(self, old_password: str, new_password: str) -> Session: ...


class LoginPresenter:
    """``signed_in`` is called once with the session that may work."""

    def __init__(
        self, *, runner: Runner, sessions: SessionsGateway, wording: Wording, signed_in: Callable[[Session], None]
    ) -> None:
        self._runner = runner
        self._sessions = sessions
        self._wording = wording
        self._signed_in = signed_in
        self._password = ""
        self._call: CallHandle | None = None
        self.state = LoginState()
        self.listener: Callable[[LoginState], None] = lambda state: None

    def sign_in(self, staff_no: str, password: str, counter_no: str) -> None:
        """Sign in with what was typed. A second press while waiting does nothing."""
        if self.state.stage is not LoginStage.ENTER:
            return
        for field, value in (("staff_no", staff_no), ("password", password), ("counter_no", counter_no)):
            if not value.strip():
                return self._refuse(f"login.{field}_missing", field)
        self._password = password
        self._set(LoginState(LoginStage.SIGNING_IN))
        self._call = self._runner.run(
            lambda _: self._sessions.sign_in(staff_no.strip(), password, counter_no.strip()),
            success=self._on_session, failure=self._on_refused,
        )

    def change_password(self, new_password: str, again: str) -> None:
        """Set the first password of one's own."""
        if self.state.stage is not LoginStage.NEW_PASSWORD:
            return
        if not new_password:
            return self._refuse("login.new_password_missing", "new_password")
        if new_password != again:
            return self._refuse("login.passwords_differ", "again")
        if new_password == self._password:
            return self._refuse("login.password_unchanged", "new_password")
        old = self._password
        self._set(LoginState(LoginStage.CHANGING))
        self._call = self._runner.run(
            lambda _: self._sessions.change_password(old, new_password), success=self._on_session,
            failure=self._on_change_refused,
        )

    def back(self) -> None:
        """Esc: stop waiting, or leave the password change."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._password = ""
        self._set(LoginState())

    def reset(self, message: Message | None = None) -> None:
        """Show the empty form, after signing out or when the session has ended."""
        self.back()
        self._set(LoginState(message=message))

    def _on_session(self, session: Session) -> None:
        self._call = None
        if session.must_change_password:
            message = Message(Tone.INFO, self._wording.say("login.must_change"))
            self._set(LoginState(LoginStage.NEW_PASSWORD, message, "new_password"))
            return
        self._password = ""
        self._set(LoginState())
        self._signed_in(session)

    def _on_refused(self, trouble: Exception) -> None:
        self._password = ""
        self._set(LoginState(message=self._wording.of_trouble(trouble), bad_field="password"))

    def _on_change_refused(self, trouble: Exception) -> None:
        self._set(LoginState(LoginStage.NEW_PASSWORD, self._wording.of_trouble(trouble), "new_password"))

    def _refuse(self, key: str, field: str) -> None:
        self._set(replace(self.state, message=Message(Tone.WARNING, self._wording.say(key)), bad_field=field))

    def _set(self, state: LoginState) -> None:
        self.state = state
        self.listener(state)
