"""The server as tests call it: the real application on the test's databases, and somebody of each role signed in."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import resources
from server_api.app import create_app
from server_api.faces.edge import state
from server_api.faces.edge.tokens import Pass
from server_api.platform.database import Databases
from server_api.settings import load_settings
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.ids import derived_id, new_id

HALL, DISTRICT, COUNTER = "H01", "D1", "03"


@lru_cache(maxsize=1)
def roles() -> dict[str, frozenset[str]]:
    """The shipped roles and their permissions."""
    document = tomllib.loads(resources.path("policy", "roles.toml").read_text(encoding="utf-8"))
    return {code: frozenset(role["permissions"]) for code, role in document["role"].items()}


@dataclass
class Hall:
    """A running application with its databases."""

    app: FastAPI
    client: TestClient
    databases: Databases
    _tokens: dict[tuple[str, DataScope], str] = field(default_factory=dict)

    def context(self, role: str, scope: DataScope = DataScope.ALL, **changes: Any) -> WorkContext:
        """The work context of somebody with this role."""
        values: dict[str, Any] = {
            "staff_id": derived_id("staff", role),
            "staff_no": f"T{sorted(roles()).index(role) + 1:03d}",
            "staff_name": f"测试{role}",
            "hall_code": HALL,
            "hall_name": "城东营业厅",
            "district_code": DISTRICT,
            "counter_no": COUNTER,
            "permissions": roles()[role],
            "scope": scope,
            "session_id": new_id(),
            "expires_at": self.databases.business.clock.now() + timedelta(hours=12),
        }
        return WorkContext(**{**values, **changes})

    def token(self, role: str, scope: DataScope = DataScope.ALL) -> str:
        """A session of somebody with this role, believed for the next minute; no staff row is needed."""
        key = (role, scope)
        if key not in self._tokens:
            faces: state.FaceState = self.app.state.faces
            self._tokens[key] = faces.sessions.begin(Pass(context=self.context(role, scope)))
        return self._tokens[key]

    def headers(self, role: str, scope: DataScope = DataScope.ALL, *, act_id: str | None = None) -> dict[str, str]:
        """The headers of a request by somebody with this role."""
        return {"Authorization": f"Bearer {self.token(role, scope)}", "Act-Id": act_id or new_id()}


@contextmanager
def open_hall(databases: Databases, folder: Path) -> Iterator[Hall]:
    """The application on these databases, its start and its end run."""
    app = create_app(load_settings(folder / "data", {}), databases)
    with TestClient(app, base_url="https://hall.test", raise_server_exceptions=False) as client:
        yield Hall(app, client, databases)


@pytest.fixture
def hall(databases: Databases, tmp_path: Path) -> Iterator[Hall]:
    """The REST face and the portal on fresh databases."""
    with open_hall(databases, tmp_path) as opened:
        yield opened


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is this refusal, whole and in both languages, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code and found["status"] == status and found["type"] == f"/problems/{code}"
    assert found["detail"]["zh"] and found["detail"]["en"] and found["remedy"]["zh"] and found["remedy"]["en"]
    assert "{" not in found["detail"]["zh"] + found["detail"]["en"], "a parameter was not filled in"
    return found
