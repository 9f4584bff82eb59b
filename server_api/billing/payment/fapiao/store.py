"""Fapiao: their SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from server_api.billing.account.store import chunks
from server_api.billing.cashdesk.store import within
from shared_models.contracts.work import WorkContext
from shared_models.tables.billing.bill import bill, bill_line
from shared_models.tables.billing.charges import bill_adjustment
from shared_models.tables.billing.fapiao import fapiao, fapiao_line, fapiao_word
from shared_models.tables.billing.payment import applied_payment
from shared_models.values.fapiao import COUNTS, ON_ITS_WAY, FapiaoState
from shared_models.values.money import ZERO_FEN, Fen

_F, _L, _W, _A = fapiao.c, fapiao_line.c, fapiao_word.c, applied_payment.c
_COUNTS = [state.value for state in COUNTS]
_OPEN = [state.value for state in ON_ITS_WAY]
_WITH_FILES = (FapiaoState.NORMAL.value, FapiaoState.RED_LETTER.value)
MOST_DOWNLOADS = 12


# ---- what may be invoiced -------------------------------------------------------------------------------------------
def lines_of_bill(conn: Connection, period: int, bill_id: str, account_id: str) -> Sequence[Any]:
    """The lines of a bill of this account that stand for something."""
    query = (
        select(bill_line)
        .select_from(
            bill_line.join(bill, and_(bill.c.period == bill_line.c.period, bill.c.bill_id == bill_line.c.bill_id))
        )
        .where(
            bill_line.c.period == period,
            bill_line.c.bill_id == bill_id,
            bill.c.account_id == account_id,
            bill.c.state != "cancelled",
            bill_line.c.amount_fen > ZERO_FEN,
        )
        .order_by(bill_line.c.line_no)
    )
    return conn.execute(query).all()


def account_of_bill(conn: Connection, period: int, bill_id: str) -> str | None:
    """Whose bill it is."""
    query = select(bill.c.account_id).where(bill.c.period == period, bill.c.bill_id == bill_id)
    return conn.execute(query).scalar_one_or_none()


def sums_of_bill(
    conn: Connection, period: int, bill_id: str
) -> tuple[dict[int, Fen], dict[int, Fen], dict[int, tuple[Fen, Fen]]]:
    """By line: what was taken off, what was paid, and what (amount, tax) is on fapiao that count."""
    taken = conn.execute(
        select(bill_adjustment.c.line_no, func.sum(bill_adjustment.c.amount_fen).label("fen"))
        .where(bill_adjustment.c.period == period, bill_adjustment.c.bill_id == bill_id)
        .group_by(bill_adjustment.c.line_no)
    )
    paid = conn.execute(
        select(_A.bill_line_no, func.sum(_A.amount_fen).label("fen"))
        .where(_A.period == period, _A.bill_id == bill_id)
        .group_by(_A.bill_line_no)
    )
    invoiced = conn.execute(
        select(_L.bill_line_no, func.sum(_L.amount_fen).label("fen"), func.sum(_L.tax_fen).label("tax"))
        .join(fapiao, _F.fapiao_id == _L.fapiao_id)
        .where(_L.bill_id == bill_id, _F.state.in_(_COUNTS))
        .group_by(_L.bill_line_no)
    )
    return (
        {row.line_no: row.fen for row in taken},
        {row.bill_line_no: row.fen for row in paid},
        {row.bill_line_no: (row.fen, row.tax) for row in invoiced},
    )


def settled_by(conn: Connection, payment_id: str) -> dict[tuple[int, str], dict[tuple[str, int], Fen]]:
    """What a payment settled: by bill, then by line."""
    found: dict[tuple[int, str], dict[tuple[str, int], Fen]] = {}
    query = (
        select(_A.period, _A.bill_id, _A.bill_line_no, func.sum(_A.amount_fen).label("fen"))
        .where(_A.payment_id == payment_id)
        .group_by(_A.period, _A.bill_id, _A.bill_line_no)
    )
    for row in conn.execute(query):
        found.setdefault((row.period, row.bill_id), {})[(row.bill_id, row.bill_line_no)] = row.fen
    return found


def has_fapiao(conn: Connection, account_id: str) -> bool:
    """True where the account ever had a fapiao that counts."""
    query = select(_F.fapiao_id).where(_F.account_id == account_id, _F.state.in_(_COUNTS))
    return conn.execute(query.order_by(_F.fapiao_id).limit(1)).first() is not None


def blue_lines(conn: Connection, *, fapiao_id: str = "", bill_id: str = "", line_no: int = 0) -> Sequence[Any]:
    """Lines of blue fapiao that count: of one fapiao, or those on which a bill line is; newest fapiao first."""
    query = select(fapiao_line, _F.intended_at).join(fapiao, _F.fapiao_id == _L.fapiao_id)
    query = query.where(_F.state.in_(_COUNTS), _F.red_of_id.is_(None))
    if fapiao_id:
        query = query.where(_L.fapiao_id == fapiao_id)
    else:
        query = query.where(_L.bill_id == bill_id, _L.bill_line_no == line_no)
    return conn.execute(query.order_by(_F.intended_at.desc(), _L.fapiao_id, _L.line_no)).all()


def red_sums(conn: Connection, blue_ids: Iterable[str]) -> dict[tuple[str, str, int], tuple[Fen, Fen]]:
    """What red fapiao that count took back, by blue fapiao and bill line: (amount, tax), above zero."""
    found: dict[tuple[str, str, int], tuple[Fen, Fen]] = {}
    for chunk in chunks(sorted(set(blue_ids))):
        query = (
            select(
                _F.red_of_id,
                _L.bill_id,
                _L.bill_line_no,
                func.sum(_L.amount_fen).label("fen"),
                func.sum(_L.tax_fen).label("tax"),
            )
            .join(fapiao, _F.fapiao_id == _L.fapiao_id)
            .where(_F.red_of_id.in_(chunk), _F.state.in_(_COUNTS))
            .group_by(_F.red_of_id, _L.bill_id, _L.bill_line_no)
        )
        for row in conn.execute(query):
            found[(row.red_of_id, row.bill_id, row.bill_line_no)] = (-row.fen, -row.tax)
    return found


# ---- fapiao ---------------------------------------------------------------------------------------------------------
def insert_fapiao(conn: Connection, head: dict[str, Any], lines: Sequence[dict[str, Any]]) -> None:
    """Keep a fapiao before anything is asked of anybody."""
    conn.execute(insert(fapiao).values(**head))
    conn.execute(insert(fapiao_line), list(lines))


def read_fapiao(conn: Connection, fapiao_id: str) -> Any | None:
    """A fapiao by id."""
    return conn.execute(select(fapiao).where(_F.fapiao_id == fapiao_id)).one_or_none()


def find_fapiao(conn: Connection, fapiao_id: str, context: WorkContext) -> Any | None:
    """A fapiao within the caller's scope."""
    return conn.execute(select(fapiao).where(_F.fapiao_id == fapiao_id, within(fapiao, context))).one_or_none()


def lines_of(conn: Connection, fapiao_id: str) -> Sequence[Any]:
    """What is on a fapiao, in order."""
    return conn.execute(select(fapiao_line).where(_L.fapiao_id == fapiao_id).order_by(_L.line_no)).all()


def change_fapiao(conn: Connection, fapiao_id: str, from_states: Sequence[str], **values: Any) -> bool:
    """Move a fapiao on, where it is in one of these states; False where it is not any more."""
    statement = update(fapiao).where(_F.fapiao_id == fapiao_id, _F.state.in_(list(from_states))).values(**values)
    return conn.execute(statement).rowcount == 1


def claim(conn: Connection, row: Any, **values: Any) -> bool:
    """Take a due fapiao for one word with the provider; False where somebody else has it."""
    statement = (
        update(fapiao)
        .where(_F.fapiao_id == row.fapiao_id, _F.state == row.state, _F.try_count == row.try_count)
        .values(try_count=row.try_count + 1, **values)
    )
    return conn.execute(statement).rowcount == 1


def due(conn: Connection, now: datetime, limit: int) -> Sequence[Any]:
    """Fapiao about which something is to be asked now, longest waiting first."""
    files = and_(_F.state.in_(_WITH_FILES), _F.pdf_url.is_(None), _F.try_count < MOST_DOWNLOADS)
    query = select(fapiao).where(_F.next_at <= now, or_(_F.state.in_(_OPEN), files))
    return conn.execute(query.order_by(_F.next_at, _F.fapiao_id).limit(limit)).all()


def red_issued(conn: Connection, blue_id: str) -> Fen:
    """What issued red fapiao took back of a blue one, above zero."""
    query = select(func.sum(_F.amount_fen)).where(_F.red_of_id == blue_id, _F.state == FapiaoState.RED_LETTER.value)
    total = conn.execute(query).scalar_one()
    return -total if total is not None else ZERO_FEN


def id_of_number(conn: Connection, fapiao_no: str) -> str | None:
    """The fapiao that has a number."""
    return conn.execute(select(_F.fapiao_id).where(_F.number_key == fapiao_no)).scalar_one_or_none()


def add_word(conn: Connection, fapiao_id: str, values: dict[str, Any]) -> None:
    """Keep what was asked and answered; the fapiao's row is locked by its change."""
    last = conn.execute(select(func.max(_W.word_no)).where(_W.fapiao_id == fapiao_id)).scalar_one()
    conn.execute(insert(fapiao_word).values(fapiao_id=fapiao_id, word_no=(last or 0) + 1, **values))


def list_fapiao(
    conn: Connection,
    context: WorkContext,
    *,
    account_id: str = "",
    open_only: bool = False,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Fapiao in the caller's scope, newest first; keyset by (intended_at, id). ``open_only``: not done, or refused."""
    query = select(fapiao).where(within(fapiao, context))
    if account_id:
        query = query.where(_F.account_id == account_id)
    if open_only:
        query = query.where(_F.state.in_([*_OPEN, FapiaoState.REFUSED.value]))
    if after is not None:
        at, fapiao_id = after
        query = query.where(or_(_F.intended_at < at, and_(_F.intended_at == at, _F.fapiao_id < fapiao_id)))
    return conn.execute(query.order_by(_F.intended_at.desc(), _F.fapiao_id.desc()).limit(limit)).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def all_fapiao(conn: Connection) -> Sequence[Any]:
    """Every fapiao with the sums of its lines."""
    sums = (
        select(
            _L.fapiao_id.label("of_id"),
            func.sum(_L.amount_fen).label("line_fen"),
            func.sum(_L.net_fen).label("line_net"),
            func.sum(_L.tax_fen).label("line_tax"),
        )
        .group_by(_L.fapiao_id)
        .subquery()
    )
    return conn.execute(
        select(fapiao, sums.c.line_fen, sums.c.line_net, sums.c.line_tax)
        .select_from(fapiao.outerjoin(sums, sums.c.of_id == _F.fapiao_id))
        .order_by(_F.fapiao_id)
    ).all()


def invoiced_lines(conn: Connection) -> Sequence[Any]:
    """Every bill line that is on fapiao that count, with what is left of the line."""
    taken = (
        select(
            bill_adjustment.c.bill_id.label("of_bill"),
            bill_adjustment.c.line_no.label("of_line"),
            func.sum(bill_adjustment.c.amount_fen).label("taken_fen"),
        )
        .group_by(bill_adjustment.c.bill_id, bill_adjustment.c.line_no)
        .subquery()
    )
    sums = (
        select(_L.period, _L.bill_id, _L.bill_line_no, func.sum(_L.amount_fen).label("invoiced_fen"))
        .join(fapiao, _F.fapiao_id == _L.fapiao_id)
        .where(_F.state.in_(_COUNTS))
        .group_by(_L.period, _L.bill_id, _L.bill_line_no)
        .subquery()
    )
    line = and_(
        bill_line.c.period == sums.c.period,
        bill_line.c.bill_id == sums.c.bill_id,
        bill_line.c.line_no == sums.c.bill_line_no,
    )
    return conn.execute(
        select(sums, bill_line.c.amount_fen, bill_line.c.netted_fen, taken.c.taken_fen)
        .select_from(
            sums.outerjoin(bill_line, line).outerjoin(
                taken, and_(taken.c.of_bill == sums.c.bill_id, taken.c.of_line == sums.c.bill_line_no)
            )
        )
        .order_by(sums.c.bill_id, sums.c.bill_line_no)
    ).all()
