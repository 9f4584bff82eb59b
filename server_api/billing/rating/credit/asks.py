"""What is asked of pricing; plain data that crosses to the process that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["begin", "update", "end", "event", "price", "lasting"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. ``update`` and ``end`` are asked by session; the others say who calls whom."""

    kind: Kind
    session_id: str = ""
    service: str = "voice"
    access: str = ""
    called: str = ""
    start_s: int = 0
    used: int = 0
    ask: int | None = None


@dataclass(frozen=True, slots=True)
class PriceColumns:
    """Many price questions, column by column."""

    service: str
    access: tuple[str, ...]
    called: tuple[str, ...]
    start_s: tuple[int, ...]
    quantity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChargeColumns:
    """Their charges in micro-yuan, and why where there is none."""

    charge_micro_yuan: tuple[int, ...]
    reason: tuple[str, ...]
