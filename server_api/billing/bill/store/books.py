"""The price books billing holds, as the calculator uses them. Read once per process and version."""

from __future__ import annotations

from sqlalchemy import Connection

from server_api.billing.bill.policy import BillingPolicy
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.rating import service as rating


def load_book(conn: Connection, policy: BillingPolicy) -> PriceBook:
    """All live price book versions. Versions are frozen: what was read once stays right; new ones need a new call."""
    book = PriceBook(policy.proration, policy.default_proration)
    for version, _effective_on in rating.live_price_books(conn):
        book.add(version, rating.price_rows(conn, version))
    return book
