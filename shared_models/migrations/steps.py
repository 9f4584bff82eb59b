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
    if kind == "column":
        return any(column["name"] == name for column in found.get_columns(table))
    return any(index["name"] == name for index in found.get_indexes(table))


def create_table(name: str, *columns: Any, **options: Any) -> None:
    """Create a table unless a run that broke off has done so."""
    if not _is_there("table", name):
        op.create_table(name, *columns, **options)


def create_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Create an index unless a run that broke off has done so."""
    if not _is_there("index", name, table):
        op.create_index(name, table, columns, **options)


def add_column(table: str, column: Any) -> None:
    """Add a column to a table in use unless a run that broke off has done so."""
    if not _is_there("column", column.name, table):
        with op.batch_alter_table(table) as batch:
            batch.add_column(column)


def widen(table: str, column: str, to: Any) -> None:
    """Give an integer column a larger type; SQLite's integers have one size, so there is nothing to do there."""
    if op.get_context().dialect.name != "sqlite":
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, type_=to, existing_nullable=False)
