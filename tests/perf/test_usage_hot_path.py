"""What an import does per piece and per write turn, counted and not timed.

Prevents: the query in a loop, the frame collected once too often, the record looked at one by one; each of them makes
an import of ten million records slow without failing any other test.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import event, update

from server_api.billing.rating import importer, turns
from server_api.billing.rating.guide import load_guide
from server_api.billing.rating.piece import Order, made_pieces
from server_api.billing.rating.rerate import rerate
from server_api.billing.rating.rerate_read import Asked
from server_api.billing.rating.stream import rate_stream
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.formats.registry import open_usage
from server_api.billing.usage.samples import sample_calls
from server_api.billing.usage.taken import Taken
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.period import Month
from tests.support import usage_town as town

pytestmark = pytest.mark.one_engine
MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(20)]
#: BEGIN, periods shut, calls, steps, dues known, dues new, identities.
_MOST_STATEMENTS_A_TURN = 7


@pytest.fixture
def billing(databases: Databases) -> Database:
    town.small_town(databases.billing, NUMBERS)
    return databases.billing


def _file(folder: Path, count: int, seed: int = 1) -> Path:
    """Calls of noon and of a minute: none has steps, which are told call by call."""
    calls = sample_calls(NUMBERS, MONTH, count, seed)
    noon = pl.col("start_s") - (pl.col("start_s") + 28_800) % 86_400 + 43_200 + pl.col("seq_no") % 3_600
    calls = calls.with_columns(start_s=noon, duration_s=pl.lit(60, pl.Int64))
    path = folder / f"{count}-{seed}.csv"
    path.write_bytes(calls_csv.encode(calls))
    return path


@contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    told: list[str] = []

    def tell(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        told.append(statement)

    engines = {id(engine): engine for engine in (database.engine, database.reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", tell)
    yield told
    for engine in engines:
        event.remove(engine, "before_cursor_execute", tell)


def _statements_of(database: Database, path: Path) -> int:
    with _statements(database) as told:
        report = importer.import_file(database, path, deal=False)
    assert report.accepted_count == report.read_count > 0
    return len(told)


def test_statements_go_by_turns_not_by_calls(
    billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: setattr(self, "rows", 1_000))
    one_turn = _statements_of(billing, _file(tmp_path, 1_000))
    again = _statements_of(billing, _file(tmp_path, 999, 2))
    five_turns = _statements_of(billing, _file(tmp_path, 5_000, 3))
    assert abs(again - one_turn) <= 4, "another file of that size reads nothing of the calls before it but one piece"
    assert five_turns - one_turn <= 4 * _MOST_STATEMENTS_A_TURN + 4
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: setattr(self, "rows", 20_000))
    monkeypatch.setattr(turns.TurnSize, "__init__", lambda self, _database, rows=20_000: setattr(self, "rows", rows))
    assert abs(_statements_of(billing, _file(tmp_path, 8_000, 4)) - one_turn) <= 12, "eight times the calls in one turn"


def _order(database: Database, path: Path) -> Order:
    source = open_usage(path)
    return Order(source, load_guide(database, source.service), 1, "S", 0, 2**40, MONTH.yyyymm)


def _collects(monkeypatch: pytest.MonkeyPatch, order: Order) -> int:
    count = 0
    whole = pl.LazyFrame.collect

    def counted(self: pl.LazyFrame, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        return whole(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pl.LazyFrame, "collect", counted)
        for _ in made_pieces(order, Taken(), 0, 0):
            pass
    return count


def test_collects_go_by_pieces_not_by_calls(billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each collect is a pass over a piece; the rating itself is one."""
    few, many = (_collects(monkeypatch, _order(billing, _file(tmp_path, count))) for count in (500, 5_000))
    assert few == many <= 60


def _python_calls(work: Any) -> int:
    """How many functions written in Python were called, on every thread."""
    count = 0

    def tell(_frame: Any, what: str, _argument: Any) -> None:
        nonlocal count
        count += what == "call"

    threading.setprofile(tell)
    sys.setprofile(tell)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return count


def test_nothing_is_done_call_by_call(billing: Database, tmp_path: Path) -> None:
    """Eight times the calls, the same number of Python's own functions: decoding, checking, guiding, rating."""
    orders = [_order(billing, _file(tmp_path, count)) for count in (1_000, 8_000)]
    rate_stream(orders[0])  # what is read and compiled once
    few, many = (_python_calls(lambda order=order: rate_stream(order)) for order in orders)
    assert many - few < 400, (few, many)


def test_writing_is_done_by_turns(billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.TurnSize, "__init__", lambda self, _database, rows=20_000: setattr(self, "rows", rows))
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: None)
    importer.import_file(billing, _file(tmp_path, 100), deal=False)
    few, many = (
        _python_calls(lambda path=path: importer.import_file(billing, path, deal=False))
        for path in (_file(tmp_path, 1_000, 5), _file(tmp_path, 8_000, 6))
    )
    assert many - few < 4_000, (few, many)


def test_rating_again_asks_by_group_and_writes_by_turn(
    billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times the calls of the same accounts, all of them changed: a turn more, no statement by call."""
    month_again = Asked(MONTH.first_on, MONTH.until_on)
    counts = []
    for index, count in enumerate((200, 800)):
        importer.import_file(billing, _file(tmp_path, count, seed=index + 1))
        with billing.batch() as conn:
            conn.execute(update(rated_usage).values(charge_micro_yuan=rated_usage.c.charge_micro_yuan + 1))
        with _statements(billing) as told:
            outcome = rerate(billing, month_again, rerate_id="")
        assert outcome.changed_count >= count
        counts.append(len(told))
    assert counts[1] - counts[0] < 10 and counts[1] < 60, counts
