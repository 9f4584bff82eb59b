"""Reading faults and complaints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server_api.business.resource import service as resource
from server_api.business.trouble import rules, store
from server_api.business.workorder import service as workorder
from shared_models.contracts.trouble import FindingView, TicketEventView, TicketHead, TicketView
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import NotFound


def read_ticket(conn: Connection, ticket_id: str, context: WorkContext, now: datetime) -> TicketView:
    """One ticket whole: findings, what they point at, events, its work orders; of an area fault, how many it affects.

    Raises NotFound.
    """
    row = store.one(conn, ticket_id, context)
    if row is None:
        raise NotFound()
    findings = store.findings(conn, ticket_id)
    affected = len(resource.products_below(conn, row.place_code)) if row.reach == "area" else 0
    return TicketView(
        **_fields(row, now), contact_name=row.contact_name, contact_phone=row.contact_phone, cause_code=row.cause_code,
        resolution=row.resolution, resolved_at=row.resolved_at, closed_at=row.closed_at, follow_up=row.follow_up,
        first_cause=rules.first_cause({one.looked_at: one.verdict for one in findings}), affected=affected,
        findings=tuple(
            FindingView(
                looked_at=one.looked_at, verdict=one.verdict, detail=one.detail, at=one.at, staff_no=one.staff_no
            )
            for one in findings
        ),
        events=tuple(
            TicketEventView(at=one.at, event=one.event, to_state=one.to_state, staff_no=one.staff_no, remark=one.remark)
            for one in store.events(conn, ticket_id)
        ),
        work_orders=tuple(workorder.work_of(conn, "ticket_id", ticket_id, now, context)),
    )  # fmt: skip


def page_of_tickets(
    conn: Connection, context: WorkContext, now: datetime, *, limit: int, after: tuple[datetime, str] | None,
    overdue: bool = False, **only: str | None,
) -> list[TicketHead]:  # fmt: skip
    """Open tickets (or those of one state, kind, reach, product or customer) in order of when they are due."""
    rows = store.page(conn, context, limit, after, overdue_at=now if overdue else None, **only)
    return [TicketHead(**_fields(row, now)) for row in rows]


def _fields(row: Any, now: datetime) -> dict[str, Any]:
    return {
        "ticket_id": row.ticket_id, "ticket_no": row.ticket_no, "kind": row.ticket_kind, "category": row.category,
        "reach": row.reach, "state": row.state, "shown_as": row.shown_as, "address": row.address,
        "described": row.described, "escalated": row.escalated, "due_at": row.due_at,
        "overdue": (row.resolved_at or row.closed_at or now) > row.due_at, "opened_at": row.opened_at,
        "parent_id": row.parent_id, "product_id": row.product_id, "customer_id": row.customer_id,
        "place_code": row.place_code, "version_no": row.version_no,
    }  # fmt: skip
