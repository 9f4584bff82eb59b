"""RADIUS accounting from files and as it happens: into sessions, durable before it is answered, rated by difference."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket
from sqlalchemy import func, select, update

import resources
from server_api.billing.rating import session_cuts
from server_api.billing.rating.session_cuts import rate_sessions
from server_api.billing.usage import service as usage
from server_api.billing.usage.jobs import session_pieces_add_up, usage_counts_add_up
from server_api.billing.usage.radius import files, take
from server_api.billing.usage.radius.clients import read_clients
from server_api.billing.usage.radius.listener import Listener, bound
from server_api.billing.usage.radius.simulator import AccessServer, Faults
from server_api.platform.database import Database, Databases
from server_api.platform.registry import Finding
from shared_models.tables.billing.rating import rated_usage
from shared_models.tables.billing.traffic import usage_session
from shared_models.values.clock import ManualClock, town_day
from shared_models.values.faults.usage import AlreadyRegistered
from shared_models.values.period import Month
from tests.support import usage_town as town

LOGINS = ["bb0001", "bb0002", "bb0003"]
SECRET = b"testing123"
#: Made by RFC 2866 with the secret above: a stop of kd3961234, gigawords and all.
KNOWN_STOP = bytes.fromhex(
    "040700637719D2A30B2437A9EF2C3458BEB1A2F3010B6B643339363132333404067F00000108060A1400052806000000022C083030303041312A"
    "06075BCD152B062A05F2003406000000003506000000012E0600000E1031060000000137066B038200"
)
DICTIONARY = Dictionary(str(resources.path("usage", "radius_dictionary")))


@pytest.fixture
def billing(databases: Databases) -> Database:
    town.small_town(databases.billing, [], LOGINS)
    return databases.billing


@pytest.fixture
def listener(billing: Database, tmp_path: Path) -> Iterator[Listener]:
    (tmp_path / "radius.toml").write_text(
        f'[[client]]\nname = "bras"\naddress = "127.0.0.0/8"\nsecret = "{SECRET.decode()}"\n', encoding="utf-8"
    )
    (tmp_path / "radius.toml").chmod(0o600)
    with bound("127.0.0.1", 0) as made:
        yield Listener(billing, read_clients(tmp_path), made)


@pytest.fixture
def bras() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(2)
        yield made


def detail(now_s: int, *messages: tuple[str, str, int, int]) -> bytes:
    """Messages (login, status, seconds, octets) of sessions begun an hour before ``now_s``."""
    texts = []
    for login, status, seconds, octets in messages:
        at = now_s - 3_600 + seconds
        texts.append(
            "Sun Nov 22 09:15:30 2026\n"
            f'\tUser-Name = "{login}"\n\tNAS-IP-Address = 10.0.0.1\n\tAcct-Status-Type = {status}\n'
            f'\tAcct-Session-Id = "S-{login}"\n\tAcct-Session-Time = {seconds}\n'
            f"\tAcct-Input-Octets = {octets % 2**32}\n\tAcct-Input-Gigawords = {octets // 2**32}\n"
            f"\tAcct-Output-Octets = 7\n\tTimestamp = {at}\n"
        )
    return "\n".join(texts).encode()


def packet(number: int, session: str, status: int, seconds: int, octets: int, now_s: int, **more: Any) -> bytes:
    made = AcctPacket(id=number % 256, secret=more.pop("secret", SECRET), dict=DICTIONARY)
    values = {
        "User-Name": "bb0001",
        "NAS-Identifier": "bras-1",
        "Acct-Status-Type": status,
        "Acct-Session-Id": session,
        "Acct-Session-Time": seconds,
        "Acct-Input-Octets": octets % 2**32,
        "Acct-Input-Gigawords": octets // 2**32,
        "Acct-Output-Octets": 5,
        "Event-Timestamp": now_s - 3_600 + seconds,
        **more,
    }
    for name, value in values.items():
        made[name] = value
    return bytes(made.RequestPacket())


def now_s(database: Database) -> int:
    return int(database.clock.now().timestamp())


def rated(database: Database) -> tuple[int, int, int]:
    """Rated rows, their seconds and what they were charged for."""
    with database.reading() as conn:
        c = rated_usage.c
        row = conn.execute(select(func.count(), func.sum(c.duration_s), func.sum(c.charge_micro_yuan))).one()
    return row[0], int(row[1] or 0), int(row[2] or 0)


def test_two_files_a_cut_between_and_a_late_copy(billing: Database, tmp_path: Path) -> None:
    now = now_s(billing)
    first, second = tmp_path / "detail-1", tmp_path / "detail-2"
    first.write_bytes(
        detail(
            now,
            ("bb0001", "Start", 0, 0),
            ("bb0001", "Interim-Update", 600, 1_000),
            ("bb0001", "Interim-Update", 600, 1_000),
            ("bb0002", "Stop", 900, 6 * 2**32),
            ("nobody", "Stop", 60, 5),
            ("b b", "Stop", 60, 5),
        )
        + b"\n"
        + detail(now + 90_000, ("bb0003", "Stop", 3_600, 5))
        + b"\n"
        + detail(now - 500 * 86_400, ("bb0003", "Stop", 3_600, 5))
    )
    assert files.is_accounting(first) == "radius_detail"
    report = files.take_file(billing, first)
    assert (report.read_count, report.accepted_count, report.duplicate_count, report.rejected_count) == (8, 4, 1, 3)
    assert report.reasons == {"not_a_number": 1, "date_in_future": 1, "date_too_old": 1}
    with pytest.raises(AlreadyRegistered):
        files.take_file(billing, first)
    (cut,) = rate_sessions(billing, tmp_path / "spool")
    # the open session waits; what is over is rated, the stranger's waits for an owner
    assert (cut.read_count, cut.accepted_count, cut.reasons) == (2, 1, {"no_owner": 1})
    assert rated(billing)[:2] == (1, 900)
    second.write_bytes(
        detail(
            now,
            ("bb0001", "Interim-Update", 300, 500),
            ("bb0001", "Stop", 1_200, 5_000),
            ("bb0002", "Interim-Update", 800, 3 * 2**32),
        )
    )
    report = files.take_file(billing, second)
    assert (report.accepted_count, report.duplicate_count) == (1, 2)
    (cut,) = rate_sessions(billing, tmp_path / "spool")
    assert (cut.read_count, cut.accepted_count) == (1, 1)
    assert rated(billing)[:2] == (2, 2_100)
    assert rate_sessions(billing, tmp_path / "spool") == []
    assert usage_counts_add_up(billing).holds
    assert session_pieces_add_up(billing) == Finding(counted=3, wrong=())
    with billing.batch() as conn:
        conn.execute(update(usage_session).where(usage_session.c.login == "bb0002").values(cut_octets_in=7))
    assert len(session_pieces_add_up(billing).wrong) == 1
    assert list((tmp_path / "spool").iterdir()) == []


def test_killed_between_making_and_rating_a_cut(
    billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "detail"
    path.write_bytes(detail(now_s(billing), ("bb0001", "Stop", 600, 1_000), ("bb0002", "Stop", 900, 2_000)))
    files.take_file(billing, path)
    monkeypatch.setattr(session_cuts, "import_file", lambda *_args, **_more: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        rate_sessions(billing, tmp_path)
    monkeypatch.undo()
    (cut,) = rate_sessions(billing, tmp_path)
    assert (cut.read_count, rated(billing)[:2]) == (2, (2, 1_500))
    # rated, but the note of it lost
    take_back = session_cuts.store.set_cut
    billing.write(lambda conn: take_back(conn, 1, "made"))
    assert rate_sessions(billing) == []
    assert rated(billing)[:2] == (2, 1_500)


def test_a_file_killed_in_the_middle(billing: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHUNK", 3)
    now = now_s(billing)
    rows = [("bb0001", "Interim-Update", second * 60, second * 10) for second in range(1, 9)]
    path = tmp_path / "detail"
    path.write_bytes(detail(now, *rows, ("bb0001", "Stop", 600, 99)))
    calls = iter([None, None, 1])

    def kill() -> None:
        if next(calls, None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.take_file(billing, path, cancelled=kill)
    report = files.take_file(billing, path)
    assert (report.read_count, report.accepted_count, report.duplicate_count) == (9, 9, 0)
    with billing.reading() as conn:
        assert conn.execute(select(usage_session.c.message_count)).scalar_one() == 9


@pytest.mark.one_engine
def test_silence_closes(billing: Database, tmp_path: Path) -> None:
    path = tmp_path / "detail"
    path.write_bytes(detail(now_s(billing) - 20_000, ("bb0001", "Interim-Update", 600, 1_000)))
    files.take_file(billing, path)
    (cut,) = rate_sessions(billing, tmp_path / "spool")
    assert cut.accepted_count == 1
    with billing.reading() as conn:
        assert conn.execute(select(usage_session.c.closed_by)).scalar_one() == "silence"


@pytest.mark.one_engine
def test_the_known_packet(billing: Database, listener: Listener, bras: socket.socket) -> None:
    assert isinstance(billing.clock, ManualClock)
    billing.clock.set(datetime(2026, 11, 23, 8, tzinfo=timezone.utc))
    bras.sendto(KNOWN_STOP, listener.socket.getsockname())
    assert listener.turn() == 1
    reply = AcctPacket(packet=bras.recv(4_096), secret=SECRET, dict=DICTIONARY)
    assert (reply.code, reply.id) == (5, 7)
    with billing.reading() as conn:
        row = conn.execute(select(usage_session)).one()
    assert (row.login, row.octets_in, row.octets_out, row.duration_s) == (
        "kd3961234",
        123_456_789,
        5_000_000_000,
        3_600,
    )
    assert (row.nas_code, row.session_id, row.state, row.cause) == ("127.0.0.1", "0000A1", "closed", 1)


def test_live_sessions_are_answered_once_stored_and_rated(
    billing: Database, listener: Listener, bras: socket.socket, tmp_path: Path
) -> None:
    now, here = now_s(billing), listener.socket.getsockname()
    sent = [packet(0, "L1", 1, 0, 0, now), packet(1, "L1", 3, 600, 1_000, now), packet(2, "L1", 2, 900, 2**33, now)]
    for data in [*sent, sent[1]]:
        bras.sendto(data, here)
    while listener.turn():
        pass
    assert sorted(bras.recv(4_096)[1] for _ in range(4)) == [0, 1, 1, 2]
    assert (listener.counts.answered, listener.counts.received) in ((3, 4), (4, 4))
    (cut,) = rate_sessions(billing, tmp_path)
    assert cut.accepted_count == 1
    assert rated(billing)[:2] == (1, 900)


@pytest.mark.one_engine
def test_strangers_forgers_and_floods_get_no_answer(
    billing: Database, listener: Listener, bras: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, here = now_s(billing), listener.socket.getsockname()
    good = packet(1, "L1", 2, 600, 1_000, now)
    for data in (
        packet(1, "L1", 2, 600, 9, now, secret=b"wrong-secret"),
        good[:20],
        b"",
        b"\0" * 4_000,
        good[:-1] + b"!",
    ):
        bras.sendto(data, here)
    while listener.turn():
        pass
    assert listener.counts.answered == 0
    assert listener.counts.bad_signature == 5
    monkeypatch.setattr("server_api.billing.usage.radius.listener.client_of", lambda _clients, _address: None)
    bras.sendto(good, here)
    listener.turn()
    assert (listener.counts.strangers, listener.counts.answered) == (1, 0)
    monkeypatch.undo()
    listener._allowances.clear()
    monkeypatch.setitem(take.rules(), "messages_per_second", 2)
    for number in range(5):
        bras.sendto(packet(number, f"F{number}", 2, 600, 1_000, now), here)
    while listener.turn():
        pass
    assert (listener.counts.answered, listener.counts.too_many) == (2, 3)


@pytest.mark.one_engine
def test_a_message_that_is_none_is_kept_and_answered(
    billing: Database, listener: Listener, bras: socket.socket
) -> None:
    """Else the server would send it for ever."""
    odd = packet(9, "L9", 2, 60, 5, now_s(billing), **{"User-Name": "b b"})
    for _twice in range(2):
        bras.sendto(odd, listener.socket.getsockname())
    while listener.turn():
        pass
    assert listener.counts.set_aside == 1
    with billing.reading() as conn:
        (item,) = usage.errors(conn).items
    assert (item.reason, item.raw_record) == ("not_a_number", odd.hex().upper())


@pytest.mark.one_engine
def test_nothing_stored_nothing_answered(
    billing: Database, listener: Listener, bras: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: Any, **_more: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("server_api.billing.usage.radius.listener.take_batch", away)
    data = packet(1, "L1", 2, 600, 1_000, now_s(billing))
    bras.sendto(data, listener.socket.getsockname())
    listener.turn()
    assert (listener.counts.answered, listener.counts.not_stored) == (0, 1)
    monkeypatch.undo()
    bras.sendto(data, listener.socket.getsockname())  # the server sends it again
    listener.turn()
    assert listener.counts.answered == 1


@pytest.mark.one_engine
def test_a_bad_line_and_a_bad_server_change_nothing(billing: Database, listener: Listener, tmp_path: Path) -> None:
    """Lost, doubled, late and mixed up: each session is rated for just what its stop said."""
    stopped = threading.Event()
    serving = threading.Thread(target=listener.serve, args=(stopped.is_set,))
    serving.start()
    try:
        faults = Faults(lost=50, doubled=150, out_of_order=200, unheard_answer=80)
        server = AccessServer(listener.socket.getsockname(), SECRET, faults, seed=7, wait_s=0.05)
        made = server.sessions(LOGINS, 12, now_s(billing))
        assert server.run(made) == 0
    finally:
        stopped.set()
        serving.join()
    (cut,) = rate_sessions(billing, tmp_path)
    assert (cut.read_count, cut.accepted_count) == (12, 12)
    with billing.reading() as conn:
        c = rated_usage.c
        stored = sorted(tuple(row) for row in conn.execute(select(c.start_s, c.duration_s, c.octets)))
    assert stored == sorted((one.start_s, one.duration_s, one.octets_in + one.octets_out) for one in made)
    assert listener.counts.repeated > 0


@pytest.mark.one_engine
def test_a_server_that_starts_anew_closes_what_it_had(
    billing: Database, listener: Listener, bras: socket.socket, tmp_path: Path
) -> None:
    now, here = now_s(billing), listener.socket.getsockname()
    sent = [packet(0, "L1", 3, 600, 1_000, now), packet(1, "L2", 3, 900, 2_000, now)]
    on = packet(2, "", 7, 0, 0, now)
    for data in (*sent, on):
        bras.sendto(data, here)
        listener.turn()
    with billing.reading() as conn:
        c = usage_session.c
        found = conn.execute(select(c.state, c.closed_by).order_by(c.session_id)).all()
    # the start of the server lies an hour back: before the sessions' last words, after none of their begins
    assert [tuple(row) for row in found] == [("open", None), ("open", None)]
    bras.sendto(packet(3, "", 7, 3_500, 0, now), here)
    listener.turn()
    with billing.reading() as conn:
        found = conn.execute(select(c.state, c.closed_by).order_by(c.session_id)).all()
    assert [tuple(row) for row in found] == [("closed", "restart")] * 2
    (cut,) = rate_sessions(billing, tmp_path)
    assert cut.accepted_count == 2


@pytest.mark.one_engine
def test_a_session_over_the_end_of_a_month_is_cut_there(billing: Database, tmp_path: Path) -> None:
    """What was used until the first run of a new month is rated in the month it began in."""
    now = now_s(billing)
    month_s = int(Month.of(town_day(billing.clock.now())).starts_at.timestamp())
    path = tmp_path / "detail"
    begins = month_s - 1_000 + 3_600
    path.write_bytes(detail(begins, ("bb0001", "Interim-Update", 1_500, 1_000)))
    files.take_file(billing, path)
    going = now - (month_s + 500) < take.rules()["silence_s"]
    (cut,) = rate_sessions(billing, tmp_path / "spool")
    assert cut.accepted_count == 1
    with billing.reading() as conn:
        row = conn.execute(select(usage_session.c.state, usage_session.c.cut_duration_s)).one()
    assert tuple(row) == ("open" if going else "closed", 1_500)
