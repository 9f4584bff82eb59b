"""Bills as they are read: a list, a whole bill, a line opened down to the calls or charges that made it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from server_api.billing.bill.store import bills
from server_api.billing.bill.words import charge_words, rounding_words, service_words
from server_api.billing.rating import service as rating
from server_api.platform import audit
from server_api.platform.secrets import Secrets
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.bill import (
    BillDocument,
    BillHead,
    BillLineView,
    BillPage,
    BillPayer,
    BillState,
    ChargeView,
    LineKind,
    LineOpening,
    ServiceTotal,
    TaxTotal,
)
from shared_models.contracts.rating import RatedCall
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.money import ZERO_FEN, Fen

_HIDDEN_DIGITS = 4
#: A paper with the calls of one line holds so many; more are read page by page.
MOST_CALLS_ON_PAPER = 5000


def bills_of_account(
    conn: Connection,
    account_id: str,
    limit: int,
    cursor: str | None = None,
    today: date | None = None,
) -> BillPage:
    """An account's bills, newest first. Raises InputNotValid for a cursor that is none."""
    rows = bills.bills_of_account(conn, account_id, _before(cursor), limit + 1)
    items = tuple(_head(row, today) for row in rows[:limit])
    more = len(rows) > limit
    return BillPage(items=items, next_cursor=items[-1].bill_id if more else None)


def _before(cursor: str | None) -> tuple[int, str] | None:
    if not cursor:
        return None
    if len(cursor) != 32 or not cursor[:6].isdecimal():
        raise InputNotValid(field="cursor", reason="not one of ours")
    return int(cursor[:6]), cursor


def read_bill(
    conn: Connection,
    bill_id: str,
    language: str,
    secrets: Secrets,
    today: date | None = None,
) -> BillDocument:
    """A whole bill as issued, with what is open now. Raises NotFound."""
    row = bills.read_bill(conn, bill_id)
    if row is None:
        raise NotFound(what="bill")
    lines = tuple(line_view(line, language) for line in bills.lines_of(conn, bill_id))
    return BillDocument(
        head=_head(row, today),
        payer=BillPayer(
            customer_no=row.customer_no or "",
            name=secrets.unseal(row.sealed_name),
            address=secrets.unseal(row.sealed_address),
            tax_no=secrets.unseal(row.sealed_tax_no),
        ),
        from_on=row.from_on,
        until_on=row.until_on,
        owed_before_fen=row.owed_before_fen,
        advance_before_fen=row.advance_before_fen,
        net_fen=row.net_fen,
        tax_fen=row.tax_fen,
        services=service_totals(lines, language),
        lines=lines,
        taxes=tax_totals(lines),
        frozen_at=row.frozen_at,
    )


def find_bill(conn: Connection, which: str) -> str:
    """The id of a bill given by its id or its number (month, account number, which). Raises NotFound."""
    found = which if bills.read_bill(conn, which) is not None else bills.id_by_number(conn, which)
    if found is None:
        raise NotFound(what="bill")
    return found


def account_of_bill(conn: Connection, bill_id: str) -> tuple[str, str]:
    """The account and customer a bill belongs to. Raises NotFound."""
    row = bills.read_bill(conn, bill_id)
    if row is None:
        raise NotFound(what="bill")
    return row.account_id, row.customer_id


def open_line(
    conn: Connection,
    bill_id: str,
    line_no: int,
    limit: int,
    cursor: str | None,
    language: str,
    reveal: bool = False,
    with_calls: bool = True,
) -> LineOpening:
    """What made a line: its charges, or a page of its calls. Other numbers are masked unless ``reveal``.

    Raises NotFound, InputNotValid.
    """
    head, line = bills.read_bill(conn, bill_id), bills.read_line(conn, bill_id, line_no)
    if head is None or line is None:
        raise NotFound(what="bill line")
    calls: tuple[RatedCall, ...] = ()
    next_cursor = None
    if line.kind == LineKind.USAGE and with_calls:
        calls, next_cursor = _calls(conn, head, line, limit, cursor, language, reveal)
    charges = tuple(charge_view(row, language) for row in bills.charges_of_line(conn, bill_id, line_no))
    return LineOpening(
        line=line_view(line, language),
        charges=charges,
        calls=calls,
        next_cursor=next_cursor,
        rounding=rounding_words(line.kind, line.charge_micro_yuan, line.amount_fen, language),
    )


def note_calls_viewed(uow: UnitOfWork, *, bill_id: str, line_no: int, revealed: bool = False) -> None:
    """Leave the line in the audit trail that viewing call details must leave. Raises NotFound."""
    if bills.read_line(uow.conn, bill_id, line_no) is None:
        raise NotFound(what="bill line")
    audit.note(
        uow, "bill.calls_viewed", subject=f"bill:{bill_id}", remark=f"line {line_no}" + (" in full" if revealed else "")
    )


def mask_number(number: str) -> str:
    """A number with four of its last digits hidden but the last one or two: enough to be recognised, not to be called.

    >>> mask_number("13909371234"), mask_number("110")
    ('1390937****', '110')
    """
    if len(number) <= _HIDDEN_DIGITS + 1:
        return number
    return number[:-_HIDDEN_DIGITS] + "*" * _HIDDEN_DIGITS


def _calls(
    conn: Connection,
    head: Any,
    line: Any,
    limit: int,
    cursor: str | None,
    language: str,
    reveal: bool,
) -> tuple[tuple[RatedCall, ...], str | None]:
    items: list[RatedCall] = []
    while True:
        page = rating.calls_of_line(
            conn, head.period, head.account_id, line.product_id, line.item_code,
            cursor=cursor, limit=limit - len(items), language=language,
        )  # fmt: skip
        items += page.items
        cursor = page.next_cursor
        if cursor is None or len(items) >= limit:
            break
    shown = items if reveal else [call.model_copy(update={"peer_no": mask_number(call.peer_no)}) for call in items]
    return tuple(shown), cursor


# ---- views ---------------------------------------------------------------------------------------------------------
def _head(row: Any, today: date | None) -> BillHead:
    return BillHead(
        bill_id=row.bill_id,
        bill_no=row.bill_no,
        account_id=row.account_id,
        account_no=row.account_no,
        yyyymm=row.period,
        state=BillState(row.state),
        overdue=bool(today and row.state == BillState.OPEN and today > row.due_on),
        issued_on=row.issued_on,
        due_on=row.due_on,
        total_fen=row.total_fen,
        open_fen=row.open_fen,
        paid_fen=row.total_fen - row.open_fen if row.total_fen > ZERO_FEN else ZERO_FEN,
        line_count=row.line_count,
    )


def line_view(row: Any, language: str) -> BillLineView:
    """A stored line in the reader's language."""
    chinese = language.startswith("zh")
    return BillLineView(
        line_no=row.line_no,
        kind=LineKind(row.kind),
        product_id=row.product_id or "",
        product_no=row.product_no or "",
        service=row.service,
        service_label=service_words(row.service, language),
        shown_as=row.shown_as or "",
        item_code=row.item_code,
        label=row.label if chinese else row.label_en or row.label,
        offering_label=(row.offering_label if chinese else row.offering_en or row.offering_label) or "",
        from_on=row.from_on,
        until_on=row.until_on,
        part_count=row.part_count,
        quantity=row.quantity,
        charge_micro_yuan=row.charge_micro_yuan,
        amount_fen=row.amount_fen,
        net_fen=row.net_fen,
        tax_fen=row.tax_fen,
        tax_per_mille=row.tax_per_mille,
        netted_fen=row.netted_fen,
    )


def charge_view(row: Any, language: str) -> ChargeView:
    """A stored charge with its explanation."""
    return ChargeView(
        charge_no=row.charge_no,
        charge_month=row.charge_month,
        kind=row.kind,
        rule=row.rule_code,
        text=charge_words(row, language),
        offering_code=row.offering_code,
        price_code=row.price_code,
        price_version=row.price_version,
        bundle_code=row.bundle_code or "",
        from_on=row.from_on,
        until_on=row.until_on,
        price_micro_yuan=row.price_micro_yuan,
        numerator=row.numerator,
        denominator=row.denominator,
        share_per_mille=row.share_per_mille,
        amount_micro_yuan=row.amount_micro_yuan,
    )


def service_totals(lines: Iterable[BillLineView], language: str) -> tuple[ServiceTotal, ...]:
    """What each service costs, in the order the services stand on the bill."""
    sums: dict[str, Fen] = {}
    for line in lines:
        sums[line.service] = sums.get(line.service, ZERO_FEN) + line.amount_fen
    return tuple(
        ServiceTotal(service=service, label=service_words(service, language), amount_fen=amount)
        for service, amount in sums.items()
    )


def tax_totals(lines: Sequence[BillLineView]) -> tuple[TaxTotal, ...]:
    """Gross, net and tax by rate; they sum to the bill's."""
    rates = sorted({line.tax_per_mille for line in lines}, reverse=True)
    return tuple(
        TaxTotal(
            tax_per_mille=rate,
            gross_fen=Fen.total(line.amount_fen for line in lines if line.tax_per_mille == rate),
            net_fen=Fen.total(line.net_fen for line in lines if line.tax_per_mille == rate),
            tax_fen=Fen.total(line.tax_fen for line in lines if line.tax_per_mille == rate),
        )
        for rate in rates
    )
