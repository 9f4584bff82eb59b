"""Bank debit contracts: their SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from shared_models.tables.billing.account import bank_debit_contract, billing_account

_C = bank_debit_contract.c


def insert_contract(conn: Connection, values: dict[str, Any]) -> None:
    """Keep a new contract."""
    conn.execute(insert(bank_debit_contract).values(**values))


def live_contract(conn: Connection, account_id: str) -> Any | None:
    """The contract of an account that runs."""
    return conn.execute(select(bank_debit_contract).where(_C.live_key == account_id)).one_or_none()


def end_contract(
    conn: Connection, contract_id: str, *, state: str, until_on: date, reason: str, by: str, at: datetime
) -> None:
    """End a contract; the account may have another one from now on."""
    conn.execute(
        update(bank_debit_contract)
        .where(_C.contract_id == contract_id)
        .values(state=state, live_key=contract_id, until_on=until_on, reason=reason, ended_by=by, ended_at=at)
    )


def contracts_of(conn: Connection, account_id: str) -> Sequence[Any]:
    """All contracts of an account, newest first."""
    query = select(bank_debit_contract).where(_C.account_id == account_id)
    return conn.execute(query.order_by(_C.opened_at.desc(), _C.contract_id)).all()


def count_contracts(conn: Connection, account_id: str) -> int:
    """How many contracts an account ever had."""
    query = select(func.count()).select_from(bank_debit_contract).where(_C.account_id == account_id)
    return int(conn.execute(query).scalar_one())


def live_contracts(conn: Connection, from_id: str, until_id: str, on: date) -> Sequence[Any]:
    """Contracts that run on a day for a half-open range of accounts, by account."""
    query = (
        select(bank_debit_contract)
        .where(_C.account_id >= from_id, _C.account_id < until_id, _C.state == "live", _C.from_on <= on)
        .order_by(_C.account_id)
    )
    return conn.execute(query).all()


def contracts_named(conn: Connection, contract_nos: Sequence[str]) -> Sequence[Any]:
    """Contracts by their numbers, whatever became of them."""
    return conn.execute(select(bank_debit_contract).where(_C.contract_no.in_(contract_nos))).all()


def wrong_contracts(conn: Connection) -> tuple[int, list[str]]:
    """How many contracts there are, and those whose key or account does not fit their state."""
    rows = conn.execute(
        select(
            _C.contract_id, _C.account_id, _C.state, _C.live_key, _C.until_on, billing_account.c.closed_at
        ).select_from(bank_debit_contract.join(billing_account, billing_account.c.account_id == _C.account_id))
    ).all()
    wrong = [
        f"{row.contract_id}: {row.state} under {row.live_key}"
        for row in rows
        if (row.live_key == row.account_id) != (row.state == "live")
        or (row.state != "live" and (row.live_key != row.contract_id or row.until_on is None))
    ]
    return len(rows), wrong
