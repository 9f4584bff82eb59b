"""The OpenAPI document: what the framework derives, who may call what, the headers of an act, every refusal."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from server_api.faces.edge.caller import Mark, mark_of
from server_api.faces.edge.problems import PROBLEM_MEDIA_TYPE
from shared_models.contracts.problem import Problem
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import (
    ActReused,
    DatabaseAway,
    DiskFull,
    InputNotValid,
    NotPermitted,
    NotSignedIn,
)
from shared_models.values.faults.edge import BodyTooLarge, RequestNotUnderstood

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_DESCRIPTION = """One counter, one bill. Money is integer fen (`*_fen`), prices integer micro-yuan, instants UTC, days
those of Asia/Shanghai.

Every write is an **act**: `Act-Id` (32 hex digits) is made by the client and journalled before sending. The same id
with the same content returns the stored reply (`Act-Replayed: 1`); with other content it is refused (`act_reused`).
A refusal stores nothing and leaves the id free. `After` carries the tokens of the acts this one builds on.

Refusals are `application/problem+json` with a stable `code` and words in Chinese and English; `retry: true` means the
same act id may be sent again later."""

_ACT_HEADERS: list[dict[str, Any]] = [
    {
        "name": "Act-Id",
        "in": "header",
        "required": True,
        "description": "made by the client before sending",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "example": "5b0f6f6a1c8d4e0f9a7b3c2d1e0f9a8b",
    },
    {
        "name": "Act-Reason",
        "in": "header",
        "required": False,
        "description": "why, where a person gave a reason (UTF-8)",
        "schema": {"type": "string", "maxLength": 200, "pattern": "^[ -~]*$"},
    },
    {
        "name": "After",
        "in": "header",
        "required": False,
        "description": "aggregate@seq of earlier acts, comma separated",
        "schema": {"type": "string", "maxLength": 800, "pattern": "^([a-z]+:[0-9a-f]{1,32}@[0-9]{1,9})?$"},
    },
]


def describe(app: FastAPI, version: str) -> dict[str, Any]:
    """Build the document once; later calls return the same."""
    if app.openapi_schema is None:
        routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
        document = get_openapi(title="OneHall", version=version, description=_DESCRIPTION, routes=routes)
        document.setdefault("components", {}).setdefault("securitySchemes", {})["session"] = {
            "type": "http",
            "scheme": "bearer",
            "description": "the token of POST /api/hall/sessions",
        }
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document["components"].setdefault("schemas", {})
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for route in routes:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], method, mark_of(route) or Mark())
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], method: str, mark: Mark) -> None:
    responses: dict[str, Any] = operation["responses"]
    for status, answer in list(responses.items()):
        if status[0] in "45" and "application/json" in answer.get("content", {}) and _is_problem(answer):
            answer["content"] = {PROBLEM_MEDIA_TYPE: answer["content"]["application/json"]}
    common: list[type[Fault]] = [RequestNotUnderstood, InputNotValid, BodyTooLarge, DatabaseAway]
    if mark.permissions or mark.session_only:
        operation["security"] = [{"session": []}]
        common += [NotSignedIn, NotPermitted]
    if mark.permissions:
        operation["x-permission"] = list(mark.permissions)
        operation["description"] = (
            operation.get("description", "") + f"\n\nNeeds: {' or '.join(mark.permissions)}"
        ).strip()
    if method in _WRITES and mark.permissions and mark.act:
        operation["parameters"] = operation.get("parameters", []) + _ACT_HEADERS
        common += [ActReused, DiskFull]
    responses.pop("422", None) if _framework_own(responses.get("422")) else None
    for fault in common:
        _add_refusal(responses, fault)


def in_a_line(fault: type[Fault]) -> str:
    """A fault as the document names it: its code and the first line of what it means."""
    meaning = (fault.__doc__ or "").strip().splitlines()[0].replace("``", "'")
    return f"`{fault.code}` {meaning}"


def _add_refusal(responses: dict[str, Any], fault: type[Fault]) -> None:
    line = in_a_line(fault)
    known = responses.get(str(fault.status))
    if known is None:
        responses[str(fault.status)] = {
            "description": line,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    elif fault.code not in known["description"] and _is_problem(known):
        known["description"] += f" · {line}"


def _is_problem(answer: dict[str, Any]) -> bool:
    return any(
        content.get("schema", {}).get("$ref", "").endswith("/Problem") for content in answer.get("content", {}).values()
    )


def _framework_own(answer: dict[str, Any] | None) -> bool:
    return answer is not None and "HTTPValidationError" in str(answer)
