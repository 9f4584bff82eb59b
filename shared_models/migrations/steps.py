"""Steps that can be run again: some engines commit each DDL statement, so an upgrade may stop between two of them."""

from __future__ import annotations

from typing import Any

from alembic import context, op
from sqlalchemy import inspect


def _is_there(kind: str, name: str, table: str = "") -> bool:
    if context.is_offline_mode():
        return False
    found = inspect(op.get_bind())
    if kind == "table":
        return found.has_table(name)
    return any(index["name"] == name for index in found.get_indexes(table))


def create_table(name: str, *columns: Any, **options: Any) -> None:
    """Create a table unless a run that broke off has done so."""
    if not _is_there("table", name):
        op.create_table(name, *columns, **options)


def create_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Create an index unless a run that broke off has done so."""
    if not _is_there("index", name, table):
        op.create_index(name, table, columns, **options)
