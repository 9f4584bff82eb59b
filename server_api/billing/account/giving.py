"""Giving money away within limits, or with an approval. Services of money call ``allow_giving`` inside their act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

import resources
from server_api.billing.account.store import giving as store
from server_api.billing.ledger.policy import money_policy
from server_api.platform import audit
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.approval import Approval, LimitLine, LimitReport
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.faults.approval import (
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalNeeded,
    ApprovalOfOneself,
    ApprovalUsed,
    LimitReached,
)
from shared_models.values.giving import Giving, approved
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.period import Month


@dataclass(frozen=True, slots=True)
class Allowed:
    """The act may go on. ``warning``: from now on the person is near the limit."""

    warning: bool
    approval_id: str = ""


def allow_giving(
    uow: UnitOfWork, kind: Giving, *, account_id: str, amount: Fen, always_approved: bool = False
) -> Allowed:
    """Count an act against the caller's limits of day and month, or use the approval that came with it.

    Call it after account and till are locked. An approved act uses up no limit; an approval is used even where the
    limit would have sufficed, so that what was signed is what was done.

    Raises LimitReached, ApprovalNeeded (``always_approved``), ApprovalMismatch, ApprovalExpired, ApprovalUsed,
    ApprovalOfOneself.
    """
    given = uow.context.approval
    if given is not None:
        _use_approval(uow, given, kind, account_id, amount)
        _keep(uow, approved(kind), account_id, amount, given.approval_id)
        store.use_allowance(uow, approved(kind), amount)
        return Allowed(False, given.approval_id)
    if always_approved:
        raise ApprovalNeeded()
    day, month = store.use_allowance(uow, kind.value, amount)
    most_day, most_month = limits_of(uow.context, kind)
    for used, most, span in ((day, most_day, "day"), (month, most_month, "month")):
        if used > most:
            raise LimitReached(total=str(used), most=str(most), span=_span(span))
    _keep(uow, kind.value, account_id, amount, "")
    return Allowed(_near(day, most_day) or _near(month, most_month))


def limits_of(context: WorkContext, kind: Giving) -> tuple[Fen, Fen]:
    """What a person may give away alone, a day and a month: their own limits go before the hall's."""
    general = money_policy().limits[kind]
    own = context.limits_fen
    day = Fen(own.get(f"{kind.value}_day", general.day.amount_fen))
    return day, Fen(own.get(f"{kind.value}_month", max(general.month.amount_fen, day.amount_fen)))


def limit_report(conn: Connection, today: date, *, context: WorkContext | None = None) -> LimitReport:
    """What was used of the limits this month up to today: of one person with their own limits, or of everybody."""
    month = Month.of(today)
    sums: dict[tuple[str, str], Fen] = {}
    lines: list[LimitLine] = []
    for row in store.allowances(conn, month, context.staff_id if context else ""):
        key = (row.staff_id, row.what)
        sums[key] = sums.get(key, ZERO_FEN) + row.used_fen
        limits = _limits(context, row.what)
        warning = limits is not None and (_near(row.used_fen, limits[0]) or _near(sums[key], limits[1]))
        lines.append(
            LimitLine(
                staff_id=row.staff_id,
                kind=row.what,
                day_on=row.day_on,
                used_day_fen=row.used_fen,
                used_month_fen=sums[key],
                limit_day_fen=limits[0] if limits else None,
                limit_month_fen=limits[1] if limits else None,
                act_count=row.act_count,
                warning=warning,
            )
        )
    return LimitReport(lines=tuple(lines))


_KINDS = frozenset(kind.value for kind in Giving)


def _limits(context: WorkContext | None, what: str) -> tuple[Fen, Fen] | None:
    """The person's own limits, or (where everybody is listed) the hall's; none for what was approved."""
    if what not in _KINDS:
        return None
    if context is not None:
        return limits_of(context, Giving(what))
    general = money_policy().limits[Giving(what)]
    return general.day, general.month


def _near(used: Fen, most: Fen) -> bool:
    return used.amount_fen * 100 >= most.amount_fen * money_policy().warn_per_cent


def _use_approval(uow: UnitOfWork, given: Approval, kind: Giving, account_id: str, amount: Fen) -> None:
    context = uow.context
    if given.approver_id == context.staff_id:
        raise ApprovalOfOneself()
    asked = (given.kind, given.account_id, given.amount_fen, given.asked_by_no)
    if asked != (kind, account_id, amount, context.staff_no) or not _in_reach(given, context):
        raise ApprovalMismatch()
    if given.expires_at <= uow.now:
        raise ApprovalExpired()
    if store.approval_used(uow.conn, given.approval_id):
        raise ApprovalUsed()
    store.insert_approval(
        uow.conn,
        {
            "approval_id": given.approval_id,
            "kind": kind.value,
            "account_id": account_id,
            "amount_fen": amount,
            "asked_by_id": context.staff_id,
            "asked_by_no": context.staff_no,
            "approver_id": given.approver_id,
            "approver_no": given.approver_no,
            "reason": given.reason,
            "given_at": given.given_at,
            "used_at": uow.now,
            "act_id": uow.act_id,
        },
    )
    audit.note(uow, "approval.used", f"account:{account_id}", f"{kind.value} {amount} by {given.approver_no}")


def _in_reach(given: Approval, context: WorkContext) -> bool:
    """An approver approves for the own hall, district or everybody, as far as they see."""
    scope = DataScope(given.scope)
    if scope is DataScope.HALL:
        return given.hall_code == context.hall_code
    return scope is DataScope.ALL or given.district_code == context.district_code


def _keep(uow: UnitOfWork, what: str, account_id: str, amount: Fen, approval_id: str) -> None:
    store.insert_giving(
        uow.conn,
        {
            "act_id": uow.act_id,
            "what": what,
            "staff_id": uow.context.staff_id,
            "day_on": uow.today,
            "account_id": account_id,
            "amount_fen": amount,
            "approval_id": approval_id,
        },
    )


def _span(name: str) -> dict[str, str]:
    return {language[:2]: resources.text(f"limit.span.{name}", language) for language in resources.LANGUAGES}
