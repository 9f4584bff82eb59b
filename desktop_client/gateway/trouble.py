"""What can go wrong between the client and the server, as two kinds a presenter can act on."""

from __future__ import annotations

from typing import Any

from shared_models.contracts.problem import Problem

#: Codes after which the same request makes sense once the teller has signed in again.
SIGN_IN_CODES = frozenset({"not_signed_in", "session_ended"})


class Refused(Exception):
    """The server said no, and stored nothing. Has words in both languages."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def retry(self) -> bool:
        """True when the same act under the same id may be sent again later."""
        return self.problem.retry

    @property
    def must_sign_in(self) -> bool:
        return self.problem.status == 401 and self.problem.code in SIGN_IN_CODES

    def text(self, language: str) -> str:
        """What is wrong."""
        return self.problem.detail.zh if language.startswith("zh") else self.problem.detail.en

    def remedy(self, language: str) -> str:
        """What to do about it."""
        return self.problem.remedy.zh if language.startswith("zh") else self.problem.remedy.en

    def as_data(self) -> dict[str, Any]:
        """For the journal."""
        return self.problem.model_dump(mode="json")

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Refused:
        return cls(Problem.model_validate(data))


class Unreachable(Exception):
    """No answer that can be understood. ``maybe_sent`` is False only when surely nothing reached the server.

    ``reason`` is one of: no_connection, timeout, connection_lost, certificate, not_understood.
    """

    def __init__(self, reason: str, *, maybe_sent: bool, detail: str = "") -> None:
        self.reason = reason
        self.maybe_sent = maybe_sent
        self.detail = detail
        super().__init__(f"{reason} {detail}".strip())
