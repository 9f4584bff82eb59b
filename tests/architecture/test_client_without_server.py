"""The client installs and imports on a desk that has no server library.

Prevents: a 200 MB installer, and a teller's desk that needs a database driver to start.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.source import REPOSITORY, source_files

BLOCKED = (
    "sqlalchemy",
    "alembic",
    "fastapi",
    "starlette",
    "uvicorn",
    "polars",
    "numpy",
    "narwhals",
    "psycopg",
    "pyodbc",
    "oracledb",
    "openpyxl",
    "apscheduler",
    "argon2",
    "jinja2",
    "server_api",
    "shared_models.tables",
)

PROBE = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == blocked or name.startswith(blocked + ".") for blocked in {blocked!r}):
            raise ModuleNotFoundError("not on a desk: " + name, name=name)

sys.meta_path.insert(0, Blocker())
for module in {modules!r}:
    importlib.import_module(module)
print("imported", len({modules!r}))
"""


def _modules(package: str) -> list[str]:
    return [
        file.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in source_files(package)
        if not file.path.endswith("__main__.py")
    ]


def _probe(modules: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(blocked=BLOCKED, modules=modules)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_client_module_imports() -> None:
    modules = _modules("desktop_client")
    done = _probe(modules)
    assert done.returncode == 0, done.stderr[-1500:]
    assert f"imported {len(modules)}" in done.stdout


def test_the_words_both_sides_speak_import() -> None:
    done = _probe([*_modules("shared_models/values"), *_modules("shared_models/contracts"), "resources"])
    assert done.returncode == 0, done.stderr[-1500:]


@pytest.mark.parametrize("module", ["server_api", "shared_models.tables.types", "sqlalchemy"])
def test_the_blocker_blocks(module: str) -> None:
    assert "not on a desk" in _probe([module]).stderr
