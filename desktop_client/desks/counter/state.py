"""What the counter desk shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared_models.contracts.desk import CustomerDesk, DeskAccount
from shared_models.contracts.party import CustomerHit
from shared_models.contracts.payment import PaymentPreview, PaymentTaken
from shared_models.contracts.receipt import Receipt
from shared_models.values.money import ZERO_FEN, Fen


class Stage(StrEnum):
    """How far the teller is with this customer."""

    SEARCH = "search"
    CUSTOMER = "customer"
    CONFIRM = "confirm"
    TAKING = "taking"
    TAKEN = "taken"
    KEPT = "kept"
    """The server did not answer: the act is in the journal and will be sent again."""


class PrintState(StrEnum):
    """What became of the paper."""

    NONE = "none"
    PRINTING = "printing"
    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    """Surely nothing came out: the same paper may be printed again."""
    IN_DOUBT = "in_doubt"
    """Something may have come out: only a reprint (补打) may follow."""


@dataclass(frozen=True, slots=True)
class SearchState:
    """The search box and its list. ``problem`` is shown in place of the list."""

    words: str = ""
    busy: bool = False
    hits: tuple[CustomerHit, ...] = ()
    more: bool = False
    problem: str = ""
    asked: bool = False


@dataclass(frozen=True, slots=True)
class PayState:
    """The payment being prepared. Texts are as typed; ``amount`` and ``received`` as understood."""

    amount_text: str = ""
    received_text: str = ""
    amount: Fen | None = None
    received: Fen | None = None
    problem: str = ""
    bad_field: str = ""
    preview: PaymentPreview | None = None
    previewing: bool = False


@dataclass(frozen=True, slots=True)
class CounterState:
    """Everything the page shows."""

    stage: Stage = Stage.SEARCH
    search: SearchState = SearchState()
    desk: CustomerDesk | None = None
    loading: bool = False
    account_index: int = 0
    pay: PayState = PayState()
    taken: PaymentTaken | None = None
    receipt: Receipt | None = None
    print_state: PrintState = PrintState.NONE
    receipt_wanted: str = ""
    """The receipt whose bar code found this customer: its payment is marked in the list."""

    @property
    def account(self) -> DeskAccount | None:
        """The account being paid."""
        if self.desk is None or not self.desk.accounts:
            return None
        return self.desk.accounts[min(self.account_index, len(self.desk.accounts) - 1)]

    @property
    def owed(self) -> Fen:
        """What the account being paid owes, as the server says."""
        return self.account.owed_fen if self.account is not None else ZERO_FEN

    @property
    def owed_by_all(self) -> Fen:
        """What all accounts of the customer owe: a sum of the server's figures."""
        return Fen.total(account.owed_fen for account in self.desk.accounts) if self.desk else ZERO_FEN
