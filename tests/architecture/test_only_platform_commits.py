"""Only server_api/platform begins, commits or rolls back a transaction, and only it makes an engine.

Prevents: a service that commits half an act, so that a crash between the halves leaves money without a receipt.
"""

from __future__ import annotations

import ast
import re

from tests.support.source import SourceFile, planted, source_files

ENDS = ("commit", "rollback", "begin_nested", "create_engine", "sessionmaker")
#: ``begin`` is also what a run or a session does; on these it opens a transaction.
OPENS = re.compile(r"(conn|connection|engine|reader|writer)$")


def transactions(file: SourceFile) -> list[str]:
    found = [f"{file.at(call)}: {name}()" for name in ENDS for call in file.calls(name)]
    for call in file.calls("begin"):
        if isinstance(call.func, ast.Attribute) and OPENS.search(ast.unparse(call.func.value)):
            found.append(f"{file.at(call)}: begin()")
    return found


def test_only_platform_commits() -> None:
    files = [file for file in source_files("server_api", "shared_models") if not may_commit(file.path)]
    assert files
    assert [line for file in files for line in transactions(file)] == []


def may_commit(path: str) -> bool:
    # Alembic's env.py runs the migrations' own transaction.
    return path.startswith("server_api/platform/") or path.startswith("shared_models/migrations/")


def test_the_rule_bites() -> None:
    assert transactions(planted("x.py", "uow.conn.commit()")) == ["x.py:1: commit()"]
    assert transactions(planted("x.py", "with engine.begin() as c: pass")) == ["x.py:1: begin()"]
