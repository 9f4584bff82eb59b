"""Orders over HTTP: quoted, submitted once however often it is sent, shown, cancelled, refused in both languages."""

from __future__ import annotations

from tests.support.hall import Hall, problem
from tests.support.orders import an_order, furnish, phone


def test_an_order_over_http(hall: Hall) -> None:
    owner = furnish(hall.databases.business)
    order = an_order(owner, phone("2680001"), booking=True)
    body = order.model_dump(mode="json")
    headers = hall.headers("teller")
    quote = hall.client.post("/api/hall/orders/quote", json=body, headers=headers)
    assert quote.status_code == 200 and quote.json()["total_fen"] == 5000, quote.text
    first = hall.client.post("/api/hall/orders", json=body, headers=headers)
    assert first.status_code == 201 and first.json()["state"] == "pending", first.text
    again = hall.client.post("/api/hall/orders", json=body, headers=headers)
    assert again.json() == first.json() and again.headers["Act-Replayed"] == "1"
    path = f"/api/hall/orders/{order.order_id}"
    shown = hall.client.get(path, headers=headers).json()
    assert shown["held"][0]["kind"] == "number" and shown["may_cancel"] is True
    page = hall.client.get("/api/hall/orders", params={"customer_id": owner}, headers=headers).json()
    assert [one["order_id"] for one in page["items"]] == [order.order_id]
    problem(hall.client.post(f"{path}/cancel", json={}, headers=hall.headers("dispatcher")), 403, "not_permitted")
    ended = hall.client.post(f"{path}/cancel", json={"reason": "wish"}, headers=hall.headers("teller"))
    assert ended.json()["state"] == "cancelled"
    other = hall.client.post(f"{path}/accept", headers=hall.headers("teller"))
    problem(other, 409, "order_step_not_possible")
    body["items"][0]["offering_code"] = None
    body["order_id"] = "5e" * 16
    problem(hall.client.post("/api/hall/orders/quote", json=body, headers=headers), 422, "order_field_missing")
