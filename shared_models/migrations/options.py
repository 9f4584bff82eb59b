"""How revisions are compared and written: portable types by their short names."""

from __future__ import annotations

from typing import Any, Literal, cast

from sqlalchemy import MetaData, inspect
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from shared_models.tables import types


def compare_options(metadata: MetaData) -> dict[str, Any]:
    """Options of Alembic's migration context, the same for writing revisions and for proving them."""
    return {
        "target_metadata": metadata,
        "compare_type": compare_type,
        "compare_server_default": False,
        "render_item": render_item,
        "include_object": _is_ours,
    }


def _is_ours(_object: object, name: str | None, kind: str, reflected: bool, _compared: object) -> bool:
    """Alembic's own table is none of ours; what only the engine knows (sequences behind keys) is no difference."""
    return not (kind == "table" and name == "alembic_version")


def compare_type(
    context: Any, _inspected: Any, _column: Any, inspected_type: TypeEngine[Any], metadata_type: TypeEngine[Any],
) -> bool | None:
    """True where a column has another type than the model; engines report some of ours under other names."""
    ours = metadata_type.compile(dialect=context.dialect).split("(")[0].upper()
    theirs = inspected_type.compile(dialect=context.dialect).split("(")[0].upper()
    alike = ({"TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"}, {"DATETIME", "TIMESTAMP"}, {"INTEGER", "BIGINT", "NUMBER"})
    if ours != theirs and not any({ours, theirs} <= names for names in alike):
        return True
    length = getattr(metadata_type, "length", None)
    return length is not None and length != getattr(inspected_type, "length", length)


def render_item(kind: str, item: Any, context: Any) -> str | Literal[False]:
    """Our own column types by their names in shared_models.tables.types."""
    if kind != "type":
        return False
    name = type(item).__name__
    if type(item).__module__ != types.__name__:
        if name == "BigInteger" and item._variant_mapping:
            context.imports.add("from shared_models.tables import types")
            return "types.Serial"
        return False
    context.imports.add("from shared_models.tables import types")
    length = getattr(item, "length", None) or getattr(getattr(item, "impl", None), "length", None)
    return f"types.{name}({length or ''})"


def existing_tables(connection: Any) -> set[str]:
    """The tables that are there."""
    return set(inspect(connection).get_table_names())


def offline_dialect(engine_name: str) -> Dialect:
    """A dialect for scripts without a connection, as SQL Server 2019 and Oracle 19c would announce themselves."""
    if engine_name == "mssql":
        from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc

        return as_announced(MSDialect_pyodbc())
    from sqlalchemy.dialects.oracle.oracledb import OracleDialect_oracledb

    return as_announced(OracleDialect_oracledb())


def as_announced(dialect: Any) -> Dialect:
    """Set what a dialect would have learnt from SQL Server 2019 or Oracle 19c at its first connection."""
    if dialect.name == "mssql":
        dialect.server_version_info = (15, 0, 2000)
        dialect.default_schema_name = "dbo"
        dialect._setup_version_attributes()
    else:
        dialect.server_version_info = (19, 3, 0)
        dialect.supports_native_boolean = False
        dialect._use_nchar_for_unicode = True
    return cast(Dialect, dialect)
