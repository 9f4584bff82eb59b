"""The price books billing keeps, as rows. Loads no rating engine."""

from __future__ import annotations

from sqlalchemy import Connection

from server_api.billing.rating import store
from shared_models.contracts.rating import PriceRow


def books(conn: Connection) -> dict[int, list[PriceRow]]:
    """The rows of every live price book."""
    return {book.book_version: rows_of_book(conn, book.book_version) for book in store.price_books(conn)}


def rows_of_book(conn: Connection, version: int) -> list[PriceRow]:
    """The rows of one price book version, in the order they came."""
    return [PriceRow.model_validate(row) for part in store.price_parts(conn, version) for row in part.document]
