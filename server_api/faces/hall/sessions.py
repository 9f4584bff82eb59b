"""Signing in, changing the password, signing out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from server_api.business.staff import service as staff
from server_api.business.staff.service import SignedIn
from server_api.faces.edge import state
from server_api.faces.edge.tokens import Pass
from server_api.faces.hall.core import Caller, Response, hall_router, open_to_all, refusals, reply, signed_in
from shared_models.contracts.session import ChangePassword, LoginRequest, Session
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import DatabaseAway, NotSignedIn
from shared_models.values.faults.edge import TooManySignIns
from shared_models.values.faults.staff import PasswordReused, PasswordTooWeak, SignInLocked, SignInRefused

router = hall_router("sessions")
Result = TypeVar("Result")


async def hashed(faces: state.FaceState, work: Callable[[], Result]) -> Result:
    """Run work that hashes a password on the hashing thread."""
    return await asyncio.get_running_loop().run_in_executor(faces.hashing, work)


async def sign_in(request: Request, body: LoginRequest, channel: str) -> tuple[str, SignedIn]:
    """Check a person's password and begin a session; returns its token. Raises SignInRefused, SignInLocked…"""
    faces = state.of(request)
    place = request.client.host if request.client else "-"
    faces.doorkeeper.admit(place, body.staff_no)
    business = faces.databases.business
    try:
        found = await hashed(
            faces,
            lambda: staff.sign_in(
                business,
                staff_no=body.staff_no,
                password=body.password,
                counter_no=body.counter_no,
                channel=channel,
                clock_now=business.clock.now(),
            ),
        )
    except Fault as fault:
        if isinstance(fault, SignInRefused | SignInLocked):
            faces.doorkeeper.failed(place, body.staff_no)
        raise
    request.scope["onehall_staff"] = found.context.staff_no
    return faces.sessions.begin(_pass(found)), found


@router.post(
    "/sessions",
    response_model=Session,
    status_code=201,
    dependencies=[open_to_all("this is where one signs in")],
    responses=refusals(SignInRefused, SignInLocked, TooManySignIns, DatabaseAway),
)
async def begin_session(request: Request, body: LoginRequest) -> Response:
    """Sign in and receive the token of the session."""
    token, found = await sign_in(request, body, "hall")
    return reply(_session(request, token, found), 201)


@router.post(
    "/password",
    response_model=Session,
    responses=refusals(PasswordTooWeak, PasswordReused, SignInRefused, NotSignedIn),
)
async def change_password(request: Request, body: ChangePassword, caller: Caller = signed_in()) -> Response:
    """Change one's own password; the session goes on under a new token."""
    faces, business = caller.faces, caller.databases.business
    now = business.clock.now()
    await hashed(
        faces,
        lambda: staff.change_password(
            business,
            context=caller.context,
            old_password=body.old_password,
            new_password=body.new_password,
            clock_now=now,
        ),
    )
    faces.sessions.forget(caller.context.session_id)
    login = LoginRequest(
        staff_no=caller.context.staff_no, password=body.new_password, counter_no=caller.context.counter_no
    )
    token, found = await sign_in(request, login, caller.context.channel)
    return reply(_session(request, token, found))


@router.get("/sessions/current", response_model=Session, responses=refusals(NotSignedIn))
def read_session(request: Request, caller: Caller = signed_in()) -> Response:
    """Say who is signed in, where, with which rights and until when."""
    held = caller.held
    found = SignedIn(caller.context, must_change_password=held.must_change_password, hall_name=held.hall_name)
    return reply(_session(request, caller.token, found))


@router.delete("/sessions/current", status_code=204, responses=refusals(NotSignedIn))
def end_session(caller: Caller = signed_in()) -> Response:
    """Sign out; the token is worth nothing from now on."""
    business = caller.databases.business
    staff.sign_out(business, session_id=caller.context.session_id, clock_now=business.clock.now())
    caller.faces.sessions.forget(caller.context.session_id)
    return Response(status_code=204)


def _pass(found: SignedIn) -> Pass:
    return Pass(context=found.context, must_change_password=found.must_change_password, hall_name=found.hall_name)


def _session(request: Request, token: str, found: SignedIn) -> Session:
    faces = state.of(request)
    now = faces.databases.business.clock.now()
    return Session(
        token=token,
        must_change_password=found.must_change_password,
        expires_at=found.context.expires_at or now,
        context=found.context,
        hall_name=found.hall_name,
        server_time=now,
        server_version=faces.version,
    )
