"""The distribution, built from a clean copy and installed into an environment of its own: what is shipped works.

Prevents: the text file that is in the repository and not in the wheel, found by the first customer.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, REPOSITORY, tracked_files

pytestmark = pytest.mark.packaging


def _run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a copy of what could be committed."""
    folder = tmp_path_factory.mktemp("distribution")
    source = folder / "source"
    for file in tracked_files():
        target = source / file.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder,
        source,
        cwd=folder,
    )
    return next(folder.glob("onehall-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The programs folder of an environment with the wheel and, borrowed, the libraries of this one."""
    home = wheel.parent / "environment"
    _run(sys.executable, "-m", "venv", "--without-pip", home, cwd=wheel.parent)
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    own = Path(
        _run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip()
    )
    # A plain line in a .pth file adds the folder without following the .pth files in it, so this tree stays out.
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    _run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        programs / "python",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-warn-script-location",
        "--ignore-installed",
        wheel,
        cwd=home,
    )
    return programs


def test_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        file.relative_to(REPOSITORY).as_posix()
        for file in tracked_files()
        if file.relative_to(REPOSITORY).parts[0] in PACKAGES
        and (file.suffix == ".py" or file.relative_to(REPOSITORY).parts[0] == "resources")
    }
    assert expected - shipped == set(), "in the repository and not in the wheel"


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_texts_and_schema_are_found_where_installed(installed: Path, tmp_path: Path) -> None:
    probe = (
        "import resources, server_api.app, shared_models.tables.billing as t; "
        "print(resources.ROOT); print(len(resources.texts('zh_CN'))); print(len(t.billing_metadata.tables))"
    )
    root, texts, tables = _run(installed / "python", "-c", probe, cwd=tmp_path).split()
    assert Path(root).is_relative_to(installed.parent), "it reads this working tree instead"
    assert int(texts) > 100 and int(tables) > 10


@pytest.mark.parametrize(
    "words", [("onehall", "--help"), ("onehall", "serve", "--help"), ("onehall", "check-books", "--help")]
)
def test_the_command_answers(installed: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "onehall" in _run(installed / words[0], *words[1:], cwd=tmp_path)
