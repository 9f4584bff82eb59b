"""The invariants of bills, for ``check-books`` and the nightly run. They read, and say what does not hold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from server_api.billing.bill.rules.inputs import EventInput
from server_api.billing.bill.rules.timeline import FOREVER, spans_of
from server_api.billing.bill.store import copies, proofs
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.faults.base import Fault
from shared_models.values.money import MICRO_PER_FEN, Fen, round_half_up, split_tax

_SHOWN = 20
_OPEN_TO_NO_CHARGES = ("imported", "rerated")


class _Sheet:
    """Collects what was looked at and what was wrong; only the first are named."""

    def __init__(self) -> None:
        self.counted = self.amount_fen = self.wrong_count = 0
        self.wrong: list[str] = []

    def say(self, what: str) -> None:
        self.wrong_count += 1
        if len(self.wrong) < _SHOWN:
            self.wrong.append(what)

    def finding(self, with_amount: bool = True) -> Finding:
        amount = Fen(self.amount_fen) if with_amount else None
        return Finding(self.counted, amount, tuple(self.wrong), self.wrong_count)


def bill_is_sum_of_lines(database: Database) -> Finding:
    """Every bill's total, net, tax and count are those of its lines; what its credits took is what its lines gave."""
    sheet = _Sheet()
    with database.reading() as conn:
        for period in proofs.periods(conn):
            for row in proofs.bills_with_line_sums(conn, period):
                sheet.counted += 1
                sheet.amount_fen += row.total_fen.amount_fen
                said = (row.line_count, *(proofs.plain(each) for each in (row.total_fen, row.net_fen, row.tax_fen)), 0)
                found = tuple(proofs.plain(each) for each in (row.lines, row.amount, row.net, row.tax, row.netted))
                if said != found:
                    sheet.say(f"bill {row.bill_id}: says {said}, its lines {found}")
    return sheet.finding()


def line_is_sum_of_parts(database: Database) -> Finding:
    """Every line is the sum of the charges or calls it opens to, rounded once; its net and tax sum to it."""
    sheet = _Sheet()
    with database.reading() as conn:
        for period in proofs.periods(conn):
            charges = proofs.charge_sums(conn, period)
            usage = proofs.usage_sums(conn, period)
            for row in proofs.lines(conn, period):
                sheet.counted += 1
                sheet.amount_fen += row.amount_fen.amount_fen
                _check_line(sheet, row, charges, usage)
    return sheet.finding()


def _check_line(
    sheet: _Sheet, row: Any, charges: dict[Any, tuple[int, int]], usage: dict[Any, tuple[int, int]]
) -> None:
    where = f"line {row.bill_id}/{row.line_no}"
    micro, amount = row.charge_micro_yuan.amount_micro_yuan, row.amount_fen.amount_fen
    if amount != round_half_up(micro, MICRO_PER_FEN):
        sheet.say(f"{where}: {micro} micro-yuan became {amount} fen")
    if (row.net_fen, row.tax_fen) != split_tax(row.amount_fen, row.tax_per_mille):
        sheet.say(f"{where}: net {row.net_fen} and tax {row.tax_fen} do not split {row.amount_fen}")
    if row.kind == "usage":
        parts = usage.get((row.account_id, row.product_id, row.item_code), (0, 0))
    elif row.kind in _OPEN_TO_NO_CHARGES:
        return
    else:
        parts = charges.get((row.bill_id, row.line_no), (0, 0))
    if parts != (micro, row.part_count):
        sheet.say(f"{where}: {row.part_count} parts of {micro} micro-yuan, opens to {parts[1]} of {parts[0]}")


def bill_open_within_total(database: Database) -> Finding:
    """What is open of a bill lies between nothing and its total, and its state says whether anything is."""
    sheet = _Sheet()
    with database.reading() as conn:
        for period in proofs.periods(conn):
            for row in proofs.bills_with_line_sums(conn, period):
                open_fen, total = row.open_fen.amount_fen, row.total_fen.amount_fen
                sheet.counted += 1
                sheet.amount_fen += open_fen
                if not 0 <= open_fen <= max(total, 0):
                    sheet.say(f"bill {row.bill_id}: {open_fen} of {total} fen open")
                elif row.state in ("open", "settled") and (row.state == "open") != (open_fen > 0):
                    sheet.say(f"bill {row.bill_id}: {row.state} with {open_fen} fen open")
    return sheet.finding()


def product_has_open_event(database: Database) -> Finding:
    """Every product's events make a history with at most one price in effect at its end."""
    sheet = _Sheet()
    with database.reading() as conn:
        rows = copies.all_events(conn)
    for product_id, events in groupby(rows, key=lambda row: row.product_id):
        sheet.counted += 1
        try:
            spans = spans_of(
                product_id,
                [
                    EventInput(
                        row.event_id,
                        row.seq_no,
                        row.kind,
                        row.effective_on,
                        row.offering_code,
                        row.price_version,
                        row.bundle_code or "",
                        row.bundle_instance or "",
                    )
                    for row in events
                ],
            )
        except Fault as fault:
            sheet.say(f"product {product_id}: {fault}")
            continue
        if sum(1 for span in spans if span.until_on == FOREVER) > 1:
            sheet.say(f"product {product_id}: several prices in effect")
    return sheet.finding(with_amount=False)


CHECKS: tuple[tuple[str, Callable[[Database], Finding]], ...] = (
    ("bill_is_sum_of_lines", bill_is_sum_of_lines),
    ("line_is_sum_of_parts", line_is_sum_of_parts),
    ("bill_open_within_total", bill_open_within_total),
    ("product_has_open_event", product_has_open_event),
)
