"""What a balance lets a call have, and how a month of exact charges becomes daily lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from server_api.billing.account.rules import Book
from shared_models.values.money import ZERO_FEN, Fen, MicroYuan
from shared_models.values.money_states import BookType

ANYTHING = "*"
NOTHING = MicroYuan(0)
#: Books a live call may use up; an earmarked one waits for its order, a deposit only secures.
LIVE_BOOKS = frozenset({BookType.ADVANCE, BookType.GRANT})
BalanceState = Literal["ok", "low", "exhausted"]
News = Literal["low", "exhausted", "restored"]


@dataclass(frozen=True, slots=True)
class Rung:
    """What a call costs if it comes to ``quantity``, and the included units it then draws, by allowance."""

    quantity: int
    charge: MicroYuan
    draws: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What live calls of one item group have of an account: held by open ones, taken by ended ones and not yet cut."""

    held: MicroYuan = NOTHING
    unbooked: MicroYuan = NOTHING

    @property
    def all(self) -> MicroYuan:
        """Both together."""
        return self.held + self.unbooked


@dataclass(frozen=True, slots=True)
class Purse:
    """What an account has for calls on a day: its usable books by item group, and how far it may owe."""

    by_group: Mapping[str, Fen]
    credit_limit: Fen = ZERO_FEN
    taken: Mapping[str, Taken] = field(default_factory=dict)

    @classmethod
    def of(cls, books: Iterable[Book], credit_limit: Fen, taken: Mapping[str, Taken], today: date) -> Purse:
        """Sum the books that live calls may use."""
        sums: dict[str, Fen] = {}
        for book in books:
            if book.book_type in LIVE_BOOKS and book.usable_on(today):
                sums[book.item_group] = sums.get(book.item_group, ZERO_FEN) + book.left
        return cls(sums, credit_limit, taken)

    def available(self, group: str) -> MicroYuan:
        """Books less unbooked charges less open reservations, for one item group.

        What other groups took beyond the books of their own is taken from those that pay for anything.
        """
        return self._room(group, {name: taken.all for name, taken in self.taken.items()})

    def balance(self, group: str) -> MicroYuan:
        """The same without reservations: what is left when every open call ends now and costs nothing."""
        return self._room(group, {name: taken.unbooked for name, taken in self.taken.items()})

    def _room(self, group: str, taken: Mapping[str, MicroYuan]) -> MicroYuan:
        room = MicroYuan.of_fen(self.by_group.get(ANYTHING, ZERO_FEN) + self.credit_limit)
        for name, amount in taken.items():
            own = NOTHING if name == ANYTHING else MicroYuan.of_fen(self.by_group.get(name, ZERO_FEN))
            if name == group:
                room = room + own - amount
            elif amount > own:
                room = room + own - amount
        if group not in taken and group != ANYTHING:
            room = room + MicroYuan.of_fen(self.by_group.get(group, ZERO_FEN))
        return room


def best_rung(ladder: Sequence[Rung], room: MicroYuan) -> Rung | None:
    """The longest the money allows; None where not even the shortest is paid for."""
    affordable = [rung for rung in ladder if rung.charge <= room]
    return max(affordable, key=lambda rung: rung.quantity) if affordable else None


def debit_of(charge: MicroYuan, room: MicroYuan) -> tuple[MicroYuan, MicroYuan]:
    """(debited, shortfall): a call takes what it cost, but never more than there is."""
    debited = max(NOTHING, min(charge, room))
    return debited, charge - debited


def balance_state(balance: MicroYuan, *, denied: bool, low: MicroYuan, exhausted: MicroYuan) -> BalanceState:
    """How a balance stands; ``denied``: a call was just refused although no other held anything."""
    if balance <= exhausted or denied:
        return "exhausted"
    return "low" if balance <= low else "ok"


def news_of(before: str, now: BalanceState) -> tuple[News, ...]:
    """What is told where the state changes. Coming back from nothing to little is two pieces of news."""
    if before == now:
        return ()
    if now == "exhausted":
        return ("exhausted",)
    if now == "low":
        return ("restored", "low") if before == "exhausted" else ("low",)
    return ("restored",)


def cut_due(debited: MicroYuan, cut: Fen) -> Fen:
    """Today's line: the month so far rounded once, less the lines before. So the lines of a month sum to one rounding.

    >>> [str(cut_due(MicroYuan(sum_), Fen(cut))) for sum_, cut in ((4_000, 0), (8_000, 0), (12_000, 1))]
    ['0.00', '0.01', '0.00']
    """
    return debited.to_fen() - cut


def share_out(amount: Fen, books: Sequence[Book], group: str, today: date) -> list[tuple[str, Fen]]:
    """From which books a line is taken: those of the group first, then soonest expiry, spend order, id."""
    usable = [
        book
        for book in books
        if book.book_type in LIVE_BOOKS
        and book.usable_on(today)
        and book.item_group in (group, ANYTHING)
        and book.left > ZERO_FEN
    ]
    usable.sort(
        key=lambda book: (book.item_group == ANYTHING, book.until_on or date.max, book.spend_order, book.book_id)
    )
    parts: list[tuple[str, Fen]] = []
    for book in usable:
        part = min(amount, book.left)
        if part > ZERO_FEN:
            parts.append((book.book_id, part))
            amount = amount - part
    return parts
