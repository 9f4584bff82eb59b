"""The OpenAPI document is complete enough to write a client from: what each operation is, wants and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from server_api.faces.edge.problems import PROBLEM_MEDIA_TYPE
from shared_models.values.faults.base import all_faults
from tests.support.hall import Hall

pytestmark = pytest.mark.one_engine


@pytest.fixture
def document(hall: Hall) -> dict[str, Any]:
    found: dict[str, Any] = hall.client.get("/api/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_a_name_a_tag_and_a_documented_answer(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 40
    for name, operation in found:
        assert operation["summary"] and operation["tags"] and operation["description"], name
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert good, name
        content = operation["responses"][good[0]].get("content", {})
        if "application/json" in content:
            assert content["application/json"]["schema"].get("$ref"), f"{name}: the answer has no shape"
        else:
            assert good[0] == "204" or content, f"{name}: the answer has no type"
    names = [operation["operationId"] for _name, operation in found]
    assert len(set(names)) == len(names)


def test_every_refusal_is_a_problem_with_known_codes(document: dict[str, Any]) -> None:
    known = all_faults()
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and "/health" not in name:
                assert list(answer["content"]) == [PROBLEM_MEDIA_TYPE], f"{name} {status}"
                codes = answer["description"].split("`")[1::2]
                assert codes and all(known[code].status == int(status) for code in codes), f"{name} {status} {codes}"


def test_every_act_wants_an_act_id_and_every_closed_route_a_session(document: dict[str, Any]) -> None:
    acts = 0
    for name, operation in operations(document):
        headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        if "x-permission" in operation:
            assert operation["security"] == [{"session": []}] and {"401", "403"} <= set(operation["responses"]), name
        if "Act-Id" in headers:
            acts += 1
            assert {"Act-Reason", "After"} <= headers and "409" in operation["responses"], name
            assert not name.startswith("GET"), name
    assert acts > 20


def test_money_is_whole_and_examples_are_given(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, kind in schema.get("properties", {}).items():
            if field.endswith("_fen") and kind.get("type") not in (None, "object"):
                assert kind["type"] == "integer", f"{name}.{field}"
            assert kind.get("type") != "number", f"{name}.{field}: no binary fractions on the wire"
    taking = document["components"]["schemas"]["TakePayment"]
    assert taking.get("examples") or taking.get("example") or taking["properties"]["account_id"].get("examples")
