"""Signing in, changing the password, signing out."""

from __future__ import annotations

from fastapi import Request

from server_api.business.staff.service import SignedIn
from server_api.faces.edge import signing_in, state
from server_api.faces.hall.core import Caller, Response, hall_router, open_to_all, refusals, reply, signed_in
from shared_models.contracts.session import ChangePassword, LoginRequest, Session
from shared_models.values.faults.common import DatabaseAway, NotSignedIn
from shared_models.values.faults.edge import TooManySignIns
from shared_models.values.faults.staff import (
    CounterNotInHall,
    OneTimePasswordExpired,
    PasswordReused,
    PasswordTooWeak,
    SignInLocked,
    SignInRefused,
)

router = hall_router("sessions")


@router.post(
    "/sessions",
    response_model=Session,
    status_code=201,
    dependencies=[open_to_all("this is where one signs in")],
    responses=refusals(
        SignInRefused, SignInLocked, OneTimePasswordExpired, CounterNotInHall, TooManySignIns, DatabaseAway
    ),
)
async def begin_session(request: Request, body: LoginRequest) -> Response:
    """Sign in and receive the token of the session."""
    token, found = await signing_in.sign_in(request, body, "hall")
    return reply(_session(request, token, found), 201)


@router.post(
    "/password",
    response_model=Session,
    responses=refusals(PasswordTooWeak, PasswordReused, SignInRefused, NotSignedIn),
)
async def change_password(request: Request, body: ChangePassword, caller: Caller = signed_in()) -> Response:
    """Change one's own password; the session goes on under a new token."""
    token, found = await signing_in.change_password(request, caller, body)
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
    signing_in.sign_out(caller)
    return Response(status_code=204)


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
