"""Beginning and ending sessions, for every face: hashing on a thread of its own, guessers slowed down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from server_api.business.staff import service as staff
from server_api.business.staff.service import SignedIn
from server_api.faces.edge import state
from server_api.faces.edge.caller import Caller
from server_api.faces.edge.tokens import Pass
from shared_models.contracts.approval import ApproveAtCounter
from shared_models.contracts.session import ChangePassword, LoginRequest
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.base import Fault
from shared_models.values.faults.staff import OneTimePasswordExpired, SignInLocked, SignInRefused

Result = TypeVar("Result")


async def _hashed(faces: state.FaceState, work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(faces.hashing, work)


async def sign_in(request: Request, wanted: LoginRequest, channel: str) -> tuple[str, SignedIn]:
    """Check a person's password and begin a session; returns its token.

    Raises SignInRefused, SignInLocked, OneTimePasswordExpired, CounterNotInHall, TooManySignIns.
    """
    faces = state.of(request)
    place = request.client.host if request.client else "-"
    faces.doorkeeper.admit(place, wanted.staff_no)
    business = faces.databases.business

    def work() -> SignedIn:
        return staff.sign_in(
            business,
            staff_no=wanted.staff_no,
            password=wanted.password,
            counter_no=wanted.counter_no,
            channel=channel,
            clock_now=business.clock.now(),
        )

    try:
        found = await _hashed(faces, work)
    except Fault as fault:
        if isinstance(fault, SignInRefused | SignInLocked | OneTimePasswordExpired):
            faces.doorkeeper.failed(place, wanted.staff_no)
        raise
    request.scope["onehall_staff"] = found.context.staff_no
    held = Pass(context=found.context, must_change_password=found.must_change_password, hall_name=found.hall_name)
    return faces.sessions.begin(held), found


async def vouch(request: Request, caller: Caller, wanted: ApproveAtCounter) -> WorkContext:
    """Check a second person's password at the caller's counter; guessers are slowed down as at signing in.

    Raises SignInRefused, SignInLocked, TooManySignIns.
    """
    faces, business, context = caller.faces, caller.databases.business, caller.context
    place = request.client.host if request.client else "-"
    faces.doorkeeper.admit(place, wanted.staff_no)
    about = f"{wanted.kind.value} {wanted.amount_fen} for {context.staff_no}"

    def work() -> WorkContext:
        return staff.vouch(
            business,
            staff_no=wanted.staff_no,
            password=wanted.password,
            counter_no=context.counter_no,
            about=about,
            clock_now=business.clock.now(),
        )

    try:
        return await _hashed(faces, work)
    except Fault as fault:
        if isinstance(fault, SignInRefused | SignInLocked):
            faces.doorkeeper.failed(place, wanted.staff_no)
        raise


async def change_password(request: Request, caller: Caller, wanted: ChangePassword) -> tuple[str, SignedIn]:
    """Set the caller's new password and begin a fresh session with it; every earlier session of theirs has ended.

    Raises PasswordTooWeak, PasswordReused, SignInRefused, TooManySignIns.
    """
    faces, business, context = caller.faces, caller.databases.business, caller.context
    place = request.client.host if request.client else "-"
    faces.doorkeeper.admit(place, context.staff_no)

    def work() -> None:
        staff.change_password(
            business,
            context=context,
            old_password=wanted.old_password,
            new_password=wanted.new_password,
            clock_now=business.clock.now(),
        )

    try:
        await _hashed(faces, work)
    except SignInRefused:
        faces.doorkeeper.failed(place, context.staff_no)
        raise
    sign_out(caller)  # the token that must change its password is worth nothing any more
    login = LoginRequest(staff_no=context.staff_no, password=wanted.new_password, counter_no=context.counter_no)
    return await sign_in(request, login, context.channel)


def sign_out(caller: Caller) -> None:
    """End the caller's session; its token is worth nothing from now on."""
    business, session_id = caller.databases.business, caller.context.session_id
    staff.sign_out(business, session_id=session_id, clock_now=business.clock.now())
    caller.faces.sessions.forget(session_id)
