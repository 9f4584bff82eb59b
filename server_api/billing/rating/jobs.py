"""What rating hears: price books, and what products are priced by; and the retry of usage that waited for news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from server_api.billing.rating import checks, packs, rerate_acts, store
from server_api.billing.rating.credit import jobs as credit
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.numbers import access_key
from server_api.platform.database import Database
from server_api.platform.facts.receiver import Envelope
from server_api.platform.jobs import JobRun, enqueue
from server_api.platform.registry import Copy, CopyRow, Wiring
from server_api.platform.unit_of_work import UnitOfWork
from shared_models.contracts.events import BillingEventKind, PriceBookPart, PriceBookPublished, ProductRecorded
from shared_models.contracts.rating import price_book_digest
from shared_models.values.faults.usage import UsageBeingImported
from shared_models.values.ids import derived_id

RETRY_JOB = "usage.retry"
SESSIONS_JOB = "usage.sessions"
#: An IN list stays below what every engine takes.
_KEYS_AT_ONCE = 900
WAITING_FOR_NEWS = ("no_owner", "no_tariff", "no_price", "no_account")


def wire(wiring: Wiring) -> None:
    """Say what this slice hears and checks."""
    wiring.hear_fact("billing", PriceBookPart, keep_price_part)
    wiring.hear_fact("billing", PriceBookPublished, keep_price_book)
    wiring.hear_fact("billing", ProductRecorded, keep_product, keep_new_products)
    wiring.job("billing", RETRY_JOB, retry)
    wiring.at("20 * * * *", "billing", RETRY_JOB)
    wiring.job("billing", SESSIONS_JOB, rate_sessions_since)
    wiring.at("40 * * * *", "billing", SESSIONS_JOB)
    wiring.job("billing", packs.DEAL_JOB, packs.deal)
    wiring.job("billing", rerate_acts.RERATE_JOB, rerate_acts.run_job)
    wiring.copy(Copy("price_book", "billing", ("PriceBookPart", "PriceBookPublished"), price_book_copy))
    wiring.copy(Copy("rating_product", "billing", ("ProductRecorded",), product_copy))
    wiring.invariant("billing", "charge_explains_itself", checks.charge_explains_itself)
    credit.wire(wiring)


def keep_price_part(uow: UnitOfWork, envelope: Envelope, payload: PriceBookPart) -> None:
    """Keep some rows of a price book; it is live once all have come."""
    store.put_price_part(uow.conn, payload.version, payload.part_no, payload.rows)
    _make_live(uow, payload.version)


def keep_price_book(uow: UnitOfWork, envelope: Envelope, payload: PriceBookPublished) -> None:
    """Keep what a complete price book must look like."""
    known = store.price_book(uow.conn, payload.version) is not None
    store.put_price_book(
        uow.conn,
        known,
        payload.version,
        row_count=payload.row_count,
        digest=payload.digest,
        effective_on=payload.effective_on,
        heard_at=uow.now,
        **({} if known else {"live": False}),
    )
    _make_live(uow, payload.version)


def _make_live(uow: UnitOfWork, version: int) -> None:
    head = store.price_book(uow.conn, version)
    if head is None or head.live:
        return
    rows = [row for part in store.price_parts(uow.conn, version) for row in part.document]
    if len(rows) == head.row_count and price_book_digest(rows) == head.digest:
        store.put_price_book(uow.conn, True, version, live=True)


def keep_product(uow: UnitOfWork, envelope: Envelope, payload: ProductRecorded) -> None:
    """Keep which offering a product had when; wake the usage that waited for it."""
    known = store.product_known(uow.conn, payload.product_id)
    if any(row.source_seq > envelope.seq for row in known):
        return
    store.put_product(uow.conn, payload.product_id, spans_of(payload, envelope.seq))
    _wake_waiting(uow, [(envelope, payload)])


def keep_new_products(uow: UnitOfWork, heard: Sequence[tuple[Envelope, ProductRecorded]]) -> None:
    """The same for many products nobody has heard of."""
    store.add_products(uow.conn, [span for envelope, payload in heard for span in spans_of(payload, envelope.seq)])
    _wake_waiting(uow, heard)


def _wake_waiting(uow: UnitOfWork, heard: Sequence[tuple[Envelope, ProductRecorded]]) -> None:
    """Have the usage rated that waited for these products."""
    keys = [access_key(access.kind, access.key) for _envelope, payload in heard for access in payload.accesses]
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        if usage_store.pool_waiting_for(uow.conn, some, WAITING_FOR_NEWS, 1):
            job_id = derived_id(heard[0][0].fact_id, RETRY_JOB, str(start))
            enqueue(uow, RETRY_JOB, {"owner_keys": some}, job_id=job_id)


def spans_of(payload: ProductRecorded, seq: int) -> list[dict[str, Any]]:
    """The offerings of a product as spans of days. The last event of a day counts; suspension changes no price."""
    spans: dict[date, dict[str, Any]] = {}
    changes = [
        event for event in payload.events if event.kind not in (BillingEventKind.SUSPENDED, BillingEventKind.RESUMED)
    ]
    for event in changes:
        if event.kind is BillingEventKind.TERMINATED:
            for span in spans.values():
                span["until_on"] = min(span["until_on"] or event.effective_on, event.effective_on)
            continue
        for span in spans.values():
            if span["until_on"] is None or span["until_on"] > event.effective_on:
                span["until_on"] = event.effective_on
        spans[event.effective_on] = {
            "product_id": payload.product_id,
            "from_on": event.effective_on,
            "until_on": None,
            "service": payload.service,
            "offering_code": event.offering_code,
            "bundle_code": event.bundle_code,
            "book_version": event.price_version,
            "source_seq": seq,
        }
    return [span for span in spans.values() if span["until_on"] is None or span["from_on"] < span["until_on"]]


def retry(run: JobRun) -> None:
    """Rate what waited in the pool for an owner, a payer or a price, where it has come since."""
    from server_api.billing.rating.retry import retry_pool  # the engine is loaded by who rates, not by who starts

    keys = run.arguments.get("owner_keys")
    retry_pool(run.database, owner_keys=list(keys) if keys else None)


def rate_sessions_since(run: JobRun) -> None:
    """Rate what broadband sessions used since they were last rated; while a file is imported, the next time."""
    from server_api.billing.rating.session_cuts import rate_sessions  # the engine is loaded by who rates

    try:
        rate_sessions(run.database)
    except UsageBeingImported:
        return


def price_book_copy(database: Database) -> Sequence[CopyRow]:
    """The price books kept, for comparing with a replay."""
    with database.reading() as conn:
        return [CopyRow(str(row.book_version), f"{row.row_count}:{row.digest}") for row in store.price_books(conn)]


def product_copy(database: Database) -> Sequence[CopyRow]:
    """The offerings kept, for comparing with a replay."""
    with database.reading() as conn:
        rows = store.product_rows(conn)
    return [
        CopyRow(
            f"{row.product_id}:{row.from_on}",
            f"{row.until_on}:{row.offering_code}:{row.bundle_code}:{row.book_version}",
        )
        for row in rows
    ]
