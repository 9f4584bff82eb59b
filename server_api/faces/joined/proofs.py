"""What must be true of both sides together: each product costs on the billing side what business says it does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from server_api.billing.bill.store import copies
from server_api.business.inventory import store as inventory
from server_api.platform.database import Databases
from server_api.platform.facts.parking import not_delivered
from server_api.platform.registry import Finding, Wiring

_NAMED = 20


class _History(NamedTuple):
    """A product's billing events as one side knows them: id, kind, day, offering, price version."""

    product_id: str
    events: frozenset[tuple[object, ...]]


def wire(wiring: Wiring) -> None:
    """Add the rules between the sides to ``check-books``."""
    wiring.cross_invariant("product_events_agree", product_events_agree)


def product_events_agree(databases: Databases) -> Finding:
    """Each product has the same billing events on both sides; one whose news is still under way is passed over.

    Both sides are read in one order and merged, so a town of any size is compared in little memory.
    """
    with databases.business.reading() as connection:
        under_way = not_delivered(databases.business, connection, "product")
    counted, wrong = 0, []
    with databases.business.reading() as business, databases.billing.reading() as billing:
        theirs = _histories(copies.events_in_order(billing))
        held = next(theirs, None)
        for mine in _histories(inventory.events_in_order(business)):
            while held is not None and held.product_id < mine.product_id:
                wrong.append(f"product {held.product_id}: billed, and business does not know it")
                held = next(theirs, None)
            counted += 1
            same = held is not None and held.product_id == mine.product_id
            known = held.events if same and held is not None else frozenset()
            if known != mine.events and mine.product_id not in under_way:
                wrong.append(
                    f"product {mine.product_id}: {len(mine.events)} events here, {len(known)} billed; "
                    f"{len(mine.events ^ known)} differ"
                )
            if same:
                held = next(theirs, None)
        while held is not None:
            wrong.append(f"product {held.product_id}: billed, and business does not know it")
            held = next(theirs, None)
    return Finding(counted=counted, wrong=tuple(wrong[:_NAMED]), wrong_count=len(wrong))


def _histories(rows: Iterator[tuple[object, ...]]) -> Iterator[_History]:
    for product_id, events in groupby(rows, key=itemgetter(0)):
        yield _History(str(product_id), frozenset(tuple(event[1:]) for event in events))
