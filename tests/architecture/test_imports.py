"""Who may import whom: the contracts of pyproject.toml hold, and each of them bites.

Prevents: billing that asks business for a staff member and stops when that database is down; a client that needs
SQLAlchemy; a rule that reads a file. A contract that names a folder wrongly would pass for ever, so forbidden imports
are planted in a copy and every contract must catch its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, REPOSITORY

LINTER = Path(sys.executable).with_name("lint-imports")

#: contract id -> (file, forbidden import). A file that exists gets the line added, another is made.
PLANTED = {
    "sides": ("desktop_client/planted_sides.py", "import server_api.platform"),
    "words": ("shared_models/contracts/planted_words.py", "import shared_models.tables.types"),
    "client": ("desktop_client/planted_client.py", "import sqlalchemy"),
    "server": ("server_api/platform/planted_server.py", "import PySide6.QtCore"),
    "values": ("shared_models/values/planted_values.py", "import socket"),
    "rules": ("server_api/billing/planted/rules.py", "import sqlalchemy"),
    "presenters": ("desktop_client/desks/planted/presenter.py", "import PySide6.QtWidgets"),
    "layers": ("server_api/platform/planted_layers.py", "import server_api.billing"),
    "business": ("server_api/business/staff/planted_slice.py", "import server_api.business.party"),
    "billing": ("server_api/billing/ledger/planted_slice.py", "import server_api.billing.payment"),
    "desks": ("desktop_client/desks/planted/page.py", "import desktop_client.desks.planted_too"),
    "network": ("desktop_client/work/planted_network.py", "import requests"),
}


def _contracts() -> dict[str, str]:
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return {
            contract["id"]: contract["name"] for contract in tomllib.load(file)["tool"]["importlinter"]["contracts"]
        }


def _lint(root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINTER, "--no-cache", "--no-logo", "--config", root / "pyproject.toml"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold() -> None:
    code, said = _lint(REPOSITORY)
    assert code == 0, said


@pytest.fixture(scope="module")
def planted_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the code in which every contract is broken once."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    for package in PACKAGES:
        shutil.copytree(
            REPOSITORY / package,
            root / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if not (name.endswith(".py") or (Path(folder) / name).is_dir()) or name == "__pycache__"
            ],
        )
    for path, line in PLANTED.values():
        file = root / path
        for folder in [*file.parents][: len(file.relative_to(root).parts) - 1]:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").touch()
        file.write_text(line + "\n", encoding="utf-8")
    for package in ("desktop_client/desks/planted_too", "server_api/business/party", "server_api/billing/payment"):
        (root / package).mkdir(parents=True, exist_ok=True)
        (root / package / "__init__.py").touch()
    code, said = _lint(root)
    assert code == 1, said
    return said


@pytest.mark.parametrize("contract", list(_contracts()))
def test_each_contract_bites(planted_report: str, contract: str) -> None:
    assert contract in PLANTED, f"plant a violation of '{contract}' in PLANTED"
    name = re.escape(_contracts()[contract])
    assert re.search(rf"{name}\s+BROKEN", planted_report), planted_report
