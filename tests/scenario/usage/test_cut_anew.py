"""What changed between an import that was broken off and its going on: the cut of the pieces, the owners of numbers.

Nothing is stored twice, and every count is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from server_api.billing.rating import importer, turns
from server_api.billing.rating.retry import retry_pool
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats import gb2048
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.samples import write_month
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_usage
from shared_models.tables.billing.usage import usage_pool
from shared_models.values.faults.usage import ImportCancelled
from shared_models.values.period import Month
from tests.support import usage_town as town

NUMBERS = [f"0937{3_960_000 + index}" for index in range(20)]


def _count(database: Database, table: object) -> int:
    with database.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


@pytest.mark.one_engine
@pytest.mark.parametrize("then", [1, 40])
def test_gone_on_with_in_other_pieces(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: int
) -> None:
    billing = databases.billing
    town.small_town(billing, NUMBERS)
    (file, *_rest) = write_month(tmp_path, NUMBERS, [], Month(202602), call_count=900, seed=6)
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: setattr(self, "rows", 60))
    monkeypatch.setattr(gb2048, "PIECE_BYTES", 4 * 2_048)
    stored: list[int] = []
    with monkeypatch.context() as patch:
        whole_turn = Database.batch
        patch.setattr(Database, "batch", lambda self: [stored.append(1), whole_turn(self)][1])
        with pytest.raises(ImportCancelled):
            importer.import_file(billing, file.path, cancelled=lambda: len(stored) > 7)
    begun = _count(billing, rated_usage)
    assert 0 < begun < file.read_count
    monkeypatch.setattr(gb2048, "PIECE_BYTES", then * 2_048)
    report = importer.import_file(billing, file.path)
    assert (report.read_count, report.duplicate_count, report.rejected_count) == (
        file.read_count, file.duplicate_count, file.dirty_count,
    )  # fmt: skip
    assert _count(billing, rated_usage) == report.accepted_count
    assert _count(billing, usage_pool) == report.rejected_count
    with billing.reading() as conn:
        row = usage_store.file_by_no(conn, report.file_no)
    assert row is not None and row.pieces_done == row.piece_count > 0
    assert usage_counts_add_up(billing).holds


@pytest.mark.one_engine
@pytest.mark.parametrize("survives", [4, 14])
@pytest.mark.parametrize("retried", [True, False])
def test_an_owner_came_in_between(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survives: int, retried: bool
) -> None:
    """Calls that were put aside for want of an owner and would be rated now stay where they were put."""
    billing = databases.billing
    town.small_town(billing, NUMBERS[:10])
    (file, *_rest) = write_month(tmp_path, NUMBERS, [], Month(202602), call_count=900, seed=6)
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, _count, _ns: setattr(self, "rows", 60))
    monkeypatch.setattr(gb2048, "PIECE_BYTES", 6 * 2_048)
    stored: list[int] = []
    with monkeypatch.context() as patch:
        whole_turn = Database.batch
        patch.setattr(Database, "batch", lambda self: [stored.append(1), whole_turn(self)][1])
        with pytest.raises(ImportCancelled):
            importer.import_file(billing, file.path, cancelled=lambda: len(stored) > survives)
    town.act(
        billing,
        lambda uow: [town.install(uow, town.product(n, "FIX"), town.account_of(n)) for n in NUMBERS[10:]] and None,
    )
    if retried:
        retry_pool(billing)
    importer.import_file(billing, file.path)
    retry_pool(billing)
    with billing.reading() as conn:
        row = next(iter(usage_store.files(conn, None, 1)))
        waiting = select(func.count()).select_from(usage_pool).where(usage_pool.c.state == "waiting")
        pooled = conn.execute(waiting).scalar_one()
    assert row is not None and row.state == "done"
    assert (row.rejected_count, pooled) == (file.dirty_count, file.dirty_count)
    assert row.duplicate_count == file.duplicate_count
    assert row.accepted_count == _count(billing, rated_usage)
    assert usage_counts_add_up(billing).holds
