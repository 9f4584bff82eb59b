"""A month of files from the exchange to rated rows, on every engine: counts, doubles, crashes, late news."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import func, select

from server_api.billing.rating import importer, turns
from server_api.billing.rating import service as rating
from server_api.billing.rating.checks import charge_explains_itself
from server_api.billing.rating.retry import retry_pool
from server_api.billing.usage import service as usage
from server_api.billing.usage.formats import calls_csv, gb2048, text_lines
from server_api.billing.usage.jobs import usage_counts_add_up
from server_api.billing.usage.samples import sample_calls, write_blocks, write_csv, write_month
from server_api.platform.database import Database, Databases
from shared_models.tables.billing.rating import rated_step, rated_usage, rating_due
from shared_models.tables.billing.usage import usage_file, usage_pool, usage_seen
from shared_models.values.faults.usage import (
    AlreadyRegistered,
    ImportCancelled,
    UsageFileEmpty,
    UsageFormatUnknown,
    UsageLooksWrong,
)
from shared_models.values.period import Month
from tests.support import usage_town as town

MONTH = Month(202602)
NUMBERS = [f"0937{3_960_000 + index}" for index in range(40)]
LOGINS = [f"bb{index:04d}" for index in range(20)]


@pytest.fixture
def billing(databases: Databases) -> Database:
    town.small_town(databases.billing, NUMBERS, LOGINS)
    return databases.billing


def rows_of(database: Database, table: Any, *leave_out: str) -> list[tuple[Any, ...]]:
    """All of a table, in key order, without some columns; files are counted from the first there is."""
    columns = [column for column in table.c if column.name not in leave_out]
    file_at = next((at for at, column in enumerate(columns) if column.name == "file_no"), None)
    with database.reading() as conn:
        first = conn.execute(select(func.min(usage_file.c.file_no))).scalar_one() or 0
        rows = [tuple(row) for row in conn.execute(select(*columns).order_by(*table.primary_key.columns))]
    if file_at is None:
        return rows
    return [(*row[:file_at], row[file_at] - first, *row[file_at + 1 :]) for row in rows]


def state(database: Database) -> dict[str, Any]:
    """Everything an import leaves behind that must not depend on how it came about."""
    with database.reading() as conn:
        seen = sorted(
            (row.period, bytes(row.identities)[at : at + 8])
            for row in conn.execute(select(usage_seen.c.period, usage_seen.c.identities))
            for at in range(0, len(row.identities), 8)
        )
    return {
        "rated": rows_of(database, rated_usage),
        "steps": rows_of(database, rated_step),
        "due": rows_of(database, rating_due),
        "pool": rows_of(database, usage_pool),
        "seen": seen,
        "files": rows_of(database, usage_file, "registered_at", "done_at", "worker", "lease_until_at"),
    }


def test_a_month(billing: Database, tmp_path: Path) -> None:
    made = write_month(tmp_path, NUMBERS, LOGINS, MONTH, call_count=4_000, session_count=800, seed=1)
    for file in made:
        report = importer.import_file(billing, file.path)
        assert report.state == "done"
        assert (report.read_count, report.duplicate_count) == (file.read_count, file.duplicate_count)
        assert report.rejected_count == file.dirty_count
        assert report.accepted_count == file.read_count - file.dirty_count - file.duplicate_count
        assert sum(report.reasons.values()) == file.dirty_count
    with billing.reading() as conn:
        sums = rating.charges_for(conn, MONTH.yyyymm)
        stored = conn.execute(select(func.count(), func.sum(rated_usage.c.charge_micro_yuan))).one()
        assert rating.allowances_due(conn, MONTH.yyyymm) == 0
        assert (
            sum(one.call_count for one in sums)
            == stored[0]
            == sum(f.read_count - f.dirty_count - f.duplicate_count for f in made)
        )
        assert sum(one.charge.amount_micro_yuan for one in sums) == stored[1]
        assert [one.account_id for one in sums] == sorted(one.account_id for one in sums)
        half = sums[len(sums) // 2].account_id
        assert rating.charges_for(conn, MONTH.yyyymm, None, half) + rating.charges_for(conn, MONTH.yyyymm, half) == sums
        for one in sums[::7]:
            _opens_to_its_calls(conn, one)
    assert charge_explains_itself(billing).holds
    assert usage_counts_add_up(billing).holds


def _opens_to_its_calls(conn: Any, line: rating.ChargeSum) -> None:
    charge, count, cursor = 0, 0, None
    while True:
        page = rating.calls_of_line(
            conn, MONTH.yyyymm, line.account_id, line.product_id, line.item_code, cursor=cursor, limit=7, language="en"
        )
        for call in page.items:
            charge += call.charge_micro_yuan.amount_micro_yuan
            count += 1
            assert call.text.endswith(f"= {call.charge_micro_yuan} yuan"), call.text
        cursor = page.next_cursor
        if cursor is None:
            break
    assert (charge, count) == (line.charge.amount_micro_yuan, line.call_count)


def test_the_same_file_twice_and_under_another_name(billing: Database, tmp_path: Path) -> None:
    (file, *_rest) = write_month(tmp_path, NUMBERS, [], MONTH, call_count=500, seed=2)
    importer.import_file(billing, file.path)
    before = state(billing)
    other = tmp_path / "another-name.bil"
    shutil.copy(file.path, other)
    for path in (file.path, other):
        with pytest.raises(AlreadyRegistered):
            importer.import_file(billing, path)
    assert state(billing) == before


def test_the_same_calls_in_another_layout(billing: Database, tmp_path: Path) -> None:
    """A call counts once, whichever file brings it first."""
    calls = sample_calls(NUMBERS, MONTH, 300, 3)
    blocks = write_blocks(tmp_path / "a.bil", calls[:200], MONTH, 1)
    (tmp_path / "b.csv").write_bytes(calls_csv.encode(calls[100:]))
    first = importer.import_file(billing, blocks.path)
    second = importer.import_file(billing, tmp_path / "b.csv")
    assert second.read_count == 200
    spoilt_in_second_half = second.accepted_count - 100
    assert second.duplicate_count == 100 - spoilt_in_second_half
    assert first.accepted_count + second.accepted_count <= 300


def test_another_exchange_may_have_the_same_numbers(billing: Database, tmp_path: Path) -> None:
    calls = sample_calls(NUMBERS, MONTH, 100, 3)
    (tmp_path / "b.csv").write_bytes(calls_csv.encode(calls))
    (tmp_path / "c.csv").write_bytes(calls_csv.encode(calls) + b"\n")
    assert importer.import_file(billing, tmp_path / "b.csv", switch_code="EAST").accepted_count == 100
    assert importer.import_file(billing, tmp_path / "c.csv", switch_code="WEST").accepted_count == 100


class _Killed(Exception):
    """Stands for the power going off."""


@pytest.mark.parametrize("survives", [0, 1, 2, 3, 5, 8, 13, 21])
def test_killed_anywhere_and_started_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survives: int
) -> None:
    """Whatever turn is the last to be written, going on leaves what an undisturbed import leaves."""
    billing = databases.billing
    monkeypatch.setattr(gb2048, "PIECE_BYTES", 4 * 2_048)
    monkeypatch.setattr(text_lines, "PIECE_BYTES", 9_000)
    monkeypatch.setattr(turns.TurnSize, "learn", lambda self, count, ns: setattr(self, "rows", 40))
    files = write_month(tmp_path, NUMBERS, LOGINS, MONTH, call_count=400, session_count=100, seed=4)
    town.small_town(billing, NUMBERS[:30], LOGINS)
    left = survives
    whole_batch = Database.batch

    def failing(self: Database) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Killed
        return whole_batch(self)

    for file in files:
        left = survives
        with monkeypatch.context() as patch:
            patch.setattr(Database, "batch", failing)
            patch.setattr(importer.usage_store, "let_go", lambda *_arguments: None)
            patch.setattr(importer, "_is_dead", lambda worker: True)
            try:
                importer.import_file(billing, file.path)
                killed = False
            except _Killed:
                killed = True
        with monkeypatch.context() as patch:
            patch.setattr(importer, "_is_dead", lambda worker: True)
            try:
                importer.import_file(billing, file.path)
            except AlreadyRegistered:
                assert not killed
    disturbed = state(billing)
    assert usage_counts_add_up(billing).holds
    _forget_usage(billing)
    for file in files:
        importer.import_file(billing, file.path)
    undisturbed = state(billing)
    for name, kept in undisturbed.items():
        if name != "files":
            assert disturbed[name] == kept, name
    assert [row[2:] for row in disturbed["files"]] == [row[2:] for row in undisturbed["files"]]


def _forget_usage(database: Database) -> None:
    from sqlalchemy import delete

    with database.batch() as conn:
        for table in (rated_usage, rated_step, rating_due, usage_pool, usage_seen, usage_file):
            conn.execute(delete(table))


def test_stopped_by_a_person_and_gone_on_with(
    billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gb2048, "PIECE_BYTES", 4 * 2_048)
    (file, *_rest) = write_month(tmp_path, NUMBERS, [], MONTH, call_count=500, seed=5)
    heard: list[tuple[int, int, int]] = []
    with pytest.raises(ImportCancelled):
        importer.import_file(
            billing, file.path, progress=lambda *at: heard.append(at), cancelled=lambda: len(heard) >= 1
        )
    report = importer.import_file(billing, file.path, progress=lambda *at: heard.append(at))
    assert (report.read_count, report.duplicate_count, report.rejected_count) == (
        file.read_count,
        file.duplicate_count,
        file.dirty_count,
    )
    assert heard == sorted(heard)
    assert heard[-1][0] == heard[-1][1] == file.path.stat().st_size


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_order_and_size_of_files_change_nothing(databases: Databases, tmp_path: Path, order: tuple[int, ...]) -> None:
    """Included units go to the earliest calls of the month, whichever file comes first."""
    billing = databases.billing
    town.small_town(billing, NUMBERS[:4])
    calls = sample_calls(NUMBERS[:4], MONTH, 900, 8).with_columns(duration_s=pl.col("duration_s") * 5)
    parts = [calls[:100], calls[100:550], calls[550:]]
    for number in order:
        path = tmp_path / f"{number}.csv"
        path.write_bytes(calls_csv.encode(parts[number]))
        importer.import_file(billing, path)
    keep = [column for column in rated_usage.c if column.name not in ("file_no", "file_pos")]
    with billing.reading() as conn:
        got = [tuple(row) for row in conn.execute(select(*keep).order_by(*rated_usage.primary_key.columns))]
        covered = conn.execute(select(func.sum(rated_usage.c.covered), func.max(rated_usage.c.covered))).one()
    _forget_usage(billing)
    (tmp_path / "all.csv").write_bytes(calls_csv.encode(calls))
    importer.import_file(billing, tmp_path / "all.csv")
    with billing.reading() as conn:
        want = [tuple(row) for row in conn.execute(select(*keep).order_by(*rated_usage.primary_key.columns))]
    assert got == want
    assert 0 < covered[0] <= 300 * 60


def test_usage_before_its_owner_waits_and_is_rated_when_the_fact_lands(databases: Databases, tmp_path: Path) -> None:
    billing = databases.billing
    town.small_town(billing, NUMBERS[:2])
    calls = sample_calls(NUMBERS[:4], MONTH, 200, 9)
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(calls))
    report = importer.import_file(billing, tmp_path / "a.csv")
    assert report.reasons == {"no_owner": report.rejected_count}
    assert retry_pool(billing).rated_count == 0
    with billing.reading() as conn:
        page = usage.errors(conn, reason="no_owner", limit=2)
        assert len(page.items) == 2 and page.next_cursor
        assert usage.errors(conn, reason="no_owner", limit=2, cursor=page.next_cursor).items[0] not in page.items
    town.act(
        billing,
        lambda uow: [town.install(uow, town.product(n, "FIX"), town.account_of(n)) for n in NUMBERS[2:4]] and None,
    )
    with billing.reading() as conn:
        asked = conn.execute(select(func.count()).select_from(billing.platform.job)).scalar_one()
    assert asked == 2, "each product that landed asks for a retry"
    retried = retry_pool(billing)
    assert (retried.rated_count, retried.left_count) == (report.rejected_count, 0)
    assert retry_pool(billing).tried_count == 0
    with billing.reading() as conn:
        after = usage.report_of(conn, report.file_no)
    assert (after.accepted_count, after.rejected_count) == (200, 0)
    got = rows_of(billing, rated_usage)
    _forget_usage(billing)
    importer.import_file(billing, tmp_path / "a.csv")
    again = rows_of(billing, rated_usage)
    file_no_at = [column.name for column in rated_usage.c].index("file_no")
    assert [r[:file_no_at] + r[file_no_at + 1 :] for r in got] == [r[:file_no_at] + r[file_no_at + 1 :] for r in again]


def test_a_number_changes_hands(databases: Databases, tmp_path: Path) -> None:
    """Each call belongs to who had the number when it began; between two owners it belongs to nobody."""
    billing = databases.billing
    number = NUMBERS[0]
    gone, came = MONTH.starts_at + timedelta(days=10), date(2026, 2, 15)
    town.small_town(billing, [])
    first = town.product(number, "FIX", until_at=gone, product_id="1" * 32)
    second = town.product(number, "FIX", from_on=came, product_id="2" * 32)
    town.act(billing, lambda uow: town.install(uow, first, "a" * 32))
    town.act(billing, lambda uow: town.install(uow, second, "b" * 32))
    calls = sample_calls([number], MONTH, 400, 9)
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(calls))
    report = importer.import_file(billing, tmp_path / "a.csv")
    start = calls["start_s"]
    begun_s, ended_s = int(gone.timestamp()), int((MONTH.starts_at + timedelta(days=14)).timestamp())
    with billing.reading() as conn:
        sums = rating.charges_for(conn, MONTH.yyyymm)
    by_account = {one.account_id: sum(o.call_count for o in sums if o.account_id == one.account_id) for one in sums}
    assert by_account == {"a" * 32: int((start < begun_s).sum()), "b" * 32: int((start >= ended_s).sum())}
    assert report.reasons == {"no_owner": int(((start >= begun_s) & (start < ended_s)).sum())}


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("empty", b"", UsageFileEmpty),
        ("text", b"hello\nworld\n", UsageFormatUnknown),
        ("utf16", "seq,caller".encode("utf-16"), UsageFormatUnknown),
        ("zeros", b"\0" * 5_000, UsageFormatUnknown),
    ],
)
def test_files_refused_whole(
    databases: Databases, tmp_path: Path, name: str, content: bytes, fault: type[Exception]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(fault):
        importer.import_file(databases.billing, path)
    assert rows_of(databases.billing, usage_file) == []


@pytest.mark.one_engine
def test_a_file_in_another_layout_is_refused_whole(databases: Databases, tmp_path: Path) -> None:
    calls = sample_calls(NUMBERS, MONTH, 200, 3)
    write_blocks(tmp_path / "a.bil", calls, MONTH, 1)
    data = bytearray((tmp_path / "a.bil").read_bytes())
    for block in range(0, len(data), 2_048):
        data[block + 20 : block + 2_048] = data[block + 21 : block + 2_048] + b"\xee"
    (tmp_path / "b.bil").write_bytes(bytes(data))
    with pytest.raises(UsageLooksWrong):
        importer.import_file(databases.billing, tmp_path / "b.bil")
    csv = write_csv(tmp_path / "a.csv", calls, 1)
    csv.path.write_bytes(csv.path.read_bytes().replace(b",2026-", b";2026-"))
    with pytest.raises(UsageLooksWrong):
        importer.import_file(databases.billing, csv.path)
    assert rows_of(databases.billing, usage_file) == []


def test_usage_of_a_closed_month_goes_to_the_next_bill(billing: Database, tmp_path: Path) -> None:
    from sqlalchemy import insert

    from shared_models.tables.billing.bill import bill_period

    with billing.batch() as conn:
        conn.execute(insert(bill_period).values(period=MONTH.yyyymm, state="closed"))
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(sample_calls(NUMBERS, MONTH, 200, 3)))
    importer.import_file(billing, tmp_path / "a.csv")
    with billing.reading() as conn:
        assert rating.charges_for(conn, MONTH.yyyymm) == []
        assert sum(one.call_count for one in rating.charges_for(conn, MONTH.next().yyyymm)) == 200
        assert rating.allowances_due(conn, MONTH.next().yyyymm) == 0
