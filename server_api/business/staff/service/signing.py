"""Signing in and out. These are not acts: nobody is known yet who could own one.

Each reads, hashes in the caller's thread, then writes briefly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from server_api.business.staff import rules, store
from server_api.business.staff.service.passwords import (
    decoy_hash,
    hash_password,
    needs_rehash,
    password_fits,
    policy,
)
from server_api.platform import audit
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.tables.business.staff import staff_member
from shared_models.values.faults.staff import (
    CounterNotInHall,
    OneTimePasswordExpired,
    PasswordReused,
    PasswordTooWeak,
    SignInLocked,
    SignInRefused,
)
from shared_models.values.ids import new_id


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, with everything an edge needs to make a token."""

    context: WorkContext
    must_change_password: bool
    hall_name: str


@dataclass(frozen=True)
class SessionStanding:
    """How a session stands."""

    ended: bool
    last_used_at: datetime
    expires_at: datetime


def sign_in(
    database: Database,
    *,
    staff_no: str,
    password: str,
    counter_no: str = "",
    channel: str = "hall",
    clock_now: datetime,
) -> SignedIn:
    """Check a password and open a session.

    Raises SignInRefused (also for an unknown number, after the same time), SignInLocked, OneTimePasswordExpired,
    CounterNotInHall.
    """
    with database.reading() as connection:
        found = store.member_by_no(connection, staff_no)
        counters = store.counters_of(connection, [found.hall_code]).get(found.hall_code, []) if found else []
    if found is None or found.state != "active":
        password_fits(decoy_hash(), password)
        raise SignInRefused()
    refuse_if_locked(found, clock_now)
    if not password_fits(found.password_hash, password):
        database.write(lambda connection: count_failure(database, connection, found, clock_now))
        raise SignInRefused()
    if found.must_change and clock_now - found.password_set_at >= policy().one_time_for:
        raise OneTimePasswordExpired()
    if counter_no and counter_no not in counters:
        raise CounterNotInHall(counter_no=counter_no)
    rehashed = hash_password(password) if needs_rehash(found.password_hash) else None
    return database.write(
        lambda connection: _open_session(database, connection, found, counter_no, channel, clock_now, rehashed)
    )


def refuse_if_locked(found: Row[Any], now: datetime) -> None:
    """Raise SignInLocked while the number is locked."""
    if found.locked_until_at is not None and found.locked_until_at > now:
        raise SignInLocked(retry_after_s=rules.seconds_until(found.locked_until_at, now))


def quiet_context(found: Row[Any], channel: str, counter_no: str = "") -> WorkContext:
    """Who the audit line is about before there is a session."""
    return WorkContext(
        staff_id=found.staff_id,
        staff_no=found.staff_no,
        staff_name=found.staff_name,
        hall_code=found.hall_code,
        district_code=found.district_code,
        counter_no=counter_no,
        channel=channel,
    )


def count_failure(database: Database, connection: Connection, found: Row[Any], now: datetime) -> None:
    """Count a wrong password; enough of them in a row lock the number for a while."""
    uow = UnitOfWork(database, connection, quiet_context(found, "hall"), new_id(), now)
    row = uow.lock(store.member_lock(found.staff_id), staff_member)
    if row is None:
        return
    # A lock that has run out begins a new count; otherwise one wrong password would lock again at once.
    ran_out = row.locked_until_at is not None and row.locked_until_at <= now
    failed = 1 if ran_out else int(row.failed_count) + 1
    locked_until = rules.lock_after(failed, now, policy())
    store.change_member(connection, found.staff_id, failed_count=failed, locked_until_at=locked_until)
    audit.note(
        uow, "staff.sign_in_failed", f"staff:{found.staff_no}", "locked" if locked_until else f"failure {failed}"
    )


def _open_session(
    database: Database,
    connection: Connection,
    found: Row[Any],
    counter_no: str,
    channel: str,
    now: datetime,
    rehashed: str | None,
) -> SignedIn:
    uow = UnitOfWork(database, connection, quiet_context(found, channel, counter_no), new_id(), now)
    # Read again under the lock: it may have been locked, or its password changed, while the hash was computed.
    row = uow.lock(store.member_lock(found.staff_id), staff_member)
    if row is None or row.state != "active" or row.password_hash != found.password_hash:
        raise SignInRefused()
    refuse_if_locked(row, now)
    must_change = rules.must_change(bool(row.must_change), row.password_set_at, now, policy())
    permissions = frozenset() if must_change else store.permissions_of(connection, row.staff_id)
    expires_at = now + policy().session_for
    context = WorkContext(
        staff_id=row.staff_id,
        staff_no=row.staff_no,
        staff_name=row.staff_name,
        hall_code=row.hall_code,
        district_code=found.district_code,
        hall_name=found.hall_name,
        counter_no=counter_no,
        permissions=permissions,
        scope=DataScope(row.data_scope),
        limits_fen=row.limits_fen or {},
        session_id=new_id(),
        expires_at=expires_at,
        channel=channel,
    )
    changes: dict[str, Any] = {"failed_count": 0, "locked_until_at": None}
    if rehashed is not None:
        changes["password_hash"] = rehashed
    store.change_member(connection, row.staff_id, **changes)
    store.add_session(
        connection,
        {
            "session_id": context.session_id,
            "staff_id": row.staff_id,
            "hall_code": row.hall_code,
            "counter_no": counter_no,
            "channel": channel,
            "started_at": now,
            "last_used_at": now,
            "expires_at": expires_at,
        },
    )
    audit.note(uow, "staff.signed_in", f"staff:{row.staff_no}", f"{channel} {counter_no}".strip())
    return SignedIn(context, must_change, found.hall_name)


def change_password(
    database: Database,
    *,
    context: WorkContext,
    old_password: str,
    new_password: str,
    clock_now: datetime,
) -> None:
    """Replace a password; every other session of the person ends.

    Raises SignInRefused, SignInLocked, PasswordTooWeak, PasswordReused.
    """
    with database.reading() as connection:
        found = store.member_by_no(connection, context.staff_no)
        earlier = store.old_passwords(connection, context.staff_id, policy().history)
    if found is None or found.state != "active":
        raise SignInRefused()
    refuse_if_locked(found, clock_now)
    if not password_fits(found.password_hash, old_password):
        database.write(lambda connection: count_failure(database, connection, found, clock_now))
        raise SignInRefused()
    if not rules.strong_enough(new_password, found.staff_no, policy()):
        raise PasswordTooWeak(min_length=policy().min_length, passphrase_length=policy().passphrase_length)
    if any(password_fits(one, new_password) for one in dict.fromkeys((found.password_hash, *earlier))):
        raise PasswordReused(history=policy().history)
    new_hash = hash_password(new_password)

    def work(connection: Connection) -> None:
        uow = UnitOfWork(database, connection, context, new_id(), clock_now)
        row = uow.lock(store.member_lock(found.staff_id), staff_member)
        if row is None or row.password_hash != found.password_hash:
            raise SignInRefused()
        store.remember_password(connection, row.staff_id, clock_now, new_hash)
        store.change_member(
            connection,
            row.staff_id,
            password_hash=new_hash,
            password_set_at=clock_now,
            must_change=False,
            failed_count=0,
            locked_until_at=None,
            version_no=row.version_no + 1,
        )
        store.end_sessions_of(connection, row.staff_id, clock_now, "password_changed", but=context.session_id)
        audit.note(uow, "staff.password_changed", f"staff:{row.staff_no}")

    database.write(work)


def sign_out(database: Database, *, session_id: str, clock_now: datetime) -> None:
    """End a session; ending it twice is the same as once."""
    database.write(lambda connection: store.end_session(connection, session_id, clock_now, "signed_out"))


def session_standing(connection: Connection, session_id: str) -> SessionStanding | None:
    """How a session stands; None when there is none of that id. The session of somebody who left counts as ended."""
    row = store.session(connection, session_id)
    if row is None:
        return None
    return SessionStanding(
        ended=row.ended_at is not None or row.member_state != "active",
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )


def note_session_used(database: Database, *, session_id: str, at: datetime) -> None:
    """Remember that a session was used; called at most once a minute per session."""
    database.write(lambda connection: store.touch_session(connection, session_id, at))


def idle_for(standing: SessionStanding, now: datetime) -> timedelta:
    """How long a session has not been used."""
    return max(timedelta(0), now - standing.last_used_at)
