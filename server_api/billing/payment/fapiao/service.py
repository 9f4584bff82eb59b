"""The acts of fapiao: asked for, made red, settled by a person. None of them speaks with the provider: a job does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

import resources
from server_api.billing.account.service import lock_account
from server_api.billing.payment.fapiao import rules, store
from server_api.billing.payment.fapiao.provider import DESK
from server_api.billing.payment.fapiao.reading import billed_lines, found, state_words, view
from server_api.billing.payment.fapiao.rules import OnFapiao, Part
from server_api.billing.payment.store import find_payment
from server_api.platform import audit
from server_api.platform.jobs import enqueue
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.fapiao import (
    FapiaoCopy,
    FapiaoView,
    IssueFapiao,
    RedFapiao,
    ResolveFapiao,
)
from shared_models.values.bill_ids import month_of_bill
from shared_models.values.fapiao import ISSUED, ON_ITS_WAY, FapiaoState, RedReason
from shared_models.values.faults.fapiao import (
    FapiaoNumberTaken,
    FapiaoStepNotAllowed,
    NothingToInvoice,
    RedTooMuch,
)
from shared_models.values.faults.payment import BillNotOpen, PaymentNotFound
from shared_models.values.ids import derived_id
from shared_models.values.money import ZERO_FEN, Fen

SEND_JOB = "fapiao.send"
_OPEN = [state.value for state in ON_ITS_WAY]
_REDDABLE = frozenset({FapiaoState.NORMAL, FapiaoState.PARTLY_RED, FapiaoState.RETURNED})


def issue_fapiao(uow: UnitOfWork, *, request: IssueFapiao) -> FapiaoView:
    """Ask for a fapiao of what was paid and is not on one yet. It is durable before anybody is asked for a number.

    Raises FapiaoNotConfigured, PaymentNotFound, BillNotOpen (a bill of another account), NothingToInvoice,
    AccountClosed.
    """
    DESK.provider()
    if request.payment_id is not None:
        paid = find_payment(uow.conn, request.payment_id, uow.context)
        if paid is None:
            raise PaymentNotFound()
        account_id, about = paid.account_id, request.payment_id
    else:
        account_id, about = _account_of(uow.conn, request.bill_ids), request.bill_ids[0]
    lock_account(uow, account_id)
    if request.payment_id is not None:
        settled = store.settled_by(uow.conn, request.payment_id)
        parts = [
            part
            for (period, bill_id), lines in sorted(settled.items())
            for part in rules.parts_to_issue(billed_lines(uow.conn, account_id, period, bill_id), lines)
        ]
    else:
        parts = [
            part
            for bill_id in dict.fromkeys(request.bill_ids)
            for part in rules.parts_to_issue(billed_lines(uow.conn, account_id, _period(bill_id), bill_id))
        ]
    if not parts:
        raise NothingToInvoice()
    fapiao_id = _keep(
        uow,
        parts,
        account_id=account_id,
        type_code=request.type_code.value,
        buyer=request.buyer.model_dump(),
        about=about,
    )
    audit.note(uow, "fapiao.asked", f"account:{account_id}", fapiao_id)
    return view(uow.conn, fapiao_id, uow.database.secrets)


def red_fapiao(uow: UnitOfWork, *, fapiao_id: str, request: RedFapiao) -> FapiaoView:
    """Take a fapiao back by a red one, wholly or in part; returns the red one, which waits to be sent.

    Raises FapiaoNotConfigured, FapiaoNotFound, FapiaoStepNotAllowed, RedTooMuch.
    """
    DESK.provider()
    seen = found(uow.conn, fapiao_id, uow.context)
    lock_account(uow, seen.account_id)
    blue = found(uow.conn, fapiao_id, uow.context)
    if FapiaoState(blue.state) not in _REDDABLE or blue.red_of_id:
        raise FapiaoStepNotAllowed(state=state_words(blue.state))
    covered = _covered(uow.conn, store.blue_lines(uow.conn, fapiao_id=fapiao_id))
    left = Fen.total(each.left for each in covered)
    amount = request.amount_fen or left
    if amount > left or not left:
        raise RedTooMuch(amount=str(amount), left=str(left))
    red_id = _keep_red(uow, blue, rules.red_parts(covered, amount), request.reason_code, request.reason)
    if request.reason_code is RedReason.RETURNED and amount == left:
        store.change_fapiao(uow.conn, fapiao_id, [blue.state], state=FapiaoState.RETURNED.value)
    audit.note(uow, "fapiao.red_asked", f"fapiao:{fapiao_id}", f"{amount} {request.reason_code.value}")
    return view(uow.conn, red_id, uow.database.secrets)


def require_red(
    uow: UnitOfWork, *, account_id: str, bills: Iterable[tuple[int, str]], why: str, reason_code: RedReason
) -> list[str]:
    """After a credit or a reversal, inside its act: where fapiao now say more than is owed or paid, ask for red ones.

    So what must be made red cannot be forgotten. Newest fapiao first; returns the ids of the red ones.
    """
    if not store.has_fapiao(uow.conn, account_id):
        return []
    back: dict[str, list[Part]] = {}
    for period, bill_id in sorted(bills):
        for line in billed_lines(uow.conn, account_id, period, bill_id):
            excess = rules.excess_of(line)
            if not excess:
                continue
            rows = store.blue_lines(uow.conn, bill_id=bill_id, line_no=line.line_no)
            for each in _covered(uow.conn, rows):
                parts = rules.red_parts([each], excess)
                excess = excess + Fen.total(part.amount for part in parts)
                back.setdefault(each.fapiao_id, []).extend(parts)
    made: list[str] = []
    reason = resources.text(f"fapiao.reason.{why}", "zh_CN")
    for blue_id, parts in back.items():
        blue = store.read_fapiao(uow.conn, blue_id)
        if blue is not None and parts:
            made.append(_keep_red(uow, blue, parts, reason_code, reason))
    return made


def void_fapiao(uow: UnitOfWork, *, fapiao_id: str, reason: str) -> FapiaoView:
    """Take back a fapiao nobody was asked for yet. Raises FapiaoNotFound, FapiaoStepNotAllowed."""
    row = found(uow.conn, fapiao_id, uow.context)
    free = row.state == FapiaoState.INTENDED and not row.try_count
    values = {"state": FapiaoState.VOID.value, "reason": reason, "resolved_by": uow.context.staff_id}
    if not free or not store.change_fapiao(uow.conn, fapiao_id, [FapiaoState.INTENDED.value], **values):
        raise FapiaoStepNotAllowed(state=state_words(row.state))
    audit.note(uow, "fapiao.void", f"fapiao:{fapiao_id}", reason)
    return view(uow.conn, fapiao_id, uow.database.secrets)


def resolve_fapiao(uow: UnitOfWork, *, fapiao_id: str, request: ResolveFapiao) -> FapiaoView:
    """A person decides what became of a fapiao that was sent and has no answer; what is final is never changed.

    Raises FapiaoNotFound, FapiaoStepNotAllowed, FapiaoNumberTaken.
    """
    row = found(uow.conn, fapiao_id, uow.context)
    state = FapiaoState(row.state)
    if state not in (FapiaoState.SENT, FapiaoState.ASKED, FapiaoState.UNKNOWN):
        raise FapiaoStepNotAllowed(state=state_words(row.state))
    values: dict[str, Any] = {"reason": request.reason, "resolved_by": uow.context.staff_id, "next_at": uow.now}
    if request.outcome == "issued":
        if store.id_of_number(uow.conn, request.fapiao_no) not in (None, fapiao_id):
            raise FapiaoNumberTaken(fapiao_no=request.fapiao_no)
        values |= issued_values(row, request.fapiao_no, uow.now)
    else:
        refused = request.outcome == "refused"
        values["state"] = (FapiaoState.REFUSED if refused else FapiaoState.INTENDED).value
    if not store.change_fapiao(uow.conn, fapiao_id, [row.state], **values):
        raise FapiaoStepNotAllowed(state=state_words(row.state))
    word = {"asked": "person", "outcome": request.outcome[:12], "remark": request.reason}
    store.add_word(uow.conn, fapiao_id, {**word, "said_on": uow.today, "said_at": uow.now})
    after_issue(uow, row, values)
    audit.note(uow, "fapiao.resolved", f"fapiao:{fapiao_id}", f"{request.outcome} {request.fapiao_no}".strip())
    return view(uow.conn, fapiao_id, uow.database.secrets)


def copy_fapiao(uow: UnitOfWork, *, fapiao_id: str) -> FapiaoCopy:
    """Hand a fapiao out again (重打); each copy is counted. Raises FapiaoNotFound, FapiaoStepNotAllowed."""
    row = found(uow.conn, fapiao_id, uow.context)
    if FapiaoState(row.state) not in ISSUED:
        raise FapiaoStepNotAllowed(state=state_words(row.state))
    store.change_fapiao(uow.conn, fapiao_id, [row.state], copy_count=row.copy_count + 1)
    audit.note(uow, "fapiao.reprinted", f"fapiao:{fapiao_id}", str(row.copy_count + 1))
    return FapiaoCopy(
        fapiao_id=fapiao_id,
        fapiao_no=row.fapiao_no,
        pdf_url=row.pdf_url or "",
        ofd_url=row.ofd_url or "",
        xml_url=row.xml_url or "",
        copy_no=row.copy_count + 1,
    )


def issued_values(row: Row[Any], fapiao_no: str, at: datetime) -> dict[str, Any]:
    """What an issued fapiao is set to."""
    state = FapiaoState.RED_LETTER if row.red_of_id else FapiaoState.NORMAL
    return {
        "state": state.value,
        "fapiao_no": fapiao_no,
        "number_key": fapiao_no,
        "issued_at": at,
        "problem": None,
        "try_count": 0,
    }


def after_issue(uow: UnitOfWork, row: Row[Any], values: dict[str, Any]) -> None:
    """Where a red fapiao was just issued, its blue one says how far it is red."""
    if values.get("state") != FapiaoState.RED_LETTER.value:
        return
    blue = store.read_fapiao(uow.conn, row.red_of_id)
    if blue is not None:
        state = rules.blue_state(blue.amount_fen, store.red_issued(uow.conn, blue.fapiao_id))
        store.change_fapiao(uow.conn, blue.fapiao_id, [one.value for one in _REDDABLE], state=state.value)


def _keep(
    uow: UnitOfWork,
    parts: Sequence[Part],
    *,
    account_id: str,
    type_code: str,
    buyer: dict[str, str],
    about: str,
    blue: Row[Any] | None = None,
    red_reason: str = "",
    reason: str = "",
) -> str:
    fapiao_id = derived_id(uow.act_id, "fapiao", blue.fapiao_id if blue is not None else "")
    head = {
        "fapiao_id": fapiao_id,
        "account_id": account_id,
        "type_code": type_code,
        "state": FapiaoState.INTENDED.value,
        "number_key": fapiao_id,
        "red_of_id": blue.fapiao_id if blue is not None else None,
        "red_reason": red_reason,
        "sealed_buyer": blue.sealed_buyer if blue is not None else uow.database.secrets.seal(json.dumps(buyer)),
        "amount_fen": Fen.total(part.amount for part in parts),
        "net_fen": Fen.total(part.net for part in parts),
        "tax_fen": Fen.total(part.tax for part in parts),
        "about": about,
        "intended_at": uow.now,
        "next_at": uow.now,
        "try_count": 0,
        "copy_count": 0,
        "reason": reason,
        "act_id": uow.act_id,
        "staff_id": uow.context.staff_id,
        "staff_no": uow.context.staff_no,
        "hall_code": blue.hall_code if blue is not None else uow.context.hall_code,
        "district_code": blue.district_code if blue is not None else uow.context.district_code,
    }
    lines = [
        {
            "fapiao_id": fapiao_id,
            "line_no": line_no,
            "period": part.period,
            "bill_id": part.bill_id,
            "bill_line_no": part.line_no,
            "item_code": part.item_code,
            "label": part.label,
            "tax_per_mille": part.tax_per_mille,
            "amount_fen": part.amount,
            "net_fen": part.net,
            "tax_fen": part.tax,
        }
        for line_no, part in enumerate(parts, 1)
    ]
    store.insert_fapiao(uow.conn, head, lines)
    enqueue(uow, SEND_JOB, job_id=derived_id(fapiao_id, "send"))
    return fapiao_id


def _keep_red(uow: UnitOfWork, blue: Row[Any], parts: Sequence[Part], reason_code: RedReason, reason: str) -> str:
    return _keep(
        uow,
        parts,
        account_id=blue.account_id,
        type_code=blue.type_code,
        buyer={},
        about=blue.fapiao_id,
        blue=blue,
        red_reason=reason_code.value,
        reason=reason,
    )


def _covered(conn: Connection, rows: Sequence[Row[Any]]) -> list[OnFapiao]:
    reds = store.red_sums(conn, {row.fapiao_id for row in rows})
    none = (ZERO_FEN, ZERO_FEN)
    return [
        OnFapiao(
            row.fapiao_id,
            Part(
                row.period,
                row.bill_id,
                row.bill_line_no,
                row.item_code,
                row.label,
                row.tax_per_mille,
                row.amount_fen,
                row.tax_fen,
            ),
            *reds.get((row.fapiao_id, row.bill_id, row.bill_line_no), none),
        )
        for row in rows
    ]


def _account_of(conn: Connection, bill_ids: Sequence[str]) -> str:
    accounts = {store.account_of_bill(conn, _period(bill_id), bill_id) for bill_id in bill_ids}
    if len(accounts) != 1 or None in accounts:
        raise BillNotOpen()
    account_id: str = accounts.pop() or ""
    return account_id


def _period(bill_id: str) -> int:
    try:
        return month_of_bill(bill_id).yyyymm
    except ValueError:
        raise BillNotOpen() from None
