"""What other slices hear of work orders, inside the transaction in which it happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared_models.contracts.workorder import MaterialUsed, ReadingTaken

Result = Literal["done", "failed", "cannot_continue", "cancelled"]


@dataclass(frozen=True)
class WorkOrderClosed:
    """A visit ended or the work order was withdrawn; after ``failed`` it waits to be booked again."""

    work_order_id: str
    kind: str
    order_id: str | None
    item_id: str | None
    ticket_id: str | None
    product_id: str | None
    result: Result
    reason_code: str | None
    materials: tuple[MaterialUsed, ...]
    readings: tuple[ReadingTaken, ...]
    closed_at: datetime
