"""Portable column types: one meaning on SQLite, PostgreSQL, SQL Server and Oracle.

Rules behind them (each was a failure on some engine):

* text people type is ``Words`` (NVARCHAR), codes are ``Code`` (ASCII VARCHAR); empty text is stored as NULL everywhere,
  because Oracle does so whatever one asks;
* money is BIGINT; NUMERIC lost digits on SQLite;
* instants are TIMESTAMP/DATETIME2(6) without zone, UTC; plain DateTime is whole seconds on Oracle;
* flags are SMALLINT 0/1; BOOLEAN is invalid DDL on Oracle 19c;
* JSON is text; nothing searches inside it.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Unicode,
    UnicodeText,
)
from sqlalchemy.dialects import mssql, oracle, postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared_models.values.money import Fen, MicroYuan

#: Every constraint gets a name of at most 30 bytes; tables and columns are named briefly for that reason.
NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def new_metadata() -> MetaData:
    """An empty collection of tables with the naming rules of this project."""
    return MetaData(naming_convention=NAMING)


class Code(TypeDecorator[str]):
    """ASCII code or identifier of at most ``length`` characters; '' is NULL."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None


class Words(TypeDecorator[str]):
    """Text people type, at most ``length`` characters; trailing blanks are dropped, '' is NULL."""

    impl = Unicode
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return (value.rstrip() or None) if value is not None else None


class FenType(TypeDecorator[Fen]):
    """An amount in fen."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Fen | None, dialect: Dialect) -> int | None:
        return None if value is None else value.amount_fen

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Fen | None:
        return None if value is None else Fen(int(value))


class MicroYuanType(TypeDecorator[MicroYuan]):
    """A price or stored charge in micro-yuan."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: MicroYuan | None, dialect: Dialect) -> int | None:
        return None if value is None else value.amount_micro_yuan

    def process_result_value(self, value: Any | None, dialect: Dialect) -> MicroYuan | None:
        return None if value is None else MicroYuan(int(value))


class Instant(TypeDecorator[datetime]):
    """An instant: aware UTC outside, zone-less UTC with microseconds inside."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mssql":
            return dialect.type_descriptor(mssql.DATETIME2(precision=6))
        if dialect.name == "oracle":
            return dialect.type_descriptor(oracle.TIMESTAMP())
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(precision=6))
        return dialect.type_descriptor(sqlite.DATETIME())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=timezone.utc)


class Flag(TypeDecorator[bool]):
    """True or false as 1 or 0. Compare with ``== True`` in SQL, never with ``.is_()``."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class JsonText(TypeDecorator[Any]):
    """A small document as text. Never searched, sorted, compared or grouped by."""

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        return None if value is None else json.loads(value)


class LongWords(TypeDecorator[str]):
    """Long text, '' is NULL. Never searched, sorted, compared or grouped by."""

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None


def Id() -> Code:  # noqa: N802 - reads as a type where columns are declared
    """A 32-digit hexadecimal id."""
    return Code(32)


#: A surrogate key the database counts; INTEGER on SQLite so that it is the row id.
Serial = BigInteger().with_variant(Integer(), "sqlite")
#: A calendar month as yyyymm.
YearMonth = Integer
#: A calendar day in Asia/Shanghai.
Day = Date
#: Raw bytes.
Bytes = LargeBinary
#: A whole count or quantity that may be large.
Count = BigInteger
