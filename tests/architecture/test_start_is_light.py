"""Starting a server or a worker loads no engine: what only some commands need is loaded when it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("polars", "numpy", "narwhals", "pyspark", "matplotlib", "openpyxl", "fpdf", "yaml.cyaml")


@pytest.mark.parametrize("module", ["server_api.app", "server_api.cli.house", "server_api.cli.serve"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.split() == []
