"""Whether the server is there: the lamp in the window's corner."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from desktop_client.gateway.http import HallHttp


class Health(BaseModel):
    """What the client reads of /health; the rest is for IT."""

    model_config = ConfigDict(extra="ignore")

    status: str = "ok"


class HealthApi:
    """Asks the server how it is."""

    def __init__(self, http: HallHttp) -> None:
        self._http = http

    def ask(self) -> Health:
        """Raises Unreachable when nothing answers. A server in trouble that answers is not unreachable."""
        return self._http.get("/health", Health, also_status=(503,))
