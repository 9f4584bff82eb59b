"""Files of at most 400 lines and functions of at most 60.

Prevents: the file everybody is afraid to touch, and the function nobody can hold in the head.
"""

from __future__ import annotations

import re

from tests.support.source import SourceFile, planted, source_files

FILE_LINES = 400
FUNCTION_LINES = 60


#: Written by Alembic from the models, read as a list and never changed again.
GENERATED = re.compile(r"shared_models/migrations/(business|billing)/\d{4}_.*\.py")


def too_long(file: SourceFile) -> list[str]:
    if GENERATED.fullmatch(file.path):
        return []
    found = []
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        found.append(f"{file.path}: {lines} lines")
    for function in file.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            found.append(f"{file.at(function)} {function.name}: {length} lines")
    return found


def test_nothing_is_too_long() -> None:
    files = source_files("shared_models", "server_api", "desktop_client", "resources", "installers", "tests", "dev.py")
    assert [line for file in files for line in too_long(file)] == []


def test_the_rule_bites() -> None:
    body = "\n".join("    x = 1" for _ in range(60))
    assert too_long(planted("a.py", f"def f():\n{body}\n")) == ["a.py:1 f: 61 lines"]
    assert too_long(planted("b.py", "x = 1\n" * 401)) == ["b.py: 401 lines"]
