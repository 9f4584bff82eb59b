"""Bills, line by line, each line opened down to its charges; call details for a reason, logged and masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from server_api.billing.bill import service as bill
from server_api.billing.bill.paper import bill_pdf
from server_api.faces.joined.calls import look_at_calls
from server_api.faces.joined.scope import account_in_scope
from server_api.faces.portal.visitor import Visitor, portal_permit
from shared_models.contracts.bill import BillDocument, BillLineView, LineKind
from shared_models.values.clock import town_day
from shared_models.values.faults.common import NotFound
from shared_models.values.ids import is_id, new_id
from shared_models.values.money import Fen
from shared_models.values.permissions import Permission

router = APIRouter(prefix="/portal", include_in_schema=False)
PAGE_ROWS = 24
CALL_ROWS = 50
Cursor = Annotated[str, Query(max_length=400)]


@router.get("/accounts/{account_id}/bills")
def bills(account_id: str, cursor: Cursor = "", visitor: Visitor = portal_permit(Permission.BILL_VIEW)) -> Response:
    """The bills of an account, newest first."""
    account = account_in_scope(visitor.caller.databases, visitor.caller.context, account_id)
    with visitor.caller.reading("billing") as connection:
        found = bill.bills_of_account(connection, account_id, PAGE_ROWS, cursor or None, _today(visitor))
    return visitor.page("bills.html", page_of="home", account=account, bills=found)


@router.get("/bills/{bill_id}")
def one_bill(bill_id: str, visitor: Visitor = portal_permit(Permission.BILL_VIEW)) -> Response:
    """A bill with every line."""
    found = _bill(visitor, bill_id)
    return visitor.page(
        "bill.html",
        page_of="home",
        bill=found,
        groups=_by_product(found.lines),
        usage=LineKind.USAGE,
    )


@router.get("/bills/{bill_id}/paper")
def paper(bill_id: str, visitor: Visitor = portal_permit(Permission.BILL_VIEW)) -> Response:
    """The bill as a PDF, as it would be printed."""
    found = _bill(visitor, bill_id)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{found.head.bill_no}.pdf"'}
    return Response(bill_pdf(found, language=visitor.language), 200, headers, "application/pdf")


@router.get("/bills/{bill_id}/lines/{line_no}")
def line(bill_id: str, line_no: int, visitor: Visitor = portal_permit(Permission.BILL_VIEW)) -> Response:
    """A line opened to its charges; of a usage line, the form that asks why its calls are wanted."""
    found = _bill(visitor, bill_id)
    wanted = next((one for one in found.lines if one.line_no == line_no), None)
    if wanted is None:
        raise NotFound()
    opening = None
    if wanted.kind is not LineKind.USAGE:
        with visitor.caller.reading("billing") as connection:
            opening = bill.open_line(connection, bill_id, line_no, limit=200, cursor=None, language=visitor.language)
    return visitor.page(
        "line.html",
        page_of="home",
        bill=found,
        line=wanted,
        opening=opening,
        act_id=new_id(),
        reason="",
        may_see_calls=visitor.may(Permission.CALLS_VIEW.value),
        usage=LineKind.USAGE,
    )


@router.post("/bills/{bill_id}/lines/{line_no}/calls")
def calls(
    bill_id: str,
    line_no: int,
    reason: Annotated[str, Form(min_length=2, max_length=200)],
    act_id: Annotated[str, Form(max_length=32)],
    cursor: Annotated[str, Form(max_length=400)] = "",
    visitor: Visitor = portal_permit(Permission.CALLS_VIEW),
) -> Response:
    """The calls behind a usage line. The look is an act: turning the page repeats its id and is not logged again."""
    found = _bill(visitor, bill_id)
    wanted = next((one for one in found.lines if one.line_no == line_no and one.kind is LineKind.USAGE), None)
    if wanted is None:
        raise NotFound()
    opening = look_at_calls(
        visitor.caller.databases.billing,
        visitor.caller.context,
        act_id=act_id if is_id(act_id) else new_id(),
        reason=reason.strip(),
        bill_id=bill_id,
        line_no=line_no,
        limit=CALL_ROWS,
        cursor=cursor or None,
        language=visitor.language,
    )
    return visitor.page(
        "line.html",
        page_of="home",
        bill=found,
        line=wanted,
        opening=opening,
        act_id=act_id,
        reason=reason.strip(),
        may_see_calls=True,
        usage=LineKind.USAGE,
    )


@dataclass
class _Group:
    """The lines of one product, as a bill shows them together."""

    label: str
    shown_as: str
    offering: str
    lines: list[BillLineView]

    @property
    def sum(self) -> Fen:
        return Fen.total(line.amount_fen for line in self.lines)


def _by_product(lines: Sequence[BillLineView]) -> list[_Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for line in lines:
        new = _Group(line.service_label, line.shown_as, line.offering_label, [])
        groups.setdefault((line.service, line.product_id), new).lines.append(line)
    return list(groups.values())


def _today(visitor: Visitor) -> date:
    return town_day(visitor.caller.databases.billing.clock.now())


def _bill(visitor: Visitor, bill_id: str) -> BillDocument:
    with visitor.caller.reading("billing") as connection:
        found = bill.read_bill(
            connection, bill_id, visitor.language, visitor.caller.databases.billing.secrets, _today(visitor)
        )
    account_in_scope(visitor.caller.databases, visitor.caller.context, found.head.account_id)
    return found
