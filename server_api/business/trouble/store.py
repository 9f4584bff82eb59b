"""The SQL of faults and complaints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select, update

from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.trouble import trouble_event, trouble_finding, trouble_ticket

t = trouble_ticket.c
OPEN = ("acknowledged", "in_progress", "pending")


def in_scope(context: WorkContext) -> list[ColumnElement[bool]]:
    """The conditions that keep a query within what the caller may see; area-wide faults are seen by everybody."""
    if context.scope is DataScope.HALL:
        return [or_(t.hall_code == context.hall_code, t.reach == "area")]
    if context.scope is DataScope.DISTRICT:
        return [or_(t.district_code == context.district_code, t.reach == "area")]
    return []


def lock_query(ticket_id: str, context: WorkContext) -> Select[Any]:
    """The query whose row is locked while a ticket changes."""
    return select(trouble_ticket).where(t.ticket_id == ticket_id, *in_scope(context))


def one(conn: Connection, ticket_id: str, context: WorkContext) -> Row[Any] | None:
    return conn.execute(lock_query(ticket_id, context)).one_or_none()


def any_one(ticket_id: str) -> Select[Any]:
    """The same without a scope, for what work orders and jobs do."""
    return select(trouble_ticket).where(t.ticket_id == ticket_id)


def add(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(insert(trouble_ticket).values(**row))


def change(conn: Connection, ticket_id: str, **values: Any) -> None:
    conn.execute(update(trouble_ticket).where(t.ticket_id == ticket_id).values(**values))


def open_of_product(conn: Connection, product_id: str, category: str) -> Row[Any] | None:
    """The open ticket of a product and category, if there is one."""
    query = select(trouble_ticket).where(t.product_id == product_id, t.category == category, t.state.in_(OPEN))
    return conn.execute(query.order_by(t.ticket_id).limit(1)).first()


def open_of_products(conn: Connection, product_ids: Sequence[str]) -> list[Row[Any]]:
    """Open faults of products that are part of no area-wide fault yet."""
    found: list[Row[Any]] = []
    for start in range(0, len(product_ids), 400):
        query = select(trouble_ticket).where(
            t.product_id.in_(list(product_ids[start : start + 400])), t.state.in_(OPEN), t.ticket_kind == "fault",
            t.parent_id.is_(None),
        )  # fmt: skip
        found += conn.execute(query.order_by(t.ticket_id))
    return found


def open_area_faults(conn: Connection, place_codes: Collection[str]) -> list[Row[Any]]:
    """Area-wide faults that are open at one of these places, the oldest first."""
    if not place_codes:
        return []
    query = select(trouble_ticket).where(t.reach == "area", t.state.in_(OPEN), t.place_code.in_(sorted(place_codes)))
    return list(conn.execute(query.order_by(t.opened_at, t.ticket_id)))


def children(conn: Connection, parent_id: str) -> list[Row[Any]]:
    query = select(trouble_ticket).where(t.parent_id == parent_id)
    return list(conn.execute(query.order_by(t.ticket_id)))


def page(
    conn: Connection, context: WorkContext, limit: int, after: tuple[datetime, str] | None, *, state: str | None = None,
    kind: str | None = None, reach: str | None = None, product_id: str | None = None, customer_id: str | None = None,
    overdue_at: datetime | None = None,
) -> list[Row[Any]]:  # fmt: skip
    """Open tickets (or those of one state, product or customer) in order of when they are due."""
    query = select(trouble_ticket).where(*in_scope(context))
    if state is not None:
        query = query.where(t.state == state)
    elif product_id is None and customer_id is None:
        query = query.where(t.state.in_(OPEN))
    for column, value in ((t.ticket_kind, kind), (t.reach, reach), (t.product_id, product_id),
                          (t.customer_id, customer_id)):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    if overdue_at is not None:
        query = query.where(t.due_at < overdue_at)
    if after is not None:
        query = query.where(or_(t.due_at > after[0], and_(t.due_at == after[0], t.ticket_id > after[1])))
    return list(conn.execute(query.order_by(t.due_at, t.ticket_id).limit(limit)))


def to_escalate(conn: Connection, at: datetime, limit: int) -> list[Row[Any]]:
    """Open tickets whose time to be passed up has come."""
    query = select(trouble_ticket).where(t.state.in_(OPEN), t.escalate_at <= at)
    return list(conn.execute(query.order_by(t.escalate_at, t.ticket_id).limit(limit)))


def add_event(conn: Connection, row: Mapping[str, Any]) -> None:
    """Add an event with the next number of its ticket, whose row the caller holds."""
    e = trouble_event.c
    last = conn.execute(select(func.max(e.event_no)).where(e.ticket_id == row["ticket_id"])).scalar_one()
    conn.execute(insert(trouble_event).values(event_no=(last or 0) + 1, **row))


def events(conn: Connection, ticket_id: str) -> list[Row[Any]]:
    e = trouble_event.c
    return list(conn.execute(select(trouble_event).where(e.ticket_id == ticket_id).order_by(e.event_no)))


def add_findings(conn: Connection, ticket_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add findings with the next numbers of their ticket, whose row the caller holds."""
    f = trouble_finding.c
    last = conn.execute(select(func.max(f.finding_no)).where(f.ticket_id == ticket_id)).scalar_one() or 0
    if rows:
        numbered = [{"ticket_id": ticket_id, "finding_no": last + no, **row} for no, row in enumerate(rows, 1)]
        conn.execute(insert(trouble_finding), numbered)


def findings(conn: Connection, ticket_id: str) -> list[Row[Any]]:
    f = trouble_finding.c
    return list(conn.execute(select(trouble_finding).where(f.ticket_id == ticket_id).order_by(f.finding_no)))
