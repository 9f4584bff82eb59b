"""What a balance lets a call have, and how exact charges become daily lines."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.billing.account.rules import Book
from server_api.billing.rating.credit.rules import (
    Purse,
    Rung,
    Taken,
    balance_state,
    best_rung,
    cut_due,
    debit_of,
    news_of,
    share_out,
)
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.money_states import BookType

TODAY = date(2026, 3, 16)


def book(left: int, group: str = "*", kind: BookType = BookType.ADVANCE, until: date | None = None) -> Book:
    return Book(f"{group}{left}{kind}{until}", kind, group, 100, date(2026, 1, 1), until, Fen(left))


def micro(yuan: str) -> MicroYuan:
    return MicroYuan.parse(yuan)


def purse(books: list[Book], limit: int = 0, **taken: Taken) -> Purse:
    return Purse.of(books, Fen(limit), taken, TODAY)


# books (fen, group), limit, taken by voice and by broadband (yuan), what voice and broadband then have
EXAMPLES = [
    ([(1000, "*")], 0, "0", "0", "10", "10"),
    ([(1000, "*")], 0, "3.5", "0", "6.5", "6.5"),
    ([(1000, "*")], 0, "3", "4", "3", "3"),
    ([(1000, "*"), (500, "voice")], 0, "0", "0", "15", "10"),
    ([(1000, "*"), (500, "voice")], 0, "4", "0", "11", "10"),
    ([(1000, "*"), (500, "voice")], 0, "7", "0", "8", "8"),
    ([(1000, "*"), (500, "voice")], 0, "7", "6", "2", "2"),
    ([(0, "*")], 2000, "5", "0", "15", "15"),
    ([(300, "broadband")], 0, "0", "0", "0", "3"),
]


@pytest.mark.parametrize(("books", "limit", "voice", "broadband", "has_voice", "has_broadband"), EXAMPLES)
def test_available(
    books: list[tuple[int, str]], limit: int, voice: str, broadband: str, has_voice: str, has_broadband: str
) -> None:
    taken = {"voice": Taken(held=micro(voice)), "broadband": Taken(unbooked=micro(broadband))}
    found = purse([book(fen, group) for fen, group in books], limit, **taken)
    assert (found.available("voice"), found.available("broadband")) == (micro(has_voice), micro(has_broadband))


def test_only_books_for_calls_count() -> None:
    books = [
        book(100),
        book(200, kind=BookType.GRANT),
        book(400, kind=BookType.DEPOSIT),
        book(800, kind=BookType.EARMARKED),
        book(1600, until=TODAY),
    ]
    assert purse(books).available("voice") == micro("3")


def test_reservations_do_not_make_a_balance_low() -> None:
    found = purse([book(1000)], voice=Taken(held=micro("9"), unbooked=micro("0.5")))
    assert found.available("voice") == micro("0.5")
    assert found.balance("voice") == micro("9.5")


def test_the_best_rung() -> None:
    ladder = [Rung(60, micro("0.1")), Rung(120, micro("0.2")), Rung(600, micro("1"))]
    assert best_rung(ladder, micro("0.5")) == ladder[1]
    assert best_rung(ladder, micro("1")) == ladder[2]
    assert best_rung(ladder, micro("0.09")) is None


@given(charge=st.integers(0, 10**9), room=st.integers(-(10**9), 10**9))
def test_a_debit_never_goes_below(charge: int, room: int) -> None:
    debited, shortfall = debit_of(MicroYuan(charge), MicroYuan(room))
    assert debited + shortfall == MicroYuan(charge)
    assert MicroYuan(0) <= debited <= MicroYuan(max(0, room))


@given(charges=st.lists(st.integers(0, 3_000_000), max_size=60), stops=st.sets(st.integers(0, 59)))
def test_daily_lines_come_to_one_rounding(charges: list[int], stops: set[int]) -> None:
    """However the calls fall on days, the lines sum to the month rounded once."""
    total, cut = MicroYuan(0), Fen(0)
    for number, charge in enumerate(charges):
        total = total + MicroYuan(charge)
        if number in stops:
            line = cut_due(total, cut)
            assert line >= Fen(0)
            cut = cut + line
    assert cut + cut_due(total, cut) == total.to_fen()


def test_states_and_news() -> None:
    low, nothing = micro("10"), micro("0")

    def state(balance: str, denied: bool = False) -> str:
        return balance_state(micro(balance), denied=denied, low=low, exhausted=nothing)

    assert [state("10.01"), state("10"), state("0"), state("-1"), state("3", denied=True)] == [
        "ok",
        "low",
        "exhausted",
        "exhausted",
        "exhausted",
    ]
    assert news_of("ok", "low") == ("low",)
    assert news_of("low", "exhausted") == ("exhausted",)
    assert news_of("exhausted", "low") == ("restored", "low")
    assert news_of("exhausted", "ok") == news_of("low", "ok") == ("restored",)
    assert news_of("ok", "ok") == ()


def test_lines_are_taken_from_books_of_the_group_first() -> None:
    soon, late, own = book(30, until=date(2026, 4, 1)), book(50), book(20, "voice")
    assert share_out(Fen(60), [late, soon, own], "voice", TODAY) == [
        (own.book_id, Fen(20)),
        (soon.book_id, Fen(30)),
        (late.book_id, Fen(10)),
    ]
    assert share_out(Fen(500), [late, soon, own], "broadband", TODAY) == [
        (soon.book_id, Fen(30)),
        (late.book_id, Fen(50)),
    ]
