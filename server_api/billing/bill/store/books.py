"""The price books billing holds, as the calculator uses them. Read once per process and version."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server_api.billing.bill.policy import BillingPolicy
from server_api.billing.bill.rules.prices import PriceBook
from shared_models.contracts.rating import PriceRow
from shared_models.tables.billing.rating import rating_price_book, rating_price_part


def load_book(conn: Connection, policy: BillingPolicy) -> PriceBook:
    """All live price book versions. Versions are frozen: what was read once stays right; new ones need a new call."""
    book = PriceBook(policy.proration, policy.default_proration)
    live = (
        conn.execute(
            select(rating_price_book.c.book_version)
            .where(rating_price_book.c.live == True)  # noqa: E712
            .order_by(rating_price_book.c.book_version)
        )
        .scalars()
        .all()
    )
    for version in live:
        parts = conn.execute(
            select(rating_price_part.c.document)
            .where(rating_price_part.c.book_version == version)
            .order_by(rating_price_part.c.part_no)
        ).scalars()
        for rows in parts:
            book.add(version, (PriceRow.model_validate(row) for row in rows))
    return book
