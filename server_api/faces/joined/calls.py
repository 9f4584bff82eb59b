"""Looking at call details: an act that leaves a line in the audit trail."""

from __future__ import annotations

from server_api.billing.bill import service as bill
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from shared_models.contracts.bill import LineOpening
from shared_models.contracts.work import WorkContext


def look_at_calls(
    billing: Database,
    context: WorkContext,
    *,
    act_id: str,
    reason: str,
    bill_id: str,
    line_no: int,
    limit: int,
    cursor: str | None,
    language: str,
) -> LineOpening:
    """The calls behind a line, the other numbers partly hidden. The look is logged first; the same act id logs once."""
    content = {"kind": "look_at_calls", "bill": bill_id, "line": line_no, "reason": reason}
    act = Act(act_id, "look_at_calls", digest_of(content), context, reason)
    perform(billing, act, lambda uow: bill.note_calls_viewed(uow, bill_id=bill_id, line_no=line_no))
    with billing.reading() as connection:
        return bill.open_line(connection, bill_id, line_no, limit, cursor, language)
