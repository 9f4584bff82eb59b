"""What the calculator needs, read by account range: a handful of statements for a whole chunk of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select

from server_api.billing.account.store import StandingRow
from server_api.billing.bill.rules.inputs import (
    AccountInput,
    EventInput,
    ExtraInput,
    OverdueInput,
    PayInput,
    ProductInput,
    UsageInput,
)
from server_api.billing.bill.store import adjust
from server_api.billing.bill.store.cycles import Billed, BillingDays, billed_before, billing_days, months_aside
from server_api.billing.bill.store.earlier import billed_charges, for_month_of, late_usage, used_input
from server_api.billing.bill.store.overdue import SettledLate, overdue_between
from server_api.billing.rating import service as rating
from server_api.platform.dialects.prepared import Prepared
from shared_models.tables.billing.account import balance_book, billing_account, payer
from shared_models.tables.billing.bill import bill, billed_product, billing_event, pay_relation
from shared_models.values.ids import is_id
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType
from shared_models.values.period import Month, closing_day, cycle_label

#: Greater than every id: ids are hexadecimal digits.
AFTER_ALL = "g"
IN_LIST = 900

_A, _K = billing_account.c, balance_book.c
_B, _E, _P, _R = bill.c, billing_event.c, billed_product.c, pay_relation.c

_MINE = select(_R.product_id).where(
    _R.account_id >= bindparam("b_from"),
    _R.account_id < bindparam("b_until"),
)
_PAYS = (
    select(
        _R.product_id,
        _R.item_group,
        _R.account_id,
        _R.priority,
        _R.from_on,
        _R.until_on,
    )
    .where(_R.product_id.in_(_MINE))
    .order_by(_R.product_id, _R.item_group, _R.account_id, _R.from_on)
)
_PRODUCTS = select(_P.product_id, _P.product_no, _P.service, _P.shown_as, _P.region).where(_P.product_id.in_(_MINE))
_EVENTS = (
    select(
        _E.product_id,
        _E.event_id,
        _E.seq_no,
        _E.kind,
        _E.effective_on,
        _E.offering_code,
        _E.price_version,
        _E.bundle_code,
        _E.bundle_instance,
        _E.heard_at,
        _E.reason,
    )
    .where(_E.product_id.in_(_MINE), _E.effective_on < bindparam("b_before"))
    .order_by(_E.product_id, _E.effective_on, _E.seq_no)
)
_OWED = (
    select(_B.account_id, func.sum(_B.open_fen).label("owed"))
    .where(
        _B.account_id >= bindparam("b_from"),
        _B.account_id < bindparam("b_until"),
        _B.state == "open",
    )
    .group_by(_B.account_id)
)
#: Open accounts of a range with what their bills name the payer by.
_HEADS = (
    select(
        _A.account_id,
        _A.account_no,
        _A.customer_id,
        _A.version,
        _A.standing,
        _A.owed_since_on,
        _A.restricted,
        _A.credit_limit_fen,
        payer.c.customer_no,
        payer.c.sealed_name,
        payer.c.sealed_address,
        payer.c.sealed_tax_no,
    )
    .select_from(billing_account.outerjoin(payer, payer.c.customer_id == _A.customer_id))
    .where(_A.account_id >= bindparam("b_from"), _A.account_id < bindparam("b_until"), _A.closed_at.is_(None))
    .order_by(_A.account_id)
)
#: Books that hold something a bill may be paid from.
_MONEY = select(_K.account_id, _K.item_group, _K.in_fen, _K.out_fen).where(
    _K.account_id >= bindparam("b_from"),
    _K.account_id < bindparam("b_until"),
    _K.in_fen > _K.out_fen,
    _K.book_type != BookType.DEPOSIT.value,
)
_BILLED = select(_B.account_id).where(
    _B.period == bindparam("b_period"),
    _B.bill_id >= bindparam("b_first"),
    _B.bill_id < bindparam("b_last"),
    _B.origin == "run",
)


#: The same for one account, which a person waits for.
_ONE = {id(each): Prepared(each) for each in (_PAYS, _PRODUCTS, _EVENTS, _OWED, _HEADS, _MONEY, _BILLED)}


def _rows(conn: Connection, query: Select[Any], params: Mapping[str, Any]) -> Sequence[Any]:
    """The rows of one of the queries above; for one account by the shorter way, which is the longer one for many."""
    if params["b_until"] == f"{params['b_from']}0":
        return _ONE[id(query)].all(conn, params)
    return conn.execute(query, params).all()


class AccountHead(NamedTuple):
    """An account as its bill names it. ``version`` is compared when the bill is frozen.

    ``payer`` is its customer's number and sealed name, address and tax number; ``has_money``: some book could pay.
    """

    account_id: str
    account_no: str
    customer_id: str
    version: int
    owed_before: Fen
    advance_before: Fen
    standing: StandingRow
    has_money: bool
    payer: tuple[str | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Accounts of a range with their inputs. ``billed`` have their bill of the month already."""

    heads: list[AccountHead]
    inputs: dict[str, AccountInput]
    billed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Common:
    """What holds for every account of a month, read once by each who drafts it.

    ``frozen``: earlier cycles billed, with the instant their billing began; ``late``: those settled too late;
    ``cycles``: billing days other than the 1st, by account; ``aside``: earlier months whose bills are still to be made.
    """

    frozen: Billed
    late: SettledLate
    cycles: Mapping[str, BillingDays]
    aside: Mapping[str, frozenset[int]]

    def bills(self, account_id: str, yyyymm: int, day: int) -> bool:
        """Whether the run of a month and billing day bills this account."""
        return closing_day(yyyymm, self.cycles.get(account_id, ())) == day


def read_common(conn: Connection, month: Month, account_id: str = "") -> Common:
    """Read it: for a whole run, or for one account."""
    late = SettledLate(month, account_id)
    late.read_on(conn)
    return Common(
        billed_before(conn, month.yyyymm),
        late,
        billing_days(conn, account_id),
        months_aside(conn, month.yyyymm, account_id),
    )


def load_accounts(
    conn: Connection, month: Month, from_id: str, until_id: str | None, common: Common | None = None
) -> Loaded:
    """Read everything the bills of a half-open range of accounts are made from."""
    until = until_id or AFTER_ALL
    common = common or read_common(conn, month)
    span = {"b_from": from_id, "b_until": until}
    lowest = {"b_first": _lowest_bill(month, from_id), "b_last": _lowest_bill(month, until)}
    billed = frozenset(conn.execute(_BILLED, {"b_period": month.yyyymm, **lowest}).scalars())
    return Loaded(read_heads(conn, from_id, until), _inputs(conn, month, from_id, span, common), billed)


def read_heads(conn: Connection, from_id: str, until_id: str) -> list[AccountHead]:
    """The open accounts of a half-open range, in order of id, with what they owe and hold now."""
    span = {"b_from": from_id, "b_until": until_id}
    owed = {row[0]: _fen(row[1]) for row in _rows(conn, _OWED, span)}
    advances: dict[str, Fen] = {}
    for account_id, group, paid_in, out in _rows(conn, _MONEY, span):
        advances[account_id] = advances.get(account_id, ZERO_FEN) + (paid_in - out if group == "*" else ZERO_FEN)
    return bare_heads(conn, from_id, until_id, owed, advances)


def bare_heads(
    conn: Connection, from_id: str, until_id: str, owed: Mapping[str, Fen], advances: Mapping[str, Fen]
) -> list[AccountHead]:
    """The open accounts of a range, where what they owe and hold is known or does not matter."""
    heads = []
    for row in _rows(conn, _HEADS, {"b_from": from_id, "b_until": until_id}):
        account_id = row[0]
        heads.append(
            AccountHead(
                account_id,
                row[1],
                row[2],
                row[3],
                owed.get(account_id, ZERO_FEN),
                advances.get(account_id, ZERO_FEN),
                StandingRow.of(row),
                account_id in advances,
                (row[8], row[9], row[10], row[11]),
            )
        )
    return heads


def load_account(conn: Connection, month: Month, account_id: str) -> Loaded:
    """The same for one account; no heads where there is no such open account."""
    return (
        load_accounts(conn, month, account_id, account_id + "0") if is_id(account_id) else Loaded([], {}, frozenset())
    )


def _lowest_bill(month: Month, account_id: str) -> str:
    """The id below which no bill of this or a later account lies in the month."""
    return f"{month.yyyymm}{account_id[:24]}"


def _fen(value: Any) -> Fen:
    return value if isinstance(value, Fen) else Fen(int(value or 0))


def _inputs(
    conn: Connection, month: Month, from_id: str, span: dict[str, Any], common: Common
) -> dict[str, AccountInput]:
    until = span["b_until"]
    products = {
        row[0]: ProductInput(row[0], row[1], row[2], row[3] or "", row[4] or "") for row in _rows(conn, _PRODUCTS, span)
    }
    pays: dict[str, list[PayInput]] = {}
    paid_by: dict[str, set[str]] = {}
    for product_id, group, account_id, priority, from_on, until_on in _rows(conn, _PAYS, span):
        pays.setdefault(product_id, []).append(PayInput(group, account_id, priority, from_on, until_on))
        if from_id <= account_id < until:
            paid_by.setdefault(account_id, set()).add(product_id)
    events, late, heard = _events(conn, month, span, common)
    usage = _usage(conn, month, from_id, until)
    extras = _extras(conn, month, from_id, until)
    strangers = {each.product_id for some in usage.values() for each in some} - products.keys()
    strangers |= {each.product_id for some in extras.values() for each in some if each.product_id} - products.keys()
    products.update(_products_by_id(conn, sorted(strangers)))
    overdue = overdue_between(conn, month, from_id, until, common.late.by_account)
    parts = _Parts(products, pays, paid_by, events, usage, extras, overdue, late, heard, common)
    return _by_account(conn, month, parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was read of a range, by product or by account."""

    products: dict[str, ProductInput]
    pays: dict[str, list[PayInput]]
    paid_by: dict[str, set[str]]
    events: dict[str, list[EventInput]]
    usage: dict[str, list[UsageInput]]
    extras: dict[str, list[ExtraInput]]
    overdue: dict[str, tuple[OverdueInput, ...]]
    late: dict[str, set[int]]
    heard: dict[str, list[tuple[date, datetime]]]
    common: Common

    def late_of(self, account_id: str, product_ids: list[str], used: list[UsageInput]) -> set[int]:
        """The months of an account that were billed before something of theirs was known.

        One it is set aside in is none of them: its own bill is still to be made, of everything known by then.
        """
        common = self.common
        days = common.cycles.get(account_id, ())
        if days:
            frozen = common.frozen.of(days)
            late = {
                each
                for product_id in product_ids
                for on, heard_at in self.heard.get(product_id, ())
                for each, since in frozen
                if heard_at >= since and each >= cycle_label(on, days)
            }
        else:
            late = (
                {each for product_id in product_ids for each in self.late.get(product_id, ())} if self.late else set()
            )
        late.update(each.for_month for each in used if each.for_month)
        return late - common.aside[account_id] if account_id in common.aside else late


def _by_account(conn: Connection, month: Month, parts: _Parts) -> dict[str, AccountInput]:
    inputs: dict[str, AccountInput] = {}
    products, events, pays = parts.products, parts.events, parts.pays
    for account_id in sorted(parts.paid_by.keys() | parts.usage.keys() | parts.extras.keys() | parts.overdue.keys()):
        mine = sorted(product_id for product_id in parts.paid_by.get(account_id, ()) if product_id in events)
        used, extras = parts.usage.get(account_id, []), parts.extras.get(account_id, ())
        late = parts.late_of(account_id, mine, used)
        shown = {*mine, *(each.product_id for each in used), *(each.product_id for each in extras)}
        inputs[account_id] = AccountInput(
            account_id,
            {key: products[key] for key in shown if key in products},
            {key: events[key] for key in mine},
            {key: pays[key] for key in mine},
            used,
            tuple(sorted(late)),
            billed_charges(conn, account_id, (*sorted(late), month.yyyymm)) if late else (),
            late_usage(conn, month, account_id, sorted(late)) if late else (),
            tuple(extras),
            parts.overdue.get(account_id, ()),
            parts.common.cycles.get(account_id, ()),
        )
    return inputs


def _usage(conn: Connection, month: Month, from_id: str, until_id: str) -> dict[str, list[UsageInput]]:
    """Sums of rated usage by account, and the differences re-rating made to frozen months."""
    usage: dict[str, list[UsageInput]] = {}
    for each in rating.charges_for(conn, month.yyyymm, from_id, until_id):
        usage.setdefault(each.account_id, []).append(used_input(each, for_month_of(each)))
    return usage


def _extras(conn: Connection, month: Month, from_id: str, until_id: str) -> dict[str, list[ExtraInput]]:
    """One-off charges of the month by account."""
    extras: dict[str, list[ExtraInput]] = {}
    for row in adjust.charges_between(conn, month.yyyymm, from_id, until_id):
        extras.setdefault(row[0], []).append(
            ExtraInput(
                row[1],
                row[2] or "",
                row[3],
                row[4],
                row[5].amount_micro_yuan,
                row[6],
                row[7],
                row[8] or "",
                row[9] or "",
                row[10] or 0,
            )  # fmt: skip
        )
    return extras


def _events(
    conn: Connection, month: Month, span: dict[str, Any], common: Common
) -> tuple[dict[str, list[EventInput]], dict[str, set[int]], dict[str, list[tuple[date, datetime]]]]:
    """Events by product, and the months of each product that were billed before one of its events was heard.

    Where accounts have billing days, the days of the events and when they were heard too.
    """
    frozen = common.frozen.months
    events: dict[str, list[EventInput]] = {}
    late: dict[str, set[int]] = {}
    heard: dict[str, list[tuple[date, datetime]]] = {}
    # a cycle begun in the month may last into the next but one
    before = month.next().until_on if common.cycles else month.until_on
    for row in _rows(conn, _EVENTS, {**span, "b_before": before}):
        events.setdefault(row[0], []).append(
            EventInput(row[1], row[2], row[3], row[4], row[5], row[6], row[7] or "", row[8] or "", row[10] or "")
        )
        if common.cycles:
            heard.setdefault(row[0], []).append((row[4], row[9]))
        if frozen and row[4] < month.first_on:
            touched = [each for each, since in frozen if each >= Month.of(row[4]).yyyymm and row[9] >= since]
            if touched:
                late.setdefault(row[0], set()).update(touched)
    return events, late, heard


def _products_by_id(conn: Connection, product_ids: Iterable[str]) -> dict[str, ProductInput]:
    ids = list(product_ids)
    found: dict[str, ProductInput] = {}
    for start in range(0, len(ids), IN_LIST):
        query = select(_P.product_id, _P.product_no, _P.service, _P.shown_as, _P.region).where(
            _P.product_id.in_(ids[start : start + IN_LIST])
        )
        found.update(
            {row[0]: ProductInput(row[0], row[1], row[2], row[3] or "", row[4] or "") for row in conn.execute(query)}
        )
    return found
