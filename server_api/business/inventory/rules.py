"""States of a product and the order of its billing events. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from shared_models.contracts.inventory import ProductState

_AHEAD = timedelta(days=366)


def state_after(state: ProductState, reasons: Collection[str]) -> ProductState:
    """The state a product has with these suspension reasons in force; a terminated one stays terminated."""
    if state in (ProductState.TERMINATED, ProductState.PENDING_ACTIVE):
        return state
    return ProductState.SUSPENDED if reasons else ProductState.ACTIVE


def day_possible(effective_on: date, last_on: date | None, today: date) -> bool:
    """True when a change may take effect on a day: not before the last one, not more than a year ahead."""
    return (last_on is None or effective_on >= last_on) and effective_on <= today + _AHEAD


def required_missing(required: Collection[str], owned: Collection[str]) -> bool:
    """True when an offering requires others and none of them is there (several are alternatives)."""
    return bool(required) and not set(required) & set(owned)
