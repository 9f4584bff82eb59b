"""The rows of the use log."""

from __future__ import annotations

from typing import Any

from server_api.platform.unit_of_work import UnitOfWork
from shared_models.values.ids import new_id


def use_row(
    uow: UnitOfWork, access_kind: str, access_key: str, event: str, from_state: str | None, to_state: str
) -> dict[str, Any]:
    """A line of the log; the caller adds whose order or product it was.."""
    return {
        "use_id": new_id(), "access_kind": access_kind,
        "access_key": access_key, "at": uow.now, "event": event, "from_state": from_state, "to_state": to_state,
        "order_id": None, "item_id": None, "product_id": None, "place_code": None,
        "staff_no": uow.context.staff_no[:20], "remark": None,
    }  # fmt: skip
