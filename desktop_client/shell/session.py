"""Who is signed in at this counter. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from shared_models.contracts.session import Session


@dataclass(frozen=True, slots=True)
class DeskSession:
    """A session at a counter. ``owner`` is who may resume an act of the journal: the same person, place and server."""

    server_url: str
    counter_no: str
    session: Session

    @property
    def owner(self) -> str:
        return f"{self.server_url} {self.session.context.staff_no} {self.counter_no}"

    def may(self, permission: str) -> bool:
        """True where the server would let this person do it; the server decides again."""
        return self.session.context.may(permission)

    def is_same_person(self, other: DeskSession) -> bool:
        return self.owner == other.owner
