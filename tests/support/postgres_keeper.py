"""Runs a throw-away PostgreSQL cluster for one test session and takes it away when the session has ended.

A process of its own, because neither a worker (it may end first) nor the session (it may be killed) can be trusted to
stop the server. It watches the session's process and removes the cluster within half a second of its end.

``python postgres_keeper.py FOLDER SESSION_PID`` writes ``FOLDER/server.json`` (bin, port, password) or
``FOLDER/failed.txt``. Standard library only.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Thrown away after the tests: nothing here has to outlive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "lc_messages": "C",
}


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged_user() -> str | None:
    """Whom the server runs as: None for this user; an unprivileged one when we are root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise RuntimeError("running as root and there is neither a user postgres nor nobody to run PostgreSQL as")


def as_user(user: str | None) -> dict[str, object]:
    """Arguments of subprocess that make the child run as that user alone."""
    if user is None:
        return {}
    import pwd

    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


class Cluster:
    """One PostgreSQL data folder and the server upon it."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.bin = bin_folder
        self.user = unprivileged_user()
        self.data = folder / "pgdata"
        self.log = folder / "postgres.log"
        self.password = secrets.token_hex(16)
        self.port = 0
        self.server: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the data folder, owned by the user the server runs as."""
        self.data.mkdir(mode=0o700)
        secret = self.data.with_name("password")
        secret.touch(mode=0o600)
        secret.write_text(self.password + "\n", encoding="ascii")
        for path in (self.data, secret):
            if self.user:
                shutil.chown(path, self.user)
        command = [
            str(self.bin / "initdb"),
            "-D",
            str(self.data),
            "-U",
            "tests",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "password",
            f"--pwfile={secret}",
            "--no-instructions",
        ]
        done = subprocess.run(command, text=True, capture_output=True, check=False, cwd="/", **as_user(self.user))  # type: ignore[call-overload]
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.strip()[-800:]}")

    def start(self) -> None:
        """Start the server on a free port and wait until it answers; another port if it was taken meanwhile."""
        for _ in range(5):
            self.port = free_port()
            settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
            with self.log.open("ab") as log:
                self.server = subprocess.Popen(
                    [str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    **as_user(self.user),
                )  # type: ignore[call-overload]
            if self._answers(within_s=20.0):
                return
        raise RuntimeError("PostgreSQL did not start: " + self.log.read_text(errors="replace")[-800:])

    def _answers(self, within_s: float) -> bool:
        until = time.monotonic() + within_s
        ready = self.bin / "pg_isready"
        while time.monotonic() < until and self.server is not None and self.server.poll() is None:
            done = subprocess.run([str(ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
            if done.returncode == 0:
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """Stop at once; the data are thrown away."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGQUIT)
            try:
                self.server.wait(10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()


def alive(pid: int) -> bool:
    """True while that process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def keep(bin_folder: Path, folder: Path, session_pid: int) -> None:
    """Run the cluster until the session's process is gone or ``FOLDER/stop`` appears; then remove the folder."""
    cluster = Cluster(bin_folder, folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        try:
            cluster.create()
            cluster.start()
        except (OSError, RuntimeError) as trouble:
            (folder / "failed.tmp").write_text(str(trouble), encoding="utf-8")
            (folder / "failed.tmp").rename(folder / "failed.txt")
        else:
            told = {"bin": str(bin_folder), "port": cluster.port, "password": cluster.password}
            (folder / "server.tmp").write_text(json.dumps(told), encoding="utf-8")
            (folder / "server.tmp").rename(folder / "server.json")
        while alive(session_pid) and not (folder / "stop").exists():
            time.sleep(0.3)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # nobody has to wait for the keeper
    keep(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
