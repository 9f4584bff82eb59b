"""Sums of credit control as they lie there, for ``onehall check-books`` and views of an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from shared_models.tables.billing.credit import credit_account, credit_cut, credit_month, credit_session
from shared_models.values.money import Fen

OPEN, CLOSED = "open", "closed"
_S, _A, _M, _C = credit_session.c, credit_account.c, credit_month.c, credit_cut.c


def account_rows(conn: Connection) -> Sequence[Any]:
    """Every credit_account row."""
    return conn.execute(select(credit_account).order_by(_A.account_id, _A.item_group)).all()


def month_rows(conn: Connection) -> Sequence[Any]:
    """Every credit_month row."""
    return conn.execute(select(credit_month).order_by(_M.period, _M.account_id, _M.item_group)).all()


def cut_sums(conn: Connection) -> dict[tuple[int, str, str], Fen]:
    """The daily lines of each month, summed."""
    query = select(_C.period, _C.account_id, _C.item_group, func.sum(_C.cut_fen).label("cut")).group_by(
        _C.period, _C.account_id, _C.item_group
    )
    return {(row.period, row.account_id, row.item_group): row.cut for row in conn.execute(query)}


def held_sums(conn: Connection) -> dict[tuple[str, str], int]:
    """What open sessions hold, by account and service."""
    query = (
        select(_S.account_id, _S.service, func.sum(_S.held_micro_yuan).label("held"))
        .where(_S.state == OPEN)
        .group_by(_S.account_id, _S.service)
    )
    return {(row.account_id, row.service): int(row.held) for row in conn.execute(query)}


def debit_sums(conn: Connection) -> dict[tuple[int, str, str], int]:
    """What settled sessions took, by month, account and service."""
    query = (
        select(_S.period, _S.account_id, _S.service, func.sum(_S.debited_micro_yuan).label("debited"))
        .where(_S.state == CLOSED)
        .group_by(_S.period, _S.account_id, _S.service)
    )
    return {(row.period, row.account_id, row.service): int(row.debited) for row in conn.execute(query)}


def open_counts(conn: Connection, account_id: str) -> dict[str, int]:
    """Open sessions of an account, by service."""
    query = (
        select(_S.service, func.count().label("count"))
        .where(_S.account_id == account_id, _S.state == OPEN)
        .group_by(_S.service)
    )
    return {row.service: int(row._mapping["count"]) for row in conn.execute(query)}
