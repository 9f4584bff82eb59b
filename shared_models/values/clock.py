"""Time is handed in, never called for. Instants are aware UTC; calendar days are those of Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Protocol
from zoneinfo import ZoneInfo

UTC = timezone.utc
TOWN_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for stories in tests and for replays."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def advance(self, delta: timedelta) -> None:
        self._at += delta

    def set(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)


def town_day(at: datetime) -> date:
    """The calendar day in Asia/Shanghai on which an instant falls."""
    return at.astimezone(TOWN_ZONE).date()


def town_midnight(on: date) -> datetime:
    """The instant (UTC) at which a calendar day begins in Asia/Shanghai."""
    return datetime(on.year, on.month, on.day, tzinfo=TOWN_ZONE).astimezone(UTC)


def town_text(at: datetime) -> str:
    """An instant as a person in the town reads it: ``2026-11-23 10:15:32``."""
    return at.astimezone(TOWN_ZONE).strftime("%Y-%m-%d %H:%M:%S")
