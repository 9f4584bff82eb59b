"""Tokens: what was signed comes back, anything else is nobody."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.faces.edge.sessions import Sessions
from server_api.faces.edge.tokens import Pass, TokenMaker
from shared_models.contracts.work import WorkContext
from shared_models.values.clock import ManualClock
from shared_models.values.faults.common import DatabaseAway, NotSignedIn

NOW = datetime(2026, 3, 16, 2, 0, tzinfo=timezone.utc)
MAKER = TokenMaker(b"k" * 32)


def a_pass(**changes: object) -> Pass:
    values: dict[str, object] = {
        "staff_id": "a1",
        "staff_no": "1001",
        "staff_name": "王小明",
        "hall_code": "H01",
        "district_code": "D1",
        "permissions": frozenset({"payment.take"}),
        "session_id": "f" * 32,
        "expires_at": NOW + timedelta(hours=12),
    }
    return Pass(context=WorkContext(**{**values, **changes}))  # type: ignore[arg-type]


def test_what_was_signed_comes_back() -> None:
    held = a_pass()
    assert MAKER.read(MAKER.sign(held)) == held


def test_another_installation_s_token_is_refused() -> None:
    with pytest.raises(NotSignedIn):
        MAKER.read(TokenMaker(b"other" * 8).sign(a_pass()))


@given(st.data())
def test_any_changed_character_is_refused(data: st.DataObject) -> None:
    token = MAKER.sign(a_pass())
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda char: char != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    if _same_bytes(changed, token):
        return  # the last character of base64 carries unused bits
    with pytest.raises(NotSignedIn):
        MAKER.read(changed)


def _same_bytes(one: str, two: str) -> bool:
    return one[:-1] == two[:-1] and _raw(one) == _raw(two)


def _raw(token: str) -> bytes | None:
    seal = token.rpartition(".")[2]
    try:
        return base64.urlsafe_b64decode(seal + "=" * (-len(seal) % 4))
    except ValueError:
        return None


@given(st.text(max_size=300))
def test_any_text_is_refused_and_never_breaks(text: str) -> None:
    with pytest.raises(NotSignedIn):
        MAKER.read(text)


def test_more_rights_cannot_be_written_into_a_token() -> None:
    body, _, seal = MAKER.sign(a_pass()).rpartition(".")
    forged = a_pass(permissions=frozenset({"staff.edit"})).model_dump_json(exclude_defaults=True).encode()
    with pytest.raises(NotSignedIn):
        MAKER.read(f"1.{base64.urlsafe_b64encode(forged).decode().rstrip('=')}.{seal}")
    assert body


class Book:
    """A session book that can be made to fail or to end a session."""

    def __init__(self) -> None:
        self.ended = False
        self.away = False
        self.last_used_at = NOW
        self.asked = 0
        self.known = True

    def standing(self, session_id: str) -> Book | None:
        self.asked += 1
        if self.away:
            raise DatabaseAway(role="business")
        return self if self.known else None

    def note_used(self, session_id: str, at: datetime) -> None:
        self.last_used_at = at


class World:
    """Sessions over a book, with both clocks in hand."""

    def __init__(self) -> None:
        self.book, self.clock, self.tick = Book(), ManualClock(NOW), 0.0
        self.sessions = Sessions(MAKER, self.book, self.clock, tick=lambda: self.tick)
        self.token = self.sessions.begin(a_pass())

    def later(self, seconds: float) -> None:
        self.tick += seconds
        self.clock.advance(timedelta(seconds=seconds))


def test_a_session_is_believed_for_a_minute_then_asked_about() -> None:
    world = World()
    world.later(49)
    assert world.sessions.believed(world.token) is not None
    assert world.book.asked == 0
    world.later(2)
    assert world.sessions.believed(world.token) is None
    assert world.sessions.check(world.token).context.staff_no == "1001"
    assert world.book.asked == 1 and world.book.last_used_at == world.clock.now()
    assert world.sessions.believed(world.token) is not None


def test_an_ended_session_dies_within_a_minute() -> None:
    world = World()
    world.book.ended = True
    world.later(51)
    with pytest.raises(NotSignedIn):
        world.sessions.check(world.token)
    assert world.sessions.believed(world.token) is None


def test_a_session_nobody_stored_is_nobody() -> None:
    world = World()
    world.book.known = False
    with pytest.raises(NotSignedIn):
        world.sessions.check(MAKER.sign(a_pass(session_id="e" * 32)))


def test_idle_and_absolute_ends() -> None:
    world = World()
    world.later(31 * 60)
    with pytest.raises(NotSignedIn):
        world.sessions.check(world.token)
    other = World()
    other.book.last_used_at = NOW + timedelta(hours=12)
    other.later(12 * 3600)
    with pytest.raises(NotSignedIn):
        other.sessions.check(other.token)


def test_an_expired_session_is_not_believed_even_within_its_minute() -> None:
    world = World()
    token = world.sessions.begin(a_pass(expires_at=NOW + timedelta(seconds=10)))
    assert world.sessions.believed(token) is not None
    world.later(11)
    with pytest.raises(NotSignedIn):
        world.sessions.believed(token)


def test_paying_goes_on_while_the_business_database_is_down() -> None:
    world = World()
    world.book.away = True
    for _ in range(14):
        world.later(60)
        assert world.sessions.check(world.token).context.staff_no == "1001"
    world.later(61)
    with pytest.raises(DatabaseAway):
        world.sessions.check(world.token)


def test_a_token_never_seen_here_is_not_believed_while_the_business_database_is_down() -> None:
    world = World()
    world.book.away = True
    with pytest.raises(DatabaseAway):
        world.sessions.check(MAKER.sign(a_pass(session_id="d" * 32)))


def test_sign_out_is_felt_at_once() -> None:
    world = World()
    world.sessions.forget("f" * 32)
    assert world.sessions.believed(world.token) is None
