"""The tables as SQL Server 2019 and Oracle 19c would get them: golden files, names, types. No server is needed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from server_api.platform import schema
from shared_models.migrations.options import offline_dialect
from shared_models.tables.billing import billing_metadata
from shared_models.tables.business import business_metadata

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "ddl"
METADATA = {"business": business_metadata, "billing": billing_metadata}
TABLES = [(role, table) for role, metadata in METADATA.items() for table in metadata.sorted_tables]
MOST_NAME_BYTES = 30
#: What no portable table has: quoted names, types that lose something or are not there, cascades.
_BANNED = {
    "mssql": (r"\[", r"\bBIT\b", r"(?<!N)VARCHAR\(max\)", r"\bDATETIME\b", r"\bTEXT\b", r"CASCADE", r"\bFLOAT\b"),
    "oracle": (r'"', r"\bBOOLEAN\b", r"\bTIMESTAMP WITH", r"CASCADE", r"\bFLOAT\b", r"\bCHAR\(\d+\)(?! )"),
}


def ddl(metadata: MetaData, engine: str) -> str:
    """All tables and indexes of a side as SQL, in an order that does not change."""
    dialect = offline_dialect(engine)
    parts = []
    for table in metadata.sorted_tables:
        parts.append(str(CreateTable(table).compile(dialect=dialect)).strip() + ";")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            parts.append(str(CreateIndex(index).compile(dialect=dialect)).strip() + ";")
    return "\n".join(re.sub(r"[ \t]+\n", "\n", part) for part in parts) + "\n"


@pytest.mark.parametrize("engine", ["mssql", "oracle"])
@pytest.mark.parametrize("role", list(METADATA))
def test_golden_ddl(role: str, engine: str) -> None:
    """What a change of the models does to the other two engines is seen in review. ONEHALL_WRITE_GOLDEN=1 writes it."""
    file = GOLDEN / f"{role}.{engine}.sql"
    made = ddl(METADATA[role], engine)
    if os.environ.get("ONEHALL_WRITE_GOLDEN"):
        file.write_text(made, encoding="utf-8", newline="\n")
    assert made == file.read_text(encoding="utf-8"), f"ONEHALL_WRITE_GOLDEN=1 pytest {__file__}"


@pytest.mark.parametrize("engine", ["mssql", "oracle"])
@pytest.mark.parametrize("role", list(METADATA))
def test_the_history_is_a_script_for_either_engine(role: str, engine: str) -> None:
    script = schema.offline_sql(role, engine)  # type: ignore[arg-type]
    for table in METADATA[role].tables:
        assert f"CREATE TABLE {table} (" in script
    assert ("GO\n" in script) == (engine == "mssql")
    assert ("\n/\n" in script) == (engine == "oracle")
    assert "BOOLEAN" not in script
    assert ":ret" not in script and "OUTPUT inserted" not in script


@pytest.mark.parametrize(("role", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_names_are_short_and_plain(role: str, table: Table) -> None:
    names = [table.name, *(column.name for column in table.columns)]
    names += [str(index.name) for index in table.indexes]
    names += [str(constraint.name) for constraint in table.constraints if constraint.name]
    too_long = [name for name in names if len(name.encode()) > MOST_NAME_BYTES]
    assert not too_long, f"longer than {MOST_NAME_BYTES} bytes: {too_long}"
    odd = [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
    assert not odd


@pytest.mark.parametrize("engine", ["mssql", "oracle"])
@pytest.mark.parametrize(("role", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_types_exist_and_nothing_is_quoted(role: str, table: Table, engine: str) -> None:
    text = str(CreateTable(table).compile(dialect=offline_dialect(engine)))
    found = [pattern for pattern in _BANNED[engine] if re.search(pattern, text)]
    assert not found, text


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(("role", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_nothing_is_quoted_elsewhere(role: str, table: Table, dialect: object) -> None:
    assert '"' not in str(CreateTable(table).compile(dialect=dialect))  # type: ignore[arg-type]


@pytest.mark.parametrize(("role", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_a_counted_key_is_counted_on_oracle_too(role: str, table: Table) -> None:
    """Without Identity Oracle gets a plain NOT NULL column, and the first insert fails there."""
    counted = table._autoincrement_column
    assert counted is None or counted.identity is not None, f"{counted}: Identity(start=1) or autoincrement=False"


@pytest.mark.parametrize(("role", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_every_foreign_key_has_an_index(role: str, table: Table) -> None:
    """Oracle locks the whole child table otherwise."""
    led = {tuple(column.name for column in index.columns) for index in table.indexes}
    led.add(tuple(column.name for column in table.primary_key.columns))
    led |= {tuple(column.name for column in constraint.columns) for constraint in table.constraints
            if type(constraint).__name__ == "UniqueConstraint"}
    for key in table.foreign_key_constraints:
        columns = tuple(column.name for column in key.columns)
        assert any(index[:len(columns)] == columns for index in led), f"{table.name}.{columns} has no index"
        assert key.ondelete is None
