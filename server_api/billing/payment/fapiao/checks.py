"""What must always hold of fapiao, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.payment.fapiao import rules, store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.fapiao import COUNTS, ISSUED, FapiaoState, is_fapiao_no
from shared_models.values.money import ZERO_FEN, Fen

_BLUE = frozenset({FapiaoState.NORMAL, FapiaoState.PARTLY_RED, FapiaoState.FULLY_RED})


def fapiao_within_lines(database: Database) -> Finding:
    """Blue less red fapiao of a bill line are between nothing and what is left of the line after adjustments."""
    with database.reading() as conn:
        lines = store.invoiced_lines(conn)
    wrong = tuple(
        f"{row.bill_id}/{row.bill_line_no}: {row.invoiced_fen} on fapiao"
        for row in lines
        if row.amount_fen is None
        or not ZERO_FEN <= row.invoiced_fen <= row.amount_fen - row.netted_fen - (row.taken_fen or ZERO_FEN)
    )
    return Finding(counted=len(lines), amount=Fen.total(row.invoiced_fen for row in lines), wrong=wrong)


def fapiao_equals_lines(database: Database) -> Finding:
    """A fapiao is the sum of its lines, net and tax; red ones take back no more than the blue one."""
    with database.reading() as conn:
        rows = store.all_fapiao(conn)
    asked: dict[str, Fen] = {}
    issued: dict[str, Fen] = {}
    for row in rows:
        if row.red_of_id and FapiaoState(row.state) in COUNTS:
            asked[row.red_of_id] = asked.get(row.red_of_id, ZERO_FEN) - row.amount_fen
        if row.state == FapiaoState.RED_LETTER:
            issued[row.red_of_id] = issued.get(row.red_of_id, ZERO_FEN) - row.amount_fen
    wrong = tuple(
        f"{row.fapiao_id}: {row.amount_fen} {row.state}, lines {row.line_fen}, red {asked.get(row.fapiao_id, ZERO_FEN)}"
        for row in rows
        if (row.amount_fen, row.net_fen, row.tax_fen) != (row.line_fen, row.line_net, row.line_tax)
        or row.amount_fen != row.net_fen + row.tax_fen
        or (row.amount_fen < ZERO_FEN) != bool(row.red_of_id)
        or (not row.red_of_id and asked.get(row.fapiao_id, ZERO_FEN) > row.amount_fen)
        or (
            FapiaoState(row.state) in _BLUE
            and rules.blue_state(row.amount_fen, issued.get(row.fapiao_id, ZERO_FEN)) != row.state
        )
    )
    return Finding(counted=len(rows), amount=Fen.total(row.amount_fen for row in rows), wrong=wrong)


def fapiao_numbers(database: Database) -> Finding:
    """Issued fapiao have a number of 20 digits that is their key; others have none and are their own key."""
    with database.reading() as conn:
        rows = store.all_fapiao(conn)
    wrong = tuple(
        f"{row.fapiao_id}: {row.state} with number {row.fapiao_no}"
        for row in rows
        if (FapiaoState(row.state) in ISSUED) != bool(row.fapiao_no)
        or row.number_key != (row.fapiao_no or row.fapiao_id)
        or (row.fapiao_no and not is_fapiao_no(row.fapiao_no))
    )
    return Finding(counted=len(rows), wrong=wrong)
