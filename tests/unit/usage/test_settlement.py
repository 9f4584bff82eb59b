"""Settlement between operators: exact to a micro-yuan, floored and rounded once a line; loads in erlangs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from server_api.billing.usage.traffic.agreements import Agreements, read_agreements
from server_api.billing.usage.traffic.load import trunk_loads
from server_api.billing.usage.traffic.settlement import settle
from shared_models.values.faults.usage import AgreementNotValid

FILE = """
[[operator]]
code = "CMCC"
name = "中国移动"
[[operator]]
code = "CUCC"
name = "中国联通"
[[trunk]]
switch = "MAIN"
no = 12
name = "移动关口局"
operator = "CMCC"
circuits = 30
[[trunk]]
switch = "MAIN"
no = 13
operator = "CUCC"
from_on = 2026-11-15
[[trunk]]
switch = "MAIN"
no = 20
name = "汇接局"
[[rate]]
code = "in"
operator = "CMCC"
direction = "in"
unit = "minute"
yuan = "0.06"
until_on = 2026-11-20
[[rate]]
code = "in-new"
operator = "CMCC"
direction = "in"
unit = "six_seconds"
yuan = "0.01"
per = 3
from_on = 2026-11-20
[[rate]]
code = "out-night"
operator = "CMCC"
direction = "out"
unit = "minute"
yuan = "0.03"
until_hour = 7
[[rate]]
code = "out"
operator = "CMCC"
direction = "out"
call_types = ["local", "national"]
unit = "second"
yuan = "0.001"
from_hour = 7
"""


def agreements(text: str = FILE) -> Agreements:
    return read_agreements(text, "agreements.toml")[0]


def row(trunk: int, direction: int, hour_no: int, seconds: int, calls: int = 1, kind: int = 3, **more: Any) -> Any:
    """``calls`` alike, of ``seconds`` each."""
    values = {
        "switch_code": "MAIN",
        "trunk_no": trunk,
        "direction": direction,
        "call_type": kind,
        "hour_no": hour_no,
        "call_count": calls,
        "answered_count": calls if seconds else 0,
        "talked_s": calls * seconds,
        "minute_count": calls * -(-seconds // 60),
        "six_second_count": calls * -(-seconds // 6),
        "held_s": calls * seconds,
    }
    return SimpleNamespace(**values | more)


def test_begun_minutes_and_the_day_a_rate_changes() -> None:
    """61 s are two minutes at 0.06 yuan; from the 20th 61 s are 11 times six seconds at a third of a fen each."""
    lines, left = settle(
        [row(12, 1, 2026111923, 61, 100, kind=7), row(12, 1, 2026112000, 61, 100, kind=7)], agreements()
    )
    assert [(one.rate.code, one.units, str(one.amount), one.amount_fen.amount_fen) for one in lines] == [
        ("in", 200, "12.00", 1_200),
        # 1,100 thirds of 10,000 micro-yuan: 3,666,666.67, floored once; then 3.67 yuan
        ("in-new", 1_100, "3.666666", 367),
    ]
    assert left == []


def test_what_we_owe_is_negative_and_hours_choose_the_rate() -> None:
    lines, _left = settle([row(12, 2, 2026110106, 30, 10), row(12, 2, 2026110107, 30, 10)], agreements())
    assert [(one.rate.code, one.amount_fen.amount_fen) for one in lines] == [("out", -30), ("out-night", -30)]


def test_what_no_rate_settles_is_listed_and_own_trunks_are_not() -> None:
    rows = [
        row(12, 2, 2026110108, 30, kind=6),
        row(13, 1, 2026110108, 30),
        row(13, 1, 2026111508, 30),
        row(20, 1, 2026110108, 30),
        row(99, 1, 2026110108, 0, 5),
        row(0, 0, 2026110108, 30),
    ]
    lines, left = settle(rows, agreements())
    assert lines == []
    assert [(one.trunk_no, one.operator, one.direction, one.answered_count, one.reason) for one in left] == [
        (12, "CMCC", 2, 1, "no_rate"),
        (13, "", 1, 1, "no_trunk"),
        (13, "CUCC", 1, 1, "no_rate"),
        (99, "", 1, 0, "no_trunk"),
    ]


def test_pieces_and_their_order_do_not_matter() -> None:
    """Sums are taken before anything is floored: split as you like, the line is the same."""
    rows = [row(12, 1, 2026112000 + at % 24, 7, 1, kind=7) for at in range(97)]
    whole, _ = settle(rows, agreements())
    again, _ = settle(list(reversed(rows)), agreements())
    assert whole == again
    assert str(whole[0].amount) == "0.646666"  # 97 calls of two units: 194 thirds of a fen


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ('yuan = "0.06"', 'yuan = "0.0000001"', "rate 1", "per"),
        ('yuan = "0.06"', "yuan = 0.06", "rate 1", "yuan"),
        ('yuan = "0.06"', 'yuan = "-1"', "rate 1", "yuan"),
        ('direction = "in"', 'direction = "up"', "rate 1", "direction"),
        ('unit = "minute"', 'unit = "hour"', "rate 1", "unit"),
        ("until_on = 2026-11-20\n", "", "rate 2", "settled by in"),
        ("until_hour = 7", "until_hour = 8", "rate 4", "settled by out-night"),
        ('operator = "CUCC"', 'operator = "CTCC"', "trunk 2", "CTCC"),
        ("no = 13", "no = 12", "trunk 2", "twice"),
        ("no = 13", "no = 0", "trunk 2", "no:"),
        ('name = "中国联通"', "", "operator 2", "name"),
        ("from_on = 2026-11-15", 'from_on = "soon"', "trunk 2", "from_on"),
        ("[[trunk]]", "[[trunk", "TOML", ""),
    ],
)
def test_a_mistake_is_named(old: str, new: str, place: str, problem: str) -> None:
    assert old in FILE
    with pytest.raises(AgreementNotValid) as refused:
        agreements(FILE.replace(old, new, 1))
    assert refused.value.params["place"] == place
    assert problem in str(refused.value.params["problem"])


def test_loads() -> None:
    """One circuit held a whole hour is an erlang."""
    rows = [row(12, 2, 2026110100 + hour, 1_800, 4 if hour == 9 else 2) for hour in range(8, 12)]
    rows += [row(12, 2, 2026110210, 3_600, 3), row(12, 2, 2026110208, 0, 6)]
    (load,) = trunk_loads(rows)
    assert (load.call_count, load.answered_count, load.answered_per_mille) == (19, 13, 684)
    assert load.peak == (2026110210, 3_000)
    assert load.busy(30) == (10, 4 * 1000 // 30)
