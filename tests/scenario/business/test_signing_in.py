"""Signing in: passwords, lock-out, first change, expiry, sessions, and the lines they leave."""

from __future__ import annotations

from datetime import timedelta

import argon2
import pytest
from sqlalchemy import select

from server_api.business.staff import service as staff
from server_api.business.staff.service import SignedIn, passwords
from server_api.platform.database import Database, Databases
from shared_models.contracts.staff import AddStaff, ChangeStaff, OneTimePassword
from shared_models.contracts.work import DataScope
from shared_models.values.clock import ManualClock
from shared_models.values.faults.base import Fault
from shared_models.values.faults.common import NotFound, NotPermitted
from shared_models.values.faults.staff import (
    ChangedMeanwhile,
    CounterNotInHall,
    HallUnknown,
    OneTimePasswordExpired,
    PasswordReused,
    PasswordTooWeak,
    RoleUnknown,
    SignInLocked,
    SignInRefused,
    StaffNoTaken,
)
from shared_models.values.ids import new_id
from tests.support.business import ask, open_halls, worker

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real settings take 80 ms and 64 MiB a hash; their cost has a test of its own."""
    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords.decoy_hash.cache_clear()


def hire(database: Database, no: str = "1001", hall: str = "H01", scope: DataScope = DataScope.HALL) -> OneTimePassword:
    wanted = AddStaff(staff_id=new_id(), staff_no=no, staff_name="王芳", hall_code=hall, scope=scope, roles=("teller",))
    given = staff.give_password()
    return ask(database, lambda uow: staff.add_staff(uow, staff=wanted, given=given))


def enter(database: Database, password: str, no: str = "1001", counter: str = "03") -> SignedIn:
    return staff.sign_in(database, staff_no=no, password=password, counter_no=counter, clock_now=database.clock.now())


def change(database: Database, signed: SignedIn, old: str, new: str) -> None:
    staff.change_password(
        database, context=signed.context, old_password=old, new_password=new, clock_now=database.clock.now()
    )


def settled(database: Database, no: str = "1001") -> SignedIn:
    """Somebody who has changed the first password."""
    first = hire(database, no).one_time_password
    change(database, enter(database, first, no), first, GOOD)
    return enter(database, GOOD, no)


def test_first_password_opens_nothing_but_its_own_change(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    first = hire(business).one_time_password
    signed = enter(business, first)
    assert signed.must_change_password and signed.context.permissions == frozenset()
    change(business, signed, first, GOOD)
    with pytest.raises(SignInRefused):
        enter(business, first)
    signed = enter(business, GOOD)
    assert not signed.must_change_password
    assert "payment.take" in signed.context.permissions and "staff.edit" not in signed.context.permissions
    assert signed.context.hall_code == "H01" and signed.context.district_code == "D1"
    assert signed.context.hall_name == signed.hall_name == "H01营业厅" and signed.context.counter_no == "03"


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    open_halls(business)
    settled(business)
    for _try in range(5):
        with pytest.raises(SignInRefused):
            enter(business, "wrong")
    with pytest.raises(SignInLocked) as locked:
        enter(business, GOOD)
    assert locked.value.params["retry_after_s"] == 900
    clock.advance(timedelta(minutes=14, seconds=59))
    with pytest.raises(SignInLocked):
        enter(business, GOOD)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(SignInRefused):  # a new count begins: one wrong password does not lock again
        enter(business, "wrong")
    assert enter(business, GOOD).context.staff_no == "1001"


def test_a_right_password_forgets_the_wrong_ones(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    settled(business)
    for _round in range(2):
        for _try in range(4):
            with pytest.raises(SignInRefused):
                enter(business, "wrong")
        enter(business, GOOD)


def test_unknown_numbers_and_people_who_left_are_refused_alike(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    signed = settled(business)
    ask(business, lambda uow: staff.change_staff(
        uow, staff_id=signed.context.staff_id, change=ChangeStaff(version_no=2, left=True)))  # fmt: skip
    answers = []
    for no in ("1001", "9999", "'; DROP TABLE staff_member; --"):
        with pytest.raises(SignInRefused) as refused:
            enter(business, GOOD, no)
        answers.append(refused.value.params)
    assert answers == [{}, {}, {}]
    with business.reading() as connection:
        standing = staff.session_standing(connection, signed.context.session_id)
    assert standing is not None and standing.ended


def test_passwords_grow_old(databases: Databases, clock: ManualClock) -> None:
    business = databases.business
    open_halls(business)
    settled(business)
    clock.advance(timedelta(days=90))
    signed = enter(business, GOOD)
    assert signed.must_change_password and not signed.context.permissions
    given = hire(business, "1002").one_time_password
    clock.advance(timedelta(hours=72))
    with pytest.raises(OneTimePasswordExpired):
        enter(business, given, "1002")


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("short1A", PasswordTooWeak), ("aaaaaaaaaaaaaaaaaaaa", PasswordTooWeak), ("lowercaseonly", PasswordTooWeak),
        ("my1001Passw0rd", PasswordTooWeak), (GOOD, PasswordReused),
    ],
)  # fmt: skip
def test_new_passwords_are_looked_at(databases: Databases, password: str, refusal: type[Fault]) -> None:
    business = databases.business
    open_halls(business)
    signed = settled(business)
    with pytest.raises(refusal):
        change(business, signed, GOOD, password)
    with pytest.raises(SignInRefused):
        change(business, signed, "not the old one", "another good password")


def test_a_changed_password_ends_every_other_session(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    other, mine = settled(business), enter(business, GOOD)
    change(business, mine, GOOD, "a sentence nobody guesses")
    with business.reading() as connection:
        ended = [staff.session_standing(connection, one.context.session_id) for one in (other, mine)]
    assert [one.ended for one in ended if one is not None] == [True, False]
    staff.sign_out(business, session_id=mine.context.session_id, clock_now=business.clock.now())
    staff.sign_out(business, session_id=mine.context.session_id, clock_now=business.clock.now())
    with business.reading() as connection:
        standing = staff.session_standing(connection, mine.context.session_id)
        assert standing is not None and standing.ended
        assert staff.session_standing(connection, new_id()) is None


def test_reset_lifts_the_lock_and_the_trail_names_everything(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    signed = settled(business)
    for _try in range(5):
        with pytest.raises(SignInRefused):
            enter(business, "wrong")
    given = staff.give_password()
    ask(business, lambda uow: staff.reset_password(uow, staff_id=signed.context.staff_id, given=given))
    assert enter(business, given.password).must_change_password
    entry = business.platform.audit_entry
    with business.reading() as connection:
        said = set(connection.execute(select(entry.c.what)).scalars())
        remarks = " ".join(filter(None, connection.execute(select(entry.c.remark)).scalars()))
    assert {
        "staff.added", "staff.signed_in", "staff.sign_in_failed", "staff.password_changed", "staff.password_reset",
    } <= said  # fmt: skip
    assert GOOD not in remarks and given.password not in remarks


def test_a_counter_of_another_hall_is_refused(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    settled(business)
    with pytest.raises(CounterNotInHall):
        enter(business, GOOD, counter="77")


def test_staff_are_administered_within_scope(databases: Databases) -> None:
    business = databases.business
    open_halls(business)
    near = hire(business, "1001", "H01")
    far = hire(business, "3001", "H03")
    chief = worker("H01", "D1", DataScope.HALL)
    listed = {}
    for scope in DataScope:
        with business.reading() as connection:
            page = staff.list_staff(connection, context=worker("H01", "D1", scope), limit=10, cursor="")
        listed[scope] = [one.staff_no for one in page.items]
    assert listed == {
        DataScope.HALL: ["1001"], DataScope.DISTRICT: ["1001"], DataScope.ALL: ["1001", "3001"],
    }  # fmt: skip
    change = ChangeStaff(version_no=1, staff_name="李<b>明</b>'; --")
    assert (
        ask(business, lambda uow: staff.change_staff(uow, staff_id=near.staff_id, change=change), chief).version_no == 2
    )
    with pytest.raises(NotFound):
        ask(business, lambda uow: staff.change_staff(uow, staff_id=far.staff_id, change=change), chief)
    with pytest.raises(ChangedMeanwhile):
        ask(business, lambda uow: staff.change_staff(uow, staff_id=near.staff_id, change=change), chief)
    wider = ChangeStaff(version_no=2, scope=DataScope.ALL)
    with pytest.raises(NotPermitted):
        ask(business, lambda uow: staff.change_staff(uow, staff_id=near.staff_id, change=wider), chief)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"staff_no": "1001"}, StaffNoTaken), ({"hall_code": "H99"}, HallUnknown), ({"roles": ("king",)}, RoleUnknown),
    ],
)  # fmt: skip
def test_new_staff_must_fit(databases: Databases, changes: dict[str, object], refusal: type[Fault]) -> None:
    business = databases.business
    open_halls(business)
    hire(business)
    plain = {"staff_id": new_id(), "staff_no": "1002", "staff_name": "李明", "hall_code": "H01", "roles": ("teller",)}
    wanted = AddStaff.model_validate({**plain, **changes})
    given = staff.give_password()
    with pytest.raises(refusal):
        ask(business, lambda uow: staff.add_staff(uow, staff=wanted, given=given))
