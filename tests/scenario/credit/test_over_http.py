"""Credit control and price questions as a switch sends them: real application, real pricing process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server_api.platform.database import Databases
from shared_models.values.ids import new_id
from tests.support.credit_town import SHANGHAI, prepaid_town
from tests.support.hall import Hall, open_hall, problem
from tests.support.usage_town import account_of

pytestmark = pytest.mark.one_engine
RICH = "3960001"
BLOCK = 70_000


@pytest.fixture
def hall(databases: Databases, tmp_path: Path) -> Iterator[Hall]:
    prepaid_town(databases.billing, {"3960000": 0, RICH: 100_00})
    with open_hall(databases, tmp_path) as opened:
        yield opened


def test_a_call_and_its_prices(hall: Hall) -> None:
    """One test, because the pricing process takes a second to start."""
    client, session_id = hall.client, new_id()
    ask = {"service": "voice", "access": RICH, "called": SHANGHAI}
    price = client.post("/api/hall/prices", headers=hall.headers("agent"), json={**ask, "quantity": 61})
    assert price.status_code == 403
    price = client.post("/api/hall/prices", headers=hall.headers("billing_operator"), json={**ask, "quantity": 61})
    assert price.json()["charge_micro_yuan"] == 11 * BLOCK and price.json()["account_id"] == account_of(RICH)
    lasting = client.post("/api/hall/credit/how-long", headers=hall.headers("switch"), json=ask).json()
    assert (lasting["lasting"], lasting["limited"]) == (1_428 * 6, True)

    headers = hall.headers("switch")
    begun = client.post("/api/hall/credit/sessions", headers=headers, json={**ask, "session_id": session_id, "ask": 60})
    assert (begun.status_code, begun.json()["granted"]) == (200, 60)
    again = client.post("/api/hall/credit/sessions", headers=headers, json={**ask, "session_id": session_id, "ask": 60})
    assert again.json() == begun.json() and again.headers["Act-Replayed"] == "1"
    path = f"/api/hall/credit/sessions/{session_id}"
    more = client.post(f"{path}/update", headers=hall.headers("switch"), json={"request_no": 1, "used": 60, "ask": 60})
    assert more.json()["granted_total"] == 120
    late = client.post(f"{path}/update", headers=hall.headers("switch"), json={"request_no": 1, "used": 60})
    problem(late, 409, "credit_request_late")
    ended = client.post(f"{path}/end", headers=hall.headers("switch"), json={"request_no": 2, "used": 90})
    assert ended.json()["charged_micro_yuan"] == 15 * BLOCK
    view = client.get(f"/api/hall/accounts/{account_of(RICH)}/credit", headers=hall.headers("auditor"))
    assert view.status_code in (200, 404)

    batch = {
        "service": "voice",
        "access": [RICH, "3999999"],
        "called": [SHANGHAI, SHANGHAI],
        "start_s": [1_773_626_400] * 2,
        "quantity": [61, 61],
    }
    found = client.post("/api/hall/prices/batch", headers=hall.headers("switch"), json=batch).json()
    assert found == {"charge_micro_yuan": [11 * BLOCK, 0], "reason": ["", "no_owner"]}
    short = client.post("/api/hall/prices/batch", headers=hall.headers("switch"), json={**batch, "quantity": [61]})
    problem(short, 422, "input_not_valid")
    event = {**ask, "session_id": new_id(), "quantity": 6}
    charged = client.post("/api/hall/credit/events", headers=hall.headers("switch"), json=event)
    assert charged.json()["charged_micro_yuan"] == BLOCK


def test_the_pricing_process_may_die(hall: Hall) -> None:
    """Killed between questions it is started again; the question it was killed with is refused with 'ask again'."""
    ask = {"service": "voice", "access": RICH, "called": SHANGHAI, "quantity": 61}
    desk = hall.app.state.faces.pricing

    def price() -> int:
        return hall.client.post("/api/hall/prices", headers=hall.headers("switch"), json=ask).status_code

    assert price() == 200
    desk._worker._process.kill()
    desk._worker._process.wait()
    assert price() == 200
    unknown = hall.client.post("/api/hall/prices", headers=hall.headers("switch"), json={**ask, "access": "3999999"})
    problem(unknown, 404, "credit_owner_unknown")
