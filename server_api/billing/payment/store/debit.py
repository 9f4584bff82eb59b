"""The only SQL of files for banks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from server_api.platform.database import Database
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.debit import debit_file, debit_item
from shared_models.tables.billing.payment import payment
from shared_models.values.money import ZERO_FEN, Fen

MAKING, SENT, ANSWERED = "making", "sent", "answered"
PAID, FAILED, CHECK_FAILED = "paid", "failed", "check_failed"
_F, _I = debit_file.c, debit_item.c
_ITEM_COLUMNS = tuple(column.name for column in debit_item.c)


def file(conn: Connection, file_no: str) -> Row[Any] | None:
    """A file by its number."""
    return conn.execute(select(debit_file).where(_F.file_no == file_no)).one_or_none()


def file_in_making(conn: Connection, bank_code: str) -> Row[Any] | None:
    """The file of a bank whose making was interrupted."""
    query = select(debit_file).where(_F.bank_code == bank_code, _F.state == MAKING).order_by(_F.file_no)
    return conn.execute(query.limit(1)).one_or_none()


def add_file(conn: Connection, *, file_no: str, bank_code: str, on: date, by: str, at: datetime) -> None:
    """Begin a file."""
    conn.execute(
        insert(debit_file).values(
            file_no=file_no, bank_code=bank_code, state=MAKING, asked_on=on, item_count=0, total_fen=ZERO_FEN,
            made_by=by, made_at=at,
        )
    )  # fmt: skip


def set_file(conn: Connection, file_no: str, **values: Any) -> None:
    """Move a file on."""
    conn.execute(update(debit_file).where(_F.file_no == file_no).values(**values))


def add_items(database: Database, conn: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Add items (columns as in the table, raw)."""
    database.bulk_insert(conn, debit_item, _ITEM_COLUMNS, rows)


def waiting_accounts(conn: Connection) -> set[str]:
    """Accounts whose bank has not answered yet."""
    return set(conn.execute(select(_I.account_id).where(_I.state == SENT)).scalars())


def items(conn: Connection, file_no: str, seq_nos: Sequence[int] | None = None) -> Sequence[Row[Any]]:
    """The items of a file in order; all or some."""
    query = select(debit_item).where(_I.file_no == file_no).order_by(_I.seq_no)
    return conn.execute(query if seq_nos is None else query.where(_I.seq_no.in_(seq_nos))).all()


def sums(conn: Connection, file_no: str, state: str | None = None) -> tuple[int, Fen]:
    """How many items a file has (in a state), and their amount."""
    query = select(func.count(), func.sum(_I.amount_fen)).where(_I.file_no == file_no)
    count, total = conn.execute(query if state is None else query.where(_I.state == state)).one()
    return int(count), total if isinstance(total, Fen) else Fen(int(total or 0))


def settle_item(conn: Connection, file_no: str, seq_no: int, *, state: str, code: str, payment_id: str | None) -> None:
    """An item was answered."""
    conn.execute(
        update(debit_item)
        .where(_I.file_no == file_no, _I.seq_no == seq_no, _I.state == SENT)
        .values(state=state, waiting_key=f"{file_no}:{seq_no}", result_code=code or None, payment_id=payment_id)
    )


def closed_accounts(conn: Connection, account_ids: Sequence[str]) -> set[str]:
    """Those of some accounts that are closed."""
    c = billing_account.c
    return set(
        conn.execute(select(c.account_id).where(c.account_id.in_(account_ids), c.closed_at.is_not(None))).scalars()
    )


def paid_items(conn: Connection) -> Sequence[Any]:
    """Items a bank paid, each with the amount of its payment (None where there is none)."""
    p = payment.c
    joined = debit_item.outerjoin(payment, p.payment_id == _I.payment_id)
    query = select(_I.file_no, _I.seq_no, _I.amount_fen, p.amount_fen.label("booked_fen"))
    return conn.execute(query.select_from(joined).where(_I.state == PAID)).all()
