"""Parts of months, as a billing clerk would tabulate them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.billing.bill.rules.proration import WAYS, Proration, share_from, share_of_piece, share_until

#     way            day days  from the day to the end   before the day
TABLE = """
      none             1   31  1                         0
      none             2   31  0                         0
      none            31   31  0                         0
      full             1   31  1                         0
      full            15   31  1                         1
      full            31   31  1                         1
      half             1   30  1                         0
      half            15   30  1                         1/2
      half            16   30  1/2                       1/2
      half            17   30  1/2                       1
      half            30   30  1/2                       1
      actual_days      1   31  1                         0
      actual_days     17   31  15/31                     16/31
      actual_days     28   28  1/28                      27/28
      actual_days     29   29  1/29                      28/29
      actual_days     31   31  1/31                      30/31
      thirty_days      1   31  1                         0
      thirty_days     16   31  1/2                       1/2
      thirty_days     28   28  1/10                      9/10
      thirty_days     31   31  0                         1
"""
ROWS = [tuple(row.split()) for row in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("way", "day", "days", "after", "before"), ROWS)
def test_table(way: str, day: str, days: str, after: str, before: str) -> None:
    assert share_from(way, int(day), int(days)) == Fraction(after)
    assert share_until(way, int(day), int(days)) == Fraction(before)


@given(st.sampled_from(["actual_days", "full", "none"]), st.integers(28, 31), st.data())
def test_parts_of_a_change_sum_to_the_month(way: str, days: int, data: st.DataObject) -> None:
    """However often an offer changes in a month, the pieces cost one month together."""
    edges = sorted(data.draw(st.sets(st.integers(2, days), max_size=5)))
    shares = []
    for index in range(len(edges) + 1):
        share_in = share_from(way, edges[index - 1], days) if index else Fraction(1)
        share_out = 1 - share_from(way, edges[index], days) if index < len(edges) else Fraction(1)
        shares.append(share_of_piece(share_in, share_out))
    assert sum(shares) == 1
    assert all(0 <= share <= 1 for share in shares)


@given(st.sampled_from(WAYS), st.integers(28, 31), st.data())
def test_a_share_is_between_nothing_and_a_month(way: str, days: int, data: st.DataObject) -> None:
    day = data.draw(st.integers(1, days))
    assert 0 <= share_from(way, day, days) <= 1
    assert 0 <= share_until(way, day, days) <= 1
    if way == "actual_days":
        assert share_from(way, day, days) + share_until(way, day, days) == 1


def test_no_such_way() -> None:
    with pytest.raises(ValueError, match="no such way"):
        Proration().with_ways(start="by_moon")
    assert Proration().with_ways(stop="full", last_day_counts=True).stop == "full"
