"""Who looks at a page: the session from its cookie, the language, and the proof that a form is ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from server_api.faces.edge import state
from server_api.faces.edge.caller import Caller, Mark, caller_of
from server_api.faces.edge.problems import headers_of, words
from server_api.faces.edge.tokens import same
from server_api.faces.portal import pages
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import NotPermitted, NotSignedIn
from shared_models.values.faults.edge import FormExpired, PasswordChangeFirst
from shared_models.values.permissions import Permission

HOME = "/portal/"
LOGIN = "/portal/login"
SESSION_COOKIE = "onehall_session"
BEFORE_COOKIE = "onehall_before"
LANGUAGE_COOKIE = "onehall_language"
_LONGEST_NEXT = 300


class Visitor:
    """A signed-in person with a browser."""

    def __init__(self, request: Request, caller: Caller) -> None:
        self.request = request
        self.caller = caller
        self.language = language_of(request)
        self.form_stamp = caller.faces.sessions.stamp("form", caller.context.session_id)

    @property
    def wants_part(self) -> bool:
        """True when a script asks for a part of a page, not for a page."""
        return self.request.headers.get("hx-request") == "true" and "hx-boosted" not in self.request.headers

    def may(self, permission: str) -> bool:
        return permission in self.caller.context.permissions

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page for this visitor."""
        return pages.page(template, self.language, {"visitor": self, "request": self.request, **values}, status)


def portal_permit(*needed: Permission) -> Any:
    """Depends: signed in by cookie and holding the right (any of several); a posted form must carry our stamp."""
    if not needed:
        raise ValueError("name the right this page needs")
    names = tuple(permission.value for permission in needed)

    async def permitted(request: Request) -> Visitor:
        visitor = await _visitor(request)
        if visitor.caller.held.must_change_password:
            raise PasswordChangeFirst()
        if not any(visitor.may(name) for name in names):
            raise NotPermitted(permission=names[0])
        return visitor

    permitted.onehall = Mark(permissions=names, act=False)  # type: ignore[attr-defined]
    return Depends(permitted)


def any_visitor() -> Any:
    """Depends: any session, also one that must still change its password."""

    async def signed_in(request: Request) -> Visitor:
        return await _visitor(request)

    signed_in.onehall = Mark(session_only=True, act=False)  # type: ignore[attr-defined]
    return Depends(signed_in)


async def _visitor(request: Request) -> Visitor:
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        raise NotSignedIn()
    visitor = Visitor(request, await caller_of(request, token))
    if request.method == "POST":
        form = await request.form()
        if not same(str(form.get("stamp", "")), visitor.form_stamp):
            raise FormExpired()
    return visitor


def language_of(request: Request) -> str:
    """The reader's language: what they chose, else what their browser asks for, else the installation's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in pages.LANGUAGE_TAGS:
        return chosen
    wanted = request.headers.get("accept-language", "").lower()
    if not wanted:
        return state.of(request).language
    return "zh_CN" if wanted.lstrip().startswith("zh") else "en" if wanted.lstrip().startswith("en") else "zh_CN"


def safe_next(wanted: str) -> str:
    """Where to go after signing in: a page of the portal, never another site."""
    ours = wanted.startswith("/portal/") and "//" not in wanted and "\\" not in wanted and len(wanted) <= _LONGEST_NEXT
    return wanted if ours and wanted.isprintable() else HOME


def go(address: str) -> RedirectResponse:
    """See another page (after a form, or for want of a session)."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def page_of_fault(scope: Scope, fault: Fault) -> Response | None:
    """The page a refusal is shown on; None where no browser asked."""
    if not scope["path"].startswith("/portal"):
        return None
    request = Request(scope)
    part = request.headers.get("hx-request") == "true"
    if isinstance(fault, NotSignedIn | PasswordChangeFirst):
        target = LOGIN if isinstance(fault, NotSignedIn) else "/portal/password"
        if part:
            return Response(status_code=204, headers={"HX-Redirect": target})
        if request.method == "GET" and isinstance(fault, NotSignedIn):
            target += "?next=" + quote(_wanted(request), safe="/")
        return go(target)
    language = language_of(request)
    sentence, remedy = words(fault, language)
    template = "part_error.html" if part else "error.html"
    # htmx shows no 4xx answer unless told to; the words matter more to the reader than the number.
    status = 200 if part else fault.status
    answer = pages.page(
        template,
        language,
        {"sentence": sentence, "remedy": remedy, "fault": fault, "request": request, "visitor": None},
        status,
    )
    answer.headers.update({name: value for name, value in headers_of(fault).items() if name == "Retry-After"})
    return answer


def _wanted(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
