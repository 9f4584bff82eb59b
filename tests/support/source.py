"""The project's own source, parsed once, for the rules about the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("shared_models", "server_api", "desktop_client", "resources")


@dataclass(frozen=True)
class SourceFile:
    """One Python file: its path from the repository, its text and its tree."""

    path: str
    text: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, walked once."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def _calls_by_name(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Call):
                found.setdefault(called_name(node), []).append(node)
        return found

    def at(self, node: ast.AST) -> str:
        """Where something is, as an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 0)}"

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, also those inside others."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Calls of a function or method of one of these names, whatever stands before the dot."""
        for name in names:
            yield from self._calls_by_name.get(name, ())

    def imports(self) -> Iterator[tuple[str, str, ast.AST]]:
        """(module, name, node) for each imported name; name is '' for ``import module``."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, "", node
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                for alias in node.names:
                    yield node.module or "", alias.name, node


def called_name(call: ast.Call) -> str:
    """``f`` for ``f(...)`` and for ``x.f(...)``."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@cache
def source_files(*folders: str) -> tuple[SourceFile, ...]:
    """All Python files below these folders of the repository (default: the packages that ship)."""
    found: list[SourceFile] = []
    for folder in folders or PACKAGES:
        root = REPOSITORY / folder
        for file in sorted([root] if root.is_file() else root.rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            found.append(SourceFile(file.relative_to(REPOSITORY).as_posix(), text, ast.parse(text)))
    return tuple(found)


def planted(path: str, text: str) -> SourceFile:
    """A file that does not exist, to show that a rule bites."""
    return SourceFile(path, text, ast.parse(text))


def tracked_files() -> list[Path]:
    """Every file of the repository that could be committed, generated folders left out."""
    skip = {
        ".git",
        ".venv",
        "__pycache__",
        "build",
        "dist",
        "demo",
        "data",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".import_linter_cache",
    }
    return [
        file
        for file in sorted(REPOSITORY.rglob("*"))
        if file.is_file() and not skip & set(file.relative_to(REPOSITORY).parts) and ".egg-info" not in str(file)
    ]
