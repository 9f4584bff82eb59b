"""The states of tills, payments and books, and what may follow what."""

from __future__ import annotations

from enum import StrEnum


class TillState(StrEnum):
    """A till session from the counted float to the deposited cash."""

    OPEN = "open"
    """The float is counted; nothing was taken yet."""
    TRADING = "trading"
    COUNTED = "counted"
    """The teller has counted; taking money goes back to trading and the count is void."""
    CLOSED = "closed"
    """Day close (日结): nothing posts to the session any more."""
    DEPOSITED = "deposited"
    """The cash was handed to the bank (缴款)."""
    AUDITED_1 = "audited_1"
    """A second person compared slip and day report (一级稽核); two more levels follow, each by another person."""
    AUDITED_2 = "audited_2"
    AUDITED_3 = "audited_3"


#: The states of a session that was deposited, whatever level it is audited to.
AT_THE_BANK = frozenset({TillState.DEPOSITED, TillState.AUDITED_1, TillState.AUDITED_2, TillState.AUDITED_3})
#: Sessions a payment may be booked to.
TAKES_MONEY = frozenset({TillState.OPEN, TillState.TRADING, TillState.COUNTED})
#: state -> event -> next state. Anything not listed is refused.
TILL_MOVES: dict[TillState, dict[str, TillState]] = {
    TillState.OPEN: {"trade": TillState.TRADING, "count": TillState.COUNTED},
    TillState.TRADING: {"trade": TillState.TRADING, "count": TillState.COUNTED},
    TillState.COUNTED: {"trade": TillState.TRADING, "count": TillState.COUNTED, "close": TillState.CLOSED},
    TillState.CLOSED: {"deposit": TillState.DEPOSITED},
    TillState.DEPOSITED: {"audit": TillState.AUDITED_1},
    TillState.AUDITED_1: {"audit": TillState.AUDITED_2},
    TillState.AUDITED_2: {"audit": TillState.AUDITED_3},
    TillState.AUDITED_3: {},
}


class PaymentKind(StrEnum):
    """What moved the money. Reversals and refunds are payments of a negative amount."""

    PAYMENT = "payment"
    REVERSAL = "reversal"
    REFUND = "refund"
    DEPOSIT = "deposit"
    """A deposit (押金) taken: held in a book of its own, pays no bill."""
    DEPOSIT_BACK = "deposit_back"


class PaymentState(StrEnum):
    """How a payment stands."""

    DONE = "done"
    REVERSED = "reversed"


class IntentState(StrEnum):
    """Money that moves outside us (POS, one-card): intent, device, confirm. Unknown is a state, never a guess."""

    INTENDED = "intended"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BOOKED = "booked"


class PayMethod(StrEnum):
    """How money comes or goes."""

    CASH = "cash"
    POS = "pos"
    ONECARD = "onecard"
    CHEQUE = "cheque"
    BANK_DEBIT = "bank_debit"
    """The bank paid by a contract (托收); no till moves."""


class BookType(StrEnum):
    """What kind of balance a book (账本) holds."""

    ADVANCE = "advance"
    GRANT = "grant"
    EARMARKED = "earmarked"
    DEPOSIT = "deposit"


#: Books that pay bills; a deposit (押金) only secures them.
SPENDABLE = frozenset({BookType.ADVANCE, BookType.GRANT, BookType.EARMARKED})


class DepositState(StrEnum):
    """What became of a deposit."""

    HELD = "held"
    RETURNED = "returned"
    FORFEITED = "forfeited"
    PARTLY_FORFEITED = "partly_forfeit"
    """Some of it was forfeited, the rest returned."""


class DebitState(StrEnum):
    """A bank debit contract (托收合约)."""

    LIVE = "live"
    STOPPED = "stopped"
    REPLACED = "replaced"


class PaymentType(StrEnum):
    """Whether an account pays before or after."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"
