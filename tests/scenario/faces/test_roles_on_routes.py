"""Each role tried on each route: who holds the right gets past the door, who does not is told which one is missing.

The matrix is not written down a second time: what is allowed follows from roles.toml and the right each route declares,
and the answers must agree with it, route by route. What a route refuses for other reasons is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from server_api.faces.edge import state
from server_api.faces.edge.caller import mark_of
from server_api.faces.edge.tokens import Pass
from server_api.faces.portal.visitor import SESSION_COOKIE
from server_api.platform.database import Databases
from shared_models.values.ids import new_id
from tests.support.hall import Hall, open_hall, problem, roles

pytestmark = pytest.mark.one_engine


@pytest.fixture
def opened(databases: Databases, tmp_path: Path) -> Iterator[Hall]:
    with open_hall(databases, tmp_path) as hall:
        yield hall


def permitted_routes(hall: Hall, prefix: str) -> list[tuple[str, str, APIRoute]]:
    """(method, path with every parameter filled in, route) of each route that declares a right."""
    found = []
    for route in hall.app.routes:
        mark = mark_of(route) if isinstance(route, APIRoute) else None
        if isinstance(route, APIRoute) and mark is not None and mark.permissions and route.path.startswith(prefix):
            path = re.sub(r"\{[^}]*no\}", "1", route.path)
            path = re.sub(r"\{[^}]*yyyymm[^}]*\}", "202603", path)
            path = re.sub(r"\{[^}]*\}", "0" * 32, path)
            found += [(method, path, route) for method in sorted(route.methods or ())]
    assert found
    return found


@pytest.mark.parametrize("role", sorted(roles()))
def test_each_role_on_each_rest_route(opened: Hall, role: str) -> None:
    held = roles()[role]
    for method, path, route in permitted_routes(opened, "/api/hall"):
        mark = mark_of(route)
        assert mark is not None
        answer = opened.client.request(method, path, headers=opened.headers(role), json=None if method == "GET" else {})
        if held.intersection(mark.permissions):
            code = answer.json().get("code", "") if answer.status_code >= 400 and answer.content else ""
            assert answer.status_code < 500, f"{role} {method} {path}: {answer.text}"
            assert code not in ("not_permitted", "not_signed_in"), f"{role} holds {mark.permissions}: {method} {path}"
        else:
            found = problem(answer, 403, "not_permitted")
            assert found["params"]["permission"] in mark.permissions, f"{method} {path}"


@pytest.mark.parametrize("role", sorted(roles()))
def test_each_role_on_each_portal_page(opened: Hall, role: str) -> None:
    held = roles()[role]
    context = opened.context(role)
    faces: state.FaceState = opened.app.state.faces
    cookies = {SESSION_COOKIE: faces.sessions.begin(Pass(context=context))}
    form = {"stamp": faces.sessions.stamp("form", context.session_id), "reason": "role test", "act_id": new_id()}
    for method, path, route in permitted_routes(opened, "/portal"):
        mark = mark_of(route)
        assert mark is not None
        opened.client.cookies.clear()
        opened.client.cookies.update(cookies)
        answer = opened.client.request(method, path, data=form if method == "POST" else None, follow_redirects=False)
        assert answer.status_code < 500, f"{role} {method} {path}: {answer.text}"
        may = bool(held.intersection(mark.permissions))
        assert (answer.status_code == 403) is not may, f"{role} {method} {path}: {answer.status_code}"


def test_without_a_session_every_route_is_shut(opened: Hall) -> None:
    for method, path, _route in permitted_routes(opened, "/api/hall"):
        answer = opened.client.request(method, path, headers={"Act-Id": new_id()}, json=None if method == "GET" else {})
        problem(answer, 401, "not_signed_in")
    for method, path, _route in permitted_routes(opened, "/portal"):
        answer = opened.client.request(method, path, follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/portal/login"), f"{method} {path}"


def test_every_right_is_held_by_some_role_and_every_role_can_sign_in(opened: Hall) -> None:
    declared = {
        name for _m, _p, route in permitted_routes(opened, "/") for name in (mark_of(route) or object()).permissions
    }  # type: ignore[attr-defined]
    everyone = frozenset().union(*roles().values())
    assert declared - everyone == set(), "a route nobody may call"
