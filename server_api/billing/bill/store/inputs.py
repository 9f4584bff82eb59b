"""What the calculator needs, read by account range: a handful of statements for a whole chunk of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from server_api.billing.account.store import StandingRow
from server_api.billing.bill.rules.inputs import (
    AccountInput,
    BilledCharge,
    EventInput,
    PayInput,
    ProductInput,
    UsageInput,
)
from server_api.billing.rating import service as rating
from shared_models.tables.billing.account import balance_book, billing_account, payer
from shared_models.tables.billing.bill import (
    bill,
    bill_charge,
    bill_line,
    bill_period,
    billed_product,
    billing_event,
    pay_relation,
)
from shared_models.values.bill_ids import bill_id_of
from shared_models.values.ids import is_id
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import BookType
from shared_models.values.period import Month

#: Greater than every id: ids are hexadecimal digits.
AFTER_ALL = "g"
IN_LIST = 900

_A, _K = billing_account.c, balance_book.c
_B, _C, _E, _L, _P, _R = bill.c, bill_charge.c, billing_event.c, bill_line.c, billed_product.c, pay_relation.c

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


def load_accounts(conn: Connection, month: Month, from_id: str, until_id: str | None) -> Loaded:
    """Read everything the bills of a half-open range of accounts are made from."""
    until = until_id or AFTER_ALL
    span = {"b_from": from_id, "b_until": until}
    lowest = {"b_first": _lowest_bill(month, from_id), "b_last": _lowest_bill(month, until)}
    billed = frozenset(conn.execute(_BILLED, {"b_period": month.yyyymm, **lowest}).scalars())
    return Loaded(read_heads(conn, from_id, until), _inputs(conn, month, from_id, span), billed)


def read_heads(conn: Connection, from_id: str, until_id: str) -> list[AccountHead]:
    """The open accounts of a half-open range, in order of id, with what they owe and hold now."""
    span = {"b_from": from_id, "b_until": until_id}
    owed = {row[0]: _fen(row[1]) for row in conn.execute(_OWED, span)}
    advances: dict[str, Fen] = {}
    for account_id, group, paid_in, out in conn.execute(_MONEY, span):
        advances[account_id] = advances.get(account_id, ZERO_FEN) + (paid_in - out if group == "*" else ZERO_FEN)
    return bare_heads(conn, from_id, until_id, owed, advances)


def bare_heads(
    conn: Connection, from_id: str, until_id: str, owed: Mapping[str, Fen], advances: Mapping[str, Fen]
) -> list[AccountHead]:
    """The open accounts of a range, where what they owe and hold is known or does not matter."""
    heads = []
    for row in conn.execute(_HEADS, {"b_from": from_id, "b_until": until_id}):
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


def _inputs(conn: Connection, month: Month, from_id: str, span: dict[str, Any]) -> dict[str, AccountInput]:
    products = {
        row[0]: ProductInput(row[0], row[1], row[2], row[3] or "", row[4] or "")
        for row in conn.execute(_PRODUCTS, span).all()
    }
    pays: dict[str, list[PayInput]] = {}
    paid_by: dict[str, set[str]] = {}
    for product_id, group, account_id, priority, from_on, until_on in conn.execute(_PAYS, span).all():
        pays.setdefault(product_id, []).append(PayInput(group, account_id, priority, from_on, until_on))
        if from_id <= account_id < span["b_until"]:
            paid_by.setdefault(account_id, set()).add(product_id)
    events, late = _events(conn, month, span)
    usage: dict[str, list[UsageInput]] = {}
    strangers: set[str] = set()
    for each in rating.charges_for(conn, month.yyyymm, from_id, span["b_until"]):
        usage.setdefault(each.account_id, []).append(
            UsageInput(each.product_id, each.item_code, each.charge.amount_micro_yuan, each.call_count, each.quantity)
        )
        if each.product_id not in products:
            strangers.add(each.product_id)
    products.update(_products_by_id(conn, sorted(strangers)))
    return _by_account(conn, products, pays, paid_by, events, usage, late)


def _by_account(
    conn: Connection,
    products: dict[str, ProductInput],
    pays: dict[str, list[PayInput]],
    paid_by: dict[str, set[str]],
    events: dict[str, list[EventInput]],
    usage: dict[str, list[UsageInput]],
    late: dict[str, set[int]],
) -> dict[str, AccountInput]:
    inputs: dict[str, AccountInput] = {}
    for account_id in sorted(paid_by.keys() | usage.keys()):
        mine = sorted(product_id for product_id in paid_by.get(account_id, ()) if product_id in events)
        used = usage.get(account_id, [])
        late_months = tuple(sorted({each for product_id in mine for each in late.get(product_id, ())}))
        shown = {*mine, *(each.product_id for each in used)}
        inputs[account_id] = AccountInput(
            account_id,
            {key: products[key] for key in shown if key in products},
            {key: events[key] for key in mine},
            {key: pays[key] for key in mine},
            used,
            late_months,
            billed_charges(conn, account_id, late_months) if late_months else (),
        )
    return inputs


def _events(
    conn: Connection, month: Month, span: dict[str, Any]
) -> tuple[dict[str, list[EventInput]], dict[str, set[int]]]:
    """Events by product, and the months of each product that were billed before one of its events was heard."""
    frozen = frozen_months(conn, month)
    events: dict[str, list[EventInput]] = {}
    late: dict[str, set[int]] = {}
    for row in conn.execute(_EVENTS, {**span, "b_before": month.until_on}).all():
        events.setdefault(row[0], []).append(
            EventInput(row[1], row[2], row[3], row[4], row[5], row[6], row[7] or "", row[8] or "")
        )
        if frozen and row[4] < month.first_on:
            touched = [each for each, since in frozen if each >= Month.of(row[4]).yyyymm and row[9] >= since]
            if touched:
                late.setdefault(row[0], set()).update(touched)
    return events, late


def frozen_months(conn: Connection, month: Month) -> list[tuple[int, datetime]]:
    """Earlier months that were billed, with the instant their billing began."""
    query = select(bill_period.c.period, bill_period.c.billing_since).where(
        bill_period.c.period < month.yyyymm, bill_period.c.state != "open", bill_period.c.billing_since.is_not(None)
    )
    return [(row.period, row.billing_since) for row in conn.execute(query)]


def billed_charges(conn: Connection, account_id: str, months: Sequence[int]) -> tuple[BilledCharge, ...]:
    """What an account was billed for recurring charges of these months, on any of its bills since."""
    own = bill_id_of(Month(200001), account_id)[6:30]
    latest = conn.execute(select(func.max(bill.c.period)).where(bill.c.account_id == account_id)).scalar_one_or_none()
    found: list[BilledCharge] = []
    period = Month(min(months))
    while latest is not None and period.yyyymm <= latest:
        query = (
            select(
                _C.product_id,
                _C.offering_code,
                _C.price_code,
                _L.item_code,
                _C.charge_month,
                func.sum(_C.amount_micro_yuan).label("amount"),
            )
            .join(bill_line, (_L.period == _C.period) & (_L.bill_id == _C.bill_id) & (_L.line_no == _C.line_no))
            .where(
                _C.period == period.yyyymm,
                _C.bill_id >= f"{period.yyyymm}{own}00",
                _C.bill_id <= f"{period.yyyymm}{own}ff",
                _C.charge_month.in_(list(months)),
            )
            .group_by(_C.product_id, _C.offering_code, _C.price_code, _L.item_code, _C.charge_month)
        )
        found += [
            BilledCharge(row[0], row[1], row[2], row[3], row[4], _micro_sum(row.amount)) for row in conn.execute(query)
        ]
        period = period.next()
    return tuple(found)


def _micro_sum(value: Any) -> int:
    return int(value.amount_micro_yuan) if hasattr(value, "amount_micro_yuan") else int(value)


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
