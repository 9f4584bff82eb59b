"""What calls cost: many questions at once, in the rater's own expressions. Reads the database, writes nothing.

Three steps for a batch: whose calls they are; what each costs as asked; and, for those the balance does not pay for,
the longest it does pay for, by looking at sixty-odd lengths at a time between what is known to fit and what is not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from server_api.billing.rating.credit import store
from server_api.billing.rating.credit.asks import Ask, ChargeColumns, PriceColumns
from server_api.billing.rating.credit.lookup import NO_PLAN, Owner
from server_api.billing.rating.credit.policy import credit_policy
from server_api.billing.rating.credit.quote import Quote
from server_api.billing.rating.credit.rules import NOTHING, Rung
from server_api.billing.rating.credit.service.books import available_of
from server_api.billing.rating.credit.service.sessions import period_of
from server_api.billing.rating.credit.tables import CALL, PriceTables
from server_api.billing.rating.tariff.model import Quantity
from server_api.billing.rating.zones import NUMBER_DIGITS
from server_api.billing.usage.formats.frame import REASONS
from server_api.billing.usage.numbers import full_number_of
from server_api.billing.usage.policy import policy
from server_api.platform.database import Database
from shared_models.values.money import MicroYuan

_LOOK_AGAIN_S = 1.0
#: Lengths looked at in one round: two rounds find a second within an hour.
_POINTS = 63
_ROUNDS = 10
#: Rungs kept below the best, for a balance that falls before the account is locked.
_KEPT = 24


@dataclass
class _Line:
    """One question while it is worked on."""

    ask: Ask
    owner: Owner | None
    called_15: int
    request_no: int
    period: int
    session: Any | None = None
    price_no: int = 0
    refusal: str = ""
    unit: str = ""
    units: int = 0
    room: MicroYuan | None = None
    rungs: dict[int, Rung] = field(default_factory=dict)
    top: int = 0
    fine: bool = False

    @property
    def base(self) -> int:
        """The shortest length priced: what was used."""
        return self.ask.used


class Pricer:
    """Answers questions about prices. One per process; not for several threads at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables: PriceTables | None = None
        self._looked_at_s = 0.0
        self._called: dict[str, int] = {}

    def quotes(self, asks: Sequence[Ask]) -> list[Quote]:
        """A quote for each question, in order."""
        with self._database.reading() as conn:
            tables = self._current(conn)
            asks, rows = self._with_sessions(conn, asks)
            for service in {ask.service for ask in asks}:
                tables.owners.learn(conn, service, [ask.access for ask in asks if ask.service == service])
            lines = [self._line(tables, ask, row) for ask, row in zip(asks, rows, strict=True)]
            self._price_as_asked(tables, lines)
            self._see_balances(conn, lines)
        self._refine(tables, lines)
        return [self._quote(tables, line) for line in lines]

    def prices(self, columns: PriceColumns) -> ChargeColumns:
        """The charges of many calls, each priced by itself."""
        with self._database.reading() as conn:
            tables = self._current(conn)
            tables.owners.learn(conn, columns.service, columns.access)
        service, owner_of = columns.service, tables.owners.owner
        owners = [
            owner_of(service, access, start) for access, start in zip(columns.access, columns.start_s, strict=True)
        ]
        called = columns.called or ("",) * len(owners)
        rows: dict[str, list[Any]] = {
            "product_id": [owner.product_id if owner else None for owner in owners],
            "plan_no": [owner.plan_no if owner else NO_PLAN for owner in owners],
            "account_id": [owner.account_id if owner else None for owner in owners],
            "start_s": list(columns.start_s),
            "duration_s": list(columns.quantity),
            "octets": list(columns.quantity),
            "called_15": [self._called_15(text) for text in called],
        }
        rated = tables.rated(_frame(rows, len(owners)), max(columns.quantity, default=0))
        return ChargeColumns(
            tuple(rated["charge_micro_yuan"].fill_null(0).to_list()),
            tuple("" if not number else REASONS[number] for number in rated["reason"].to_list()),
        )

    # ---- what is known of the world --------------------------------------------------------------------------------
    def _current(self, conn: Any) -> PriceTables:
        """The tables, read anew where tariffs or price books came in since (looked at once a second)."""
        now_s = time.monotonic()
        if self._tables is None or now_s - self._looked_at_s > _LOOK_AGAIN_S:
            self._looked_at_s = now_s
            if self._tables is None or self._tables.stamp != store.stamp(conn):
                self._tables = PriceTables(conn)
        return self._tables

    def _with_sessions(self, conn: Any, asks: Sequence[Ask]) -> tuple[list[Ask], list[int]]:
        """Questions by session filled in from the session's row; -1 for those without one."""
        ids = sorted({ask.session_id for ask in asks if ask.kind in ("update", "end")})
        known = store.sessions(conn, ids) if ids else {}
        filled, numbers = [], []
        for ask in asks:
            row = known.get(ask.session_id)
            if row is None:
                filled.append(ask)
                numbers.append(-1)
                continue
            filled.append(
                replace(ask, service=row.service, access=row.access_key, called=row.called or "", start_s=row.start_s)
            )
            numbers.append(row.request_no)
        return filled, numbers

    def _line(self, tables: PriceTables, ask: Ask, request_no: int) -> _Line:
        owner = tables.owners.owner(ask.service, ask.access, ask.start_s)
        return _Line(ask, owner, self._called_15(ask.called), request_no, period_of(ask.start_s))

    def _called_15(self, called: str) -> int:
        """A dialled number in full, left aligned to 15 digits; 0 for none."""
        known = self._called.get(called)
        if known is None:
            if len(self._called) > 100_000:
                self._called.clear()
            number = full_number_of(called)
            length = len(str(number))
            aligned = number * 10 ** (NUMBER_DIGITS - length) if length <= NUMBER_DIGITS else 0
            known = self._called[called] = aligned if number else 0
        return known

    # ---- rating ----------------------------------------------------------------------------------------------------
    def _price_as_asked(self, tables: PriceTables, lines: Sequence[_Line]) -> None:
        wanted: list[tuple[_Line, int, int]] = []
        for line in lines:
            seconds, octets = _most(line.ask)
            if line.ask.kind in ("update", "end", "lasting"):
                wanted.append((line, line.base, line.base))
            if line.ask.kind != "end":
                wanted.append((line, line.base + seconds, line.base + octets))
        for line, row in self._rated(tables, wanted):
            line.price_no = row["price_no"] or 0
            line.refusal = REASONS[row["reason"]] if row["reason"] else ""
            if line.refusal:
                continue
            line.unit = _unit(tables, line.price_no)
            line.units = row["units"]
            quantity = row["quantity"]
            line.top = max(line.top, quantity)
            line.rungs[quantity] = Rung(quantity, MicroYuan(row["charge_micro_yuan"]))

    def _see_balances(self, conn: Any, lines: Sequence[_Line]) -> None:
        """Read what the accounts of these calls have; only a call that grants something has to know."""
        for service in {line.ask.service for line in lines}:
            asking = [
                line
                for line in lines
                if line.ask.service == service
                and line.ask.kind in ("begin", "update", "lasting")
                and not line.refusal
                and line.owner is not None
                and line.owner.account_id
            ]
            ids = sorted({line.owner.account_id for line in asking if line.owner and line.owner.account_id})
            rooms = available_of(conn, self._database.clock, ids, service) if ids else {}
            for line in asking:
                room = rooms.get(line.owner.account_id or "") if line.owner else None
                if room is not None and line.session is not None:
                    room = room + MicroYuan(int(line.session.held_micro_yuan))
                line.room = room

    def _refine(self, tables: PriceTables, lines: Sequence[_Line]) -> None:
        """Find the longest each balance pays for where it does not pay for all that was asked."""
        short = [line for line in lines if line.room is not None and line.rungs[line.top].charge > line.room]
        for line in short:
            line.fine = True
            line.rungs.setdefault(line.base, Rung(line.base, NOTHING))
        for _round in range(_ROUNDS):
            wanted = [(line, point, point) for line in short for point in _points(line)]
            if not wanted:
                return
            for line, row in self._rated(tables, wanted):
                line.rungs[row["quantity"]] = Rung(row["quantity"], MicroYuan(row["charge_micro_yuan"]))

    def _rated(
        self, tables: PriceTables, wanted: Sequence[tuple[_Line, int, int]]
    ) -> list[tuple[_Line, dict[str, Any]]]:
        """Rate lines at (seconds, octets)."""
        if not wanted:
            return []
        rows: dict[str, list[Any]] = {
            "product_id": [line.owner.product_id if line.owner else None for line, _s, _o in wanted],
            "plan_no": [line.owner.plan_no if line.owner else NO_PLAN for line, _s, _o in wanted],
            "account_id": [line.owner.account_id if line.owner else None for line, _s, _o in wanted],
            "start_s": [line.ask.start_s for line, _s, _o in wanted],
            "duration_s": [seconds for _line, seconds, _o in wanted],
            "octets": [octets for _line, _s, octets in wanted],
            "called_15": [line.called_15 for line, _s, _o in wanted],
        }
        rated = tables.rated(_frame(rows, len(wanted)), max(min(seconds, 40 * 86_400) for _l, seconds, _o in wanted))
        return [(line, row) for (line, _s, _o), row in zip(wanted, rated.iter_rows(named=True), strict=True)]

    def _quote(self, tables: PriceTables, line: _Line) -> Quote:
        ask, owner = line.ask, line.owner
        ladder = sorted(line.rungs.values(), key=lambda rung: rung.quantity)
        if line.fine and len(ladder) > _KEPT:
            ladder = _thinned(ladder, line.room)
        key = tables.tariffs.keys.get(line.price_no) if not line.refusal else None
        return Quote(
            session_id=ask.session_id,
            service=ask.service,
            access=ask.access,
            called=ask.called,
            start_s=ask.start_s,
            refusal=line.refusal,
            product_id=owner.product_id if owner else "",
            account_id=(owner.account_id or "") if owner else "",
            period=line.period,
            price_no=line.price_no,
            unit=line.unit,
            used=line.base,
            ladder=tuple(ladder),
            request_no=line.request_no,
            fine=line.fine,
            room=line.room,
            tariff=f"{key.tariff.version}/{key.row.code}" if key else "",
            item_code=key.row.item_code if key else "",
            units=line.units,
        )


def _most(ask: Ask) -> tuple[int, int]:
    """How much is priced beyond what was used: (seconds, octets)."""
    limits = credit_policy()
    if ask.kind in ("price", "event"):
        return ask.ask or 0, ask.ask or 0
    if ask.kind == "lasting":
        longest_s = policy().max_call_s if ask.service == "voice" else policy().max_session_s
        return longest_s, limits.largest_octets
    if ask.kind == "end":
        return 0, 0
    return limits.asked("seconds", ask.ask), limits.asked("octets", ask.ask)


def _unit(tables: PriceTables, price_no: int) -> str:
    key = tables.tariffs.keys[price_no]
    unit: Quantity = key.tariff.quantity_of(key.row) if hasattr(key.tariff, "quantity_of") else key.tariff.quantity
    return unit.value


def _points(line: _Line) -> list[int]:
    """Lengths to look at between the longest known to fit and the shortest known not to."""
    room = line.room or NOTHING
    fits = [quantity for quantity, rung in line.rungs.items() if rung.charge <= room]
    if not fits:
        return []  # not even what was used is paid for
    low = max(fits)
    above = [quantity for quantity, rung in line.rungs.items() if rung.charge > room and quantity > low]
    if not above:
        return []
    gap = min(above) - low
    if gap <= 1:
        return []
    step = max(1, gap // (_POINTS + 1))
    return list(range(low + step, low + gap, step))[: _POINTS + 1]


def _thinned(ladder: list[Rung], room: MicroYuan | None) -> list[Rung]:
    """Some rungs below the longest that fits, that one, and the top."""
    fits = [rung for rung in ladder if room is not None and rung.charge <= room]
    stride = max(1, len(fits) // _KEPT)
    kept = {rung.quantity: rung for rung in (*fits[::stride], *fits[-1:], ladder[0], ladder[-1])}
    return [kept[quantity] for quantity in sorted(kept)]


def _frame(rows: dict[str, list[Any]], count: int) -> pl.DataFrame:
    """Calls in the rater's columns."""
    none = [0] * count
    filled = {
        "usage_id": list(range(count)),
        "owner_key": none,
        "period": none,
        "free": none,
        "caller_15": none,
        "in_trunk": none,
        "out_trunk": none,
        "call_type": none,
    }
    return pl.DataFrame({name: filled.get(name, rows.get(name, none)) for name in CALL}, schema=CALL)
