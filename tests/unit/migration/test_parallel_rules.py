"""Why two bills differ: each reason by a case a billing clerk would draw up, and no fen lost between reasons."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.migration.parallel.rules import OldItem, OurLine, Piece, Reason, compare_account

MARCH = 202603


def whole(yuan: int) -> Piece:
    return Piece("month", MARCH, date(2026, 3, 1), date(2026, 4, 1), yuan * 1_000_000, 1000, yuan * 1_000_000)


def part(yuan: int, from_day: int, amount_micro_yuan: int) -> Piece:
    return Piece("month", MARCH, date(2026, 3, from_day), date(2026, 4, 1), yuan * 1_000_000, 1000, amount_micro_yuan)


def line(item: str, fen: int, *pieces: Piece, kind: str = "recurring", parts: int = 0, net: int = 0) -> OurLine:
    return OurLine(item, item.partition(".")[0], kind, fen, net or fen, parts or len(pieces), pieces)


FEE = line("voice.monthly", 2500, whole(25))
#: 25 yuan from the 17th of March on, by days: 25 x 15/31 = 12.096774
PART = line("voice.monthly", 1210, part(25, 17, 12_096_774))
CALLS = line("voice.local", 1234, kind="usage", parts=40)


@pytest.mark.parametrize(
    ("old", "ours", "reason", "detail"),
    [
        ([OldItem("voice.monthly", 2500)], [FEE], Reason.EQUAL, ""),
        ([OldItem("voice.monthly", 2500)], [PART], Reason.PRORATION, "full"),
        ([OldItem("voice.monthly", 0)], [PART], Reason.PRORATION, "none"),
        ([OldItem("voice.monthly", 1250)], [PART], Reason.PRORATION, "half"),
        ([OldItem("voice.monthly", 1167)], [PART], Reason.PRORATION, "thirty_days"),
        ([OldItem("voice.local", 1250, 40)], [CALLS], Reason.ROUNDING, "40"),
        ([OldItem("voice.local", 1150, 37)], [CALLS], Reason.CALLS, "37 / 40"),
        ([OldItem("voice.local", 900)], [CALLS], Reason.UNEXPLAINED, ""),
        (
            [OldItem("broadband.yearly", 6000)],
            [line("broadband.yearly", 72000, kind="recurring")],
            Reason.TERM,
            "12",
        ),
        ([OldItem("tv.monthly", 2453)], [line("tv.monthly", 2600, whole(26), net=2453)], Reason.NET_OF_TAX, ""),
        (
            [OldItem("tv.monthly", 2600)],
            [line("tv.monthly", 2600, whole(26)), line("tv.monthly", -600, kind="discount")],
            Reason.DISCOUNT,
            "",
        ),
        (
            [OldItem("voice.monthly", 2500)],
            [FEE, line("voice.monthly", -1290, kind="correction")],
            Reason.OTHER_MONTH,
            "",
        ),
        ([], [line("late_fee", 12, kind="late_fee")], Reason.LATE_FEE, ""),
        ([], [line("fee.other", 5000, kind="fee")], Reason.ONE_OFF, ""),
        ([], [line("tv.secondary", 800, whole(8))], Reason.NOT_THEIRS, ""),
        ([OldItem("voice.service", 300, 2)], [], Reason.USAGE_MISSING, "service"),
        ([OldItem("tv.secondary", 800)], [line("tv.monthly", 2600, whole(26))], Reason.NOT_THEIRS, ""),
    ],
)
def test_each_reason(old: list[OldItem], ours: list[OurLine], reason: Reason, detail: str) -> None:
    found = list(compare_account("A1", {item.item_code: item for item in old}, ours))
    named = next((one for one in found if one.reason is reason), None)
    assert named is not None, found
    assert named.detail == detail


def test_a_bundle_split_otherwise_is_the_same_money() -> None:
    old = {code: OldItem(code, fen) for code, fen in (("bundle.voice", 1500), ("bundle.tv", 1800))}
    ours = [line("bundle.voice", 1512, kind="recurring"), line("bundle.tv", 1788, kind="recurring")]
    found = list(compare_account("A1", old, ours))
    assert [one.reason for one in found] == [Reason.REGROUPED, Reason.REGROUPED]
    assert sum(one.difference_fen for one in found) == 0


def test_an_account_one_side_does_not_know() -> None:
    assert [one.reason for one in compare_account("A1", None, [FEE])] == [Reason.ACCOUNT_NOT_THEIRS]
    assert [one.reason for one in compare_account("A1", {"x": OldItem("x", 5)}, None)] == [Reason.ACCOUNT_NOT_OURS]


items = st.sampled_from(["voice.monthly", "voice.local", "tv.monthly", "broadband.monthly", "late_fee"])
amounts = st.integers(-10_000, 100_000)
kinds = st.sampled_from(["recurring", "usage", "discount", "correction", "late_fee", "fee"])
olds = st.dictionaries(items, amounts, max_size=5)
ours_lines = st.lists(st.tuples(items, amounts, kinds, st.integers(0, 99)), max_size=6)


@given(olds, ours_lines)
def test_no_fen_is_lost_between_reasons(old: dict[str, int], ours: list[tuple[str, int, str, int]]) -> None:
    lines = [line(item, fen, kind=kind, parts=parts) for item, fen, kind, parts in ours]
    found = list(compare_account("A1", {code: OldItem(code, fen) for code, fen in old.items()}, lines))
    assert sum(one.old_fen for one in found) == sum(old.values())
    assert sum(one.our_fen for one in found) == sum(each.amount_fen for each in lines)
    assert {one.item_code for one in found} == old.keys() | {each.item_code for each in lines}
    assert all((one.reason is Reason.EQUAL) == (one.old_fen == one.our_fen) for one in found)
