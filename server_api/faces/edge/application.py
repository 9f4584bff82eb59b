"""The web application with our own outermost layer, and only those of the framework's layers that do something here."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from server_api.faces.edge.metrics import Metrics
from server_api.faces.edge.shell import PageOfFault, Shell


class Application(FastAPI):
    """FastAPI inside the shell. The shell bounds bodies and answers defects, so the framework's layers for that go."""

    metrics: Metrics
    page_of_fault: PageOfFault

    def build_middleware_stack(self) -> ASGIApp:
        """Shell › refusals of the framework › exit stack for uploaded forms › router."""
        inner = ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers)
        return Shell(inner, metrics=self.metrics, page_of_fault=self.page_of_fault)
