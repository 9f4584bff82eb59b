"""The rules of the books that products must keep."""

from __future__ import annotations

from server_api.business.inventory import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding, Wiring

_NAMED = 20


def wire(wiring: Wiring) -> None:
    """Two invariants of products for check-books."""
    wiring.invariant("business", "product_one_open_event", _one_open_event)
    wiring.invariant("business", "number_one_product", _one_product_a_number)


def _one_open_event(database: Database) -> Finding:
    with database.reading() as connection:
        counted, wrong = store.wrong_open_events(connection, _NAMED)
    return Finding(counted=counted, wrong=tuple(f"product {product_id}" for product_id in wrong))


def _one_product_a_number(database: Database) -> Finding:
    with database.reading() as connection:
        counted, wrong = store.doubled_accesses(connection, _NAMED)
    return Finding(counted=counted, wrong=tuple(wrong))
