"""Month runs and their chunks: begun once, claimed by lease, resumed where they stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, literal, or_, select, update

from server_api.platform.database import Database
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.bill import bill_period, bill_run, bill_run_chunk
from shared_models.values.money import Fen

WAITING, RUNNING, DONE = "waiting", "running", "done"
CANCELLED, CLOSED = "cancelled", "closed"


class Chunk(NamedTuple):
    """A range of accounts of a run, and the first of them not yet done."""

    period: int
    run_id: str
    chunk_no: int
    until_account: str | None
    next_account: str
    account_count: int
    done_count: int


class ChunkStep(NamedTuple):
    """How far one write turn brought a chunk."""

    next_account: str
    done: int
    bills: int
    aside: int
    total: Fen


_K, _R = bill_run_chunk.c, bill_run.c


def count_accounts(conn: Connection) -> int:
    """How many open accounts there are."""
    query = select(func.count()).select_from(billing_account).where(billing_account.c.closed_at.is_(None))
    return int(conn.execute(query).scalar_one())


def account_bounds(
    conn: Connection, size: int, counts: Callable[[str], bool] = lambda account_id: True
) -> list[tuple[str, int]]:
    """The first account id of every chunk of ``size`` open accounts, with how many of them a run bills."""
    bounds: list[tuple[str, int]] = []
    count = mine = 0
    first = ""
    rows = conn.execution_options(stream_results=True).execute(
        select(billing_account.c.account_id)
        .where(billing_account.c.closed_at.is_(None))
        .order_by(billing_account.c.account_id)
    )
    for partition in rows.scalars().partitions(1000):
        for account_id in partition:
            if count == 0:
                first = account_id
            count += 1
            mine += counts(account_id)
            if count == size:
                bounds.append((first, mine))
                count = mine = 0
    if count:
        bounds.append((first, mine))
    return bounds


_VERSIONS = (
    select(billing_account.c.account_id, billing_account.c.version)
    .where(
        billing_account.c.account_id >= bindparam("b_first"),
        billing_account.c.account_id <= bindparam("b_last"),
        billing_account.c.closed_at.is_(None),
    )
    .order_by(billing_account.c.account_id)
)


def lock_versions(database: Database, conn: Connection, first_id: str, last_id: str) -> dict[str, int]:
    """Hold the open accounts of a range until the transaction ends, in order of id, and return their versions."""
    locking = database.dialect.lock(_VERSIONS, billing_account)
    return {row[0]: row[1] for row in conn.execute(locking, {"b_first": first_id, "b_last": last_id}).all()}


def insert_run(conn: Connection, **values: Any) -> None:
    """A run, not yet planned."""
    conn.execute(insert(bill_run).values(**values))


def insert_chunks(conn: Connection, period: int, run_id: str, bounds: Sequence[tuple[str, int]]) -> None:
    """The chunks of a run, all waiting. The first begins at the lowest id there can be, the last ends open."""
    rows = []
    for number, (first, count) in enumerate(bounds):
        begins = "0" if number == 0 else first
        rows.append(
            {
                "period": period,
                "run_id": run_id,
                "chunk_no": number + 1,
                "first_account": begins,
                "until_account": bounds[number + 1][0] if number + 1 < len(bounds) else None,
                "next_account": begins,
                "state": WAITING,
                "account_count": count,
                "done_count": 0,
                "bill_count": 0,
                "aside_count": 0,
                "total_fen": Fen(0),
            }
        )
    if rows:
        conn.execute(insert(bill_run_chunk), rows)


def runs_of(conn: Connection, period: int) -> Sequence[Row[Any]]:
    """The runs of a period, by billing day."""
    return conn.execute(select(bill_run).where(_R.period == period).order_by(_R.billing_day, _R.run_id)).all()


def read_run(conn: Connection, run_id: str) -> Row[Any] | None:
    """A run by id. There is one run a month and billing day, so walking the small table is right."""
    return conn.execute(select(bill_run).where(_R.run_id == run_id)).one_or_none()


def latest_runs(conn: Connection, limit: int) -> Sequence[Row[Any]]:
    """The latest runs, newest month first."""
    return conn.execute(
        select(bill_run).order_by(_R.period.desc(), _R.billing_day.desc(), _R.run_id).limit(limit)
    ).all()


def set_run(conn: Connection, period: int, run_id: str, **values: Any) -> int:
    """Change a run's own row; returns how many were changed."""
    return conn.execute(update(bill_run).where(_R.period == period, _R.run_id == run_id).values(**values)).rowcount


def period_state(conn: Connection, period: int) -> str:
    """open, billing or closed."""
    state = conn.execute(select(bill_period.c.state).where(bill_period.c.period == period)).scalar_one_or_none()
    return "open" if state is None else str(state)


def put_period(conn: Connection, period: int, **values: Any) -> None:
    """Set a period's state."""
    if conn.execute(update(bill_period).where(bill_period.c.period == period).values(**values)).rowcount == 0:
        conn.execute(insert(bill_period).values(period=period, **values))


def claim_chunk(
    conn: Connection,
    period: int,
    run_id: str,
    worker: str,
    now: datetime,
    lease_until: datetime,
) -> Chunk | None:
    """Take a chunk nobody works on: waiting, or its worker's lease ran out. None where there is none."""
    free = or_(_K.state == WAITING, and_(_K.state == RUNNING, _K.lease_until_at < now))
    for row in conn.execute(
        select(bill_run_chunk).where(_K.period == period, _K.run_id == run_id, free).order_by(_K.chunk_no).limit(4)
    ).all():
        mine = and_(_K.period == period, _K.run_id == run_id, _K.chunk_no == row.chunk_no, free)
        taken = conn.execute(
            update(bill_run_chunk).where(mine).values(state=RUNNING, worker=worker, lease_until_at=lease_until)
        ).rowcount
        if taken == 1:
            return Chunk(
                period, run_id, row.chunk_no, row.until_account, row.next_account, row.account_count, row.done_count
            )
    return None


_STEP = (
    update(bill_run_chunk)
    .where(
        _K.period == bindparam("b_period"),
        _K.run_id == bindparam("b_run"),
        _K.chunk_no == bindparam("b_chunk"),
        _K.state == RUNNING,
        _K.worker == bindparam("b_worker"),
        _K.next_account == bindparam("b_at"),
    )
    .values(
        next_account=bindparam("b_next"),
        done_count=_K.done_count + bindparam("b_done"),
        bill_count=_K.bill_count + bindparam("b_bills"),
        aside_count=_K.aside_count + bindparam("b_aside"),
        total_fen=_K.total_fen + bindparam("b_total", type_=_K.total_fen.type),
        lease_until_at=bindparam("b_lease"),
    )
)


def step_chunk(conn: Connection, chunk: Chunk, worker: str, step: ChunkStep, lease_until: datetime) -> bool:
    """Move a chunk on in the transaction of its bills; False where another worker has it by now."""
    done = conn.execute(
        _STEP,
        {
            "b_period": chunk.period, "b_run": chunk.run_id, "b_chunk": chunk.chunk_no, "b_worker": worker,
            "b_at": chunk.next_account, "b_next": step.next_account, "b_done": step.done, "b_bills": step.bills,
            "b_aside": step.aside, "b_total": step.total, "b_lease": lease_until,
        },
    )  # fmt: skip
    return done.rowcount == 1


def count_late_bill(conn: Connection, run: Any, account_id: str, made: bool, total: Fen, on: date) -> None:
    """A run's figures with a bill it had set aside, made later."""
    counts = {"bill_count": int(made), "aside_count": -1, "total_fen": total}
    mine = (_K.first_account <= account_id) & (_K.until_account.is_(None) | (_K.until_account > account_id))
    for table, where in (
        (bill_run_chunk, and_(_K.period == run.period, _K.run_id == run.run_id, mine)),
        (bill_run, and_(_R.period == run.period, _R.run_id == run.run_id, _R.state == CLOSED)),
    ):
        more = {name: table.c[name] + literal(value, table.c[name].type) for name, value in counts.items()}
        conn.execute(update(table).where(where).values(**more))
    if made:
        set_run(conn, run.period, run.run_id, late_bill_on=on)


def end_chunk(conn: Connection, chunk: Chunk, worker: str, state: str) -> None:
    """Let go of a chunk: done, or waiting again for whoever goes on."""
    conn.execute(
        update(bill_run_chunk)
        .where(
            _K.period == chunk.period,
            _K.run_id == chunk.run_id,
            _K.chunk_no == chunk.chunk_no,
            _K.worker == worker,
        )
        .values(state=state, worker=None, lease_until_at=None)
    )


def is_planned(conn: Connection, period: int, run_id: str) -> bool:
    """True once the run has its chunks."""
    return (
        conn.execute(
            select(_K.chunk_no).where(_K.period == period, _K.run_id == run_id).order_by(_K.chunk_no).limit(1)
        ).first()
        is not None
    )


def chunk_sums(conn: Connection, period: int, run_id: str) -> Row[Any]:
    """All chunks of a run together: chunks, not_done, done accounts, bills, aside, total."""
    return conn.execute(
        select(
            func.count().label("chunks"),
            func.sum(_K.done_count).label("done"),
            func.sum(_K.bill_count).label("bills"),
            func.sum(_K.aside_count).label("aside"),
            func.sum(_K.total_fen).label("total"),
        ).where(_K.period == period, _K.run_id == run_id)
    ).one()


def chunks_left(conn: Connection, period: int, run_id: str) -> int:
    """How many chunks are not done."""
    return int(
        conn.execute(
            select(func.count())
            .select_from(bill_run_chunk)
            .where(_K.period == period, _K.run_id == run_id, _K.state != DONE)
        ).scalar_one()
    )
