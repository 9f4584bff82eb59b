"""Finding customers, and the one screen with everything they owe."""

from __future__ import annotations

from desktop_client.gateway.http import HallHttp
from desktop_client.work.acts import segment
from shared_models.contracts.desk import CustomerDesk
from shared_models.contracts.party import CustomerPage

PAGE_ROWS = 50


class CustomersApi:
    """The customer routes a counter needs."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def search(self, words: str, cursor: str = "") -> CustomerPage:
        """Customers by number, name, pinyin initials, ID or account; the server tells from the shape of ``words``."""
        params: dict[str, object] = {"q": words, "limit": PAGE_ROWS}
        if cursor:
            params["cursor"] = cursor
        return self._http.get("/api/hall/customers", CustomerPage, params)

    def desk(self, customer_id: str, language: str) -> CustomerDesk:
        """Everything owed for all services of a customer, labels in the teller's language."""
        path = f"/api/hall/customers/{segment(customer_id)}/desk"
        return self._http.get(path, CustomerDesk, {"language": language})
