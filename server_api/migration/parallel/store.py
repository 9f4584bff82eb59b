"""The reads of a parallel run: our frozen bills of a month with what each line was made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from server_api.migration.parallel.rules import OurLine, Piece
from shared_models.tables.billing.account import billing_account
from shared_models.tables.billing.bill import bill, bill_charge, bill_line

_PARTITION = 5_000
_CHUNK = 400


class OurBill(NamedTuple):
    """An account's bill of the month."""

    account_id: str
    account_no: str
    lines: tuple[OurLine, ...]


def our_bills(conn: Connection, period: int) -> Iterator[OurBill]:
    """Every bill of a month's own run with its lines; lines and charges are merged as they are read."""
    charges = groupby(_charges(conn, period), key=lambda row: (row.bill_id, row.line_no))
    held = next(charges, None)
    for _bill_id, rows in groupby(_lines(conn, period), key=lambda row: row.bill_id):
        lines, account = [], None
        for row in rows:
            account, place = row, (row.bill_id, row.line_no)
            while held is not None and held[0] < place:
                held = next(charges, None)
            pieces = tuple(map(_piece, held[1])) if held is not None and held[0] == place else ()
            lines.append(_line(row, pieces))
        if account is not None:
            yield OurBill(account.account_id, account.account_no, tuple(lines))


def account_numbers(conn: Connection, account_ids: Sequence[str]) -> dict[str, str]:
    """The numbers of accounts."""
    found: dict[str, str] = {}
    for start in range(0, len(account_ids), _CHUNK):
        chunk = list(account_ids[start : start + _CHUNK])
        query = select(billing_account.c.account_id, billing_account.c.account_no)
        found |= {
            row.account_id: row.account_no for row in conn.execute(query.where(billing_account.c.account_id.in_(chunk)))
        }
    return found


def _lines(conn: Connection, period: int) -> Iterator[Any]:
    line = bill_line.c
    query = (
        select(
            line.bill_id,
            line.line_no,
            line.item_code,
            line.service,
            line.kind,
            line.amount_fen,
            line.net_fen,
            line.part_count,
            bill.c.account_id,
            bill.c.account_no,
        )
        .join(bill, (bill.c.period == line.period) & (bill.c.bill_id == line.bill_id))
        .where(line.period == period, bill.c.origin == "run")
        .order_by(line.bill_id, line.line_no)
    )
    for partition in conn.execute(query).partitions(_PARTITION):
        yield from partition


def _charges(conn: Connection, period: int) -> Iterator[Any]:
    charge = bill_charge.c
    query = (
        select(
            charge.bill_id,
            charge.line_no,
            charge.kind,
            charge.charge_month,
            charge.from_on,
            charge.until_on,
            charge.price_micro_yuan,
            charge.share_per_mille,
            charge.amount_micro_yuan,
        )
        .where(charge.period == period)
        .order_by(charge.bill_id, charge.line_no, charge.charge_no)
    )
    for partition in conn.execute(query).partitions(_PARTITION):
        yield from partition


def _piece(row: Any) -> Piece:
    return Piece(
        row.kind,
        row.charge_month,
        row.from_on,
        row.until_on,
        row.price_micro_yuan.amount_micro_yuan,
        row.share_per_mille,
        row.amount_micro_yuan.amount_micro_yuan,
    )


def _line(row: Any, pieces: tuple[Piece, ...]) -> OurLine:
    return OurLine(
        row.item_code,
        row.service,
        row.kind,
        row.amount_fen.amount_fen,
        row.net_fen.amount_fen,
        row.part_count,
        pieces,
    )
