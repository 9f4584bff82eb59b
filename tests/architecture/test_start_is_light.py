"""Starting a server or a worker loads no engine: what only some commands need is loaded when it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import resources

HEAVY = ("polars", "numpy", "narwhals", "pyspark", "matplotlib", "openpyxl", "fpdf", "yaml.cyaml")
NOT_TO_RATE = ("sqlalchemy", "pyspark", "matplotlib", "openpyxl", "fpdf", "server_api.wiring", "fastapi")


@pytest.mark.parametrize("module", ["server_api.app", "server_api.cli.house", "server_api.cli.serve"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.split() == []


def test_rating_a_file_loads_no_database(tmp_path: Path) -> None:
    """Whoever tries a tariff waits for what rates, not for what stores: half of a start."""
    usage = tmp_path / "calls.csv"
    usage.write_text("caller,called,start,duration_s\n3961234,2685123,2026-03-05 10:00:00,200\n", encoding="ascii")
    tariff = resources.path("catalog", "tariffs", "voice.yaml")
    words = ["rate", "--tariff", str(tariff), "--usage", str(usage), "--data-dir", str(tmp_path)]
    code = (
        f"import sys; from server_api.cli.main import main; code = main({words!r});"
        f"print('loaded', code, *sorted(set({NOT_TO_RATE!r}) & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.splitlines()[-1].split() == ["loaded", "0"]
