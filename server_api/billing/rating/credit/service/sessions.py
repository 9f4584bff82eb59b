"""A session's messages. The price is worked out before (Quote); here the account is locked and the money moved.

A repeat of a message has the same act id and gets the stored answer. A call's charge is that of the whole call so far,
so a longer grant replaces the reservation of a shorter one; nothing is rounded before the daily line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from server_api.billing.rating.credit import store
from server_api.billing.rating.credit.policy import credit_policy
from server_api.billing.rating.credit.quote import Quote, QuoteStale
from server_api.billing.rating.credit.rules import NOTHING, Rung, Taken, best_rung, debit_of
from server_api.billing.rating.credit.service.purse import OpenPurse
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.credit import CreditAnswer, EndCredit, UpdateCredit
from shared_models.values.clock import town_day
from shared_models.values.faults.credit import (
    CreditNoPrice,
    CreditOwnerUnknown,
    CreditRequestLate,
    CreditSessionEnded,
    CreditSessionNotFound,
    CreditSessionTaken,
    CreditUsedFalls,
)
from shared_models.values.money import MicroYuan
from shared_models.values.period import Month

_NO_OWNER = ("no_owner", "no_account")


def begin_session(uow: UnitOfWork, *, quote: Quote) -> CreditAnswer:
    """Reserve money for a call that begins.

    Raises CreditOwnerUnknown, CreditNoPrice, CreditSessionTaken, AccountNotFound, AccountClosed, QuoteStale.
    """
    purse = _purse_for_new(uow, quote)
    refused = _not_for_us(purse, quote)
    if refused is not None:
        return refused
    room = purse.available
    rung = _chosen(quote, room)
    taken = purse.taken
    if rung is None:
        available = purse.put(taken, denied=True)
        return _answer(quote, "exhausted", available=available, last=True)
    draws = _draw(uow, quote, {}, rung)
    policy = credit_policy()
    valid_until = uow.now + timedelta(seconds=policy.valid_s)
    _keep(uow, quote, rung, draws, state=store.OPEN, expires_at=valid_until + timedelta(seconds=policy.grace_s))
    available = purse.put(Taken(taken.held + rung.charge, taken.unbooked))
    return _granted(quote, rung, 0, available, valid_until)


def update_session(uow: UnitOfWork, *, request: UpdateCredit, quote: Quote) -> CreditAnswer:
    """Reserve more for a call that goes on, replacing what it held.

    Raises CreditSessionNotFound, CreditSessionEnded, CreditRequestLate, CreditUsedFalls, QuoteStale, and what
    ``begin_session`` raises of the account.
    """
    purse = OpenPurse.locked(uow, quote.account_id, quote.service) if quote.account_id else None
    row = _open_session(uow, quote, request.request_no)
    if request.used < row.used_quantity:
        raise CreditUsedFalls(used=request.used, before=row.used_quantity)
    _insist_on_price(quote)
    if purse is None:
        raise CreditOwnerUnknown(access=quote.access)
    held = MicroYuan(int(row.held_micro_yuan))
    taken = purse.taken
    room = purse.available + held
    rung = None if purse.state.row.restricted else _chosen(quote, room)
    policy = credit_policy()
    valid_until = uow.now + timedelta(seconds=policy.valid_s)
    granted = rung.quantity if rung is not None else request.used
    if rung is None:  # what was used already is held as far as the balance goes, until the call ends
        hold = min(quote.ladder[0].charge, max(room, held)) if quote.ladder else held
        rung = Rung(request.used, hold, quote.ladder[0].draws if quote.ladder else ())
    draws = _draw(uow, quote, row.draws, rung)
    store.move_session(
        uow.conn,
        quote.session_id,
        request_no=request.request_no,
        used=request.used,
        granted=granted,
        held=rung.charge.amount_micro_yuan,
        draws=draws,
        expires_at=valid_until + timedelta(seconds=policy.grace_s),
    )
    available = purse.put(Taken(taken.held - held + rung.charge, taken.unbooked))
    return _granted(quote, rung, request.used, available, valid_until)


def end_session(uow: UnitOfWork, *, request: EndCredit, quote: Quote) -> CreditAnswer:
    """Debit what a call used and let the rest of its reservation go.

    Raises CreditSessionNotFound, CreditSessionEnded, CreditRequestLate, CreditUsedFalls, QuoteStale.
    """
    purse = OpenPurse.locked(uow, quote.account_id, quote.service, closed=True) if quote.account_id else None
    row = _open_session(uow, quote, request.request_no)
    if request.used < row.used_quantity:
        raise CreditUsedFalls(used=request.used, before=row.used_quantity)
    if purse is None:
        raise CreditOwnerUnknown(access=quote.access)
    return _settle(uow, purse, row, quote, used=request.used, request_no=request.request_no, reason="final")


def settle_silent(uow: UnitOfWork, *, quote: Quote, used: int) -> CreditAnswer | None:
    """Settle a session whose messages stopped; nothing where one has come meanwhile. Raises QuoteStale."""
    purse = OpenPurse.locked(uow, quote.account_id, quote.service, closed=True)
    row = store.session(uow.conn, quote.session_id)
    if row is None or row.state != store.OPEN or row.expires_at >= uow.now:
        return None
    _insist_fresh(quote, row)
    return _settle(uow, purse, row, quote, used=used, request_no=row.request_no, reason="silent")


def charge_event(uow: UnitOfWork, *, quote: Quote) -> CreditAnswer:
    """Debit something at once, or answer that the balance does not pay for it.

    Raises what ``begin_session`` raises.
    """
    purse = _purse_for_new(uow, quote)
    refused = _not_for_us(purse, quote)
    if refused is not None:
        return refused
    rung = quote.ladder[-1]
    taken = purse.taken
    if rung.charge > purse.available:
        available = purse.put(taken, denied=True)
        return _answer(quote, "exhausted", available=available, last=True)
    draws = _draw(uow, quote, {}, rung)
    period = _debit_period(uow, quote.period)
    _keep(uow, quote, rung, draws, state=store.CLOSED, expires_at=uow.now, period=period)
    store.debit_month(uow.conn, period, quote.account_id, quote.service, rung.charge.amount_micro_yuan)
    available = purse.put(Taken(taken.held, taken.unbooked + rung.charge))
    return _answer(
        quote, "granted", granted=rung.quantity, total=rung.quantity, charged=rung.charge, available=available
    )


# ---- the parts -----------------------------------------------------------------------------------------------------
def _purse_for_new(uow: UnitOfWork, quote: Quote) -> OpenPurse:
    _insist_on_price(quote)
    purse = OpenPurse.locked(uow, quote.account_id, quote.service)
    if store.session(uow.conn, quote.session_id) is not None:
        raise CreditSessionTaken(session_id=quote.session_id)
    return purse


def _insist_on_price(quote: Quote) -> None:
    if quote.refusal in _NO_OWNER:
        raise CreditOwnerUnknown(access=quote.access)
    if quote.refusal:
        raise CreditNoPrice(access=quote.access)


def _not_for_us(purse: OpenPurse, quote: Quote) -> CreditAnswer | None:
    """A restricted account gets nothing; one that pays afterwards needs no reservation (RFC 8506, result 4011)."""
    if purse.state.row.restricted:
        return _answer(quote, "restricted", last=True)
    if not purse.prepaid:
        longest = quote.ladder[-1].quantity
        return _answer(quote, "not_applicable", granted=longest, total=longest)
    return None


def _chosen(quote: Quote, room: MicroYuan) -> Rung | None:
    """The longest rung beyond what was used that the room pays for. Raises QuoteStale where a finer ladder may help."""
    longer = [rung for rung in quote.ladder if rung.quantity > quote.used]
    rung = best_rung(longer, room)
    if not quote.fine and (rung is None or rung.quantity < quote.ladder[-1].quantity):
        raise QuoteStale()
    return rung


def _open_session(uow: UnitOfWork, quote: Quote, request_no: int) -> Any:
    row = store.session(uow.conn, quote.session_id)
    if row is None:
        raise CreditSessionNotFound(session_id=quote.session_id)
    if row.state != store.OPEN:
        raise CreditSessionEnded(session_id=quote.session_id)
    if request_no <= row.request_no:
        raise CreditRequestLate(request_no=request_no, last=row.request_no)
    _insist_fresh(quote, row)
    return row


def _insist_fresh(quote: Quote, row: Any) -> None:
    """The session is still as it was when its price was worked out."""
    if quote.request_no != row.request_no:
        raise QuoteStale()


def _draw(uow: UnitOfWork, quote: Quote, own_before: Mapping[str, int], rung: Rung) -> dict[str, int]:
    """Take included units for a rung in place of those the call held. Raises QuoteStale where others took some."""
    draws = {key: quantity for key, quantity in rung.draws if quantity}
    touched = {*own_before, *draws}
    if not touched and not quote.others_used:
        return draws
    known = store.used_units(uow.conn, quote.period, quote.product_id)
    for key in {*touched, *quote.others_used}:
        others = known.get(key, 0) - own_before.get(key, 0)
        if others != quote.others_used.get(key, 0):
            raise QuoteStale()
    for key in sorted(touched):
        now = known.get(key, 0) - own_before.get(key, 0) + draws.get(key, 0)
        if now != known.get(key, 0):
            store.put_used(uow.conn, key in known, quote.period, quote.product_id, key, now)
    return draws


def _settle(
    uow: UnitOfWork,
    purse: OpenPurse,
    row: Any,
    quote: Quote,
    *,
    used: int,
    request_no: int,
    reason: Literal["final", "silent"],
) -> CreditAnswer:
    held = MicroYuan(int(row.held_micro_yuan))
    # A price that has gone since leaves the reservation as the charge: the call record will set it right.
    rung = next((rung for rung in quote.ladder if rung.quantity == used), Rung(used, held))
    draws = _draw(uow, quote, row.draws, rung)
    debited, shortfall = debit_of(rung.charge, purse.available + held)
    period = _debit_period(uow, row.period)
    store.close_session(
        uow.conn,
        row.session_id,
        request_no=request_no,
        used=used,
        debited=debited.amount_micro_yuan,
        shortfall=shortfall.amount_micro_yuan,
        draws=draws,
        period=period,
        reason=reason,
        closed_at=uow.now,
    )
    if debited != NOTHING:
        store.debit_month(uow.conn, period, row.account_id, row.service, debited.amount_micro_yuan)
    taken = purse.taken
    available = purse.put(Taken(taken.held - held, taken.unbooked + debited))
    return _answer(quote, "ended", total=used, charged=debited, shortfall=shortfall, available=available)


def _debit_period(uow: UnitOfWork, period: int) -> int:
    """The call's own month, or the first open one after it where that month is billed already."""
    today = Month.of(uow.today)
    month = Month(period)
    while month < today and not store.is_open_month(uow.conn, month.yyyymm):
        month = month.next()
    return month.yyyymm


def _keep(
    uow: UnitOfWork,
    quote: Quote,
    rung: Rung,
    draws: dict[str, int],
    *,
    state: str,
    expires_at: Any,
    period: int | None = None,
) -> None:
    event = state == store.CLOSED
    store.add_session(
        uow.conn,
        {
            "session_id": quote.session_id,
            "account_id": quote.account_id,
            "product_id": quote.product_id,
            "service": quote.service,
            "access_key": quote.access,
            "called": quote.called,
            "start_s": quote.start_s,
            "state": state,
            "end_reason": "event" if event else None,
            "request_no": 0,
            "used_quantity": rung.quantity if event else 0,
            "granted_quantity": rung.quantity,
            "held_micro_yuan": 0 if event else rung.charge.amount_micro_yuan,
            "debited_micro_yuan": rung.charge.amount_micro_yuan if event else 0,
            "shortfall_micro_yuan": 0,
            "period": period or quote.period,
            "price_no": quote.price_no,
            "draws": draws,
            "opened_at": uow.now,
            "expires_at": expires_at,
            "closed_at": uow.now if event else None,
        },
    )


def _granted(quote: Quote, rung: Rung, used: int, available: MicroYuan, valid_until: Any) -> CreditAnswer:
    granted = rung.quantity - used
    whole = bool(quote.ladder) and rung.quantity >= quote.ladder[-1].quantity and granted > 0
    return _answer(
        quote,
        "granted" if whole else ("partial" if granted else "exhausted"),
        granted=granted,
        total=rung.quantity,
        held=rung.charge,
        available=available,
        valid_until=valid_until,
        last=not whole,
    )


def _answer(
    quote: Quote,
    verdict: Any,
    *,
    granted: int = 0,
    total: int = 0,
    held: MicroYuan = NOTHING,
    charged: MicroYuan = NOTHING,
    shortfall: MicroYuan = NOTHING,
    available: MicroYuan = NOTHING,
    valid_until: Any = None,
    last: bool = False,
) -> CreditAnswer:
    return CreditAnswer(
        session_id=quote.session_id,
        verdict=verdict,
        unit=quote.unit,
        granted=granted,
        granted_total=total,
        valid_until=valid_until,
        last=last,
        held_micro_yuan=held,
        charged_micro_yuan=charged,
        shortfall_micro_yuan=shortfall,
        available_micro_yuan=available,
        account_id=quote.account_id,
    )


def period_of(start_s: int) -> int:
    """The month, in the town, in which a call begins."""
    from datetime import datetime, timezone

    return Month.of(town_day(datetime.fromtimestamp(start_s, timezone.utc))).yyyymm
