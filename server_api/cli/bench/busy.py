"""Heavy work beside the tellers: a usage import and then the month run, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from server_api.settings import Settings

HOUSEHOLDS = 300
CALLS = 150_000


class HeavyWork:
    """A town of its own in the same installation, and a month of calls waiting to be imported and billed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.data_dir / "heavy"
        self._month = ""
        self._thread = threading.Thread(target=self._run, name="heavy work", daemon=True)
        self._stop = threading.Event()
        self._running: subprocess.Popen[str] | None = None
        self.begun: list[str] = []

    def prepare(self) -> None:
        """Make the town and its calls. Raises RuntimeError with what the command said."""
        exports, usage = str(self._folder / "exports"), str(self._folder / "usage")
        made = json.loads(self._ask("sample", "town", "--out", exports, "--households", str(HOUSEHOLDS)))
        self._month = str(made["month"])
        self._ask("staff", "halls", f"{exports}/halls.json")
        self._ask("catalog", "import", "--sample")
        self._ask("catalog", "publish")
        self._ask("tariff", "import")
        self._ask("migrate", "--from", exports)
        lists = ("--numbers", f"{exports}/numbers.txt", "--logins", f"{exports}/logins.txt")
        self._ask("usage", "sample", usage, "--month", self._month, "--calls", str(CALLS), "--sessions", "0", *lists)

    def start(self) -> None:
        """Begin: the import, then the month run."""
        self._thread.start()

    def finish(self) -> None:
        """End what still runs; both can be stopped anywhere."""
        self._stop.set()
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
        self._thread.join(60)

    def _run(self) -> None:
        files = sorted(str(file) for file in (self._folder / "usage").iterdir())
        month = f"{self._month[:4]}-{self._month[4:]}"
        for name, words in (
            ("usage import", ("usage", "import", *files)),
            ("bill run", ("bill", "run", "--month", month)),
        ):
            if self._stop.is_set():
                return
            self._running = self._begin(*words)
            self.begun.append(name)
            self._running.communicate()

    def _begin(self, *words: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "server_api.cli.main",
            "--json",
            "--data-dir",
            str(self._settings.data_dir),
            *words,
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def _ask(self, *words: str) -> str:
        process = self._begin(*words)
        said, wrong = process.communicate()
        # A migration that sets rows aside (one in a hundred of the sample is dirty on purpose) ends with 1.
        if process.returncode not in (0, 1) or (process.returncode and words[0] != "migrate"):
            raise RuntimeError(f"onehall {' '.join(words)}: {(wrong or said)[-1500:]}")
        return said


def api_cpu_s(data_dir: Path) -> float | None:
    """Seconds of processor time the API process of an installation has used; None where the system does not tell."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[-2:] == [b"api", b""] and str(data_dir).encode() in words:
                fields: list[Any] = (entry / "stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / 100
        except OSError:
            continue  # a process that ended while we looked
    return None
