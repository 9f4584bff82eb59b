"""The price book as both sides speak it, and charges as they are shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from pydantic import Field

from shared_models.contracts.base import Contract, IdField, MicroYuanField, PageOf
from shared_models.values.money import MicroYuan

PriceKind = Literal["recurring", "usage", "onetime", "discount", "minimum", "commitment"]


class PriceRow(Contract):
    """One price of one offering in a frozen price book version; what ``PriceBookPart.rows`` carries, as plain data."""

    offering_code: str
    price_code: str = Field(description="unique within the offering; named by bill lines")
    kind: PriceKind
    service: str = Field(description="voice | broadband | tv | leased_line | iptv | addon")
    item_code: str = Field(default="", description="the bill item a recurring or one-time price becomes")
    item_group: str = Field(default="*", description="what pay relations choose by")
    charge_micro_yuan: MicroYuanField = Field(default=MicroYuan(0), description="per term; nothing for kind usage")
    per_months: int = Field(default=1, ge=0, description="length of a term in months; 0 for kind onetime")
    tariff_code: str = Field(default="", description="kind usage: the tariff that prices this offering's usage")
    rank: int = Field(default=0, description="kind usage: the tariff asked first has the lowest rank")
    tax_per_mille: int = Field(default=0, ge=0, le=1000)
    valid_from: date
    valid_until: date | None = None
    name_zh: str = ""
    name_en: str = ""
    params: dict[str, str | int | bool | list[str]] = Field(default_factory=dict, description="policies by name")
    split_per_mille: dict[str, int] = Field(default_factory=dict, description="bundle price: service to its share")


def price_book_digest(rows: Iterable[Mapping[str, object]]) -> str:
    """The digest of a price book: sha256 over its rows as canonical JSON, sorted, a line each. Parts do not matter."""
    lines = sorted(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class ChargeStep(Contract):
    """One part of a charge: so many blocks at such a price."""

    kind: str = Field(description="connect | first | window:<code> | flat | surcharge | discount | included:<code> | …")
    units: int
    unit_size: int = Field(description="what one block holds, in the tariff's quantity (seconds, octets, sessions)")
    price_micro_yuan: MicroYuanField
    amount_micro_yuan: MicroYuanField
    exact: str = Field(default="", description="the amount before any rounding, in micro-yuan, as a fraction")
    text: str = ""


class RatedCall(Contract):
    """One call or session behind a bill line."""

    usage_id: int
    product_id: IdField
    started: str = Field(description="town time, YYYY-MM-DD hh:mm:ss")
    duration_s: int
    quantity: int
    covered: int = Field(description="how much of the quantity was included units")
    units: int
    peer_no: str
    zone_code: str
    item_code: str
    tariff: str = Field(description="tariff code @ effective day / row")
    charge_micro_yuan: MicroYuanField
    steps: tuple[ChargeStep, ...] = ()
    text: str = ""


class RatedCallPage(PageOf):
    """Some of the calls behind a bill line, in key order."""

    items: tuple[RatedCall, ...]


class TariffsImported(Contract):
    """What an import of tariffs did; ``added`` are versions as people name them, ``VOICE-STD@2026-01-01``."""

    added: tuple[str, ...]
    unchanged_count: int


class DeckImported(Contract):
    """What an import of a rate deck did; ``tariffs`` are the tariff versions that followed."""

    code: str
    deck_no: int
    line_count: int
    added: bool
    tariffs: tuple[str, ...] = ()


class CalendarImported(Contract):
    """What an import of a calendar did, in days."""

    code: str
    added: int
    changed: int
    unchanged: int
