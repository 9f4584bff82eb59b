"""HTTP to the hall API: kept-alive connections, verified TLS, bounded waits, refusals turned into typed exceptions.

Used from several background threads at once; each thread has its own connection.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from desktop_client.gateway.trouble import Refused, Unreachable
from shared_models.contracts.problem import Problem

if TYPE_CHECKING:
    import requests

M = TypeVar("M", bound=BaseModel)

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 15.0
#: A reply longer than this is not one of ours.
MAX_REPLY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server is and how its certificate is checked."""

    base_url: str
    ca_file: str = ""
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    read_timeout_s: float = READ_TIMEOUT_S

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not a server address: {self.base_url!r}")
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("only this machine's own server may be reached without TLS")


@dataclass(slots=True)
class Credentials:
    """The session's token and the news tokens the next act must carry. Held in memory only."""

    token: str = ""
    after: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, header: str) -> None:
        """Keep the newest ``aggregate@seq`` of each aggregate a reply named."""
        with self.lock:
            for part in header.split(","):
                name, _, seq = part.strip().rpartition("@")
                if name and seq.isdigit():
                    self.after[name] = max(self.after.get(name, 0), int(seq))
            while len(self.after) > 20:
                del self.after[next(iter(self.after))]

    def after_header(self) -> str:
        with self.lock:
            return ", ".join(f"{name}@{seq}" for name, seq in self.after.items())


class HallHttp:
    """Sends requests to one server. Every method blocks and therefore runs in the background only."""

    def __init__(self, address: ServerAddress, on_sign_in_needed: Callable[[], None] | None = None) -> None:
        self.address = address
        self.credentials = Credentials()
        self._local = threading.local()
        self._on_sign_in_needed = on_sign_in_needed

    def get(
        self, path: str, reply: type[M], params: dict[str, Any] | None = None, also_status: tuple[int, ...] = ()
    ) -> M:
        """Read; a lost connection is tried once more, because reading twice does no harm.

        ``also_status``: statuses besides 2xx that carry a reply of this type.
        """
        try:
            return self._understood(reply, self._call("GET", path, params=params, also_status=also_status))
        except Unreachable as trouble:
            if trouble.reason != "connection_lost":
                raise
        return self._understood(reply, self._call("GET", path, params=params, also_status=also_status))

    def post(self, path: str, body: BaseModel, reply: type[M]) -> M:
        """Post something that is not an act: a login, a preview."""
        return self._understood(reply, self._call("POST", path, body=body.model_dump(mode="json")))

    def send_act(self, path: str, body: dict[str, Any], *, act_id: str, reason: str = "") -> dict[str, Any]:
        """Post an act under the id its journal entry has; the same id gives the same reply."""
        headers: dict[str, str | bytes] = {"Act-Id": act_id}
        if reason:
            headers["Act-Reason"] = _header_bytes(reason)
        if after := self.credentials.after_header():
            headers["After"] = after
        answer = self._call("POST", path, body=body, headers=headers)
        if not isinstance(answer, dict):
            raise Unreachable("not_understood", maybe_sent=True, detail="the reply is not an object")
        return answer

    def delete(self, path: str) -> None:
        """Delete; used for signing out."""
        self._call("DELETE", path)

    def close_thread(self) -> None:
        """Close this thread's connection."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            self._local.session = None

    # ---- inside --------------------------------------------------------------------------------------------------
    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            import requests

            session = requests.Session()
            # Otherwise REQUESTS_CA_BUNDLE of the environment would win over our own CA file, and a proxy see the money.
            session.trust_env = False
            session.verify = self.address.ca_file or True
            session.headers.update({"Accept": "application/json", "User-Agent": "onehall-client"})
            self._local.session = session
        return session

    def _call(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: Any = None,
        headers: dict[str, str | bytes] | None = None, also_status: tuple[int, ...] = (),
    ) -> Any:
        import requests

        sent: dict[str, str | bytes] = dict(headers or {})
        if self.credentials.token:
            sent["Authorization"] = f"Bearer {self.credentials.token}"
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode("utf-8")
        try:
            response = self._session().request(
                method, self.address.base_url.rstrip("/") + path, params=params, data=data, headers=sent,
                timeout=(self.address.connect_timeout_s, self.address.read_timeout_s), allow_redirects=False,
            )
        except requests.exceptions.RequestException as problem:
            self.close_thread()
            raise _unreachable(problem) from problem
        return self._answer(response, also_status)

    def _answer(self, response: requests.Response, also_status: tuple[int, ...]) -> Any:
        if after := response.headers.get("After"):
            self.credentials.heard(after)
        if response.status_code == 204:
            return {}
        if len(response.content) > MAX_REPLY_BYTES:
            raise Unreachable("not_understood", maybe_sent=True, detail="the reply is too long")
        try:
            content = json.loads(response.content)
        except ValueError as problem:
            raise Unreachable("not_understood", maybe_sent=True, detail=f"HTTP {response.status_code}") from problem
        if response.status_code < 300 or response.status_code in also_status:
            return content
        raise self._refusal(response.status_code, content)

    def _refusal(self, status: int, content: Any) -> Exception:
        """A problem document is a refusal: nothing was stored. Anything else leaves the outcome unknown."""
        try:
            problem = Problem.model_validate(content)
        except ValidationError:
            return Unreachable("not_understood", maybe_sent=True, detail=f"HTTP {status}")
        if problem.status == 500:
            return Unreachable("server_failed", maybe_sent=True, detail=problem.code)
        refusal = Refused(problem)
        if refusal.must_sign_in and self._on_sign_in_needed is not None:
            self._on_sign_in_needed()
        return refusal

    @staticmethod
    def _understood(reply: type[M], content: Any) -> M:
        try:
            return reply.model_validate(content)
        except ValidationError as problem:
            raise Unreachable("not_understood", maybe_sent=True, detail=f"{reply.__name__}: {problem}") from problem


def _unreachable(problem: Exception) -> Unreachable:
    """Name what happened. Only a connection that never came about proves that nothing was sent."""
    import requests
    from urllib3.exceptions import NewConnectionError

    text = str(problem)[:200]
    if isinstance(problem, requests.exceptions.SSLError):
        return Unreachable("certificate", maybe_sent="CERTIFICATE" not in text.upper(), detail=text)
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return Unreachable("no_connection", maybe_sent=False, detail=text)
    if isinstance(problem, requests.exceptions.Timeout):
        return Unreachable("timeout", maybe_sent=True, detail=text)
    if isinstance(problem, requests.exceptions.ConnectionError):
        cause = getattr(problem.args[0], "reason", None) if problem.args else None
        if isinstance(cause, NewConnectionError):
            return Unreachable("no_connection", maybe_sent=False, detail=text)
        return Unreachable("connection_lost", maybe_sent=True, detail=text)
    return Unreachable("connection_lost", maybe_sent=True, detail=text)


def _header_bytes(reason: str) -> bytes:
    """A reason in Chinese travels as UTF-8 octets; line breaks would end the header."""
    return " ".join(reason.split()).encode("utf-8")
