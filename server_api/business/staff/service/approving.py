"""A second person signs at a colleague's counter: number and password, no session. Not an act, like signing in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from server_api.business.staff import rules, store
from server_api.business.staff.service.passwords import decoy_hash, password_fits, policy
from server_api.business.staff.service.signing import count_failure, quiet_context, refuse_if_locked
from server_api.platform import audit
from server_api.platform.database import Database
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.work import DataScope, WorkContext
from shared_models.values.faults.staff import SignInRefused
from shared_models.values.ids import new_id


def vouch(
    database: Database, *, staff_no: str, password: str, counter_no: str, about: str, clock_now: datetime
) -> WorkContext:
    """Check who a second person is and what they may, and leave a line in the audit trail.

    Raises SignInRefused (also for an unknown number, after the same time, and for a password that must be changed
    first), SignInLocked.
    """
    with database.reading() as connection:
        found = store.member_by_no(connection, staff_no)
        permissions = store.permissions_of(connection, found.staff_id) if found is not None else frozenset()
    if found is None or found.state != "active":
        password_fits(decoy_hash(), password)
        raise SignInRefused()
    refuse_if_locked(found, clock_now)
    if not password_fits(found.password_hash, password):
        database.write(lambda connection: count_failure(database, connection, found, clock_now))
        raise SignInRefused()
    if rules.must_change(bool(found.must_change), found.password_set_at, clock_now, policy()):
        raise SignInRefused()
    context = quiet_context(found, "hall", counter_no).model_copy(
        update={
            "permissions": permissions,
            "scope": DataScope(found.data_scope),
            "limits_fen": found.limits_fen or {},
        }
    )

    def remember(connection: Connection) -> None:
        uow = UnitOfWork(database, connection, context, new_id(), clock_now)
        store.change_member(connection, found.staff_id, failed_count=0, locked_until_at=None)
        audit.note(uow, "staff.vouched", f"staff:{found.staff_no}", about)

    database.write(remember)
    return context
