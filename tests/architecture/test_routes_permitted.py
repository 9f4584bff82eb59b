"""Every route says who may call it: a right, a session, or why it is open to everybody.

Prevents: the one address of two hundred that shows any customer's calls to whoever knows it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from server_api.app import create_app
from server_api.faces.edge.caller import mark_of, open_to_all
from server_api.platform.database import Databases
from server_api.settings import load_settings
from shared_models.values.permissions import Permission

#: What a stranger may ask for. A new line here is a decision somebody looks at.
PUBLIC = {
    "GET /health",
    "GET /metrics",
    "GET /api/openapi.json",
    "POST /api/hall/sessions",
    "GET /portal/language/{code}",
    "GET /portal/login",
    "GET /portal/static/{name}",
    "GET /portal/work-sw.js",
    "POST /portal/login",
}


@pytest.fixture
def app(databases: Databases, tmp_path: Path) -> FastAPI:
    return create_app(load_settings(tmp_path / "data", {}), databases)


def _every(route: BaseRoute) -> list[str]:
    methods = sorted(getattr(route, "methods", None) or ["*"])
    return [f"{method} {getattr(route, 'path', route)}" for method in methods if method != "HEAD"]


@pytest.mark.one_engine
def test_every_route_declares_who_may_call_it(app: FastAPI) -> None:
    undeclared = []
    for route in app.routes:
        declared = isinstance(route, APIRoute) and mark_of(route) is not None
        undeclared += [name for name in _every(route) if not declared and name not in PUBLIC]
    assert undeclared == []


@pytest.mark.one_engine
def test_open_routes_are_the_named_ones(app: FastAPI) -> None:
    opened = set()
    for route in app.routes:
        if isinstance(route, APIRoute) and (mark := mark_of(route)) and mark.open_because:
            opened.update(_every(route))
    assert opened - PUBLIC == set()


@pytest.mark.one_engine
def test_every_named_right_exists(app: FastAPI) -> None:
    known = {permission.value for permission in Permission}
    for route in app.routes:
        if isinstance(route, APIRoute) and (mark := mark_of(route)):
            assert set(mark.permissions) <= known, route.path


def test_a_route_without_declaration_is_seen() -> None:
    app = FastAPI()

    @app.get("/bare")
    def bare() -> None: ...

    @app.get("/open", dependencies=[open_to_all("it says only that we are here")])
    def opened() -> None: ...

    marks = {route.path: mark_of(route) for route in app.routes if isinstance(route, APIRoute)}
    assert marks["/bare"] is None and marks["/open"] is not None
    assert any(isinstance(route, Route) and not isinstance(route, APIRoute) for route in app.routes)
