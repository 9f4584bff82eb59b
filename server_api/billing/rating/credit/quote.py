"""What pricing hands to the act that reserves: what a call costs at several lengths, worked out before any lock."""

from __future__ import annotations

from dataclasses import dataclass, field

from server_api.billing.rating.credit.rules import Rung
from shared_models.values.money import MicroYuan


class QuoteStale(Exception):
    """What the quote was worked out from has changed before the account was locked: work it out again."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A call's owner and its cost at several lengths. ``refusal`` says why there is no price, in rating's words."""

    session_id: str = ""
    service: str = "voice"
    access: str = ""
    called: str = ""
    start_s: int = 0
    refusal: str = ""
    product_id: str = ""
    account_id: str = ""
    period: int = 0
    price_no: int = 0
    unit: str = ""
    #: how much of the call was used already, as the ladder's lowest rung
    used: int = 0
    ladder: tuple[Rung, ...] = ()
    #: what other calls had taken of each allowance when this was worked out
    others_used: dict[str, int] = field(default_factory=dict)
    #: the session's last message then; -1 where there was no session
    request_no: int = -1
    #: priced with all lengths in between settled for the balance seen; else only some lengths are known
    fine: bool = False
    #: what the account had for this call when it was worked out; None where it pays afterwards
    room: MicroYuan | None = None
    tariff: str = ""
    item_code: str = ""
    units: int = 0
