"""The product's own server as the demo runs it, and a teller's way to speak to it: HTTPS under its own CA."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import Trouble, environment

PORT = 8443
_START_WITHIN_S = 90.0
_STOP_WITHIN_S = 40.0


class Refusal(Trouble):
    """The server said no; ``code`` is its reason's name."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        words = problem.get("detail")
        super().__init__(
            f"{status} {self.code}: {words.get('en') if isinstance(words, dict) else words or problem.get('title')}"
        )


def free_port(wanted: int) -> int:
    """The port wanted, or another one where somebody listens there already."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Trouble("no free port on this machine")


class HallServer:
    """``onehall serve`` on loopback, started and stopped; requests go through its certificate."""

    def __init__(self) -> None:
        self.port = free_port(PORT)
        self.url = f"https://127.0.0.1:{self.port}"
        self.log = demo_folder.FOLDER / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._tls: ssl.SSLContext | None = None

    @property
    def ca_file(self) -> Path:
        """By which clients know this server."""
        return demo_folder.DATA / "tls" / "ca.pem"

    def start(self) -> float:
        """Start it and wait until it is healthy; returns the seconds that took. Raises Trouble with its last words."""
        began = time.monotonic()
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [virtual_env.program("onehall"), "serve"],
                env=environment({**demo_folder.environment(), "ONEHALL_PORT": str(self.port)}),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **apart,
            )  # fmt: skip
        while time.monotonic() - began < _START_WITHIN_S:
            if self._process.poll() is not None:
                raise Trouble(f"the server ended with exit code {self._process.returncode}:\n{self._last_words()}")
            if self._is_healthy():
                return time.monotonic() - began
            time.sleep(0.1)
        raise Trouble(f"the server was not healthy within {_START_WITHIN_S:.0f} s:\n{self._last_words()}")

    def _is_healthy(self) -> bool:
        try:
            self.call("GET", "/health")
        except (Trouble, OSError):
            return False
        return True

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        return "\n".join(f"    {line}" for line in lines)

    def call(self, method: str, path: str, body: Any = None, *, token: str = "", act: bool = False) -> dict[str, Any]:
        """One request as a client makes it; a write gets an act id of its own. Raises Refusal, OSError."""
        content = self.fetch(method, path, body, token=token, act=act)
        answer: dict[str, Any] = json.loads(content) if content else {}
        return answer

    def fetch(self, method: str, path: str, body: Any = None, *, token: str = "", act: bool = False) -> bytes:
        """The same, returning the bytes of the answer."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Accept", "application/json, application/pdf")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if act:
            request.add_header("Act-Id", uuid.uuid4().hex)
        try:
            with self._opener().open(request, timeout=60) as reply:
                content: bytes = reply.read()
                return content
        except urllib.error.HTTPError as refused:
            text = refused.read().decode("utf-8", "replace")
            raise Refusal(refused.code, json.loads(text) if text.startswith("{") else {"title": text[:200]}) from None

    def _opener(self) -> urllib.request.OpenerDirector:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=str(self.ca_file))
        # A proxy of the machine has no business with loopback.
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._tls)
        )

    def wait(self) -> int:
        """Wait until it ends by itself."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """Stop it in order; kill it when it does not listen."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
