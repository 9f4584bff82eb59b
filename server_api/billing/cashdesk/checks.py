"""What must always hold of tills and papers, for ``onehall check-books``."""

from __future__ import annotations

from server_api.billing.cashdesk import store
from server_api.billing.ledger import store as ledger_store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import ZERO_FEN, Fen
from shared_models.values.money_states import AT_THE_BANK, TillState


def till_cash_equals_entries(database: Database) -> Finding:
    """The cash of every session: its entries, the ledger, and from the day close on what was counted, agree."""
    with database.reading() as conn:
        tills = store.all_tills(conn)
        entries = store.cash_by_till(conn)
        ledger = ledger_store.sums_by_name(conn, LedgerCode.CASH)
    wrong: list[str] = []
    for till in tills:
        by_entries = entries.get(till.till_id, ZERO_FEN)
        by_ledger = ledger.pop(till.till_id, ZERO_FEN)
        should = till.counted_fen if till.state == TillState.CLOSED else by_entries
        should = ZERO_FEN if till.state in AT_THE_BANK else should
        if not by_entries == by_ledger == should:
            wrong.append(f"{till.till_id}: entries {by_entries}, ledger {by_ledger}, counted {should}")
    wrong += [f"{owner}: cash of {amount} in a till that is not there" for owner, amount in ledger.items() if amount]
    return Finding(counted=len(tills), amount=Fen.total(entries.values()), wrong=tuple(wrong))


def receipts_gapless(database: Database) -> Finding:
    """The papers of every counter are numbered from 1 without a gap."""
    with database.reading() as conn:
        spans = store.receipt_spans(conn)
    wrong = tuple(
        f"{span.hall_code}/{span.counter_no}: {span.papers} papers numbered {span.first_no} to {span.last_no}"
        for span in spans
        if span.first_no != 1 or span.last_no != span.papers
    )
    return Finding(counted=sum(span.papers for span in spans), wrong=wrong)
