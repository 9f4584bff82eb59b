"""Allocation as a pure function: conserves money, keeps the order, and spends each book only where it may."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_api.billing.account.rules import Book, Owing, standing_of
from server_api.billing.payment.rules import Allocation, NewMoney, OpenBill, OpenLine, Order, Wish, allocate, owing_of
from shared_models.contracts.events import Standing
from shared_models.values.faults.payment import BillNotOpen
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType

TODAY = date(2026, 3, 16)
ADVANCE = "book-advance"


def line_of(
    bill_id: str, line_no: int, fen: int, *, period: int, group: str = "voice", product: str = "p1"
) -> OpenLine:
    return OpenLine(period, bill_id, line_no, product, group, "x", "voice", "月租费", "8555", Fen(fen), Fen(fen))


def bill_of(bill_id: str, period: int, *fen: int, due_on: date = TODAY, group: str = "voice") -> OpenBill:
    lines = tuple(line_of(bill_id, no, amount, period=period, group=group) for no, amount in enumerate(fen, 1))
    return OpenBill(period, bill_id, bill_id, TODAY, due_on, Fen(sum(fen)), Fen(sum(fen)), lines)


def book_of(
    book_id: str,
    fen: int,
    *,
    kind: BookType = BookType.ADVANCE,
    group: str = "*",
    order: int = 100,
    until_on: date | None = None,
    from_on: date = date(2020, 1, 1),
) -> Book:
    return Book(book_id, kind, group, order, from_on, until_on, Fen(fen))


def deal(
    bills: list[OpenBill], books: list[Book], new_fen: int = 0, wish: Wish | None = None, order: Order | None = None
) -> Allocation:
    money = NewMoney(ADVANCE, Fen(new_fen)) if new_fen else None
    return allocate(bills, books, new_money=money, wish=wish or Wish(), today=TODAY, order=order or Order())


def shares(result: Allocation) -> list[tuple[str, str, int]]:
    return [(part.book.book_id, part.bill.bill_id, part.amount.amount_fen) for part in result.portions]


def test_oldest_bill_first_and_the_rest_stays() -> None:
    bills = [bill_of("feb", 202602, 300), bill_of("jan", 202601, 200)]
    result = deal(bills, [book_of(ADVANCE, 0)], 600)
    assert shares(result) == [(ADVANCE, "jan", 200), (ADVANCE, "feb", 300)]
    assert result.new_left == Fen(100) and result.new_applied == Fen(500)


def test_books_by_expiry_then_priority_then_id_and_old_money_before_new() -> None:
    books = [
        book_of(ADVANCE, 50),
        book_of("grant-late", 40, kind=BookType.GRANT, until_on=TODAY + timedelta(days=90)),
        book_of("grant-soon", 30, kind=BookType.GRANT, until_on=TODAY + timedelta(days=1)),
        book_of("b", 20, order=1),
        book_of("a", 10, order=1),
    ]
    result = deal([bill_of("jan", 202601, 200)], books, 500)
    assert shares(result) == [
        ("grant-soon", "jan", 30),
        ("grant-late", "jan", 40),
        ("a", "jan", 10),
        ("b", "jan", 20),
        (ADVANCE, "jan", 50),
        (ADVANCE, "jan", 50),
    ]
    assert [part.is_new for part in result.portions] == [False] * 5 + [True]
    assert result.new_left == Fen(450)


def test_an_earmarked_book_pays_only_its_items_and_a_deposit_nothing() -> None:
    bills = [bill_of("jan", 202601, 100, group="tv"), bill_of("feb", 202602, 100, group="broadband")]
    books = [
        book_of("tv-only", 500, kind=BookType.EARMARKED, group="tv"),
        book_of("deposit", 500, kind=BookType.DEPOSIT),
        book_of(ADVANCE, 0),
    ]
    result = deal(bills, books)
    assert shares(result) == [("tv-only", "jan", 100)]
    assert result.owing_after == Owing(Fen(100), TODAY)


@pytest.mark.parametrize(
    ("from_on", "until_on", "usable"),
    [
        (TODAY, None, True),
        (TODAY + timedelta(days=1), None, False),
        (date(2020, 1, 1), TODAY, False),
        (date(2020, 1, 1), TODAY + timedelta(days=1), True),
    ],
)
def test_a_book_pays_from_its_first_day_until_before_its_last(
    from_on: date, until_on: date | None, usable: bool
) -> None:
    result = deal([bill_of("jan", 202601, 100)], [book_of("x", 100, from_on=from_on, until_on=until_on)])
    assert bool(result.portions) is usable


def test_the_number_being_paid_goes_first_within_a_bill() -> None:
    lines = (
        line_of("jan", 1, 100, period=202601, product="tv"),
        line_of("jan", 2, 100, period=202601, product="phone"),
    )
    bill = OpenBill(202601, "jan", "jan", TODAY, TODAY, Fen(200), Fen(200), lines)
    result = deal([bill], [book_of(ADVANCE, 0)], 150, Wish(product_id="phone"))
    assert [(part.line.line_no, part.amount.amount_fen) for part in result.portions] == [(2, 100), (1, 50)]


def test_policy_may_put_the_number_before_the_age() -> None:
    old = bill_of("jan", 202601, 100)
    new = OpenBill(
        202602,
        "feb",
        "feb",
        TODAY,
        TODAY,
        Fen(100),
        Fen(100),
        (line_of("feb", 1, 100, period=202602, product="phone"),),
    )
    order = Order(lines=("named", "number", "age", "line"))
    result = deal([old, new], [book_of(ADVANCE, 0)], 100, Wish(product_id="phone"), order)
    assert shares(result) == [(ADVANCE, "feb", 100)]


def test_a_named_bill_that_is_not_open_is_refused() -> None:
    with pytest.raises(BillNotOpen):
        deal([bill_of("jan", 202601, 100)], [book_of(ADVANCE, 0)], 100, Wish(bill_ids=("gone",)))


def test_nothing_owed_leaves_everything() -> None:
    result = deal([], [book_of(ADVANCE, 70)], 30)
    assert result.portions == () and result.new_left == Fen(30) and result.owing_after == Owing()


amounts = st.integers(min_value=1, max_value=50_000)
bill_lists = st.lists(st.lists(amounts, min_size=1, max_size=5), max_size=5).map(
    lambda rows: [
        bill_of(f"bill-{n}", 202601 + n, *fen, group=("voice", "tv")[n % 2], due_on=TODAY + timedelta(days=n - 2))
        for n, fen in enumerate(rows)
    ]
)
book_lists = st.lists(
    st.tuples(amounts, st.sampled_from(["*", "tv"]), st.sampled_from(list(BookType)), st.integers(-1, 3)), max_size=4
).map(
    lambda rows: (
        [
            book_of(f"book-{n}", fen, group=group, kind=kind, until_on=TODAY + timedelta(days=days) if days else None)
            for n, (fen, group, kind, days) in enumerate(rows)
        ]
        + [book_of(ADVANCE, 0)]
    )
)


@given(bill_lists, book_lists, st.integers(min_value=0, max_value=400_000))
def test_money_is_conserved_and_nothing_is_paid_twice(bills: list[OpenBill], books: list[Book], new_fen: int) -> None:
    result = deal(bills, books, new_fen)
    assert result.new_applied + result.new_left == Fen(new_fen)
    paid = Fen.total(part.amount for part in result.portions)
    assert owing_of(bills).owed - paid == result.owing_after.owed
    held = {book.book_id: book for book in books}
    for book_id, spent in result.spent_by_book.items():
        most = held[book_id].left + (Fen(new_fen) if book_id == ADVANCE else ZERO_FEN)
        assert spent <= most and held[book_id].book_type is not BookType.DEPOSIT and held[book_id].usable_on(TODAY)
    by_line: dict[tuple[str, int], int] = {}
    for part in result.portions:
        assert part.amount > ZERO_FEN and part.book.item_group in ("*", part.line.item_group)
        key = (part.bill.bill_id, part.line.line_no)
        by_line[key] = by_line.get(key, 0) + part.amount.amount_fen
    for bill in bills:
        for line in bill.lines:
            assert by_line.get((bill.bill_id, line.line_no), 0) <= line.payable.amount_fen


@given(bill_lists, book_lists, st.integers(min_value=1, max_value=400_000))
def test_new_money_is_left_only_when_nothing_is_owed(bills: list[OpenBill], books: list[Book], new_fen: int) -> None:
    result = deal(bills, books, new_fen)
    if result.new_left:
        assert result.owing_after.owed == ZERO_FEN


@given(bill_lists, book_lists, st.integers(min_value=1, max_value=400_000))
def test_the_order_of_the_input_does_not_matter(bills: list[OpenBill], books: list[Book], new_fen: int) -> None:
    assert deal(bills, books, new_fen).portions == deal(bills[::-1], books[::-1], new_fen).portions


@pytest.mark.parametrize(
    ("owed_fen", "due_in_days", "restricted", "limit_fen", "standing"),
    [
        (0, None, False, 0, Standing.CLEAR),
        (1, 0, False, 0, Standing.OWING),
        (1, 5, False, 0, Standing.OWING),
        (1, -1, False, 0, Standing.OVERDUE),
        (500, -1, False, 500, Standing.OVERDUE),
        (501, -1, False, 500, Standing.RESTRICTED),
        (501, 1, False, 500, Standing.OWING),
        (0, None, True, 0, Standing.RESTRICTED),
    ],
)
def test_how_an_account_stands(
    owed_fen: int, due_in_days: int | None, restricted: bool, limit_fen: int, standing: Standing
) -> None:
    due_on = None if due_in_days is None else TODAY + timedelta(days=due_in_days)
    owing = Owing(Fen(owed_fen), due_on)
    assert standing_of(owing, TODAY, restricted=restricted, credit_limit=Fen(limit_fen)) is standing
