"""Sessions over REST, with the real staff slice: in, out, wrong, too often, first password."""

from __future__ import annotations

import pytest

from server_api.faces.edge.doorkeeper import PER_NUMBER
from server_api.wiring import new_wiring
from tests.support.hall import Hall, problem
from tests.support.house import NEWCOMER, PASSWORD, House, furnish


@pytest.fixture
def house(hall: Hall) -> House:
    return furnish(hall.databases, new_wiring())


def sign_in(hall: Hall, staff_no: str = "1001", password: str = PASSWORD, **more: str) -> dict[str, object]:
    answer = hall.client.post("/api/hall/sessions", json={"staff_no": staff_no, "password": password, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def bearer(session: dict[str, object]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['token']}"}


def test_in_and_out(hall: Hall, house: House) -> None:
    session = sign_in(hall, counter_no="03")
    context = session["context"]
    assert isinstance(context, dict)
    assert context["staff_no"] == "1001" and context["hall_code"] == "H01" and context["counter_no"] == "03"
    assert context["scope"] == "hall" and "payment.take" in context["permissions"]
    assert session["hall_name"] == "解放路营业厅" and session["must_change_password"] is False
    current = hall.client.get("/api/hall/sessions/current", headers=bearer(session))
    assert current.status_code == 200 and current.json()["context"] == context
    assert hall.client.delete("/api/hall/sessions/current", headers=bearer(session)).status_code == 204
    problem(hall.client.get("/api/hall/sessions/current", headers=bearer(session)), 401, "not_signed_in")


@pytest.mark.one_engine
def test_an_unknown_number_and_a_wrong_password_look_the_same(hall: Hall, house: House) -> None:
    wrong = hall.client.post("/api/hall/sessions", json={"staff_no": "1001", "password": "Wrong-password-1"})
    unknown = hall.client.post("/api/hall/sessions", json={"staff_no": "7777", "password": "Wrong-password-1"})
    assert problem(wrong, 401, "sign_in_refused") == problem(unknown, 401, "sign_in_refused")


@pytest.mark.one_engine
def test_a_counter_of_another_hall_is_refused(hall: Hall, house: House) -> None:
    answer = hall.client.post("/api/hall/sessions", json={"staff_no": "1003", "password": PASSWORD, "counter_no": "03"})
    problem(answer, 422, "counter_not_in_hall")


@pytest.mark.one_engine
def test_guessing_is_stopped(hall: Hall, house: House) -> None:
    for _ in range(PER_NUMBER):
        hall.client.post("/api/hall/sessions", json={"staff_no": "1001", "password": "guess-guess-1"})
    answer = hall.client.post("/api/hall/sessions", json={"staff_no": "1001", "password": PASSWORD})
    found = problem(answer, 429, "too_many_sign_ins")
    assert 0 < int(answer.headers["retry-after"]) <= 61 and found["retry"] is True
    sign_in(hall, "1002")


@pytest.mark.one_engine
def test_the_newcomer_changes_the_password_and_then_works(hall: Hall, house: House) -> None:
    session = sign_in(hall, NEWCOMER)
    assert session["must_change_password"] is True
    refused = hall.client.get("/api/hall/customers", params={"q": "wang"}, headers=bearer(session))
    problem(refused, 403, "password_change_first")
    weak = {"old_password": PASSWORD, "new_password": "abc"}
    problem(hall.client.post("/api/hall/password", json=weak, headers=bearer(session)), 422, "password_too_weak")
    wrong = {"old_password": "not-the-old-one-1", "new_password": "Neues-Passwort-7"}
    problem(hall.client.post("/api/hall/password", json=wrong, headers=bearer(session)), 401, "sign_in_refused")
    good = {"old_password": PASSWORD, "new_password": "Neues-Passwort-7"}
    answer = hall.client.post("/api/hall/password", json=good, headers=bearer(session))
    assert answer.status_code == 200 and answer.json()["must_change_password"] is False
    assert (
        hall.client.get("/api/hall/customers", params={"q": "wang"}, headers=bearer(answer.json())).status_code == 200
    )
    problem(hall.client.get("/api/hall/sessions/current", headers=bearer(session)), 401, "not_signed_in")


@pytest.mark.one_engine
@pytest.mark.parametrize(
    "body", [{}, {"staff_no": ""}, {"staff_no": "1" * 21, "password": "x"}, {"staff_no": 1, "password": "x"}]
)
def test_half_a_login(hall: Hall, body: dict[str, object]) -> None:
    problem(hall.client.post("/api/hall/sessions", json=body), 422, "input_not_valid")


@pytest.mark.one_engine
@pytest.mark.parametrize(
    "planted", ["' OR '1'='1", "1001'; DROP TABLE staff; --", "<script>", "１００１", "1001\u202e"]
)
def test_planted_words_in_a_login(hall: Hall, house: House, planted: str) -> None:
    answer = hall.client.post("/api/hall/sessions", json={"staff_no": planted[:20], "password": planted})
    assert answer.status_code in (401, 422), answer.text
