"""What a posting is, and how one is undone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared_models.values.ledger import LedgerCode
from shared_models.values.money import Fen


@dataclass(frozen=True, slots=True)
class LedgerName:
    """A ledger account: what kind of money, and whose."""

    code: LedgerCode
    owner: str

    def __str__(self) -> str:
        return f"{self.code}:{self.owner}"


@dataclass(frozen=True, slots=True)
class Posting:
    """A positive amount going from one ledger account (credited) to another (debited)."""

    source: LedgerName
    target: LedgerName
    amount: Fen
    ref_id: str = ""

    def __post_init__(self) -> None:
        if self.amount.amount_fen <= 0:
            raise ValueError(f"a posting is positive, not {self.amount}")
        if self.source == self.target:
            raise ValueError(f"a posting goes somewhere else than {self.source}")

    @property
    def mirrored(self) -> Posting:
        """The posting that undoes this one."""
        return Posting(self.target, self.source, self.amount, self.ref_id)

    def moved(self, instead_of: Mapping[LedgerName, LedgerName]) -> Posting:
        """The same with other ledger accounts in place of those named."""
        source, target = instead_of.get(self.source, self.source), instead_of.get(self.target, self.target)
        return Posting(source, target, self.amount, self.ref_id)


@dataclass(frozen=True, slots=True)
class Booked:
    """A posting as it stands in the ledger."""

    period: int
    act_id: str
    line_no: int
    posting: Posting


def balances(postings: Iterable[Posting]) -> dict[LedgerName, Fen]:
    """The balance of every ledger account that occurs: what came to it less what went from it.

    They sum to zero whatever the postings are; that is what double entry means.
    """
    found: dict[LedgerName, Fen] = {}
    for posting in postings:
        found[posting.target] = found.get(posting.target, Fen(0)) + posting.amount
        found[posting.source] = found.get(posting.source, Fen(0)) - posting.amount
    return found


def over_or_short(
    code: LedgerCode, owner: str, against: LedgerName, difference: Fen, ref_id: str = ""
) -> Sequence[Posting]:
    """A signed difference as postings: above zero it goes from ``code:owner`` to ``against``, below zero back."""
    name = LedgerName(code, owner)
    if difference.amount_fen > 0:
        return (Posting(name, against, difference, ref_id),)
    if difference.amount_fen < 0:
        return (Posting(against, name, -difference, ref_id),)
    return ()
