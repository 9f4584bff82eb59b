"""Finds PostgreSQL on this machine and hands out one throw-away cluster per test session, shared by all its workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from installers.bootstrap import postgres_programs
from tests.support.session import session_folder, session_pid

KEEPER = Path(__file__).with_name("postgres_keeper.py")


class NoPostgres(Exception):
    """PostgreSQL's server programs are not on this machine, or they do not start; the text says which."""


@dataclass(frozen=True)
class Server:
    """Where the cluster of this session listens."""

    bin: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://tests:{self.password}@127.0.0.1:{self.port}/{database}"


def find_programs() -> Path:
    """The folder with the server's programs. Raises NoPostgres."""
    place = postgres_programs.find()
    if place is None:
        raise NoPostgres("PostgreSQL's server programs were not found; 'python3 dev.py test' installs them")
    return place


def server() -> Server:
    """The cluster of this session, started on first use. Raises NoPostgres."""
    folder = Path(tempfile.gettempdir()) / f"onehall-pg-{session_folder().name}"
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        pass
    else:
        _start_keeper(folder)
    return _wait(folder)


def _start_keeper(folder: Path) -> None:
    try:
        programs = find_programs()
    except NoPostgres as missing:
        (folder / "failed.txt").write_text(str(missing), encoding="utf-8")
        return
    command = [sys.executable, str(KEEPER), str(programs), str(folder), str(session_pid())]
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "LC_ALL": "C"},
        check=True,
    )


def _wait(folder: Path) -> Server:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (folder / "server.json").exists():
            told = json.loads((folder / "server.json").read_text(encoding="utf-8"))
            return Server(Path(told["bin"]), int(told["port"]), str(told["password"]))
        if (folder / "failed.txt").exists():
            raise NoPostgres((folder / "failed.txt").read_text(encoding="utf-8"))
        time.sleep(0.03)
    raise NoPostgres(f"PostgreSQL did not come up within a minute (see {folder})")


def forget_cluster() -> None:
    """Tell the keeper that the session is over; it removes the cluster by itself."""
    folder = Path(tempfile.gettempdir()) / f"onehall-pg-{session_folder().name}"
    if (folder / "server.json").exists():
        (folder / "stop").touch()
    else:
        shutil.rmtree(folder, ignore_errors=True)
