"""The demo's story, step by step, told with the product's own commands and its REST API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import Trouble, ask, environment, follow, say
from installers.bootstrap.hall_server import HallServer
from installers.bootstrap.system_packages import child_environment

HOUSEHOLDS = 10_000
CALLS = 1_000_000
SESSIONS = 200_000


@dataclass
class Story:
    """What the demo has done so far, and what runs because of it."""

    check: bool
    households: int | None = None
    done: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    books_balance: bool = False
    server: HallServer | None = None
    town: dict[str, Any] = field(default_factory=dict)
    client: subprocess.Popen[bytes] | None = None

    def onehall(self, *words: str) -> dict[str, Any]:
        """Run a command of the product with ``--json`` and return what it answered. Raises Trouble with its words."""
        code, said = ask([virtual_env.program("onehall"), "--json", *words], extra=demo_folder.environment())
        return self._answer(words, code, said)

    def long(self, what: str, *words: str) -> dict[str, Any]:
        """The same for a command that takes a while: what it says shows as progress."""
        heard: list[str] = []

        def notice(line: str) -> str | None:
            heard.append(line)
            return None if line.startswith("{") else line.strip()[:90] or None

        follow([virtual_env.program("onehall"), "--json", *words], what, notice, extra=demo_folder.environment())
        return self._answer(words, 0, "".join(heard))

    def _answer(self, words: tuple[str, ...], code: int, said: str) -> dict[str, Any]:
        if code:
            raise Trouble(f"'onehall {' '.join(words)}' ended with exit code {code}:\n{said.strip()[-1500:]}")
        objects = [line for line in said.splitlines() if line.startswith("{")]
        answer: dict[str, Any] = json.loads(objects[-1]) if objects else {}
        return answer

    @property
    def hall(self) -> HallServer:
        """The running server. Raises Trouble when a step before has not started it."""
        if self.server is None:
            raise Trouble("the server is not running")
        return self.server

    def stay_up(self) -> None:
        """Open the client where there is a screen, and keep the server running until Ctrl-C."""
        if sys.platform == "win32" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
            say("\nOpening the client; closing it leaves the server running.")
            self.client = subprocess.Popen(
                [virtual_env.program("onehall-client")], env=environment(client_environment(self.hall))
            )
        else:
            say("\nThere is no screen here, so the client was not opened.")
        say("The server runs until you press Ctrl-C.")
        self.hall.wait()

    def close(self) -> None:
        """Stop what was started."""
        if self.client is not None and self.client.poll() is None:
            self.client.terminate()
        if self.server is not None:
            self.server.stop()


def client_environment(hall: HallServer) -> dict[str, str]:
    """Settings of a client at counter 01 of the demo, kept apart from any client of this machine."""
    return {
        **child_environment(),
        "ONEHALL_CLIENT_SERVER_URL": hall.url,
        "ONEHALL_CLIENT_CA_FILE": str(hall.ca_file),
        "ONEHALL_CLIENT_COUNTER_NO": "01",
        "ONEHALL_CLIENT_DATA_FOLDER": str(demo_folder.FOLDER / "client"),
        "ONEHALL_CLIENT_KEYRING": "false",
    }


def yuan(amount_fen: int) -> str:
    """Fen as a person reads them: 1,234.50."""
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100:,}.{abs(amount_fen) % 100:02d}"


def check_books(story: Story) -> Iterator[str]:
    """Every invariant over both databases."""
    answer = story.onehall("check-books")
    story.books_balance = bool(answer.get("balance"))
    rules = answer.get("rules", [])
    looked_at = sum(int(rule.get("count") or 0) for rule in rules)
    verdict = "the books balance" if story.books_balance else "THE BOOKS DO NOT BALANCE"
    yield f"{verdict}: {len(rules)} rules, {looked_at:,} rows looked at"
    for rule in rules:
        if not rule.get("holds"):
            yield f"  {rule['rule']}: {rule.get('wrong')}"
    story.done.append(f"Checked {len(rules)} rules of bookkeeping over both databases: {verdict}.")


Act = Callable[[Story], Iterator[str]]
STEPS: list[tuple[str, Act]] = [
    ("checking the books", check_books),
]
