"""``onehall serve | api | worker``: one command that runs the API and the workers as processes of their own."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from server_api.cli.console import OK, REFUSED, Console, t
from server_api.platform import revision
from server_api.platform.database import open_databases
from server_api.platform.secrets import Secrets
from server_api.settings import Settings, load_settings

if TYPE_CHECKING:
    from server_api.cli.house import House

_SUPERVISOR = "ONEHALL_SUPERVISOR_PID"
_STOP_WITHIN_S = 25.0
_LONGEST_PAUSE_S = 5.0
_STEADY_S = 20.0


def add_commands(subparsers: Any) -> None:
    """``serve``, and its two parts ``api`` and ``worker`` for service managers that run them separately."""
    serve = subparsers.add_parser("serve", help=t("serve.help"), description=t("serve.description"))
    serve.add_argument("--no-upgrade", action="store_true", help=t("serve.no_upgrade"))
    serve.set_defaults(run=_serve)
    api = subparsers.add_parser("api", help=t("serve.api"), description=t("serve.api"))
    api.set_defaults(run=_api)
    worker = subparsers.add_parser("worker", help=t("serve.worker"), description=t("serve.worker"))
    worker.set_defaults(run=_worker)


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings of the data folder the command was given."""
    return load_settings(args.data_dir)


def _log_to_stderr(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


class _Child:
    """One process of the installation, started again when it dies."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._begun_at = 0.0
        self._falls = 0
        self._next_at = 0.0

    def start(self) -> None:
        command = [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(self._settings.data_dir), self.name]
        # In a group of its own: Ctrl-C reaches the supervisor alone, which stops its children in order.
        apart: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {
            "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        self._process = subprocess.Popen(command, env={**os.environ, _SUPERVISOR: str(os.getpid())}, **apart)
        self._begun_at = time.monotonic()

    def look_after(self, console: Console) -> None:
        """Start it again if it has died, after a pause that grows while it keeps dying."""
        if self._process is None:
            if time.monotonic() >= self._next_at:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        self._falls = 0 if time.monotonic() - self._begun_at > _STEADY_S else self._falls + 1
        pause_s = min(0.2 * 2**self._falls, _LONGEST_PAUSE_S)
        console.complain(t("serve.child_died", name=self.name, code=code, pause=f"{pause_s:.1f}"))
        self._process, self._next_at = None, time.monotonic() + pause_s

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM if os.name == "posix" else signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined]

    def wait_or_kill(self, until: float) -> bool:
        """True when it ended by itself in time."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True


def _serve(args: argparse.Namespace, console: Console) -> int:
    """Run API and workers until told to stop."""
    settings = settings_of(args)
    _log_to_stderr(settings)
    stop = threading.Event()
    _on_signals(stop)
    if not _schema_ready(args, console):
        return REFUSED
    children = [_Child("api", settings)] + [_Child("worker", settings) for _ in range(settings.worker_processes)]
    for child in children:
        child.start()
    console.say(t("serve.started", url=settings.base_url, data_dir=settings.data_dir))
    while not stop.wait(0.2):
        for child in children:
            child.look_after(console)
    console.say(t("serve.stopping"))
    for child in children:
        child.ask_to_stop()
    until = time.monotonic() + _STOP_WITHIN_S
    clean = [child.wait_or_kill(until) for child in children].count(False) == 0
    console.say(t("serve.stopped" if clean else "serve.killed"))
    return OK if clean else REFUSED


def _schema_ready(args: argparse.Namespace, console: Console) -> bool:
    """Embedded databases are brought up to date; on servers that is the administrator's ``onehall db upgrade``."""
    settings = settings_of(args)
    secrets = Secrets.from_file(settings.key_file)
    databases = open_databases(settings.business_url, settings.billing_url, secrets=secrets, label="serve")
    try:
        for database in (databases.business, databases.billing):
            if revision.is_current(database):
                continue
            if args.no_upgrade or not database.dialect.single_writer:
                console.complain(t("serve.needs_upgrade", role=database.role, at=revision.current(database) or "-",
                                   head=revision.head(database.role)))
                return False
            from server_api.platform.schema import upgrade  # Alembic is loaded where it is needed only

            before, after = upgrade(database)
            console.say(t("db.upgraded", role=database.role, before=before or "-", after=after))
        secrets.open_ring(databases)
    finally:
        databases.close()
    return True


def _on_signals(stop: threading.Event) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handle)


def _end_with_supervisor(stop: threading.Event) -> None:
    """End this process when its supervisor is gone: an orphan would keep the port and the lanes."""
    supervisor = int(os.environ.get(_SUPERVISOR, "0"))
    if not supervisor or os.name != "posix":
        return

    def watch() -> None:
        while not stop.wait(0.5):
            if os.getppid() != supervisor:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _api(args: argparse.Namespace, _console: Console) -> int:
    """Run the API alone."""
    from server_api.app import run  # the web framework is loaded by the API process only

    settings = settings_of(args)
    _log_to_stderr(settings)
    _end_with_supervisor(threading.Event())
    run(settings)
    return OK


def _worker(args: argparse.Namespace, _console: Console) -> int:
    """Run one worker alone: facts, jobs, calendar."""
    from server_api.cli.house import open_house  # the wiring of every slice is loaded by the worker, not by serve

    _log_to_stderr(settings_of(args))
    stop = threading.Event()
    _on_signals(stop)
    _end_with_supervisor(stop)
    with open_house(args, label=f"worker-{os.getpid()}") as house:
        run_worker(house, stop)
    return OK


def run_worker(house: House, stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    from server_api.platform.worker import Worker

    worker = Worker(house.databases, house.wiring, house.crossings)
    worker.start()
    stop.wait()
    worker.close()
