"""Looking at fapiao: one with what is on it, lists, and a bill's lines as far as fapiao go."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.payment.fapiao import store
from server_api.billing.payment.fapiao.rules import BilledLine
from server_api.platform.secrets import Secrets
from shared_models.contracts.fapiao import FapiaoLineView, FapiaoRow, FapiaoView
from shared_models.contracts.work import WorkContext
from shared_models.values.fapiao import FapiaoState, FapiaoType
from shared_models.values.faults.fapiao import FapiaoNotFound
from shared_models.values.money import ZERO_FEN, Fen


def read_fapiao(conn: Connection, fapiao_id: str, context: WorkContext, secrets: Secrets) -> FapiaoView:
    """A fapiao with what is on it. Raises FapiaoNotFound."""
    found(conn, fapiao_id, context)
    return view(conn, fapiao_id, secrets)


def list_fapiao(
    conn: Connection,
    context: WorkContext,
    *,
    account_id: str = "",
    open_only: bool = False,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[FapiaoRow]:
    """Fapiao in the caller's data scope, newest first; ``open_only`` are those somebody must still look after."""
    rows = store.list_fapiao(conn, context, account_id=account_id, open_only=open_only, after=after, limit=limit)
    return [
        FapiaoRow(
            fapiao_id=row.fapiao_id,
            account_id=row.account_id,
            type_code=FapiaoType(row.type_code),
            state=FapiaoState(row.state),
            fapiao_no=row.fapiao_no or "",
            red_of_id=row.red_of_id or "",
            amount_fen=row.amount_fen,
            intended_at=row.intended_at,
            problem=row.problem or "",
            try_count=row.try_count,
        )
        for row in rows
    ]


def billed_lines(conn: Connection, account_id: str, period: int, bill_id: str) -> list[BilledLine]:
    """The lines of an account's bill as far as fapiao go."""
    rows = store.lines_of_bill(conn, period, bill_id, account_id)
    taken, paid, invoiced = store.sums_of_bill(conn, period, bill_id)
    none = (ZERO_FEN, ZERO_FEN)
    return [
        BilledLine(
            period,
            bill_id,
            row.line_no,
            row.item_code,
            row.label,
            row.tax_per_mille,
            row.amount_fen,
            row.tax_fen,
            row.amount_fen - row.netted_fen - taken.get(row.line_no, ZERO_FEN),
            paid.get(row.line_no, ZERO_FEN),
            *invoiced.get(row.line_no, none),
        )
        for row in rows
    ]


def found(conn: Connection, fapiao_id: str, context: WorkContext) -> Row[Any]:
    """A fapiao's row in the caller's data scope. Raises FapiaoNotFound."""
    row = store.find_fapiao(conn, fapiao_id, context)
    if row is None:
        raise FapiaoNotFound()
    return row


def view(conn: Connection, fapiao_id: str, secrets: Secrets) -> FapiaoView:
    """A fapiao as it is shown, wherever it lies. Raises FapiaoNotFound."""
    row = store.read_fapiao(conn, fapiao_id)
    if row is None:
        raise FapiaoNotFound()
    reds = store.red_sums(conn, [fapiao_id])
    return FapiaoView(
        fapiao_id=row.fapiao_id,
        account_id=row.account_id,
        type_code=FapiaoType(row.type_code),
        state=FapiaoState(row.state),
        fapiao_no=row.fapiao_no or "",
        red_of_id=row.red_of_id or "",
        amount_fen=row.amount_fen,
        net_fen=row.net_fen,
        tax_fen=row.tax_fen,
        red_fen=Fen.total(amount for amount, _tax in reds.values()),
        buyer_name=json.loads(secrets.unseal(row.sealed_buyer)).get("name", ""),
        intended_at=row.intended_at,
        issued_at=row.issued_at,
        problem=row.problem or "",
        pdf_url=row.pdf_url or "",
        copy_count=row.copy_count,
        lines=tuple(
            FapiaoLineView(
                label=line.label,
                bill_id=line.bill_id,
                bill_line_no=line.bill_line_no,
                tax_per_mille=line.tax_per_mille,
                amount_fen=line.amount_fen,
                net_fen=line.net_fen,
                tax_fen=line.tax_fen,
            )
            for line in store.lines_of(conn, fapiao_id)
        ),
    )


def state_words(state: str) -> dict[str, str]:
    """A state in both languages, as refusals say it."""
    return {language[:2]: resources.text(f"fapiao.state.{state}", language) for language in resources.LANGUAGES}
