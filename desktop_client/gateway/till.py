"""The till of the signed-in teller."""

from __future__ import annotations

from desktop_client.gateway.http import HallHttp
from shared_models.contracts.cashdesk import TillView


class TillApi:
    """The till routes that read."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def current(self) -> TillView:
        """The caller's own live session, or none."""
        return self._http.get("/api/hall/till/current", TillView)
