"""The ledger's SQL: insert, read, sum. There is no update and no delete here, and there will be none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select

from server_api.billing.ledger.rules import Booked, LedgerName, Posting
from server_api.platform.database import Database
from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.ledger import posting, posting_mirror
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen

#: The columns of ``post_bulk``, in order; amounts are plain fen, days are dates.
POSTING_COLUMNS = (
    "period",
    "act_id",
    "line_no",
    "booked_on",
    "from_code",
    "from_owner",
    "to_code",
    "to_owner",
    "amount_fen",
    "ref_id",
)

_INSERT = Prepared(insert(posting))
_INSERT_MIRROR = insert(posting_mirror)
_OF_ACT = (
    select(
        posting.c.period,
        posting.c.act_id,
        posting.c.line_no,
        posting.c.from_code,
        posting.c.from_owner,
        posting.c.to_code,
        posting.c.to_owner,
        posting.c.amount_fen,
        posting.c.ref_id,
    )
    .where(posting.c.period == bindparam("b_period"), posting.c.act_id == bindparam("b_act_id"))
    .order_by(posting.c.line_no)
)


def insert_postings(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Add postings; every row has the same keys."""
    _INSERT.many(conn, rows)


def insert_mirrors(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Mark postings as undone; a second mark of one posting violates the key."""
    conn.execute(_INSERT_MIRROR, rows)


def post_bulk(database: Database, conn: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Add many postings by the driver's array path, in the order of POSTING_COLUMNS."""
    database.bulk_insert(conn, posting, POSTING_COLUMNS, rows)


def postings_of(conn: Connection, period: int, act_id: str) -> list[Booked]:
    """What an act posted in a period, in order."""
    return [
        Booked(
            row.period,
            row.act_id,
            row.line_no,
            Posting(
                LedgerName(LedgerCode(row.from_code), row.from_owner),
                LedgerName(LedgerCode(row.to_code), row.to_owner),
                row.amount_fen,
                row.ref_id or "",
            ),
        )
        for row in conn.execute(_OF_ACT, {"b_period": period, "b_act_id": act_id})
    ]


def mirrored_lines(conn: Connection, period: int, act_id: str) -> set[int]:
    """Which lines of an act were undone."""
    table = posting_mirror
    return set(
        conn.execute(select(table.c.line_no).where(table.c.period == period, table.c.act_id == act_id)).scalars()
    )


def sums_by_name(conn: Connection, code: LedgerCode, period: int | None = None) -> dict[str, Fen]:
    """The balance (debits less credits) of every owner of one code, from the postings alone, ever or of one period."""
    found: dict[str, int] = {}
    for owner, code_column, sign in (
        (posting.c.to_owner, posting.c.to_code, 1),
        (posting.c.from_owner, posting.c.from_code, -1),
    ):
        query = select(owner, func.sum(posting.c.amount_fen)).where(code_column == code.value).group_by(owner)
        if period is not None:
            query = query.where(posting.c.period == period)
        for name, amount in conn.execute(query):
            found[name] = found.get(name, 0) + sign * amount.amount_fen
    return {name: Fen(amount) for name, amount in found.items()}


def sums_by_code(conn: Connection) -> dict[str, tuple[Fen, Fen]]:
    """Debits and credits of every code."""
    debits = dict(
        conn.execute(select(posting.c.to_code, func.sum(posting.c.amount_fen)).group_by(posting.c.to_code)).all()
    )
    credits = dict(
        conn.execute(select(posting.c.from_code, func.sum(posting.c.amount_fen)).group_by(posting.c.from_code)).all()
    )
    return {code: (debits.get(code, Fen(0)), credits.get(code, Fen(0))) for code in sorted({*debits, *credits})}


def count_postings(conn: Connection) -> int:
    """How many postings there are."""
    return int(conn.execute(select(func.count()).select_from(posting)).scalar_one())


def count_mirrors(conn: Connection) -> int:
    """How many postings were undone."""
    return int(conn.execute(select(func.count()).select_from(posting_mirror)).scalar_one())


def not_positive(conn: Connection) -> list[str]:
    """Postings of nothing or less, which the table's check should have refused."""
    rows = conn.execute(select(posting.c.act_id, posting.c.line_no).where(posting.c.amount_fen <= Fen(0)))
    return [f"{row.act_id}/{row.line_no}" for row in rows]


def mirrors_with_difference(conn: Connection) -> list[str]:
    """Mirror postings that do not undo exactly the posting they name; only a cash drawer may be another one."""
    first, second = posting.alias("first_posting"), posting.alias("mirror")
    rows = conn.execute(
        select(
            second.c.act_id,
            second.c.line_no,
            second.c.amount_fen,
            second.c.from_code,
            second.c.from_owner,
            second.c.to_code,
            second.c.to_owner,
            first.c.act_id.label("first_act"),
            first.c.amount_fen.label("first_fen"),
            first.c.from_code.label("first_from"),
            first.c.from_owner.label("first_from_owner"),
            first.c.to_code.label("first_to"),
            first.c.to_owner.label("first_to_owner"),
        )
        .select_from(
            second.outerjoin(
                first,
                and_(
                    first.c.period == second.c.reverses_period,
                    first.c.act_id == second.c.reverses_act_id,
                    first.c.line_no == second.c.reverses_line_no,
                ),
            )
        )
        .where(second.c.reverses_act_id.is_not(None))
    )
    return [
        f"{row.act_id}/{row.line_no}"
        for row in rows
        if row.first_act is None
        or row.amount_fen != row.first_fen
        or not _same(row.from_code, row.from_owner, row.first_to, row.first_to_owner)
        or not _same(row.to_code, row.to_owner, row.first_from, row.first_from_owner)
    ]


def _same(code: str, owner: str, other_code: str, other_owner: str) -> bool:
    return code == other_code and (owner == other_owner or code == LedgerCode.CASH)
