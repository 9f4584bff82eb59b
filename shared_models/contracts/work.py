"""Who acts, where and with what rights: the context every act carries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared_models.contracts.approval import Approval
from shared_models.contracts.base import Contract


class DataScope(StrEnum):
    """How far a member of staff sees: own hall, own district, or everything."""

    HALL = "hall"
    DISTRICT = "district"
    ALL = "all"


class WorkContext(Contract):
    """Signed at login, verified at the edge, stored with every act. Billing never looks staff up: all is here."""

    staff_id: str
    staff_no: str
    staff_name: str
    hall_code: str
    hall_name: str = ""
    district_code: str
    counter_no: str = ""
    permissions: frozenset[str] = frozenset()
    scope: DataScope = DataScope.HALL
    limits_fen: dict[str, int] = Field(default_factory=dict, description="per-act ceilings by name, in fen")
    session_id: str = ""
    expires_at: datetime | None = None
    channel: str = "hall"
    approval: Approval | None = Field(default=None, description="of this one act, by a second person; never in a token")

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def system_context(job: str) -> WorkContext:
    """The context of work no person asked for just now: a job, an import, a fact handler."""
    return WorkContext(
        staff_id="system",
        staff_no="system",
        staff_name=job,
        hall_code="-",
        district_code="-",
        scope=DataScope.ALL,
        channel="job",
    )
