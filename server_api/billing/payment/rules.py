"""What money settles, in which order, and why. Pure: the preview and the payment are the same call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from server_api.billing.account.rules import Book, Owing
from shared_models.values.faults.payment import BillNotOpen
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import SPENDABLE

ANYTHING = "*"
_NEVER = date.max


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line of an open bill with what is left to pay of it."""

    period: int
    bill_id: str
    line_no: int
    product_id: str
    item_group: str
    item_code: str
    service: str
    label: str
    shown_as: str
    amount: Fen
    payable: Fen


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill that is not settled, with its lines as they stand on it."""

    period: int
    bill_id: str
    bill_no: str
    issued_on: date
    due_on: date
    total: Fen
    left: Fen
    lines: tuple[OpenLine, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the payer wants paid before everything else."""

    bill_ids: tuple[str, ...] = ()
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class NewMoney:
    """Money coming in now: it goes through the advance book of the account."""

    book_id: str
    amount: Fen


@dataclass(frozen=True, slots=True)
class Portion:
    """So much of one book for one line; ``is_new`` where it is the money coming in now."""

    book: Book
    is_new: bool
    bill: OpenBill
    line: OpenLine
    amount: Fen


@dataclass(frozen=True, slots=True)
class Order:
    """In which order lines and books are taken: names from resources/policy/money.toml."""

    lines: tuple[str, ...] = ("named", "age", "number", "line")
    books: tuple[str, ...] = ("expiry", "spend_order", "id")


@dataclass(frozen=True, slots=True)
class Allocation:
    """The result with its explanation: the portions, in the order they were made."""

    portions: tuple[Portion, ...]
    new_applied: Fen
    new_left: Fen
    owing_after: Owing

    @property
    def spent_by_book(self) -> dict[str, Fen]:
        """What each book gave, new money included."""
        found: dict[str, Fen] = {}
        for portion in self.portions:
            book_id = portion.book.book_id
            found[book_id] = found.get(book_id, ZERO_FEN) + portion.amount
        return found

    @property
    def paid_by_bill(self) -> dict[str, Fen]:
        """What each bill got, from whatever book."""
        found: dict[str, Fen] = {}
        for portion in self.portions:
            bill_id = portion.bill.bill_id
            found[bill_id] = found.get(bill_id, ZERO_FEN) + portion.amount
        return found


_LINE_KEYS: dict[str, Callable[[OpenBill, OpenLine, Wish, dict[str, int]], Any]] = {
    "named": lambda bill, line, wish, named: named.get(bill.bill_id, len(named)),
    "age": lambda bill, line, wish, named: (bill.period, bill.bill_id),
    "number": lambda bill, line, wish, named: 0 if wish.product_id and line.product_id == wish.product_id else 1,
    "line": lambda bill, line, wish, named: line.line_no,
}
_BOOK_KEYS: dict[str, Callable[[Book], Any]] = {
    "expiry": lambda book: book.until_on or _NEVER,
    "spend_order": lambda book: book.spend_order,
    "id": lambda book: book.book_id,
}


@dataclass(slots=True)
class _Pot:
    """A source of money while it is being dealt out."""

    book: Book
    is_new: bool
    left_fen: int


def allocate(
    bills: Sequence[OpenBill],
    books: Sequence[Book],
    *,
    new_money: NewMoney | None,
    wish: Wish,
    today: date,
    order: Order,
) -> Allocation:
    """Deal money out to open lines.

    Books are used by soonest expiry, then priority, then id, what a book held before new money; earmarked books only
    for their items, deposits never. Lines: named bills, oldest bill, the number being paid, as they stand. What is
    left of the new money stays in its book as advance.

    Raises BillNotOpen where a named bill is not among the open ones.
    """
    named = {bill_id: place for place, bill_id in enumerate(wish.bill_ids)}
    if named and not named.keys() <= {bill.bill_id for bill in bills}:
        raise BillNotOpen()
    pots = _pots(books, new_money, today, order)
    pairs = [(bill, line) for bill in bills for line in bill.lines if line.payable.amount_fen > 0]
    if len(pairs) > 1:
        keys = [_LINE_KEYS[name] for name in order.lines]
        pairs.sort(key=lambda pair: tuple(key(pair[0], pair[1], wish, named) for key in keys))
    portions: list[Portion] = []
    new_applied_fen = 0
    for bill, line in pairs:
        wanted_fen = line.payable.amount_fen
        for pot in pots:
            if not pot.left_fen or pot.book.item_group not in (ANYTHING, line.item_group):
                continue
            taken_fen = min(wanted_fen, pot.left_fen)
            pot.left_fen -= taken_fen
            wanted_fen -= taken_fen
            new_applied_fen += taken_fen if pot.is_new else 0
            portions.append(Portion(pot.book, pot.is_new, bill, line, Fen(taken_fen)))
            if not wanted_fen:
                break
        if not any(pot.left_fen for pot in pots):
            break
    new_fen = new_money.amount.amount_fen if new_money is not None else 0
    return Allocation(
        tuple(portions),
        Fen(new_applied_fen),
        Fen(new_fen - new_applied_fen),
        _owing_after(bills, portions),
    )


def owing_of(bills: Sequence[OpenBill]) -> Owing:
    """What open bills come to."""
    return _owing_after(bills, ())


def _pots(books: Sequence[Book], new_money: NewMoney | None, today: date, order: Order) -> list[_Pot]:
    keys = [_BOOK_KEYS[name] for name in order.books]
    usable = [book for book in books if book.book_type in SPENDABLE and book.usable_on(today)]
    if len(usable) > 1:
        usable.sort(key=lambda book: tuple(key(book) for key in keys))
    pots: list[_Pot] = []
    for book in usable:
        if book.left.amount_fen > 0:
            pots.append(_Pot(book, False, book.left.amount_fen))
        if new_money is not None and book.book_id == new_money.book_id:
            pots.append(_Pot(book, True, new_money.amount.amount_fen))
    return pots


def _owing_after(bills: Sequence[OpenBill], portions: Sequence[Portion]) -> Owing:
    paid: dict[str, int] = {}
    for portion in portions:
        paid[portion.bill.bill_id] = paid.get(portion.bill.bill_id, 0) + portion.amount.amount_fen
    owed_fen = 0
    earliest: date | None = None
    for bill in bills:
        left_fen = bill.left.amount_fen - paid.get(bill.bill_id, 0)
        if left_fen > 0:
            owed_fen += left_fen
            if earliest is None or bill.due_on < earliest:
                earliest = bill.due_on
    return Owing(Fen(owed_fen), earliest)
