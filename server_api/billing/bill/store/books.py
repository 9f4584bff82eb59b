"""The price books billing holds, as the calculator uses them. Read once per process and version."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from server_api.billing.bill.policy import BillingPolicy
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.rating import service as rating

#: The book last made for a database: versions are frozen, so it stays right until another is live.
_kept: WeakKeyDictionary[Engine, tuple[tuple[int, ...], BillingPolicy, PriceBook]] = WeakKeyDictionary()


def load_book(conn: Connection, policy: BillingPolicy) -> PriceBook:
    """All live price book versions. Versions are frozen: what was read once stays right."""
    versions = tuple(version for version, _effective_on in rating.live_price_books(conn))
    kept = _kept.get(conn.engine)
    if kept is not None and kept[0] == versions and kept[1] is policy:
        return kept[2]
    book = PriceBook(policy.proration, policy.default_proration)
    for version in versions:
        book.add(version, rating.price_rows(conn, version))
    _kept[conn.engine] = (versions, policy, book)
    return book
