"""The web application with our own outermost layer, and only those of the framework's layers that do something here."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from server_api.faces.edge.lean import LeanRoute
from server_api.faces.edge.metrics import Metrics
from server_api.faces.edge.shell import PageOfFault, Shell


class Application(FastAPI):
    """FastAPI inside the shell. The shell bounds bodies and answers defects, so the framework's layers for that go."""

    metrics: Metrics
    page_of_fault: PageOfFault

    def build_middleware_stack(self) -> ASGIApp:
        """Shell › express › refusals of the framework › exit stack for uploaded forms › router."""
        inner = ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers)
        return Shell(Express(inner, self.routes), metrics=self.metrics, page_of_fault=self.page_of_fault)


class Express:
    """Takes a request straight to its lean route where verb and path name one; the rest goes the long way.

    The router tries every route's pattern in turn, and a payment's is among the last of a hundred.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = {
            (method, route.path): route
            for route in routes
            if isinstance(route, LeanRoute) and route.is_lean and not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, {}
        await route.handle(scope, receive, send)
