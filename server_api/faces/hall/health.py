"""How the server is: for the client's lamp, for whoever watches, for Prometheus."""

from __future__ import annotations

import time
from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from server_api.faces.edge import state
from server_api.faces.hall.core import Response, open_to_all, reply
from server_api.platform.database import Database
from server_api.platform.facts.standing import facts_standing
from shared_models.contracts.base import Contract
from shared_models.values.faults.base import Fault

router = APIRouter(tags=["health"])
_STALE_NEWS_MS = 60_000


class SideHealth(Contract):
    """One database as it stands."""

    up: bool
    epoch: int | None = None
    facts_pending: int = 0
    facts_parked: int = Field(default=0, description="above zero somebody must look: onehall facts list")
    facts_lag_ms: int = Field(default=0, description="age of the oldest fact not delivered")
    writes_waiting: int = 0


class Health(Contract):
    """ok · degraded (work goes on, somebody should look) · down (money cannot be taken)."""

    status: Literal["ok", "degraded", "down"]
    version: str
    up_for_s: int
    business: SideHealth
    billing: SideHealth


@router.get(
    "/health",
    response_model=Health,
    dependencies=[open_to_all("names nobody; watched without a login")],
    responses={503: {"model": Health, "description": "the billing database does not answer"}},
)
def health(request: Request) -> Response:
    """Tell whether both databases answer and whether news flows between them."""
    faces = state.of(request)
    business, billing = _side(faces.databases.business), _side(faces.databases.billing)
    sides = (business, billing)
    good = all(side.up and not side.facts_parked and side.facts_lag_ms < _STALE_NEWS_MS for side in sides)
    status: Literal["ok", "degraded", "down"] = "ok" if good else "degraded" if billing.up else "down"
    found = Health(
        status=status,
        version=faces.version,
        up_for_s=int(time.monotonic() - faces.started_at_s),
        business=business,
        billing=billing,
    )
    return reply(found, 503 if status == "down" else 200)


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[open_to_all("figures only; scraped without a login")],
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format"}},
)
def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    return Response(generate_latest(state.of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _side(database: Database) -> SideHealth:
    try:
        standing = facts_standing(database)
    except Fault:
        return SideHealth(up=False, writes_waiting=database.writer.waiting)
    return SideHealth(
        up=True,
        epoch=standing.epoch,
        facts_pending=standing.pending,
        facts_parked=standing.parked,
        facts_lag_ms=round(standing.lag_s * 1000),
        writes_waiting=database.writer.waiting,
    )
