"""What every step of a ticket needs: its row held, the step allowed, the event written."""

from __future__ import annotations

from typing import Any

import resources
from server_api.business.trouble import rules, store
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.trouble import TicketDone
from shared_models.tables.business.trouble import trouble_ticket
from shared_models.values.faults.common import NotFound
from shared_models.values.faults.trouble import TroubleStepNotPossible
from shared_models.values.ids import new_id


def held(uow: UnitOfWork, ticket_id: str) -> Any:
    """A ticket the caller may see, its row locked. Raises NotFound."""
    row = uow.lock(store.lock_query(ticket_id, uow.context), trouble_ticket)
    if row is None:
        raise NotFound()
    return row


def step(uow: UnitOfWork, row: Any, event: str, *, remark: str = "", **values: Any) -> str:
    """Take a step: the state after it. Raises TroubleStepNotPossible."""
    after = rules.state_after(row.state, event)
    if after is None:
        raise TroubleStepNotPossible(
            ticket_no=row.ticket_no, state=_called("trouble_state", row.state), event=_called("trouble_event", event)
        )
    store.change(uow.conn, row.ticket_id, state=after, version_no=row.version_no + 1, **values)
    note(uow, row.ticket_id, event, after, remark)
    return after


def note(uow: UnitOfWork, ticket_id: str, event: str, after: str, remark: str = "") -> None:
    """Write what happened."""
    store.add_event(uow.conn, {
        "event_id": new_id(), "ticket_id": ticket_id, "at": uow.now, "event": event, "to_state": after,
        "staff_no": uow.context.staff_no[:20], "remark": remark[:500] or None,
    })  # fmt: skip


def done(uow: UnitOfWork, ticket_id: str) -> TicketDone:
    """The answer of an act."""
    row = uow.conn.execute(store.any_one(ticket_id)).one()
    return TicketDone(ticket_id=ticket_id, ticket_no=row.ticket_no, state=row.state, version_no=row.version_no)


def _called(group: str, name: str) -> dict[str, str]:
    return {
        short: resources.texts(language).get(f"{group}.{name}", name)
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }
