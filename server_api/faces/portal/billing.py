"""The billing operator's page: a month's run begun, watched and stopped, what it set aside, and what it earned."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel
from starlette.responses import Response

from server_api.billing.bill import service as bill
from server_api.billing.bill.service.income import income
from server_api.faces.joined.month_runs import begin_month
from server_api.faces.portal.visitor import Visitor, go, portal_permit
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.income import IncomeBy
from shared_models.values.clock import town_day
from shared_models.values.faults.common import InputNotValid
from shared_models.values.ids import is_id, new_id
from shared_models.values.period import Month
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal/billing", include_in_schema=False)
ASIDE_ROWS = 50
YearMonth = Annotated[int, Query(ge=0, le=999912)]
BillingDay = Annotated[int, Query(ge=1, le=31)]
FormDay = Annotated[int, Form(ge=1, le=31)]


@router.get("")
def billing(
    month: YearMonth = 0, day: BillingDay = 1, visitor: Visitor = portal_permit(Permission.BILL_RUN)
) -> Response:
    """A month's run; with a script the part that moves is asked for by itself every two seconds."""
    side = visitor.caller.databases.billing
    chosen = _month(month) if month else Month.of(town_day(side.clock.now())).previous()
    with visitor.caller.reading("billing") as connection:
        runs = bill.latest_runs(connection, now=side.clock.now())
        run = next((one for one in runs if (one.yyyymm, one.billing_day) == (chosen.yyyymm, day)), None)
        values: dict[str, Any] = {"month": chosen.yyyymm, "day": day, "run": run, "act_id": new_id()}
        if visitor.wants_part:
            return visitor.page("part_run.html", **values)
        values["cycles"] = bill.cycles_of_month(connection, chosen).items
        asides = bill.set_asides(connection, chosen.yyyymm, ASIDE_ROWS, None, visitor.language)
        values["asides"] = {
            "items": [{**one.model_dump(), "act_id": new_id()} for one in asides.items],
            "next_cursor": asides.next_cursor,
        }
        booked = Month.of(run.issued_on) if run is not None else chosen.next()
        values["income"] = income(connection, month=booked, by=IncomeBy.SERVICE) if run is not None else None
        values["service_words"], values["item_words"] = bill.service_words, bill.item_words
    return visitor.page("billing.html", page_of="billing", runs=runs, **values)


@router.post("/begin")
def begin(
    month: Annotated[int, Form(ge=0, le=999912)] = 0,
    day: FormDay = 1,
    act_id: Annotated[str, Form(max_length=32)] = "",
    visitor: Visitor = portal_permit(Permission.BILL_RUN),
) -> Response:
    """Begin the month's run or go on with it. A second click is the same act."""
    chosen = _month(month)
    work = partial(begin_month, month=chosen, billing_day=day)
    return _act(visitor, act_id, "begin_bill_run", (chosen, day), work)


@router.post("/stop")
def stop(
    month: Annotated[int, Form(ge=0, le=999912)] = 0,
    day: FormDay = 1,
    act_id: Annotated[str, Form(max_length=32)] = "",
    visitor: Visitor = portal_permit(Permission.BILL_RUN),
) -> Response:
    """Stop the month's run; bills made stay, and it can go on at any time."""
    chosen = _month(month)
    work = partial(bill.cancel_run, run_id=bill.run_id_of(chosen, day))
    return _act(visitor, act_id, "cancel_bill_run", (chosen, day), work)


@router.post("/late")
def late(
    account_id: Annotated[str, Form(max_length=32)],
    month: Annotated[int, Form(ge=0, le=999912)] = 0,
    day: FormDay = 1,
    act_id: Annotated[str, Form(max_length=32)] = "",
    visitor: Visitor = portal_permit(Permission.BILL_RUN),
) -> Response:
    """Make the bill of an account that was set aside."""
    chosen = _month(month)
    work = partial(bill.bill_set_aside, month=chosen, account_id=account_id)
    return _act(visitor, act_id, f"bill_set_aside {account_id}", (chosen, day), work)


def _act(
    visitor: Visitor, act_id: str, what: str, of: tuple[Month, int], work: Callable[[UnitOfWork], BaseModel]
) -> Response:
    (month, day), kind = of, what.partition(" ")[0]
    act = Act(
        act_id if is_id(act_id) else new_id(),
        kind,
        digest_of({"what": what, "yyyymm": month.yyyymm, "billing_day": day}),
        visitor.caller.context,
    )
    perform(visitor.caller.databases.billing, act, work)
    return go(f"/portal/billing?month={month.yyyymm}&day={day}")


def _month(yyyymm: int) -> Month:
    try:
        return Month(yyyymm)
    except ValueError:
        raise InputNotValid(field="month", reason={"zh": "不是一个月份", "en": "not a month"}) from None
