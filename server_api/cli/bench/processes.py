"""A fresh installation for one measurement, and its processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server_api.settings import Settings, load_settings


def fresh_settings(data_dir: Path) -> Settings:
    """Settings of a new installation in ``data_dir``, on a port nobody listens on."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (data_dir / "onehall.toml").write_text(f'port = {port}\nlog_level = "WARNING"\n', encoding="utf-8")
    return load_settings(data_dir, {})


@contextmanager
def running(settings: Settings, what: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``onehall <what>`` on that installation while the block lasts."""
    command = [sys.executable, "-m", "server_api.cli.main", "--data-dir", str(settings.data_dir), what]
    with (settings.data_dir / f"{what}.log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
