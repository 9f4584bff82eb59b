"""Every library the code imports is declared, for the side that imports it; the lock files hold all of them by hash.

Prevents: the import that works on the developer's machine, and the package that changed between two installs.
"""

from __future__ import annotations

import configparser
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.support.source import PACKAGES, REPOSITORY, source_files

#: Which extras a package's imports may come from ('' is what everybody installs).
EXTRAS = {
    "shared_models": ("",),
    "resources": ("",),
    "desktop_client": ("", "client", "devices"),
    "server_api": ("", "server", "postgres", "mssql", "oracle", "spark"),
}
TABLES_EXTRAS = ("", "server")
LOCKS = ("requirements.lock", "requirements-test.lock")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, set[str]]:
    """Extra -> distribution names, from setup.cfg."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    lists = {"": parser["options"]["install_requires"], **parser["options.extras_require"]}
    return {
        extra: {
            canonical(re.split(r"[\s\[<>=!;]", line.strip())[0])
            for line in text.splitlines()
            if line.strip() and not line.strip().startswith("#")
        }
        for extra, text in lists.items()
    }


def _undeclared(package: str) -> list[str]:
    distributions = packages_distributions()
    known = declared()
    found = []
    for file in source_files(package):
        server_part = file.path.startswith(("shared_models/tables", "shared_models/migrations"))
        extras = TABLES_EXTRAS if server_part else EXTRAS[package]
        allowed = {name for extra in extras for name in known[extra]}
        for module, _, node in file.imports():
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in PACKAGES or top in ("installers", "__future__"):
                continue
            names = {canonical(name) for name in distributions.get(top, [top])}
            if not names & (allowed | _comes_with(allowed)):
                found.append(f"{file.at(node)}: {top}")
    return found


def _comes_with(allowed: set[str]) -> set[str]:
    """Libraries that are another's own foundation and are imported by name: FastAPI is Starlette."""
    foundations = {
        "fastapi": {"starlette", "anyio", "typing-extensions"},
        "pydantic": {"pydantic-core", "annotated-types"},
        "requests": {"urllib3"},
    }
    return {name for owner, names in foundations.items() if owner in allowed for name in names}


@pytest.mark.parametrize("package", list(EXTRAS))
def test_imports_are_declared(package: str) -> None:
    assert _undeclared(package) == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_index(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text, "where packages come from is the machine's own business"
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "==" in block and "--hash=sha256:" in block, block[:80]


def _pins(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", (REPOSITORY / name).read_text(encoding="utf-8"), re.M
    ):
        pins.setdefault(canonical(package), set()).add(version)
    return pins


def test_the_locks_agree_and_hold_everything() -> None:
    run, test = (_pins(name) for name in LOCKS)
    assert {name: versions for name, versions in run.items() if test.get(name) != versions} == {}
    known = declared()
    for extra in ("", "server", "client", "postgres", "mssql", "oracle"):
        assert known[extra] - set(run) == set(), f"run 'dev.py lock': [{extra}] is not locked"
    for extra in ("test", "dev"):
        assert known[extra] - set(test) == set(), f"run 'dev.py lock': [{extra}] is not locked"
