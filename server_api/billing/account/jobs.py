"""What accounts hear (who pays), and the nightly step from owing to overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from server_api.billing.account import checks, store
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.facts.receiver import Envelope
from server_api.platform.jobs import JobRun
from server_api.platform.registry import Copy, CopyRow, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import AccountStandingChanged, CustomerRecorded, Standing
from shared_models.values.clock import town_day

OVERDUE_JOB = "account.overdue"
_ACCOUNTS_PER_ACT = 200


def wire(wiring: Wiring) -> None:
    """Say what this slice hears and checks."""
    wiring.hear_fact("billing", CustomerRecorded, keep_payer, keep_new_payers)
    wiring.job("billing", OVERDUE_JOB, mark_overdue)
    wiring.at("10 0 * * *", "billing", OVERDUE_JOB)
    wiring.copy(Copy("payer", "billing", ("CustomerRecorded",), payer_rows))
    wiring.invariant("billing", "book_is_in_less_out", checks.book_is_in_less_out)
    wiring.invariant("billing", "book_equals_postings", checks.book_equals_postings)
    wiring.invariant("billing", "allowances_equal_acts", checks.allowances_equal_acts)
    wiring.invariant("billing", "approvals_by_a_second_person", checks.approvals_by_a_second_person)
    wiring.invariant("billing", "one_live_debit_contract", checks.one_live_debit_contract)


def keep_payer(uow: UnitOfWork, envelope: Envelope, payload: CustomerRecorded) -> None:
    """Keep who pays: the newest fact replaces what was kept, an older one never does."""
    known_seq = store.payer_seq(uow.conn, payload.customer_id)
    if known_seq >= envelope.seq and known_seq:
        return
    store.put_payer(uow.conn, known_seq > 0, _payer(uow, envelope, payload))


def keep_new_payers(uow: UnitOfWork, heard: Sequence[tuple[Envelope, CustomerRecorded]]) -> None:
    """Keep many payers nobody has heard of."""
    store.add_payers(uow.conn, [_payer(uow, envelope, payload) for envelope, payload in heard])


def _payer(uow: UnitOfWork, envelope: Envelope, payload: CustomerRecorded) -> dict[str, Any]:
    return {
        "customer_id": payload.customer_id,
        "customer_no": payload.customer_no,
        "customer_class": payload.customer_class,
        "sealed_name": payload.sealed_name,
        "sealed_address": payload.sealed_address,
        "sealed_tax_no": payload.sealed_tax_no,
        "sealed_contact": payload.sealed_contact,
        "source_seq": envelope.seq,
        "heard_at": uow.now,
    }


def payer_rows(database: Database) -> Sequence[CopyRow]:
    """The payers kept here, each with a digest of what bills would print; nothing is shown in clear."""
    unseal, blind = database.secrets.unseal, database.secrets.blind
    with database.reading() as conn:
        return [
            CopyRow(
                row.customer_id,
                blind(
                    "\x1f".join(
                        (
                            row.customer_no,
                            row.customer_class,
                            unseal(row.sealed_name),
                            unseal(row.sealed_address),
                            unseal(row.sealed_tax_no),
                            unseal(row.sealed_contact),
                        )
                    )
                ),
            )
            for row in store.all_payers(conn)
        ]


def mark_overdue(run: JobRun) -> Mapping[str, Any]:
    """Every account whose earliest unpaid bill was due yesterday or before becomes overdue, and business hears it."""
    database = run.database
    after_id: str | None = None
    marked = 0
    while True:
        with database.reading() as conn:
            rows = store.overdue_since_yesterday(conn, town_day(database.clock.now()), after_id, _ACCOUNTS_PER_ACT)
        if not rows:
            return {"marked": marked}
        ids = [row.account_id for row in rows]
        act = Act(run.act_id(OVERDUE_JOB, ids[0]), OVERDUE_JOB, digest_of([ids[0]]), run.context)
        perform(database, act, partial(_mark, account_ids=ids))
        after_id, marked = ids[-1], marked + len(ids)
        run.progress(marked, marked + 1)


def _mark(uow: UnitOfWork, account_ids: list[str]) -> None:
    store.touch_many(uow.conn, account_ids)
    changed: list[tuple[str, str, Any]] = []
    for account_id, state in store.states_of(uow.conn, account_ids).items():
        since = state.row.owed_since_on
        if state.row.standing != Standing.OWING or since is None or since >= uow.today:
            continue  # paid between the look and the lock
        changed.append((account_id, Standing.OVERDUE.value, since))
        uow.tell(
            f"account:{account_id}",
            AccountStandingChanged(
                account_id=account_id,
                standing=Standing.OVERDUE,
                owed_since_on=since,
            ),
            bulk=True,
        )
    store.set_standings(uow.conn, changed)
