"""Tables that every engine takes: short lower-case names, no reserved word, portable types, indexed foreign keys.

Prevents: the index Oracle 12.1 refuses for its length, the column SQL Server quotes, the BOOLEAN that is invalid DDL on
Oracle 19c, the foreign key whose parent's delete locks the whole child table.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import ForeignKeyConstraint, MetaData, Table
from sqlalchemy.dialects import mssql, oracle, postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from shared_models.tables.billing import billing_metadata
from shared_models.tables.business import business_metadata
from tests.support.source import SourceFile, planted, source_files

RESERVED = {
    line for line in Path(__file__).with_name("reserved_words.txt").read_text().splitlines() if not line.startswith("#")
}
METADATA: dict[str, MetaData] = {"business": business_metadata, "billing": billing_metadata}
TABLES = [
    pytest.param(table, id=f"{role}.{table.name}")
    for role, metadata in METADATA.items()
    for table in metadata.sorted_tables
]
#: Words of SQLAlchemy that say how, not what: the types themselves come from tables/types.py.
STRUCTURE = {
    "CheckConstraint",
    "Column",
    "Computed",
    "ForeignKey",
    "ForeignKeyConstraint",
    "Identity",
    "Index",
    "MetaData",
    "PrimaryKeyConstraint",
    "Sequence",
    "Table",
    "UniqueConstraint",
    "Integer",
    "SmallInteger",
}


def _server(dialect: DefaultDialect, *version: int) -> DefaultDialect:
    """A dialect as it is after it has met a server of that version."""
    dialect.server_version_info = version
    dialect.supports_native_boolean = False
    getattr(dialect, "_setup_version_attributes", lambda: None)()
    return dialect


DIALECTS: dict[str, DefaultDialect] = {
    "mssql": _server(mssql.dialect(), 15, 0, 2000),
    "oracle": _server(oracle.dialect(), 19, 3),
    "postgresql": postgresql.dialect(),
    "sqlite": sqlite.dialect(),
}


def name_trouble(name: str) -> str:
    if len(name.encode()) > 30:
        return f"{name}: {len(name.encode())} bytes, 30 allowed"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return f"{name}: not lower-case ASCII"
    return f"{name}: reserved" if name in RESERVED else ""


def _names(table: Table) -> list[str]:
    constraints = [str(constraint.name) for constraint in table.constraints if constraint.name]
    return [
        table.name,
        *(column.name for column in table.columns),
        *constraints,
        *(str(index.name) for index in table.indexes),
    ]


@pytest.mark.parametrize("table", TABLES)
def test_names(table: Table) -> None:
    assert [trouble for name in _names(table) if (trouble := name_trouble(name))] == []
    assert all(constraint.name for constraint in table.constraints), "every constraint has a name"


@pytest.mark.parametrize("table", TABLES)
def test_foreign_keys(table: Table) -> None:
    led = [[column.name for column in index.columns] for index in table.indexes]
    led.append([column.name for column in table.primary_key.columns])
    led += [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if type(constraint).__name__ == "UniqueConstraint"
    ]
    for key in (constraint for constraint in table.constraints if isinstance(constraint, ForeignKeyConstraint)):
        columns = [column.name for column in key.columns]
        assert any(lead[: len(columns)] == columns for lead in led), f"{columns} is not indexed"
        assert key.ondelete is None and key.onupdate is None, "deleting is done in code, where it is seen"


@pytest.mark.parametrize("table", TABLES)
def test_has_a_primary_key(table: Table) -> None:
    assert list(table.primary_key.columns), "every row can be named"


@pytest.mark.parametrize("table", TABLES)
def test_compiles_on_every_engine(table: Table) -> None:
    for name, dialect in DIALECTS.items():
        script = str(CreateTable(table).compile(dialect=dialect))
        assert '"' not in script and "[" not in script, f"{name}: a name needs quoting: {script}"
        if name == "mssql":
            assert "DATETIME " not in script, "3.33 ms of resolution"
        wrong = re.findall(r"\b(BOOLEAN|FLOAT|REAL|DOUBLE|VARCHAR\(max\)|NUMERIC|DECIMAL|TIME(?! ZONE))\b", script)
        assert not wrong, f"{name}: {wrong}"
        for index in table.indexes:
            CreateIndex(index).compile(dialect=dialect)


def test_no_name_twice_in_a_database() -> None:
    """Index and constraint names share one space on PostgreSQL and Oracle."""
    for role, metadata in METADATA.items():
        names = [str(index.name) for table in metadata.sorted_tables for index in table.indexes]
        names += [
            str(constraint.name)
            for table in metadata.sorted_tables
            for constraint in table.constraints
            if constraint.name
        ]
        names += [table.name for table in metadata.sorted_tables]
        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"{role}: {twice}"


def types_of_their_own(file: SourceFile) -> list[str]:
    return [
        f"{file.at(node)}: {name}"
        for module, name, node in file.imports()
        if module.split(".")[0] == "sqlalchemy" and name not in STRUCTURE
    ]


def test_types_come_from_one_file() -> None:
    files = [file for file in source_files("shared_models/tables") if not file.path.endswith("tables/types.py")]
    assert len(files) > 5
    assert [line for file in files for line in types_of_their_own(file)] == []


def test_the_rules_bite() -> None:
    assert name_trouble("comment") and name_trouble("uq_customer_account_relation_xyz") and name_trouble("Account")
    assert not name_trouble("bill_line")
    assert types_of_their_own(planted("x.py", "from sqlalchemy import Boolean, Column")) == ["x.py:1: Boolean"]
