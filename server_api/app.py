"""The server put together: databases wired, faces mounted. The only file that knows the concrete web application."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio.to_thread
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from resources import LANGUAGES, texts
from server_api.business.staff import service as staff
from server_api.faces import hall, portal
from server_api.faces.edge import state
from server_api.faces.edge.application import Application
from server_api.faces.edge.caller import open_to_all
from server_api.faces.edge.certificates import certificate_for
from server_api.faces.edge.metrics import Metrics
from server_api.faces.edge.openapi import describe
from server_api.faces.edge.problems import fault_of
from server_api.faces.edge.protocol import TimedProtocol
from server_api.faces.edge.sessions import Sessions, Standing
from server_api.faces.edge.tokens import TokenMaker
from server_api.faces.portal.visitor import page_of_fault
from server_api.platform.database import Database, Databases, open_databases
from server_api.platform.secrets import Secrets
from server_api.settings import Settings
from server_api.wiring import connect_outside, wire_databases

KEEP_ALIVE_S = 75
#: Connections beyond this are refused at once instead of starving those being served.
MOST_CONNECTIONS = 2_000


class StaffSessions:
    """The session book kept by the business side's staff slice."""

    def __init__(self, business: Database) -> None:
        self._business = business

    def standing(self, session_id: str) -> Standing | None:
        with self._business.reading() as connection:
            return staff.session_standing(connection, session_id)

    def note_used(self, session_id: str, at: Any) -> None:
        staff.note_session_used(self._business, session_id=session_id, at=at)


def version() -> str:
    """The version of the installed product."""
    try:
        return distribution_version("onehall")
    except PackageNotFoundError:  # run from a source folder that was never installed
        return "0"


def create_app(settings: Settings, databases: Databases | None = None) -> FastAPI:
    """Build the application. Databases handed in are the caller's to close; otherwise they are opened here."""
    own = databases is None
    held = databases or open_databases(
        settings.business_url,
        settings.billing_url,
        secrets=Secrets.from_file(settings.key_file),
        label="api",
        pool_size=settings.database_pool,
    )
    wire_databases(held)
    connect_outside(settings)
    faces = _face_state(settings, held)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.request_threads
        yield
        faces.close()
        if own:
            held.close()

    app = Application(
        title="OneHall",
        version=version(),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _name_refusal, RequestValidationError: _name_refusal},
    )
    app.metrics = faces.metrics
    app.page_of_fault = page_of_fault
    state.keep(app, faces)
    for language in LANGUAGES:
        texts(language)  # a text given twice must stop the start, not the first refusal
    _mount(app, hall)
    _mount(app, portal)
    _mount_description(app)
    return app


def _face_state(settings: Settings, databases: Databases) -> state.FaceState:
    business = databases.business
    sessions = Sessions(TokenMaker(business.secrets.token_key), StaffSessions(business), business.clock)
    return state.FaceState(
        databases=databases,
        sessions=sessions,
        metrics=Metrics(databases, version()),
        version=version(),
        started_at_s=time.monotonic(),
        language=settings.language,
        secure_cookies=settings.tls,
    )


async def _name_refusal(_request: Request, error: Exception) -> Response:
    """Hand what the framework refused to the shell, as the fault it stands for."""
    raise fault_of(error) or error


def _mount(app: FastAPI, face: ModuleType) -> None:
    """Add every module of a face that has a ``router``, in one flat list: nested routers are walked per request."""
    for found in sorted(pkgutil.iter_modules(face.__path__), key=lambda module: module.name):
        router = getattr(importlib.import_module(f"{face.__name__}.{found.name}"), "router", None)
        if router is not None:
            app.router.routes.extend(router.routes)


def _mount_description(app: FastAPI) -> None:
    @app.get(
        "/api/openapi.json",
        include_in_schema=False,
        dependencies=[open_to_all("describes the interface; holds no data")],
    )
    async def openapi_document() -> JSONResponse:
        return JSONResponse(describe(app, version()))


def server_config(settings: Settings, app: Any) -> uvicorn.Config:
    """How uvicorn serves the application: TLS, time limits, no access log of its own."""
    tls: dict[str, Any] = {}
    if settings.tls:
        certificate, key = certificate_for(settings)
        tls = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    logging.getLogger("onehall.access").disabled = not settings.access_log
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=TimedProtocol,
        loop="auto",
        ws="none",
        access_log=False,
        log_level=settings.log_level.lower(),
        log_config=None,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=8,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=512,
        h11_max_incomplete_event_size=64 * 1024,
        **tls,
    )


def run(settings: Settings, databases: Databases | None = None) -> None:
    """Run the API process until it is told to stop."""
    uvicorn.Server(server_config(settings, create_app(settings, databases))).run()


def ca_file(settings: Settings) -> Path:
    """The file by which clients know this server, where its certificate was made here."""
    return settings.tls_dir / "ca.pem"
