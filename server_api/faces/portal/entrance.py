"""Coming in and going out: login, first password, sign out, language."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from server_api.faces.edge import signing_in, state
from server_api.faces.edge.caller import open_to_all
from server_api.faces.edge.problems import fault_of, words
from server_api.faces.edge.tokens import same
from server_api.faces.portal import pages
from server_api.faces.portal.visitor import (
    BEFORE_COOKIE,
    HOME,
    LANGUAGE_COOKIE,
    LOGIN,
    SESSION_COOKIE,
    Visitor,
    any_visitor,
    go,
    language_of,
    safe_next,
)
from shared_models.contracts.session import ChangePassword, LoginRequest
from shared_models.values.faults.base import Fault
from shared_models.values.faults.edge import FormExpired

router = APIRouter(prefix="/portal", include_in_schema=False)
_YEAR_S = 365 * 24 * 3600
_SESSION_S = 12 * 3600
Text = Annotated[str, Form(max_length=200)]


@router.get("/login", dependencies=[open_to_all("this is where one signs in")])
def login_page(request: Request, next: Annotated[str, Query(max_length=300)] = HOME, out: int = 0) -> Response:
    """Show the login form."""
    return _login(request, next_page=safe_next(next), notice="signed_out" if out else "")


@router.post("/login", dependencies=[open_to_all("this is where one signs in")])
async def login(
    request: Request,
    staff_no: Text = "",
    password: Text = "",
    stamp: Text = "",
    next: Annotated[str, Form()] = HOME,
) -> Response:
    """Sign in and set the session's cookie."""
    before = request.cookies.get(BEFORE_COOKIE, "")
    if not before or not same(stamp, state.of(request).sessions.stamp("login", before)):
        raise FormExpired()
    try:
        token, found = await signing_in.sign_in(request, LoginRequest(staff_no=staff_no, password=password), "portal")
    except (Fault, ValidationError) as error:
        return _login(request, next_page=safe_next(next), staff_no=staff_no, refusal=fault_of(error))
    answer = go("/portal/password" if found.must_change_password else safe_next(next))
    _set(request, answer, SESSION_COOKIE, token, _SESSION_S)
    answer.delete_cookie(BEFORE_COOKIE, path="/portal")
    return answer


@router.post("/logout")
def logout(visitor: Visitor = any_visitor()) -> Response:
    """End the session."""
    signing_in.sign_out(visitor.caller)
    answer = go(f"{LOGIN}?out=1")
    answer.delete_cookie(SESSION_COOKIE, path="/portal")
    return answer


@router.get("/password")
def password_page(visitor: Visitor = any_visitor()) -> Response:
    """Show the form for a new password."""
    return visitor.page("password.html", refusal=None)


@router.post("/password")
async def change_password(
    request: Request,
    old: Text = "",
    new: Text = "",
    again: Text = "",
    visitor: Visitor = any_visitor(),
) -> Response:
    """Set a new password."""
    if new != again:
        return visitor.page("password.html", 422, refusal=(pages.told("password.differ", visitor.language), ""))
    try:
        wanted = ChangePassword(old_password=old, new_password=new)
        token, _found = await signing_in.change_password(request, visitor.caller, wanted)
    except (Fault, ValidationError) as error:
        fault = fault_of(error)
        refusal = words(fault, visitor.language) if fault else ("", "")
        return visitor.page("password.html", fault.status if fault else 422, refusal=refusal)
    answer = go(HOME)
    _set(request, answer, SESSION_COOKIE, token, _SESSION_S)
    return answer


@router.get("/language/{code}", dependencies=[open_to_all("changes only the reader's own view")])
def choose_language(request: Request, code: str, next: Annotated[str, Query(max_length=300)] = HOME) -> Response:
    """Remember the reader's language in their browser."""
    answer = go(safe_next(next) if not next.startswith(LOGIN) else LOGIN)
    if code in pages.LANGUAGE_TAGS:
        _set(request, answer, LANGUAGE_COOKIE, code, _YEAR_S)
    return answer


def _login(
    request: Request,
    *,
    next_page: str,
    staff_no: str = "",
    notice: str = "",
    refusal: Fault | None = None,
) -> Response:
    language = language_of(request)
    before = request.cookies.get(BEFORE_COOKIE, "") or secrets.token_hex(16)
    values = {
        "visitor": None,
        "request": request,
        "next_page": next_page,
        "staff_no": staff_no,
        "notice": notice,
        "stamp": state.of(request).sessions.stamp("login", before),
        "refusal": words(refusal, language) if refusal else None,
    }
    answer = pages.page("login.html", language, values, refusal.status if refusal else 200)
    _set(request, answer, BEFORE_COOKIE, before, _SESSION_S)
    return answer


def _set(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/portal",
        secure=state.of(request).secure_cookies,
        httponly=True,
        samesite="lax",
    )
