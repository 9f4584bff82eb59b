"""What the bill slice hears and does by itself: product news, month runs, its invariants."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from server_api.billing.bill import checks, service
from server_api.billing.bill.fees import keep_fees, take_fees_back
from server_api.billing.bill.store import copies
from server_api.platform.acts import Act, digest_of, perform
from server_api.platform.database import Database
from server_api.platform.facts.receiver import Envelope
from server_api.platform.jobs import JobCancelled, JobRun
from server_api.platform.registry import Copy, CopyRow, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import FeeRaised, FeesWithdrawn, ProductRecorded
from shared_models.values.faults.bill import BillRunNotRunning
from shared_models.values.period import Month


def wire(wiring: Wiring) -> None:
    """Say what this slice hears, runs and proves."""
    wiring.hear_fact("billing", ProductRecorded, keep_product, keep_new_products)
    wiring.hear_fact("billing", FeeRaised, keep_fees)
    wiring.hear_fact("billing", FeesWithdrawn, take_fees_back)
    wiring.job("billing", service.MONTH_RUN_JOB, run_month)
    for name, check in checks.CHECKS:
        wiring.invariant("billing", name, check)
    wiring.copy(Copy("billed_product", "billing", (ProductRecorded.__name__,), product_rows))


def keep_product(uow: UnitOfWork, envelope: Envelope, payload: ProductRecorded) -> None:
    """Keep a product, its events and who pays it. Events are added, never changed; the rest is replaced.

    News older than what is kept only adds events it alone knows.
    """
    known_seq = copies.product_seq(uow.conn, payload.product_id)
    _add_events(uow, envelope, payload)
    if envelope.seq < known_seq:
        return
    copies.put_product(uow.conn, known_seq > 0, _product(envelope, payload))
    known = copies.relation_keys(uow.conn, payload.product_id)
    told = _relations(envelope, payload)
    for key, row in told.items():
        copies.put_relation(uow.conn, key in known, row)
    for key in known - told.keys():
        copies.drop_relation(uow.conn, payload.product_id, key)


def keep_new_products(uow: UnitOfWork, heard: Sequence[tuple[Envelope, ProductRecorded]]) -> None:
    """Keep many products nobody has heard of, with their events and who pays them."""
    copies.add_products(uow.conn, [_product(envelope, payload) for envelope, payload in heard])
    copies.add_events(uow.conn, [row for envelope, payload in heard for row in _events(uow, envelope, payload)])
    copies.add_relations(
        uow.conn, [row for envelope, payload in heard for row in _relations(envelope, payload).values()]
    )


def _add_events(uow: UnitOfWork, envelope: Envelope, payload: ProductRecorded) -> None:
    known = copies.event_ids(uow.conn, payload.product_id)
    rows = _events(uow, envelope, payload)
    copies.add_events(uow.conn, [row for row in rows if row["event_id"] not in known])


def _product(envelope: Envelope, payload: ProductRecorded) -> dict[str, Any]:
    return {
        "product_id": payload.product_id,
        "product_no": payload.product_no,
        "customer_id": payload.customer_id,
        "service": payload.service,
        "shown_as": payload.shown_as,
        "region": payload.region,
        "source_seq": envelope.seq,
    }


def _relations(envelope: Envelope, payload: ProductRecorded) -> dict[tuple[str, str, date], dict[str, Any]]:
    return {
        (pay.item_group, pay.account_id, pay.from_on): {
            "product_id": payload.product_id,
            "item_group": pay.item_group,
            "account_id": pay.account_id,
            "from_on": pay.from_on,
            "until_on": pay.until_on,
            "priority": pay.priority,
            "source_seq": envelope.seq,
        }
        for pay in payload.pay_relations
    }


def _events(uow: UnitOfWork, envelope: Envelope, payload: ProductRecorded) -> list[dict[str, Any]]:
    return [
        {
            "product_id": payload.product_id,
            "event_id": event.event_id,
            "seq_no": number,
            "kind": event.kind.value,
            "effective_on": event.effective_on,
            "offering_code": event.offering_code,
            "price_version": event.price_version,
            "bundle_code": event.bundle_code,
            "bundle_instance": event.bundle_instance,
            "heard_at": uow.now,
            "reason": event.reason or None,
            "source_seq": envelope.seq,
        }
        for number, event in enumerate(payload.events, 1)
    ]


def product_rows(database: Database) -> Sequence[CopyRow]:
    """The products as kept, with their relations and events, for ``facts rebuild``."""
    with database.reading() as conn:
        products = copies.all_products(conn)
        parts: dict[str, list[str]] = {}
        for row in copies.all_relations(conn):
            parts.setdefault(row.product_id, []).append(
                f"pays {row.item_group} {row.account_id} {row.from_on} {row.until_on}"
            )
        for row in copies.all_events(conn):
            parts.setdefault(row.product_id, []).append(
                f"{row.effective_on} {row.kind} {row.offering_code}@{row.price_version} {row.bundle_code or ''}"
            )
    return [
        CopyRow(
            row.product_id,
            " | ".join([f"{row.product_no} {row.service} {row.shown_as}", *parts.get(row.product_id, [])]),
        )
        for row in products
    ]


def run_month(run: JobRun) -> Mapping[str, Any]:
    """Bill a month: begin or go on, do the chunks, close. Arguments: yyyymm, billing_day (1 where it is not said)."""
    month = Month(int(run.arguments["yyyymm"]))
    day = int(run.arguments.get("billing_day", 1))
    digest = digest_of({"yyyymm": month.yyyymm, "billing_day": day})
    begin = Act(run.act_id("begin", run.attempt), "bill.begin_run", digest, run.context)
    perform(run.database, begin, lambda uow: service.begin_run(uow, month=month, billing_day=day))
    run_id = service.run_id_of(month, day)
    try:
        workers = os.cpu_count() or 1
        done = service.run_month(run.database, run_id, context=run.context, on_progress=run.progress, workers=workers)
    except JobCancelled:
        stop = Act(run.act_id("cancel"), "bill.cancel_run", digest_of({"run_id": run_id}), run.context)
        perform(run.database, stop, lambda uow: service.cancel_run(uow, run_id=run_id))
        raise
    except BillRunNotRunning as stopped:
        raise JobCancelled(run.job_id) from stopped
    return {
        "run_id": run_id,
        "bill_count": done.bill_count,
        "aside_count": done.aside_count,
        "total_fen": done.total_fen.amount_fen,
    }
