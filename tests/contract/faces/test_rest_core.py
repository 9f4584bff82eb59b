"""The rules every REST route keeps, shown on small routes: acts happen once, refusals are problems, nothing leaks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, reply
from server_api.platform.database import Databases
from shared_models.contracts.base import Contract, PositiveFen
from shared_models.contracts.events import AccountRecorded
from shared_models.values.faults.common import DatabaseAway, NotFound
from shared_models.values.ids import new_id
from tests.support.hall import Hall, open_hall, problem

SECRET = "the password is hunter2"


class Wish(Contract):
    """What the test asks for."""

    name: str
    amount_fen: PositiveFen


class Granted(Contract):
    """What it is told."""

    name: str
    count: int


def _routes(counted: list[str]) -> list[object]:
    router = hall_router("try")

    @router.post("/try/{place}", response_model=Granted)
    def grant(place: str, body: Wish, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        def work(uow: object) -> Granted:
            if body.name == "refused":
                raise NotFound()
            counted.append(place)
            uow.tell(f"account:{place}", AccountRecorded(account_id=place, account_no="1", customer_id="c"))  # type: ignore[attr-defined]
            return Granted(name=body.name, count=len(counted))

        return caller.act("billing", "grant", body, work)

    @router.get("/try/{place}", response_model=Granted)
    def look(place: str, caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        return reply(Granted(name=place, count=len(counted)))

    @router.get("/try-defect", response_model=Granted)
    def defect(caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        raise RuntimeError(SECRET)

    @router.get("/try-away", response_model=Granted)
    def away(caller: Caller = permit(Permission.PAYMENT_TAKE)) -> Response:
        raise DatabaseAway(role="billing")

    return list(router.routes)


@pytest.fixture
def tried(databases: Databases, tmp_path: Path) -> Iterator[tuple[Hall, list[str]]]:
    counted: list[str] = []
    with open_hall(databases, tmp_path) as hall:
        hall.app.router.routes.extend(_routes(counted))  # type: ignore[arg-type]
        yield hall, counted


WISH = {"name": "王小明", "amount_fen": 1}


def test_an_act_happens_once_and_its_reply_comes_back(tried: tuple[Hall, list[str]]) -> None:
    hall, counted = tried
    headers = hall.headers("teller")
    first = hall.client.post("/api/hall/try/ab", json=WISH, headers=headers)
    assert first.status_code == 200 and first.json() == {"name": "王小明", "count": 1}
    assert first.headers["after"] == "account:ab@1" and "act-replayed" not in first.headers
    again = hall.client.post("/api/hall/try/ab", json=WISH, headers=headers)
    assert again.content == first.content and again.headers["act-replayed"] == "1"
    assert again.headers["after"] == "account:ab@1"
    assert counted == ["ab"]


def test_the_same_act_from_another_session_is_still_the_same_act(tried: tuple[Hall, list[str]]) -> None:
    """A client that lost its session signs in again and sends its journalled act once more."""
    hall, counted = tried
    act_id = new_id()
    first = hall.client.post("/api/hall/try/ab", json=WISH, headers=hall.headers("teller", act_id=act_id))
    again = hall.client.post("/api/hall/try/ab", json=WISH, headers=hall.headers("chief_teller", act_id=act_id))
    assert again.content == first.content and len(counted) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/hall/try/other", WISH),
        ("/api/hall/try/ab", {**WISH, "amount_fen": 2}),
        ("/api/hall/try/ab", {**WISH, "name": "x"}),
    ],
)
def test_an_act_id_cannot_be_used_for_something_else(tried: tuple[Hall, list[str]], path: str, body: object) -> None:
    hall, counted = tried
    headers = hall.headers("teller")
    assert hall.client.post("/api/hall/try/ab", json=WISH, headers=headers).status_code == 200
    problem(hall.client.post(path, json=body, headers=headers), 409, "act_reused")
    assert counted == ["ab"]


def test_the_digest_is_of_the_meaning_not_of_the_spelling(tried: tuple[Hall, list[str]]) -> None:
    hall, counted = tried
    headers = {**hall.headers("teller"), "Content-Type": "application/json"}
    hall.client.post("/api/hall/try/ab", content='{"name":"王小明","amount_fen":1}'.encode(), headers=headers)
    spelled = ' { "amount_fen" : 1, "name": "  \\u738b\\u5c0f\\u660e " } '
    again = hall.client.post("/api/hall/try/ab", content=spelled, headers=headers)
    assert again.status_code == 200 and again.headers["act-replayed"] == "1" and len(counted) == 1


def test_a_refusal_stores_nothing_and_leaves_the_id_free(tried: tuple[Hall, list[str]]) -> None:
    hall, counted = tried
    headers = hall.headers("teller")
    problem(hall.client.post("/api/hall/try/ab", json={**WISH, "name": "refused"}, headers=headers), 404, "not_found")
    assert hall.client.post("/api/hall/try/ab", json=WISH, headers=headers).status_code == 200
    assert counted == ["ab"]


@pytest.mark.one_engine
@pytest.mark.parametrize("act_id", ["", "x" * 32, "A" * 32, "a" * 31, "a" * 33, "-" * 32])
def test_an_act_needs_an_id_that_is_one(tried: tuple[Hall, list[str]], act_id: str) -> None:
    hall, counted = tried
    headers = {**hall.headers("teller"), "Act-Id": act_id}
    found = problem(hall.client.post("/api/hall/try/ab", json=WISH, headers=headers), 422, "input_not_valid")
    assert found["params"]["field"] == "Act-Id" and not counted


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a"}, "amount_fen"),
        ({"name": "a", "amount_fen": 0}, "amount_fen"),
        ({"name": 5, "amount_fen": 1}, "name"),
        ({"name": "a", "amount_fen": 1.5}, "amount_fen"),
        ({"name": "a", "amount_fen": "1"}, "amount_fen"),
        ({"name": "a", "amount_fen": 10**15}, "amount_fen"),
        ({"name": "a", "amount_fen": True}, "amount_fen"),
        ({**WISH, "more": 1}, "more"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
def test_bad_input_names_its_field_in_both_languages(tried: tuple[Hall, list[str]], body: object, field: str) -> None:
    hall, counted = tried
    found = problem(
        hall.client.post("/api/hall/try/ab", json=body, headers=hall.headers("teller")), 422, "input_not_valid"
    )
    assert found["params"]["field"] == field and not counted


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"", "application/json", 422),
        (b"{}", "text/plain", 422),
        (b"<a/>", "application/xml", 422),
        (b"a=1", "application/x-www-form-urlencoded", 422),
        (b'{"name":"a\\u0000","amount_fen":1}', "application/json", 422),
        (b'{"name":"\\ud800","amount_fen":1}', "application/json", 422),
        (b'{"name":"a","amount_fen":' + b"9" * 5000 + b"}", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b" " * 300_000, "application/json", 413),
    ],
)
def test_bodies_no_honest_client_sends(
    tried: tuple[Hall, list[str]],
    content: bytes,
    content_type: str,
    status: int,
) -> None:
    hall, counted = tried
    headers = {**hall.headers("teller"), "Content-Type": content_type}
    answer = hall.client.post("/api/hall/try/ab", content=content, headers=headers)
    assert answer.status_code in (status, 400), answer.text
    assert answer.headers["content-type"] == "application/problem+json" and not counted


@pytest.mark.one_engine
def test_a_long_body_without_a_length_is_cut_off(tried: tuple[Hall, list[str]]) -> None:
    hall, _counted = tried
    headers = {**hall.headers("teller"), "Content-Type": "application/json"}
    answer = hall.client.post("/api/hall/try/ab", content=iter([b"x" * 200_000] * 2), headers=headers)
    problem(answer, 413, "body_too_large")


@pytest.mark.one_engine
def test_a_defect_gives_an_incident_number_and_nothing_else(
    tried: tuple[Hall, list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hall, _counted = tried
    with caplog.at_level(logging.ERROR, "onehall.faces"):
        answer = hall.client.get("/api/hall/try-defect", headers=hall.headers("teller"))
    found = problem(answer, 500, "internal_trouble")
    assert SECRET not in answer.text and "RuntimeError" not in answer.text
    assert found["params"]["incident"] in caplog.text and SECRET in caplog.text


@pytest.mark.one_engine
def test_a_database_that_is_away_may_be_asked_again(tried: tuple[Hall, list[str]]) -> None:
    hall, _counted = tried
    answer = hall.client.get("/api/hall/try-away", headers=hall.headers("teller"))
    assert problem(answer, 503, "database_away")["retry"] is True and answer.headers["retry-after"] == "1"


@pytest.mark.one_engine
def test_unknown_addresses_and_verbs(hall: Hall) -> None:
    problem(hall.client.get("/api/hall/nothing"), 404, "path_unknown")
    problem(hall.client.get("/"), 404, "path_unknown")
    answer = hall.client.put("/health")
    problem(answer, 405, "method_not_offered")
    assert answer.headers["allow"] == "GET"
    problem(hall.client.get("/health", params={"a": "\x00"}), 422, "input_not_valid")


@pytest.mark.one_engine
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
def test_nobody_is_nobody(tried: tuple[Hall, list[str]], authorization: str) -> None:
    hall, counted = tried
    answer = hall.client.post(
        "/api/hall/try/ab", json=WISH, headers={"Authorization": authorization, "Act-Id": new_id()}
    )
    problem(answer, 401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer" and not counted


@pytest.mark.one_engine
def test_a_right_is_needed_and_named(tried: tuple[Hall, list[str]]) -> None:
    hall, counted = tried
    answer = hall.client.post("/api/hall/try/ab", json=WISH, headers=hall.headers("field_staff"))
    found = problem(answer, 403, "not_permitted")
    assert "收费" in found["detail"]["zh"] and "take payments" in found["detail"]["en"] and not counted


@pytest.mark.one_engine
def test_who_must_change_the_password_can_do_nothing_else(tried: tuple[Hall, list[str]]) -> None:
    from server_api.faces.edge.tokens import Pass

    hall, counted = tried
    held = Pass(context=hall.context("teller"), must_change_password=True)
    headers = {"Authorization": f"Bearer {hall.app.state.faces.sessions.begin(held)}", "Act-Id": new_id()}
    problem(hall.client.post("/api/hall/try/ab", json=WISH, headers=headers), 403, "password_change_first")
    assert hall.client.get("/api/hall/sessions/current", headers=headers).json()["must_change_password"] is True
    assert not counted


def test_an_act_waits_for_the_news_it_builds_on_and_then_says_so(tried: tuple[Hall, list[str]]) -> None:
    hall, counted = tried
    headers = {**hall.headers("teller"), "After": "customer:ab@3"}
    found = problem(hall.client.post("/api/hall/try/ab", json=WISH, headers=headers), 409, "copy_behind")
    assert found["retry"] is True and not counted
    own = hall.client.post("/api/hall/try/ab", json=WISH, headers=hall.headers("teller")).headers["after"]
    headers = {**hall.headers("teller"), "After": own}
    assert hall.client.post("/api/hall/try/ab", json=WISH, headers=headers).status_code == 200, "news of its own side"


@pytest.mark.one_engine
@pytest.mark.parametrize("after", ["nonsense", "a@", "@1", "a@x", "a@-1", "a@" + "9" * 30])
def test_tokens_that_are_none(tried: tuple[Hall, list[str]], after: str) -> None:
    hall, counted = tried
    headers = {**hall.headers("teller"), "After": after}
    problem(hall.client.post("/api/hall/try/ab", json=WISH, headers=headers), 422, "input_not_valid")
    assert not counted


@pytest.mark.one_engine
def test_every_answer_carries_its_id_and_its_protections(hall: Hall) -> None:
    for answer in (hall.client.get("/health"), hall.client.get("/nothing"), hall.client.get("/portal/login")):
        assert len(answer.headers["x-request-id"]) >= 8
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (
        hall.client.get("/health", headers={"X-Request-Id": "abcdef0123456789"}).headers["x-request-id"]
        == "abcdef0123456789"
    )
    assert hall.client.get("/health", headers={"X-Request-Id": "a\tb <script>"}).headers["x-request-id"].isalnum()


@pytest.mark.one_engine
def test_the_access_log_holds_no_token_no_query_and_no_number(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "onehall.access"):
        hall.client.get("/api/hall/customers?q=62001234", headers=hall.headers("teller"))
        hall.client.post("/api/hall/sessions", json={"staff_no": "1001", "password": "Geheim-12345"})
    assert "62001234" not in caplog.text and "Geheim" not in caplog.text
    assert hall.token("teller")[:30] not in caplog.text
    assert "/api/hall/sessions 401" in caplog.text


def test_health_tells_of_both_sides(hall: Hall) -> None:
    found = hall.client.get("/health").json()
    assert found["status"] == "ok" and found["billing"]["up"] and found["business"]["epoch"] == 1


@pytest.mark.one_engine
def test_metrics_count_requests_refusals_and_waiting_news(hall: Hall) -> None:
    hall.client.get("/nothing")
    text = hall.client.get("/metrics").text
    assert 'onehall_refusals_total{code="path_unknown"} 1.0' in text
    assert 'onehall_database_up{role="billing"} 1.0' in text and 'onehall_facts_parked{role="business"} 0.0' in text
