"""The ways money can come: cash in the drawer, and rails that move it outside us (POS, one-card).

A rail outside us fills :class:`OutsideRail` and is put into the registry by ``app.py`` when it is configured. Nothing
is registered that does not work: a method without a rail is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared_models.values.faults.payment import RailNotAvailable, ReceivedTooLittle, ReceivedTooMuch
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import IntentState, PayMethod


class Rail(Protocol):
    """One way for money to come."""

    @property
    def method(self) -> PayMethod: ...

    @property
    def ledger_code(self) -> LedgerCode:
        """Where the money lies once it is ours: the drawer, or what the rail owes us."""
        ...

    @property
    def needs_intent(self) -> bool:
        """True where money moves outside us: intent, device, confirm."""
        ...

    def change_for(self, amount: Fen, received: Fen, largest_change: Fen) -> Fen:
        """What is handed back; raises a fault where ``received`` cannot be right."""
        ...


class OutsideRail(Rail, Protocol):
    """A rail with a device or an operator behind it that can be asked what became of an intent."""

    def query(self, trace_no: str) -> IntentState:
        """Ask the other side about a trace number: confirmed, refused, unknown. Never inside a transaction."""
        ...


@dataclass(frozen=True)
class CashRail:
    """Notes and coins: ours when they lie in the drawer."""

    method: PayMethod = PayMethod.CASH
    ledger_code: LedgerCode = LedgerCode.CASH
    needs_intent: bool = False

    def change_for(self, amount: Fen, received: Fen, largest_change: Fen) -> Fen:
        """The change. Raises ReceivedTooLittle, ReceivedTooMuch (more than policy allows: a slip of the keys)."""
        change = received - amount
        if change < ZERO_FEN:
            raise ReceivedTooLittle(received=str(received), amount=str(amount))
        if change > largest_change:
            raise ReceivedTooMuch(change=str(change))
        return change


class Rails:
    """The rails of this installation, by method."""

    def __init__(self, *rails: Rail) -> None:
        self._by_method = {rail.method: rail for rail in rails}

    def add(self, rail: Rail) -> None:
        """Make a method available."""
        self._by_method[rail.method] = rail

    def remove(self, method: PayMethod) -> None:
        """Make a method unavailable."""
        self._by_method.pop(method, None)

    def of(self, method: PayMethod) -> Rail:
        """The rail of a method; raises RailNotAvailable where none is set up."""
        rail = self._by_method.get(method)
        if rail is None:
            raise RailNotAvailable(method=method.value)
        return rail

    @property
    def methods(self) -> tuple[PayMethod, ...]:
        """What a teller can be offered."""
        return tuple(self._by_method)


#: What this process can take. ``app.py`` adds the rails that are configured.
RAILS = Rails(CashRail())
