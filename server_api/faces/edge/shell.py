"""The outermost layer: request id, body limit, security headers, access log, figures, and the last word on defects.

Plain ASGI: the framework's own middleware base class costs a task and two queues per request.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server_api.faces.edge.metrics import Metrics
from server_api.faces.edge.problems import PROBLEM_MEDIA_TYPE, headers_of, problem_of
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import InputNotValid
from shared_models.values.faults.edge import BodyTooLarge, InternalTrouble

access_log = logging.getLogger("onehall.access")
log = logging.getLogger("onehall.faces")

BODY_LIMIT = 256 * 1024
_SAFE_ID = frozenset("0123456789abcdefABCDEF-")
_COMMON_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"strict-transport-security", b"max-age=31536000"),
]
_API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")

#: Answers a fault with a page for a person, or None where it is not asked by one.
PageOfFault = Callable[[Scope, Fault], Response | None]


class Shell:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, page_of_fault: PageOfFault | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._page_of_fault = page_of_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Visit(self, scope, receive, send).run()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    def rendered(self, scope: Scope, fault: Fault) -> Response:
        """The refusal as its reader can use it: a page for a person, a problem document for a program."""
        page = self._page_of_fault(scope, fault) if self._page_of_fault is not None else None
        if page is not None:
            return page
        return Response(problem_of(fault).model_dump_json(), fault.status, headers_of(fault), PROBLEM_MEDIA_TYPE)


class _Visit:
    """One request on its way in and its reply on its way out."""

    def __init__(self, shell: Shell, scope: Scope, receive: Receive, send: Send) -> None:
        self._shell = shell
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.perf_counter()
        self._status = 0
        self._read = 0
        self._request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        scope["onehall_request_id"] = self._request_id

    async def run(self) -> None:
        metrics = self._shell.metrics
        metrics.running.inc()
        try:
            fault = self._refused_at_the_door()
            if fault is None:
                await self._shell.serve(self._scope, self._receive_bounded, self._send_dressed)
            else:
                await self._refuse(fault)
        except Fault as fault:
            await self._refuse(fault)
        except ClientDisconnect:
            log.info("request %s: the caller went away while sending", self._request_id)
        except Exception as error:  # noqa: BLE001  the last word: logged with an incident number, nothing leaks
            await self._refuse(self._incident(error))
        finally:
            metrics.running.dec()
            self._note()

    @property
    def _is_form(self) -> bool:
        return Headers(scope=self._scope).get("content-type", "").startswith("application/x-www-form-urlencoded")

    def _refused_at_the_door(self) -> Fault | None:
        if "\x00" in self._scope["path"] or b"%00" in self._scope["query_string"]:
            return InputNotValid(field="path", reason={"zh": "含有空字符", "en": "contains a NUL character"})
        length = Headers(scope=self._scope).get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > BODY_LIMIT:
            return BodyTooLarge(limit_kib=BODY_LIMIT // 1024)
        return None

    async def _receive_bounded(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self._read += len(chunk)
            if self._read > BODY_LIMIT:
                raise BodyTooLarge(limit_kib=BODY_LIMIT // 1024)
            if b"\x00" in chunk or (b"%00" in chunk and self._is_form) or (b"\\u0000" in chunk and _holds_nul(chunk)):
                raise InputNotValid(field="body", reason={"zh": "含有空字符", "en": "contains a NUL character"})
        return message

    async def _send_dressed(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = message.setdefault("headers", [])
            headers.append((b"x-request-id", self._request_id.encode()))
            headers.extend(_COMMON_HEADERS)
            if not any(name == b"content-security-policy" for name, _value in headers):
                headers.append(_API_POLICY)
        await self._send(message)

    async def _refuse(self, fault: Fault) -> None:
        if self._status:
            log.error("request %s broke off after its reply had begun: %s", self._request_id, fault.code)
            return
        self._shell.metrics.refusals.labels(fault.code).inc()
        answer = self._shell.rendered(self._scope, fault)
        if isinstance(fault, BodyTooLarge):
            answer.headers["Connection"] = "close"  # what is still on its way is not read
        await answer(self._scope, self._receive, self._send_dressed)

    def _incident(self, error: Exception) -> InternalTrouble:
        incident = secrets.token_hex(4)
        self._shell.metrics.incidents.inc()
        log.error(
            "incident %s in %s %s (request %s)",
            incident,
            self._scope["method"],
            _route(self._scope),
            self._request_id,
            exc_info=error,
        )
        return InternalTrouble(incident=incident)

    def _note(self) -> None:
        took_s = time.perf_counter() - self._began
        route, method = _route(self._scope), _method(self._scope)
        self._shell.metrics.request_seconds.labels(method, route, str(self._status)).observe(took_s)
        if access_log.isEnabledFor(logging.INFO):
            # The route's template, never the path or the query: they hold numbers and names of people.
            access_log.info(
                "%s %s %s %s %.1f ms staff=%s from=%s",
                self._request_id,
                method,
                route,
                self._status,
                took_s * 1000,
                self._scope.get("onehall_staff", "-"),
                (self._scope.get("client") or ("-",))[0],
            )


def _route(scope: Scope) -> str:
    route: Any = scope.get("route")
    return str(getattr(route, "path", "-")) if route is not None else "-"


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"


def _request_id(given: str) -> str:
    """The caller's own id where it is a plain one (it goes into the log), else a new one."""
    return given if 8 <= len(given) <= 64 and _SAFE_ID.issuperset(given) else secrets.token_hex(8)


def _holds_nul(chunk: bytes) -> bool:
    """Whether JSON text holds a NUL character; an escaped backslash before u0000 is only text."""
    try:
        return "\x00" in _strings(json.loads(chunk))
    except ValueError:
        return True  # cut in the middle by the network, or not JSON: nothing honest looks like this


def _strings(tree: Any) -> str:
    match tree:
        case str():
            return tree
        case list():
            return "".join(_strings(item) for item in tree)
        case dict():
            return "".join(str(key) + _strings(item) for key, item in tree.items())
        case _:
            return ""
