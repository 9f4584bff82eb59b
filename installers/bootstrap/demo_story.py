"""What the demo has done so far, and what runs because of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import Trouble, ask, environment, follow, say
from installers.bootstrap.hall_server import HallServer
from installers.bootstrap.system_packages import child_environment


@dataclass
class Story:
    """The state the steps hand on; ``town`` is what the sample command answered."""

    check: bool
    households: int
    reused: bool = False
    done: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    books_balance: bool = False
    someone: str = ""
    someone_id: str = ""
    bill_no: str = ""
    services: int = 0
    server: HallServer | None = None
    town: dict[str, Any] = field(default_factory=dict)
    client: subprocess.Popen[bytes] | None = None

    def onehall(self, *words: str, given: str = "") -> dict[str, Any]:
        """Run a command of the product with ``--json`` and return what it answered. Raises Trouble with its words."""
        command: list[object] = [virtual_env.program("onehall"), "--json", *words]
        code, said = ask(command, extra=demo_folder.environment(), given=given)
        return self.answer(words, code, said)

    def long(self, what: str, *words: str) -> dict[str, Any]:
        """The same for a command that takes a while: what it says shows as progress."""
        heard: list[str] = []

        def notice(line: str) -> str | None:
            heard.append(line)
            return None if line.startswith("{") else line.strip()[:90] or None

        follow([virtual_env.program("onehall"), "--json", *words], what, notice, extra=demo_folder.environment())
        return self.answer(words, 0, "".join(heard))

    def answer(self, words: tuple[str, ...], code: int, said: str) -> dict[str, Any]:
        """The JSON document a command printed last. Raises Trouble when it failed or printed none."""
        objects = [line for line in said.splitlines() if line.startswith(("{", "["))]
        if code or not objects:
            raise Trouble(f"'onehall {' '.join(words)}' ended with exit code {code}:\n{said.strip()[-1500:]}")
        document = json.loads(objects[-1])
        answer: dict[str, Any] = document if isinstance(document, dict) else {"items": document}
        return answer

    @property
    def hall(self) -> HallServer:
        """The running server. Raises Trouble when a step before has not started it."""
        if self.server is None:
            raise Trouble("the server is not running")
        return self.server

    def teller(self, second: bool = False) -> dict[str, Any]:
        """The login of a teller of the town."""
        tellers = [login for login in self.town["logins"] if login.get("counter_no")]
        found: dict[str, Any] = tellers[1 if second and len(tellers) > 1 else 0]
        return found

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
        try:
            code = self.hall.wait()
        except KeyboardInterrupt:
            say("\nStopping the server.")
            return
        raise Trouble(f"the server ended by itself with exit code {code}; its last words are in {self.hall.log}")

    def close(self) -> None:
        """Stop what was started."""
        if self.client is not None and self.client.poll() is None:
            self.client.terminate()
        if self.server is not None:
            self.server.stop()


def client_environment(hall: HallServer) -> dict[str, str]:
    """Settings of a client at a counter of the demo, kept apart from any client of this machine."""
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
