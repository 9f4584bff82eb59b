"""Schemathesis over the whole OpenAPI document: whatever is sent, well-formed or not, no answer is a defect of ours.

Bounded and the same in every run; ONEHALL_SCHEMATHESIS_EXAMPLES asks for more of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from server_api.faces.edge.openapi import describe
from server_api.faces.edge.tokens import Pass
from server_api.platform.database import Databases
from shared_models.values.ids import new_id
from shared_models.values.permissions import Permission
from tests.support.hall import Hall, open_hall

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("ONEHALL_SCHEMATHESIS_EXAMPLES", "3"))
#: Signing in and out would end the session the test works with, and each try costs a password's hash.
LEFT_OUT = {"POST /api/hall/sessions", "POST /api/hall/password", "DELETE /api/hall/sessions/current"}
BOUNDED = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def opened(databases: Databases, tmp_path: Path) -> Iterator[Hall]:
    with open_hall(databases, tmp_path) as hall:
        yield hall


def _send(hall: Hall, case: Any, token: str) -> None:
    wanted = case.as_transport_kwargs(base_url="https://hall.test")
    headers = {str(name): str(value) for name, value in dict(wanted.get("headers") or {}).items()}
    headers = {name: value.encode("utf-8", "replace").decode("latin-1") for name, value in headers.items()}
    headers["Authorization"] = f"Bearer {token}"
    body = {key: wanted[key] for key in ("json", "data", "params") if wanted.get(key) not in (None, b"")}
    if isinstance(body.get("data"), bytes | str):
        body["content"] = body.pop("data")
    answer = hall.client.request(wanted["method"], wanted["url"], headers=headers, **body)
    said = f"{wanted['method']} {wanted['url']} {body} -> {answer.status_code} {answer.text[:400]}"
    assert answer.status_code < 500, said
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", said
        found = answer.json()
        assert found["code"] and found["detail"]["zh"] and found["remedy"]["en"] is not None, said


@pytest.mark.one_engine
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["well-formed", "malformed"])
def test_no_input_meets_a_defect(opened: Hall, mode: GenerationMode) -> None:
    everything = frozenset(permission.value for permission in Permission)
    context = opened.context("administrator", permissions=everything)
    token = opened.app.state.faces.sessions.begin(Pass(context=context))
    schema = schemathesis.openapi.from_dict(describe(opened.app, "test"))
    tried = 0
    for found in schema.get_all_operations():
        operation: APIOperation = found.ok()
        if f"{operation.method.upper()} {operation.path}" in LEFT_OUT:
            continue
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except Unsatisfiable:
            continue

        @BOUNDED
        @given(case=strategy)
        def try_it(case: Any) -> None:
            _send(opened, case, token)

        try:
            try_it()
        except Unsatisfiable:
            continue  # nothing malformed can be said of a route without parameters
        tried += 1
    assert tried > (40 if mode is GenerationMode.POSITIVE else 30)


#: Words that break programs which glue text together: SQL, HTML, templates, formats, odd Unicode, and far too much.
HOSTILE = (
    "'; DROP TABLE customer; --", '"><script>alert(1)</script>', "{{7*7}}${7*7}{0.__class__}%s%n", "a" * 20_000,
    "王\u202e\u2066秀兰\u200b", "\U00020bb7野家\U0001f469\u200d\U0001f467", "\ufeff\ufffe", "../../../etc/passwd",
    "=cmd|' /C calc'!A0", "%", "_", "\\", "\r\n\t ",
)  # fmt: skip


def _texts_in(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match body:
        case str():
            yield at
        case dict():
            for key, value in body.items():
                yield from _texts_in(value, (*at, key))
        case list():
            for index, value in enumerate(body):
                yield from _texts_in(value, (*at, index))


def _with(body: Any, at: tuple[Any, ...], text: str) -> Any:
    if not at:
        return text
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[at[0]] = _with(body[at[0]], at[1:], text)
    return copy


def _some_cases(operation: APIOperation) -> list[Any]:
    """A few well-formed requests of a route, always the same."""
    cases: list[Any] = []

    @settings(BOUNDED, max_examples=3)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


def test_hostile_words_in_every_text_field(opened: Hall) -> None:
    """One well-formed request a route, each of its text fields in turn holding each of the words."""
    everything = frozenset(permission.value for permission in Permission)
    context = opened.context("administrator", permissions=everything)
    token = opened.app.state.faces.sessions.begin(Pass(context=context))
    schema = schemathesis.openapi.from_dict(describe(opened.app, "test"))
    fields = 0
    for found in schema.get_all_operations():
        operation: APIOperation = found.ok()
        if not operation.body or f"{operation.method.upper()} {operation.path}" in LEFT_OUT:
            continue
        cases = _some_cases(operation)
        case = max(cases, key=lambda one: sum(1 for _ in _texts_in(one.body)))
        path = case.formatted_path
        for at in _texts_in(case.body):
            fields += 1
            for text in HOSTILE:
                headers = {"Authorization": f"Bearer {token}", "Act-Id": new_id()}
                answer = opened.client.request(
                    case.method.upper(), path, json=_with(case.body, at, text), headers=headers
                )
                assert answer.status_code < 500, f"{path} {at} {text[:30]!r}: {answer.text[:300]}"
    for q in HOSTILE:
        headers = {"Authorization": f"Bearer {token}"}
        for path in ("/api/hall/customers", "/api/hall/payments"):
            for name in ("q", "receipt_no", "account_id", "cursor"):
                answer = opened.client.get(path, params={name: q[:2_000]}, headers=headers)
                assert answer.status_code < 500, f"{path}?{name}={q[:30]!r}: {answer.text[:300]}"
    assert fields > 40
