"""Rules of rating's books: a sample of charges is worked out anew and must come out the same."""

from __future__ import annotations

from server_api.billing.rating import store
from server_api.platform.database import Database
from server_api.platform.registry import Finding
from shared_models.values.money import MicroYuan

SAMPLE = 2_000


def charge_explains_itself(database: Database) -> Finding:
    """The steps of a call's charge, worked out by the code that priced it, come to the charge that is stored."""
    # the API checks nothing at its start: the engine is loaded when books are checked
    from server_api.billing.rating.explaining import explain_rows

    with database.reading() as conn:
        rows = store.sample_calls(conn, SAMPLE)
        explained = explain_rows(conn, rows)
        totals = store.totals(conn)
    wrong = tuple(
        f"{row.period} {row.account_id} {row.usage_id}"
        for row in rows
        if row.charge_micro_yuan
        != (explained[row.usage_id].charge.amount_micro_yuan if row.usage_id in explained else 0)
    )
    return Finding(counted=int(totals.calls), amount=MicroYuan(int(totals.charge_micro_yuan)).to_fen(), wrong=wrong)
