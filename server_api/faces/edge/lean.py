"""Routes without ceremony: one JSON body, path parameters, one caller; everything else goes the framework's own way.

The framework describes these routes (OpenAPI) as it does any other; only the serving is ours. Its own way of serving a
payment (two exit stacks, a dependency solver, a second decoding of the body) cost as much as the payment itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server_api.faces.edge.problems import fault_of_validation
from shared_models.values.faults.edge import MethodNotOffered

_JSON_TYPES = ("application/json",)


class LeanRoute(APIRoute):
    """A route of the hall face. Falls back to the framework wherever its declaration is not of the simple kind."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        super().__init__(path, endpoint, **settings)
        self._plan = _Plan.of(self)

    @property
    def is_lean(self) -> bool:
        """True where we serve it ourselves."""
        return self._plan is not None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Refusals are raised; the shell answers them."""
        if self._plan is None:
            await super().handle(scope, receive, send)
            return
        if scope["method"] not in (self.methods or ()):
            raise MethodNotOffered(allow=", ".join(sorted(self.methods or ())))
        request = Request(scope, receive, send)
        answer = await self._plan.serve(request)
        await answer(scope, receive, send)


class _Plan:
    """What a simple route needs, worked out once."""

    def __init__(self, route: APIRoute, body: type[BaseModel] | None) -> None:
        dependant = route.dependant
        self._call: Callable[..., Any] = route.endpoint
        self._waits = inspect.iscoroutinefunction(route.endpoint)
        self._callers = [(need.name, need.call) for need in dependant.dependencies]
        self._path = list(dependant.path_params)
        self._body = body
        self._body_name = dependant.body_params[0].name if body is not None else ""

    @classmethod
    def of(cls, route: APIRoute) -> _Plan | None:
        """The plan of a route, None where it asks for more than we serve ourselves."""
        dependant = route.dependant
        if dependant.query_params or dependant.header_params or dependant.cookie_params or dependant.request_param_name:
            return None
        if any(need.dependencies or not hasattr(need.call, "onehall") for need in dependant.dependencies):
            return None
        if len(dependant.body_params) > 1 or dependant.background_tasks_param_name or dependant.response_param_name:
            return None
        body: type[BaseModel] | None = None
        if dependant.body_params:
            kind = dependant.body_params[0].field_info.annotation
            if (
                not (isinstance(kind, type) and issubclass(kind, BaseModel))
                or not dependant.body_params[0].field_info.is_required()
            ):
                return None
            body = kind
        return cls(route, body)

    async def serve(self, request: Request) -> Response:
        values: dict[str, Any] = {}
        for name, ask in self._callers:  # who calls is settled before a word of the body is read
            found = await ask(request)  # type: ignore[misc]
            if name:
                values[name] = found
        if self._path:
            values.update(self._path_values(request))
        if self._body is not None:
            values[self._body_name] = await self._read(request, self._body)
        if self._waits:
            return await self._call(**values)
        return await run_in_threadpool(self._call, **values)

    def _path_values(self, request: Request) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in self._path:
            value, errors = field.validate(request.path_params[field.alias], {}, loc=("path", field.alias))
            if errors:
                raise fault_of_validation(errors)
            values[field.name] = value
        return values

    async def _read(self, request: Request, kind: type[BaseModel]) -> BaseModel:
        raw = await request.body()
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in _JSON_TYPES and not media_type.endswith("+json"):
            wrong = {"type": "model_attributes_type", "loc": ("body",), "msg": "should be a JSON object"}
            raise fault_of_validation([wrong])
        try:
            return kind.model_validate_json(raw)
        except ValidationError as error:
            raise fault_of_validation(error.errors(include_input=False, include_url=False)) from None
