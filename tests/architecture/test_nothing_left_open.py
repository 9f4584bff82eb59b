"""No work left for later in the code, no swallowed error, no test skipped without a reason.

Prevents: the stub that ships, the error that nobody saw, the test that has not run for a year.
"""

from __future__ import annotations

import ast
import re

from tests.support.source import SourceFile, planted, source_files

#: Written in two halves so that this file does not trip over itself.
LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def left_open(file: SourceFile) -> list[str]:
    found = [
        f"{file.path}:{number}: {line.strip()[:60]}"
        for number, line in enumerate(file.text.splitlines(), 1)
        if LATER.search(line)
    ]
    for node in file.nodes:
        if isinstance(node, ast.Raise) and node.exc and "NotImplementedError" in ast.unparse(node.exc):
            found.append(f"{file.at(node)}: NotImplementedError")
        if isinstance(node, ast.ExceptHandler) and _does_nothing(node.body) and _is_broad(node):
            found.append(f"{file.at(node)}: an error is swallowed")
    return found


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in body
    )


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def skips_without_reason(file: SourceFile) -> list[str]:
    found = []
    for call in file.calls("skip", "skipif", "xfail", "importorskip"):
        name = ast.unparse(call.func)
        if not name.startswith(("pytest.", "skip")):
            continue
        named = {keyword.arg for keyword in call.keywords}
        positional = name in ("pytest.skip", "pytest.importorskip", "skip") and call.args
        if not positional and "reason" not in named:
            found.append(f"{file.at(call)}: {name} gives no reason")
    return found


def test_nothing_is_left_open() -> None:
    files = source_files("shared_models", "server_api", "desktop_client", "resources", "installers", "tests", "dev.py")
    assert [line for file in files for line in left_open(file)] == []


def test_every_skip_says_why() -> None:
    assert [line for file in source_files("tests") for line in skips_without_reason(file)] == []


def test_the_rules_bite() -> None:
    assert left_open(planted("x.py", "# TO" + "DO later"))
    assert left_open(planted("x.py", "raise NotImplementedError"))
    assert left_open(planted("x.py", "try:\n    f()\nexcept Exception:\n    pass"))
    assert skips_without_reason(planted("x.py", "@pytest.mark.skipif(True)\ndef f(): ..."))
