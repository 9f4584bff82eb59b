"""Who calls a route and what they may do: every route declares it with ``permit`` or ``open_to_all``.

``permit`` signs the caller in, checks the right and marks the route, so that a test can prove no route was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from server_api.faces.edge import approvals, state
from server_api.faces.edge.tokens import Pass
from server_api.platform.acts import Act, Outcome, digest_of, perform, perform_soon
from server_api.platform.database import Database, Databases
from server_api.platform.facts.after import wait_for_news
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.common import InputNotValid, NotPermitted, NotSignedIn
from shared_models.values.faults.edge import PasswordChangeFirst
from shared_models.values.ids import is_id
from shared_models.values.permissions import Permission

Role = Literal["business", "billing"]
JSON = "application/json"
_LONGEST_REASON = 200


class Caller:
    """The person behind a request: their work context, the databases, and the way to act."""

    def __init__(self, request: Request, held: Pass, token: str) -> None:
        self.request = request
        self.held = held
        self.token = token
        self.context: WorkContext = held.context
        self._state = state.of(request)

    @property
    def databases(self) -> Databases:
        return self._state.databases

    @property
    def faces(self) -> state.FaceState:
        return self._state

    @contextmanager
    def reading(self, role: Role) -> Iterator[Connection]:
        """A read-only transaction on one side."""
        with self._state.databases.of(role).reading() as connection:
            yield connection

    def may(self, permission: Permission) -> bool:
        return permission.value in self.context.permissions

    def insist(self, permission: Permission) -> None:
        """Raise NotPermitted unless the caller also has this right (what depends on the body, not on the route)."""
        if not self.may(permission):
            raise NotPermitted(permission=permission.value)

    def act(
        self,
        role: Role,
        kind: str,
        body: BaseModel | None,
        work: Callable[[UnitOfWork], BaseModel | None],
        *,
        wait_for_after: bool = True,
        status_code: int = 200,
    ) -> Response:
        """Do one act on one side, once, under the request's Act-Id, and return its reply as it is stored.

        ``kind`` names the act (``take_payment``); its digest covers kind, path parameters and body. The request's
        ``After`` tokens are waited for (up to 2 s, then CopyBehind), except where ``wait_for_after`` is False: money
        is never refused for late news.
        """
        database = self._state.databases.of(role)
        act = self._act(kind, body)
        if wait_for_after:
            self._wait_for_after(database)
        return self._answer(kind, perform(database, act, work), status_code)

    async def act_soon(
        self,
        role: Role,
        kind: str,
        body: BaseModel | None,
        work: Callable[[UnitOfWork], BaseModel | None],
        *,
        status_code: int = 200,
    ) -> Response:
        """``act`` for the busiest routes (``async def``): no thread waits, and no news is waited for."""
        outcome = await perform_soon(self._state.databases.of(role), self._act(kind, body), work)
        return self._answer(kind, outcome, status_code)

    def _act(self, kind: str, body: BaseModel | None) -> Act:
        headers = self.request.headers
        act_id = headers.get("act-id", "")
        if not is_id(act_id):
            raise InputNotValid(
                field="Act-Id", reason={"zh": "须为 32 位小写十六进制", "en": "32 lower-case hex digits"}
            )
        content = {
            "kind": kind,
            "path": self.request.path_params,
            "body": None if body is None else body.model_dump(mode="json"),
        }
        reason = _header_text(headers.get("act-reason", ""))[:_LONGEST_REASON]
        return Act(act_id, kind, digest_of(content), self._approved(), reason)

    def _approved(self) -> WorkContext:
        """The caller's context with the approval that came with this act, where one did. Raises ApprovalNotValid."""
        token = self.request.headers.get("approval", "")
        if not token:
            return self.context
        return self.context.model_copy(update={"approval": approvals.read(self._state.sessions, token.strip())})

    def _answer(self, kind: str, outcome: Outcome, status_code: int) -> Response:
        self._state.metrics.acts.labels(kind, "yes" if outcome.replayed else "no").inc()
        headers = {"Cache-Control": "no-store"}
        if outcome.after:
            headers["After"] = ",".join(outcome.after)
        if outcome.replayed:
            headers["Act-Replayed"] = "1"
        if not outcome.reply:
            return Response(status_code=204, headers=headers)
        return Response(outcome.reply, status_code, headers, JSON)

    def wait_for_after(self, role: Role) -> None:
        """For reads that must see what the caller did on the other side just before."""
        self._wait_for_after(self._state.databases.of(role))

    def _wait_for_after(self, database: Database) -> None:
        tokens = self.request.headers.get("after", "")
        if tokens:
            wait_for_news(database, tuple(token.strip() for token in tokens.split(",") if token.strip()))


def reply(document: BaseModel, status_code: int = 200) -> Response:
    """A read's answer: serialised once, not validated again."""
    return Response(document.model_dump_json(), status_code, {"Cache-Control": "no-store"}, JSON)


def permit(*needed: Permission, act: bool = True) -> Any:
    """Depends: signed in, and holding the right (any one of several). ``act=False`` marks a POST that only looks."""
    if not needed:
        raise ValueError("name the right this route needs")
    names = tuple(permission.value for permission in needed)

    async def permitted(request: Request) -> Caller:
        caller = await _signed_in(request)
        if caller.held.must_change_password:
            raise PasswordChangeFirst()
        if not any(name in caller.context.permissions for name in names):
            raise NotPermitted(permission=names[0])
        return caller

    permitted.onehall = Mark(permissions=names, act=act)  # type: ignore[attr-defined]
    return Depends(permitted)


def signed_in() -> Any:
    """Depends: any session, also one that must still change its password. For the session's own routes only."""

    async def anyone_signed_in(request: Request) -> Caller:
        return await _signed_in(request)

    anyone_signed_in.onehall = Mark(session_only=True, act=False)  # type: ignore[attr-defined]
    return Depends(anyone_signed_in)


def open_to_all(why: str) -> Any:
    """Depends: nobody is asked who they are; say why that is right."""

    async def anyone() -> None:
        return None

    anyone.onehall = Mark(open_because=why, act=False)  # type: ignore[attr-defined]
    return Depends(anyone)


class Mark:
    """What a route declared about who may call it."""

    def __init__(
        self,
        *,
        permissions: tuple[str, ...] = (),
        session_only: bool = False,
        open_because: str = "",
        act: bool = True,
    ) -> None:
        self.permissions = permissions
        self.session_only = session_only
        self.open_because = open_because
        self.act = act


def mark_of(route: APIRoute) -> Mark | None:
    """What the route declared; None where it declared nothing (a test refuses that)."""
    marks = [
        found for need in route.dependant.dependencies if (found := getattr(need.call, "onehall", None)) is not None
    ]
    if len(marks) > 1:
        raise TypeError(f"{route.path} declares its permission twice")
    return marks[0] if marks else None


async def _signed_in(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn()
    return await caller_of(request, token.strip())


async def caller_of(request: Request, token: str) -> Caller:
    """The caller a token stands for. Raises NotSignedIn."""
    sessions = state.of(request).sessions
    held = sessions.believed(token)
    if held is None:
        held = await run_in_threadpool(sessions.check, token)
    request.scope["onehall_staff"] = held.context.staff_no
    return Caller(request, held, token)


def _header_text(raw: str) -> str:
    """A reason in Chinese travels as UTF-8 octets; the web framework reads headers as Latin-1."""
    try:
        return raw.encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.strip()
