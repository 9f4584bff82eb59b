"""The accounts' SQL. The statements a payment uses are compiled once and kept short."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, insert, select, update

from server_api.billing.account.rules import Book
from server_api.platform.dialects.prepared import Prepared
from shared_models.contracts.events import Standing
from shared_models.tables.billing.account import balance_book, billing_account, payer
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType

#: At most so many values in one IN list (Oracle takes 1000).
IN_LIST = 900

_A, _B, _P = billing_account.c, balance_book.c, payer.c

_TOUCH = Prepared(
    update(billing_account).where(_A.account_id == bindparam("b_account_id")).values(version=_A.version + 1)
)
#: The account, its payer and its books in one go: one row per book.
_READ_ALL = select(
    _A.account_id,
    _A.account_no,
    _A.customer_id,
    _A.payment_type,
    _A.credit_limit_fen,
    _A.standing,
    _A.owed_since_on,
    _A.version,
    _A.held_by_run,
    _A.settle_wanted,
    _A.restricted,
    _A.opened_at,
    _A.closed_at,
    _P.customer_no,
    _P.sealed_name,
    _B.book_id,
    _B.book_type,
    _B.item_group,
    _B.spend_order,
    _B.from_on,
    _B.until_on,
    _B.in_fen,
    _B.out_fen,
).select_from(
    billing_account.join(balance_book, _B.account_id == _A.account_id).outerjoin(
        payer, _P.customer_id == _A.customer_id
    )
)
_READ = Prepared(_READ_ALL.where(_A.account_id == bindparam("b_account_id")))
_READ_MANY = _READ_ALL.where(_A.account_id.in_(bindparam("b_ids", expanding=True))).order_by(_A.account_id)
_SET_STANDING = Prepared(
    update(billing_account)
    .where(_A.account_id == bindparam("b_account_id"))
    .values(standing=bindparam("b_standing"), owed_since_on=bindparam("b_since"))
)
_MOVE_BOOK = Prepared(
    update(balance_book)
    .where(_B.book_id == bindparam("b_book_id"))
    .values(in_fen=bindparam("b_in"), out_fen=bindparam("b_out"))
)
_BALANCES = select(_B.account_id, _B.in_fen, _B.out_fen).where(
    _B.account_id.in_(bindparam("b_ids", expanding=True)),
    _B.in_fen > _B.out_fen,
    _B.book_type != BookType.DEPOSIT.value,
)
_FREE_BALANCES = _BALANCES.where(_B.item_group == "*")
_STANDINGS = select(_A.account_id, _A.standing, _A.owed_since_on, _A.restricted, _A.credit_limit_fen).where(
    _A.account_id.in_(bindparam("b_ids", expanding=True))
)
_INSERT_ACCOUNT = Prepared(insert(billing_account))
_INSERT_BOOK = Prepared(insert(balance_book))


@dataclass(frozen=True, slots=True)
class BookState:
    """A book with both its sums."""

    book: Book
    in_sum: Fen
    out_sum: Fen


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account as an act on it needs it."""

    row: Any
    books: tuple[BookState, ...]

    @property
    def held(self) -> bool:
        return self.row.held_by_run is not None


@dataclass(frozen=True, slots=True)
class StandingRow:
    """What is needed to tell how an account stands."""

    account_id: str
    standing: Standing
    owed_since_on: date | None
    restricted: bool
    credit_limit: Fen

    @classmethod
    def of(cls, row: Any) -> StandingRow:
        return cls(row.account_id, Standing(row.standing), row.owed_since_on, row.restricted, row.credit_limit_fen)


def touch(conn: Connection, account_id: str) -> bool:
    """Lock the account's row by raising its version; False where there is none. Accounts are locked first."""
    return _TOUCH.run(conn, {"b_account_id": account_id}) == 1


def read(conn: Connection, account_id: str) -> AccountState | None:
    """The account with its payer and its books, or None."""
    rows = _READ.all(conn, {"b_account_id": account_id})
    if not rows:
        return None
    return AccountState(rows[0], tuple(_book_of(row) for row in rows))


def _book_of(row: Any) -> BookState:
    book = Book(
        row.book_id,
        BookType(row.book_type),
        row.item_group,
        row.spend_order,
        row.from_on,
        row.until_on,
        row.in_fen - row.out_fen,
    )
    return BookState(book, row.in_fen, row.out_fen)


def set_standing(conn: Connection, account_id: str, standing: str, owed_since_on: date | None) -> None:
    """Store how the account stands now."""
    _SET_STANDING.run(conn, {"b_account_id": account_id, "b_standing": standing, "b_since": owed_since_on})


def move_books(conn: Connection, moves: Sequence[tuple[str, Fen, Fen]]) -> None:
    """Set the sums of books whose account is locked: (book_id, in, out)."""
    if moves:
        _MOVE_BOOK.many(
            conn, [{"b_book_id": book_id, "b_in": paid_in, "b_out": out} for book_id, paid_in, out in moves]
        )


def want_settling(conn: Connection, account_id: str) -> None:
    """Remember that money waits to be settled when the bill run lets the account go."""
    conn.execute(update(billing_account).where(_A.account_id == account_id).values(settle_wanted=True))


def insert_accounts(conn: Connection, accounts: list[dict[str, Any]], books: list[dict[str, Any]]) -> None:
    """Add accounts and their first books."""
    _INSERT_ACCOUNT.many(conn, accounts)
    _INSERT_BOOK.many(conn, books)


def taken(conn: Connection, account_id: str, account_no: str) -> bool:
    """True where the id or the number belongs to an account."""
    by_id = select(_A.account_id).where(_A.account_id == account_id)
    by_no = select(_A.account_id).where(_A.account_no == account_no)
    return conn.execute(by_id).first() is not None or conn.execute(by_no).first() is not None


def set_limits(conn: Connection, account_id: str, **values: Any) -> None:
    """Change what a person may set on a locked account: credit_limit_fen, restricted."""
    conn.execute(update(billing_account).where(_A.account_id == account_id).values(**values))


def accounts_of_customer(conn: Connection, customer_id: str) -> list[str]:
    """The ids of a customer's accounts, by number."""
    query = select(_A.account_id).where(_A.customer_id == customer_id).order_by(_A.account_no, _A.account_id)
    return list(conn.execute(query).scalars())


def account_id_of(conn: Connection, account_no: str) -> str | None:
    """The id behind an account number."""
    return conn.execute(select(_A.account_id).where(_A.account_no == account_no)).scalar_one_or_none()


# ---- for the month run ----------------------------------------------------------------------------------------------
def accounts_between(conn: Connection, from_id: str, until_id: str | None) -> Sequence[Any]:
    """Open accounts of a half-open range of ids, in order of id, without their books."""
    query: Select[Any] = (
        select(
            _A.account_id,
            _A.account_no,
            _A.customer_id,
            _A.version,
            _A.standing,
            _A.payment_type,
            _A.held_by_run,
        )
        .where(_A.account_id >= from_id, _A.closed_at.is_(None))
        .order_by(_A.account_id)
    )
    if until_id is not None:
        query = query.where(_A.account_id < until_id)
    return conn.execute(query).all()


def payers_of(conn: Connection, customer_ids: Iterable[str]) -> dict[str, Any]:
    """The sealed payers of customers, by customer."""
    found: dict[str, Any] = {}
    for chunk in chunks(sorted(set(customer_ids))):
        for row in conn.execute(select(payer).where(_P.customer_id.in_(chunk))):
            found[row.customer_id] = row
    return found


def balances_of(conn: Connection, account_ids: Iterable[str], *, any_group: bool = False) -> dict[str, Fen]:
    """What each account holds in spendable books that pay for anything (or, ``any_group``, for something).

    Accounts with nothing are left out.
    """
    found: dict[str, Fen] = {}
    statement = _BALANCES if any_group else _FREE_BALANCES
    for chunk in chunks(sorted(set(account_ids))):
        for row in conn.execute(statement, {"b_ids": chunk}):
            found[row.account_id] = found.get(row.account_id, ZERO_FEN) + row.in_fen - row.out_fen
    return found


def standings_of(conn: Connection, account_ids: Iterable[str]) -> dict[str, StandingRow]:
    """How many accounts stand, by id."""
    found: dict[str, StandingRow] = {}
    for chunk in chunks(sorted(set(account_ids))):
        for row in conn.execute(_STANDINGS, {"b_ids": chunk}):
            found[row.account_id] = StandingRow.of(row)
    return found


def states_of(conn: Connection, account_ids: Iterable[str]) -> dict[str, AccountState]:
    """Many accounts with their books, by id."""
    grouped: dict[str, list[Any]] = {}
    for chunk in chunks(sorted(set(account_ids))):
        for row in conn.execute(_READ_MANY, {"b_ids": chunk}):
            grouped.setdefault(row.account_id, []).append(row)
    return {key: AccountState(rows[0], tuple(_book_of(row) for row in rows)) for key, rows in grouped.items()}


def touch_many(conn: Connection, account_ids: Sequence[str]) -> None:
    """Lock accounts in ascending order of id by raising their versions."""
    _TOUCH.many(conn, [{"b_account_id": account_id} for account_id in sorted(account_ids)])


def set_standings(conn: Connection, rows: Sequence[tuple[str, str, date | None]]) -> None:
    """Store how many accounts stand now: (account_id, standing, owed_since_on)."""
    if rows:
        _SET_STANDING.many(
            conn,
            [
                {"b_account_id": account_id, "b_standing": standing, "b_since": since}
                for account_id, standing, since in rows
            ],
        )


def hold(conn: Connection, run_id: str, account_ids: Iterable[str]) -> None:
    """A bill run takes accounts: money coming in meanwhile waits as balance."""
    for chunk in chunks(sorted(set(account_ids))):
        conn.execute(update(billing_account).where(_A.account_id.in_(chunk)).values(held_by_run=run_id))


def release(conn: Connection, run_id: str, account_ids: Iterable[str]) -> list[str]:
    """The run lets accounts go; returns those for which money waits to be settled."""
    waiting: list[str] = []
    for chunk in chunks(sorted(set(account_ids))):
        mine = and_(_A.account_id.in_(chunk), _A.held_by_run == run_id)
        waiting += conn.execute(select(_A.account_id).where(mine, _A.settle_wanted == True)).scalars()  # noqa: E712
        conn.execute(update(billing_account).where(mine).values(held_by_run=None, settle_wanted=False))
    return waiting


def overdue_since_yesterday(conn: Connection, today: date, after_id: str | None, limit: int) -> Sequence[Any]:
    """Accounts still told as owing whose earliest bill was due before today; keyset by id."""
    query = select(_A.account_id).where(_A.standing == "owing", _A.owed_since_on < today)
    if after_id is not None:
        query = query.where(_A.account_id > after_id)
    return conn.execute(query.order_by(_A.account_id).limit(limit)).all()


# ---- payer copy -----------------------------------------------------------------------------------------------------
def payer_seq(conn: Connection, customer_id: str) -> int:
    """The sequence number of the fact the payer was last taken from; 0 where there is none."""
    return conn.execute(select(_P.source_seq).where(_P.customer_id == customer_id)).scalar_one_or_none() or 0


def put_payer(conn: Connection, known: bool, values: dict[str, Any]) -> None:
    """Replace or add a payer."""
    if known:
        conn.execute(update(payer).where(_P.customer_id == values["customer_id"]).values(**values))
    else:
        conn.execute(insert(payer).values(**values))


def add_payers(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add payers that are not kept yet."""
    conn.execute(insert(payer), rows)


def all_payers(conn: Connection) -> Sequence[Any]:
    """Every payer kept, by customer."""
    return conn.execute(select(payer).order_by(_P.customer_id)).all()


# ---- for check-books ------------------------------------------------------------------------------------------------
def all_books(conn: Connection) -> Sequence[Any]:
    """Every book with its sums."""
    return conn.execute(select(_B.book_id, _B.book_type, _B.in_fen, _B.out_fen).order_by(_B.book_id)).all()


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Lists short enough for an IN clause on every engine."""
    for start in range(0, len(ids), IN_LIST):
        yield ids[start : start + IN_LIST]
