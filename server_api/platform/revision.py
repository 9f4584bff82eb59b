"""Which revision a database is at and which this program needs. Apart from schema.py, which loads Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table, inspect, select

import shared_models.migrations as migrations
from server_api.platform.database import Database, Role

FOLDER = Path(migrations.__file__).parent
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


class SchemaNotCurrent(Exception):
    """A database does not have the tables this program needs; the text says which."""


@cache
def head(role: Role) -> str:
    """The newest revision this program knows. Revisions are numbered: 0001_initial.py, 0002_….py."""
    return max((file.name.partition("_")[0] for file in (FOLDER / role).glob("[0-9]*.py")), default="")


def current(database: Database) -> str:
    """The revision the database is at; '' for an empty one."""
    with database.reading() as connection:
        if not inspect(connection).has_table(_VERSION.name):
            return ""
        return str(connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none() or "")


def is_current(database: Database) -> bool:
    """True when the database has the schema this program was written for."""
    return current(database) == head(database.role)


def require_current(*databases: Database) -> None:
    """Raise SchemaNotCurrent unless the schemas are this program's; DatabaseAway goes before it."""
    found = [(database.role, current(database), head(database.role)) for database in databases]
    wrong = [f"{role}: {at or '-'} != {wanted}" for role, at, wanted in found if at != wanted]
    if wrong:
        raise SchemaNotCurrent(", ".join(wrong))
