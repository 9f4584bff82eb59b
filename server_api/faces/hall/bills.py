"""Bills: lists, one bill, its paper, a line opened; and the month run for those who bill."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from server_api.billing.bill import service as bill
from server_api.billing.bill.paper import Paper, bill_pdf, line_pdf
from server_api.faces.hall.core import (
    DEFAULT_LIMIT,
    Caller,
    Cursor,
    Limit,
    Permission,
    Response,
    hall_router,
    permit,
    refusals,
    reply,
)
from server_api.faces.joined.calls import look_at_calls
from server_api.faces.joined.month_runs import begin_month
from server_api.faces.joined.scope import account_in_scope, bill_in_scope
from shared_models.contracts.bill import (
    BeginRun,
    BillDocument,
    BillingDayView,
    BillPage,
    CyclesOfMonth,
    LateBill,
    LineOpening,
    RunProgress,
    RunProgressPage,
    SetAsidePage,
    SetBillingDay,
)
from shared_models.values.clock import town_day
from shared_models.values.faults.account import AccountClosed, AccountNotFound
from shared_models.values.faults.bill import (
    BillAmountTooLarge,
    BillBundleDoubled,
    BillHistoryBroken,
    BillingDayTooSoon,
    BillItemUnknown,
    BillMonthFirst,
    BillMonthNotOver,
    BillNotAside,
    BillPriceMissing,
    BillProductUnknown,
    BillRunClosedAlready,
    BillRunNotRunning,
    BillUsageNotReady,
)
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.period import Month

router = hall_router("bills")
HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["2026030123456789abcdef0123456700"])]
LineNo = Annotated[int, Path(ge=1, le=100_000, examples=[1])]
YearMonthPath = Annotated[int, Path(ge=200001, le=999912, examples=[202603])]
YearMonthQuery = Annotated[int, Query(ge=200001, le=999912, examples=[202603])]
Language = Annotated[str, Query(pattern="^(zh_CN|en)$", description="language of labels and explanations")]
_PDF = "application/pdf"
_PDF_REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {_PDF: {}}, "description": "the bill on paper"}}


def _month(yyyymm: int) -> Month:
    try:
        return Month(yyyymm)
    except ValueError:
        raise InputNotValid(field="yyyymm", reason={"zh": "不是一个月份", "en": "not a month"}) from None


@router.get(
    "/accounts/{account_id}/bills",
    response_model=BillPage,
    responses=refusals(AccountNotFound, NotFound, InputNotValid),
)
def list_bills(
    account_id: HexId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    caller: Caller = permit(Permission.BILL_VIEW),
) -> Response:
    """List an account's bills, newest first."""
    account_in_scope(caller.databases, caller.context, account_id)
    today = town_day(caller.databases.billing.clock.now())
    with caller.reading("billing") as connection:
        return reply(bill.bills_of_account(connection, account_id, limit, cursor, today))


@router.get(
    "/accounts/{account_id}/bill-preview",
    response_model=BillDocument,
    responses=refusals(
        AccountNotFound, NotFound, InputNotValid, BillPriceMissing, BillHistoryBroken, BillBundleDoubled
    ),
)
def preview_bill(
    account_id: HexId,
    yyyymm: YearMonthQuery,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.BILL_VIEW),
) -> Response:
    """See the bill of a month as it would be now; nothing is stored."""
    account_in_scope(caller.databases, caller.context, account_id)
    billing = caller.databases.billing
    with caller.reading("billing") as connection:
        document, _charges = bill.preview_account(
            connection, account_id, _month(yyyymm), language, billing.secrets, billing.clock.now()
        )
    return reply(document)


@router.get("/bills/{bill_id}", response_model=BillDocument, responses=refusals(NotFound))
def read_bill(bill_id: HexId, language: Language = "zh_CN", caller: Caller = permit(Permission.BILL_VIEW)) -> Response:
    """See a bill with every line, its tax, and what is still open of it."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    return reply(_document(caller, bill_id, language))


@router.get("/bills/{bill_id}/pdf", responses={**refusals(NotFound), **_PDF_REPLY}, response_class=Response)
def print_bill(
    bill_id: HexId,
    paper: Paper = Paper.A4,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.BILL_VIEW),
) -> Response:
    """Get a bill as a PDF on A4 or A5."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    return Response(bill_pdf(_document(caller, bill_id, language), paper, language), media_type=_PDF)


def _document(caller: Caller, bill_id: str, language: str) -> BillDocument:
    billing = caller.databases.billing
    with caller.reading("billing") as connection:
        return bill.read_bill(connection, bill_id, language, billing.secrets, town_day(billing.clock.now()))


@router.get("/bills/{bill_id}/lines/{line_no}", response_model=LineOpening, responses=refusals(NotFound, InputNotValid))
def open_line(
    bill_id: HexId,
    line_no: LineNo,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.BILL_VIEW),
) -> Response:
    """See what made a line: its charges and the one rounding. Calls are behind POST .../calls, which is logged."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    with caller.reading("billing") as connection:
        return reply(bill.open_line(connection, bill_id, line_no, 1, None, language, with_calls=False))


@router.post(
    "/bills/{bill_id}/lines/{line_no}/calls",
    response_model=LineOpening,
    responses=refusals(NotFound, InputNotValid),
)
def look_at_line_calls(
    bill_id: HexId,
    line_no: LineNo,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.CALLS_VIEW),
) -> Response:
    """See a page of the calls behind a line, with the rule that priced each. The look is logged, numbers are masked."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    headers = caller.request.headers
    return reply(
        look_at_calls(
            caller.databases.billing,
            caller.context,
            act_id=headers.get("act-id", ""),
            reason="",
            bill_id=bill_id,
            line_no=line_no,
            limit=limit,
            cursor=cursor,
            language=language,
        )
    )


@router.post(
    "/bills/{bill_id}/lines/{line_no}/calls/pdf",
    responses={**refusals(NotFound, InputNotValid), **_PDF_REPLY},
    response_class=Response,
)
def print_line_calls(
    bill_id: HexId,
    line_no: LineNo,
    paper: Paper = Paper.A4,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.CALLS_VIEW),
) -> Response:
    """Get the calls behind a line as a PDF, numbers masked. The look is logged."""
    bill_in_scope(caller.databases, caller.context, bill_id)
    opening = look_at_calls(
        caller.databases.billing,
        caller.context,
        act_id=caller.request.headers.get("act-id", ""),
        reason="pdf",
        bill_id=bill_id,
        line_no=line_no,
        limit=bill.MOST_CALLS_ON_PAPER,
        cursor=None,
        language=language,
    )
    return Response(line_pdf(_document(caller, bill_id, language), opening, paper, language), media_type=_PDF)


# ---- the month run -------------------------------------------------------------------------------------------------
@router.post(
    "/billruns",
    response_model=RunProgress,
    responses=refusals(InputNotValid, BillMonthNotOver, BillMonthFirst, BillRunClosedAlready, BillUsageNotReady),
)
def begin_run(body: BeginRun, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Begin the run of a month and billing day, or go on with the one that stopped; the worker does it."""
    month = _month(body.yyyymm)
    return caller.act(
        "billing", "begin_bill_run", body, lambda uow: begin_month(uow, month=month, billing_day=body.billing_day)
    )


@router.get("/billruns", response_model=RunProgressPage)
def list_runs(caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """List the latest month runs with how far they are."""
    now = caller.databases.billing.clock.now()
    with caller.reading("billing") as connection:
        return reply(RunProgressPage(items=bill.latest_runs(connection, now=now)))


@router.get("/billruns/{run_id}", response_model=RunProgress, responses=refusals(NotFound))
def read_run(run_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """See how far a run is and how long it will still take."""
    now = caller.databases.billing.clock.now()
    with caller.reading("billing") as connection:
        return reply(bill.read_run(connection, run_id, now))


@router.post("/billruns/{run_id}/cancel", response_model=RunProgress, responses=refusals(NotFound, BillRunNotRunning))
def cancel_run(run_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Stop a run. Bills made stay; beginning the month again goes on."""
    return caller.act("billing", "cancel_bill_run", None, lambda uow: bill.cancel_run(uow, run_id=run_id))


@router.get("/billruns/{yyyymm}/asides", response_model=SetAsidePage, responses=refusals(InputNotValid))
def list_asides(
    yyyymm: YearMonthPath,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    language: Language = "zh_CN",
    caller: Caller = permit(Permission.BILL_RUN),
) -> Response:
    """List the accounts a month's run set aside, with the reason."""
    month = _month(yyyymm)
    with caller.reading("billing") as connection:
        return reply(bill.set_asides(connection, month.yyyymm, limit, cursor, language))


@router.post(
    "/billruns/{yyyymm}/asides/{account_id}/bill",
    response_model=LateBill,
    responses=refusals(
        InputNotValid,
        BillNotAside,
        AccountNotFound,
        AccountClosed,
        BillPriceMissing,
        BillHistoryBroken,
        BillBundleDoubled,
        BillItemUnknown,
        BillProductUnknown,
        BillAmountTooLarge,
    ),
)
def bill_set_aside(yyyymm: YearMonthPath, account_id: HexId, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """Make the bill of an account its month's run had set aside, also after the month is closed."""
    month = _month(yyyymm)
    return caller.act(
        "billing", "bill_set_aside", None, lambda uow: bill.bill_set_aside(uow, month=month, account_id=account_id)
    )


# ---- billing days --------------------------------------------------------------------------------------------------
@router.get("/billruns/{yyyymm}/days", response_model=CyclesOfMonth, responses=refusals(InputNotValid))
def list_cycles(yyyymm: YearMonthPath, caller: Caller = permit(Permission.BILL_RUN)) -> Response:
    """List the runs a month needs: the calendar's and one for each other day its cycles end on."""
    month = _month(yyyymm)
    with caller.reading("billing") as connection:
        return reply(bill.cycles_of_month(connection, month))


@router.post(
    "/accounts/{account_id}/billing-day",
    response_model=BillingDayView,
    responses=refusals(AccountNotFound, AccountClosed, NotFound, BillingDayTooSoon, InputNotValid),
)
def set_billing_day(
    account_id: HexId, body: SetBillingDay, caller: Caller = permit(Permission.ACCOUNT_EDIT)
) -> Response:
    """Let an account's cycles begin on another day of the month."""
    account_in_scope(caller.databases, caller.context, account_id)
    if body.from_month is not None:
        _month(body.from_month)
    return caller.act(
        "billing", "set_billing_day", body,
        lambda uow: bill.set_billing_day(uow, account_id=account_id, request=body),
    )  # fmt: skip
