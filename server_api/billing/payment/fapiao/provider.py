"""What a provider of fapiao is to us: five calls, one kind of answer. Never called inside a transaction.

The interfaces of the tax service and its integrators are not open; this is our contract, filled by ``remote.py`` over
HTTP. An acknowledgement is not an invoice: issuing is asynchronous, always, and no answer means unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from shared_models.values.faults.fapiao import FapiaoNotConfigured
from shared_models.values.money import Fen


class Outcome(StrEnum):
    """What came of a call."""

    ISSUED = "issued"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    """Of red_apply: the confirmation (红字确认单) is there."""
    REFUSED = "refused"
    ALREADY = "already"
    """The order is known there: ask about it."""
    NOT_FOUND = "not_found"
    BUSY = "busy"
    AUTH = "auth"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class OrderLine:
    """One line as it stands on the fapiao; of a red one below zero."""

    goods_name: str
    goods_code: str
    tax_per_mille: int
    amount: Fen
    net: Fen
    tax: Fen


@dataclass(frozen=True)
class Order:
    """What is asked for. ``order_no`` is ours and makes sending it again harmless."""

    order_no: str
    type_code: str
    buyer: dict[str, str] = field(repr=False)
    lines: tuple[OrderLine, ...]
    amount: Fen
    net: Fen
    tax: Fen
    blue_no: str = ""
    red_reason: str = ""
    confirmation_no: str = ""


@dataclass(frozen=True)
class Answer:
    """What the provider said, or that it said nothing usable."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    fapiao_no: str = ""
    confirmation_no: str = ""
    pdf_url: str = ""
    ofd_url: str = ""
    xml_url: str = ""


class Provider(Protocol):
    """A provider; every call bears being made again with the same order number."""

    def issue(self, order: Order) -> Answer: ...

    def query(self, order_no: str) -> Answer: ...

    def red_apply(self, order: Order) -> Answer: ...

    def red_issue(self, order: Order) -> Answer: ...

    def download(self, order_no: str, fapiao_no: str) -> Answer: ...


class Desk:
    """The provider of this installation. Where none is set up nothing is issued, and nothing pretends to be."""

    def __init__(self) -> None:
        self._provider: Provider | None = None

    def connect(self, provider: Provider | None) -> None:
        """Use this provider from now on; None = none."""
        self._provider = provider

    @property
    def connected(self) -> Provider | None:
        return self._provider

    def provider(self) -> Provider:
        """The provider. Raises FapiaoNotConfigured."""
        if self._provider is None:
            raise FapiaoNotConfigured()
        return self._provider


#: What this process asks; ``wiring.connect_outside`` sets it from the settings.
DESK = Desk()
