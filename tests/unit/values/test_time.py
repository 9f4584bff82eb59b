"""Months, spans of days and the town's calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_models.values.clock import ManualClock, town_day, town_midnight, town_text
from shared_models.values.ids import derived_id, is_id, new_id
from shared_models.values.period import Days, Month

months = st.builds(lambda year, month: Month(year * 100 + month), st.integers(1930, 2400), st.integers(1, 12))
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(months, st.integers(-240, 240))
def test_months_add_up(month: Month, count: int):
    assert month.plus(count).plus(-count) == month
    assert month.next().previous() == month
    assert month.until_on == month.next().first_on


@pytest.mark.parametrize(
    ("yyyymm", "count"), [(202602, 28), (202402, 29), (210002, 28), (200002, 29), (202601, 31), (202604, 30)]
)
def test_months_know_their_days(yyyymm: int, count: int):
    assert Month(yyyymm).days == count


@pytest.mark.parametrize("wrong", [202613, 202600, 2026, 0, -1])
def test_what_is_not_a_month_is_refused(wrong: int):
    with pytest.raises(ValueError, match="not a month"):
        Month(wrong)


def test_the_day_changes_at_midnight_in_the_town_not_in_greenwich():
    just_before = datetime(2026, 1, 31, 15, 59, 59, tzinfo=timezone.utc)
    assert town_day(just_before) == date(2026, 1, 31)
    assert town_day(just_before + timedelta(seconds=1)) == date(2026, 2, 1)
    assert town_midnight(date(2026, 2, 1)) == just_before + timedelta(seconds=1)
    assert town_text(just_before) == "2026-01-31 23:59:59"


def test_days_of_the_old_summer_time_are_days_all_the_same():
    """China had summer time until 1991: a day of 23 hours is still one day."""
    assert Days(date(1991, 4, 13), date(1991, 4, 16)).count == 3
    assert town_day(town_midnight(date(1991, 4, 15))) == date(1991, 4, 15)


@given(days, st.integers(0, 400), days, st.integers(0, 400))
def test_the_common_part_of_two_spans(first: date, length: int, second: date, other_length: int):
    one = Days(first, first + timedelta(days=length))
    other = Days(second, second + timedelta(days=other_length))
    common = one.within(other)
    assert set(one) & set(other) == set(common or ())


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert clock.now() == clock.now()
    clock.advance(timedelta(hours=1))
    assert clock.now() == datetime(2026, 1, 1, 1, tzinfo=timezone.utc)
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(datetime(2026, 1, 1))


def test_ids():
    assert is_id(new_id()) and new_id() != new_id()
    assert derived_id("a", "bc") == derived_id("a", "bc") != derived_id("ab", "c")
    assert not is_id("A" * 32) and not is_id("") and not is_id("g" * 32)
