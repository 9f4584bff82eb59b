"""The SQL of credit control. The statements of a reservation are compiled once and kept short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from server_api.billing.rating.credit.store.proof import CLOSED as CLOSED
from server_api.billing.rating.credit.store.proof import OPEN as OPEN
from server_api.billing.rating.credit.store.proof import account_rows as account_rows
from server_api.billing.rating.credit.store.proof import cut_sums as cut_sums
from server_api.billing.rating.credit.store.proof import debit_sums as debit_sums
from server_api.billing.rating.credit.store.proof import held_sums as held_sums
from server_api.billing.rating.credit.store.proof import month_rows as month_rows
from server_api.billing.rating.credit.store.proof import open_counts as open_counts
from server_api.platform.dialects.prepared import Prepared
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.bill import bill_period, pay_relation
from shared_models.tables.billing.credit import (
    credit_account,
    credit_cut,
    credit_month,
    credit_session,
    credit_used,
)
from shared_models.tables.billing.rating import rating_price_book, rating_product, rating_tariff
from shared_models.tables.billing.usage import usage_access
from shared_models.values.money import ZERO_FEN, Fen

#: At most so many values in one IN list (Oracle takes 1000).
IN_LIST = 900

_S, _A, _M, _C, _U = credit_session.c, credit_account.c, credit_month.c, credit_cut.c, credit_used.c
_MY_GROUP = and_(_A.account_id == bindparam("b_account_id"), _A.item_group == bindparam("b_group"))
_MY_MONTH = and_(
    _M.period == bindparam("b_period"),
    _M.account_id == bindparam("b_account_id"),
    _M.item_group == bindparam("b_group"),
)
_MY_USED = and_(
    _U.period == bindparam("b_period"),
    _U.product_id == bindparam("b_product_id"),
    _U.allowance_key == bindparam("b_key"),
)

_LOCK = Prepared(select(billing_account.c.account_id).where(billing_account.c.account_id == bindparam("b_account_id")))
_SESSION = Prepared(select(credit_session).where(_S.session_id == bindparam("b_session_id")))
_INSERT_SESSION = Prepared(insert(credit_session))
_MOVE_SESSION = Prepared(
    update(credit_session)
    .where(_S.session_id == bindparam("b_session_id"))
    .values(
        request_no=bindparam("b_request_no"),
        used_quantity=bindparam("b_used"),
        granted_quantity=bindparam("b_granted"),
        held_micro_yuan=bindparam("b_held"),
        draws=bindparam("b_draws", type_=_S.draws.type),
        expires_at=bindparam("b_expires_at", type_=_S.expires_at.type),
    )
)
_CLOSE_SESSION = Prepared(
    update(credit_session)
    .where(_S.session_id == bindparam("b_session_id"))
    .values(
        state=CLOSED,
        end_reason=bindparam("b_reason"),
        request_no=bindparam("b_request_no"),
        used_quantity=bindparam("b_used"),
        held_micro_yuan=0,
        debited_micro_yuan=bindparam("b_debited"),
        shortfall_micro_yuan=bindparam("b_shortfall"),
        draws=bindparam("b_draws", type_=_S.draws.type),
        period=bindparam("b_period"),
        closed_at=bindparam("b_closed_at", type_=_S.closed_at.type),
    )
)
_SUMS = Prepared(select(credit_account).where(_A.account_id == bindparam("b_account_id")))
_INSERT_SUMS = Prepared(insert(credit_account))
_MOVE_SUMS = Prepared(
    update(credit_account)
    .where(_MY_GROUP)
    .values(
        held_micro_yuan=bindparam("b_held"),
        unbooked_micro_yuan=bindparam("b_unbooked"),
        balance_state=bindparam("b_state"),
    )
)
_INSERT_MONTH = Prepared(insert(credit_month))
_DEBIT_MONTH = Prepared(
    update(credit_month)
    .where(_MY_MONTH)
    .values(debited_micro_yuan=_M.debited_micro_yuan + bindparam("b_debited"), due=True)
)
_USED = Prepared(
    select(_U.allowance_key, _U.used_quantity).where(
        _U.period == bindparam("b_period"), _U.product_id == bindparam("b_product_id")
    )
)
_INSERT_USED = Prepared(insert(credit_used))
_SET_USED = Prepared(update(credit_used).where(_MY_USED).values(used_quantity=bindparam("b_used")))
_PERIOD_STATE = Prepared(select(bill_period.c.state).where(bill_period.c.period == bindparam("b_period")))


# ---- under the account's lock --------------------------------------------------------------------------------------
def lock_row(uow: UnitOfWork, account_id: str) -> bool:
    """Hold the account's row without changing its version, so that a bill run need not compute it again."""
    return uow.lock(_LOCK, billing_account, {"b_account_id": account_id}) is not None


def session(conn: Connection, session_id: str) -> Any | None:
    """A session, or None."""
    return _SESSION.one_or_none(conn, {"b_session_id": session_id})


def add_session(conn: Connection, values: Mapping[str, Any]) -> None:
    """Keep a new session."""
    _INSERT_SESSION.run(conn, values)


def move_session(
    conn: Connection,
    session_id: str,
    *,
    request_no: int,
    used: int,
    granted: int,
    held: int,
    draws: Mapping[str, int],
    expires_at: datetime,
) -> None:
    """An open session was granted more."""
    _MOVE_SESSION.run(
        conn,
        {
            "b_session_id": session_id,
            "b_request_no": request_no,
            "b_used": used,
            "b_granted": granted,
            "b_held": held,
            "b_draws": dict(draws),
            "b_expires_at": expires_at,
        },
    )


def close_session(conn: Connection, session_id: str, **values: Any) -> None:
    """A session is settled: request_no, used, debited, shortfall, draws, period, reason, closed_at."""
    _CLOSE_SESSION.run(conn, {"b_session_id": session_id, **{f"b_{name}": value for name, value in values.items()}})


def sums(conn: Connection, account_id: str) -> Sequence[Any]:
    """What live calls have of an account, a row per item group."""
    return _SUMS.all(conn, {"b_account_id": account_id})


def put_sums(
    conn: Connection, known: bool, account_id: str, group: str, *, held: int, unbooked: int, state: str
) -> None:
    """Store what live calls have of an account's item group."""
    if known:
        _MOVE_SUMS.run(
            conn,
            {"b_account_id": account_id, "b_group": group, "b_held": held, "b_unbooked": unbooked, "b_state": state},
        )
    else:
        _INSERT_SUMS.run(
            conn,
            {
                "account_id": account_id,
                "item_group": group,
                "held_micro_yuan": held,
                "unbooked_micro_yuan": unbooked,
                "balance_state": state,
            },
        )


def debit_month(conn: Connection, period: int, account_id: str, group: str, amount: int) -> None:
    """Add an ended call's charge to its month; the month waits to be cut."""
    keys = {"b_period": period, "b_account_id": account_id, "b_group": group}
    if _DEBIT_MONTH.run(conn, {**keys, "b_debited": amount}) == 0:
        _INSERT_MONTH.run(
            conn,
            {
                "period": period,
                "account_id": account_id,
                "item_group": group,
                "debited_micro_yuan": amount,
                "cut_fen": ZERO_FEN,
                "due": True,
                "released": False,
            },
        )


def is_open_month(conn: Connection, period: int) -> bool:
    """Whether usage of a month may still be added to it."""
    row = _PERIOD_STATE.one_or_none(conn, {"b_period": period})
    return row is None or row.state == "open"


def used_units(conn: Connection, period: int, product_id: str) -> dict[str, int]:
    """Included units live calls of a product have taken in a month, by allowance."""
    rows = _USED.all(conn, {"b_period": period, "b_product_id": product_id})
    return {row.allowance_key: int(row.used_quantity) for row in rows}


def put_used(conn: Connection, known: bool, period: int, product_id: str, key: str, quantity: int) -> None:
    """Store how much of an allowance is taken."""
    if known:
        _SET_USED.run(conn, {"b_period": period, "b_product_id": product_id, "b_key": key, "b_used": quantity})
    else:
        _INSERT_USED.run(
            conn, {"period": period, "product_id": product_id, "allowance_key": key, "used_quantity": quantity}
        )


# ---- cutting and releasing -----------------------------------------------------------------------------------------
def months_due(conn: Connection, after: str | None, limit: int) -> list[str]:
    """Accounts with live debits that wait to be cut, in order of id."""
    query = select(_M.account_id).where(_M.due == True).distinct()  # noqa: E712
    if after is not None:
        query = query.where(_M.account_id > after)
    return list(conn.execute(query.order_by(_M.account_id).limit(limit)).scalars())


def due_of(conn: Connection, account_id: str) -> Sequence[Any]:
    """The months of an account that wait to be cut."""
    query = select(credit_month).where(_M.due == True, _M.account_id == account_id)  # noqa: E712
    return conn.execute(query.order_by(_M.period, _M.item_group)).all()


def cut_month(conn: Connection, row: Any, cut: Fen, due: bool) -> None:
    """Store how much of a month was cut in all."""
    mine = and_(_M.period == row.period, _M.account_id == row.account_id, _M.item_group == row.item_group)
    conn.execute(update(credit_month).where(mine).values(cut_fen=cut, due=due))


def add_cut(conn: Connection, row: Any, day: date, parts: Sequence[tuple[str, Fen]]) -> None:
    """Store a day's line, by book; a second one of the same day is added to it."""
    for book_id, part in parts:
        mine = and_(
            _C.period == row.period,
            _C.account_id == row.account_id,
            _C.item_group == row.item_group,
            _C.day_on == day,
            _C.book_id == book_id,
        )
        before = conn.execute(select(_C.cut_fen).where(mine)).scalar_one_or_none()
        if before is None:
            conn.execute(
                insert(credit_cut).values(
                    period=row.period,
                    account_id=row.account_id,
                    item_group=row.item_group,
                    day_on=day,
                    book_id=book_id,
                    cut_fen=part,
                    debited_micro_yuan=row.debited_micro_yuan,
                )
            )
        else:
            values = {"cut_fen": before + part, "debited_micro_yuan": row.debited_micro_yuan}
            conn.execute(update(credit_cut).where(mine).values(**values))


def unreleased(conn: Connection, period: int, account_ids: Iterable[str]) -> Sequence[Any]:
    """The months of these accounts whose live debits no bill has replaced yet."""
    found: list[Any] = []
    ids = sorted(set(account_ids))
    for start in range(0, len(ids), IN_LIST):
        some = ids[start : start + IN_LIST]
        found += conn.execute(
            select(credit_month)
            .where(_M.period == period, _M.account_id.in_(some), _M.released == False)  # noqa: E712
            .order_by(_M.account_id, _M.item_group)
        ).all()
    return found


def any_month(conn: Connection, period: int) -> bool:
    """Whether a month has any live debit; a month run asks this once and leaves it at that."""
    one = select(_M.period).where(_M.period == period).order_by(_M.account_id).limit(1)
    return conn.execute(one).first() is not None


def unreleased_accounts(conn: Connection, periods: Sequence[int], limit: int) -> Sequence[Any]:
    """(period, account) whose live debits are still set aside in these months."""
    query = select(_M.period, _M.account_id).where(_M.period.in_(periods), _M.released == False)  # noqa: E712
    return conn.execute(query.distinct().order_by(_M.period, _M.account_id).limit(limit)).all()


def cuts_of(conn: Connection, row: Any) -> dict[str, Fen]:
    """What was cut for a month, by book."""
    query = select(_C.book_id, _C.cut_fen).where(
        _C.period == row.period, _C.account_id == row.account_id, _C.item_group == row.item_group
    )
    found: dict[str, Fen] = {}
    for cut in conn.execute(query.order_by(_C.book_id)):
        found[cut.book_id] = found.get(cut.book_id, ZERO_FEN) + cut.cut_fen
    return found


def release_month(conn: Connection, row: Any) -> None:
    """The bill has taken the place of a month's live debits."""
    mine = and_(_M.period == row.period, _M.account_id == row.account_id, _M.item_group == row.item_group)
    conn.execute(update(credit_month).where(mine).values(released=True, due=False))


# ---- who asks and by what price ------------------------------------------------------------------------------------
def sessions(conn: Connection, session_ids: Sequence[str]) -> dict[str, Any]:
    """Sessions by id."""
    found: dict[str, Any] = {}
    for start in range(0, len(session_ids), IN_LIST):
        some = session_ids[start : start + IN_LIST]
        for row in conn.execute(_SESSIONS, {"b_ids": some}):
            found[row.session_id] = row
    return found


def silent(conn: Connection, now: datetime, limit: int) -> Sequence[Any]:
    """Open sessions whose next message is overdue."""
    query = select(credit_session).where(_S.state == OPEN, _S.expires_at < now)
    return conn.execute(query.order_by(_S.expires_at, _S.session_id).limit(limit)).all()


_SESSIONS = select(credit_session).where(_S.session_id.in_(bindparam("b_ids", expanding=True)))
_ACCESSES = select(usage_access).where(
    usage_access.c.kind == bindparam("b_kind"), usage_access.c.access_key.in_(bindparam("b_ids", expanding=True))
)
_PRODUCTS = (
    select(rating_product)
    .where(rating_product.c.product_id.in_(bindparam("b_ids", expanding=True)))
    .order_by(rating_product.c.product_id, rating_product.c.from_on)
)
_PAYERS = (
    select(pay_relation)
    .where(pay_relation.c.product_id.in_(bindparam("b_ids", expanding=True)))
    .order_by(pay_relation.c.product_id, pay_relation.c.priority, pay_relation.c.from_on, pay_relation.c.account_id)
)
_MANY_USED = select(credit_used).where(
    _U.period.in_(bindparam("b_periods", expanding=True)), _U.product_id.in_(bindparam("b_ids", expanding=True))
)


def accesses(conn: Connection, kind: str, keys: Sequence[str]) -> list[Any]:
    """The accesses of some numbers or logins."""
    return _many(conn, _ACCESSES, keys, b_kind=kind)


def products(conn: Connection, product_ids: Sequence[str]) -> list[Any]:
    """Which offerings some products had when."""
    return _many(conn, _PRODUCTS, product_ids)


def payers(conn: Connection, product_ids: Sequence[str]) -> list[Any]:
    """Who pays for some products."""
    return _many(conn, _PAYERS, product_ids)


def used_of(conn: Connection, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], dict[str, int]]:
    """Included units taken, by month and product."""
    wanted = set(keys)
    found: dict[tuple[int, str], dict[str, int]] = {key: {} for key in wanted}
    periods = sorted({period for period, _ in wanted})
    for row in _many(conn, _MANY_USED, sorted({product for _, product in wanted}), b_periods=periods):
        if (row.period, row.product_id) in found:
            found[row.period, row.product_id][row.allowance_key] = int(row.used_quantity)
    return found


def _many(conn: Connection, statement: Any, ids: Sequence[str], **params: Any) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), IN_LIST):
        found += conn.execute(statement, {**params, "b_ids": ids[start : start + IN_LIST]}).all()
    return found


def stamp(conn: Connection) -> tuple[int, int]:
    """What tells whether tariffs or price books have changed: the newest version, the number of live books."""
    newest = conn.execute(select(func.max(rating_tariff.c.version_no))).scalar_one()
    live = conn.execute(
        select(func.count()).select_from(rating_price_book).where(rating_price_book.c.live == True)  # noqa: E712
    ).scalar_one()
    return int(newest or 0), int(live)


def offerings(conn: Connection) -> Sequence[Any]:
    """The combinations of offering, bundle, price book and first day that occur."""
    c = rating_product.c
    return conn.execute(
        select(c.book_version, c.offering_code, c.bundle_code, c.service, func.min(c.from_on).label("from_on"))
        .group_by(c.book_version, c.offering_code, c.bundle_code, c.service)
        .order_by(c.book_version, c.offering_code, c.bundle_code, c.service)
    ).all()
