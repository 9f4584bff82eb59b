"""SQL is written in store files and in platform, nowhere else; raw SQL text only in platform/dialects.

Prevents: a query in a route that forgets the data scope, and a statement that works on one engine of four.
"""

from __future__ import annotations

import re

from tests.support.source import SourceFile, planted, source_files

STATEMENTS = {"select", "insert", "update", "delete", "union", "union_all", "exists"}
RAW = {"text", "literal_column", "TextClause", "DDL"}
RAW_CALLS = ("exec_driver_sql", "text", "literal_column")
MAY_QUERY = re.compile(
    r"server_api/platform/.*|server_api/.*/store\.py|server_api/.*/store/.*|shared_models/migrations/.*"
)
MAY_RAW = re.compile(r"server_api/platform/dialects/.*")


def queries(file: SourceFile) -> list[str]:
    if MAY_QUERY.fullmatch(file.path):
        return []
    return [
        f"{file.at(node)}: {name}"
        for module, name, node in file.imports()
        if module.split(".")[0] == "sqlalchemy" and name in STATEMENTS
    ]


def raw_sql(file: SourceFile) -> list[str]:
    if MAY_RAW.fullmatch(file.path):
        return []
    imported = {name for module, name, _ in file.imports() if module.split(".")[0] == "sqlalchemy" and name in RAW}
    found = [f"{file.at(call)}: exec_driver_sql" for call in file.calls("exec_driver_sql")]
    return found + [f"{file.path}: imports {name} from sqlalchemy" for name in sorted(imported)]


def test_statements_are_in_stores() -> None:
    assert [line for file in source_files("server_api", "shared_models") for line in queries(file)] == []


def test_raw_sql_is_in_the_dialects() -> None:
    assert [line for file in source_files("server_api", "shared_models") for line in raw_sql(file)] == []


def test_the_rules_bite() -> None:
    assert queries(planted("server_api/faces/hall/x.py", "from sqlalchemy import select")) != []
    assert queries(planted("server_api/billing/payment/store.py", "from sqlalchemy import select")) == []
    assert raw_sql(planted("server_api/billing/payment/store.py", "from sqlalchemy import text")) != []
    assert raw_sql(planted("server_api/platform/facts/x.py", "c.exec_driver_sql('select 1')")) != []
