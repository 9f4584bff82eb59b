"""Re-rating: usage rated again by what is known today, written by difference; for those who bill."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from server_api.billing.rating import rerate_acts
from server_api.faces.hall.core import Caller, Permission, Response, hall_router, permit, refusals, reply
from server_api.faces.joined.scope import account_in_scope
from shared_models.contracts.rerate import BeginRerate, RerateList, RerateView
from shared_models.values.faults.account import AccountNotFound
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.faults.rating import RerateEnded, RerateUnderWay

router = hall_router("rating")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["5c" * 16])]


@router.post(
    "/rerates",
    response_model=RerateView,
    status_code=201,
    responses=refusals(InputNotValid, NotFound, AccountNotFound, RerateUnderWay),
)
def begin_rerate(body: BeginRerate, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Rate usage of some days again; the worker does it. What differs of billed months is billed as a correction."""
    if body.account_id is not None:
        account_in_scope(caller.databases, caller.context, body.account_id)
    return caller.act(
        "billing", "begin_rerate", body, lambda uow: rerate_acts.begin_rerate(uow, request=body), status_code=201
    )


@router.get("/rerates", response_model=RerateList)
def list_rerates(caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """List the latest re-ratings with how far they are."""
    with caller.reading("billing") as connection:
        return reply(RerateList(items=rerate_acts.latest_rerates(connection)))


@router.get("/rerates/{rerate_id}", response_model=RerateView, responses=refusals(NotFound))
def read_rerate(rerate_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """See how far a re-rating is and what it came to so far."""
    with caller.reading("billing") as connection:
        return reply(rerate_acts.read_rerate(connection, rerate_id))


@router.post("/rerates/{rerate_id}/cancel", response_model=RerateView, responses=refusals(NotFound, RerateEnded))
def cancel_rerate(rerate_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Stop a re-rating. What was rated again stays so; going on continues after it."""
    return caller.act("billing", "cancel_rerate", None, lambda uow: rerate_acts.cancel_rerate(uow, rerate_id=rerate_id))


@router.post(
    "/rerates/{rerate_id}/resume", response_model=RerateView, responses=refusals(NotFound, RerateEnded, RerateUnderWay)
)
def resume_rerate(rerate_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Go on with a re-rating that was stopped or whose worker died."""
    return caller.act("billing", "resume_rerate", None, lambda uow: rerate_acts.resume_rerate(uow, rerate_id=rerate_id))
