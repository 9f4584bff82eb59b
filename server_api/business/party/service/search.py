"""Finding customers: one box, several ways, each a walk along one index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from server_api.business.party import rules, store
from server_api.business.party.rules import KeyKind, Plan, Way
from server_api.platform.secrets import Secrets
from shared_models.contracts.party import CustomerClass, CustomerHit, CustomerKind, CustomerPage, MatchedBy, SearchWords
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.party import SearchTooShort

MOST = 50
_PHONES_SHOWN = 5
_MATCHED = {
    KeyKind.NAME: MatchedBy.NAME, KeyKind.INITIALS: MatchedBy.INITIALS, KeyKind.NUMBER: MatchedBy.NUMBER,
    KeyKind.ACCOUNT: MatchedBy.ACCOUNT, KeyKind.CUSTOMER_NO: MatchedBy.CUSTOMER_NO, KeyKind.CONTACT: MatchedBy.NUMBER,
}  # fmt: skip


class Found:
    """Customers found so far, each once, with where the walk stands."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.by_id: dict[str, MatchedBy] = {}
        self.cursor: str | None = None

    def is_full(self) -> bool:
        return len(self.by_id) >= self.limit

    def add(self, customer_id: str, matched_by: MatchedBy) -> None:
        self.by_id.setdefault(customer_id, matched_by)


def search_customers(conn: Connection, words: SearchWords, context: WorkContext, *, secrets: Secrets) -> CustomerPage:
    """At most 50 customers for a text, in the order of the index walked. Raises SearchTooShort.

    ``cursor`` names the way, the last key and the last customer; a cursor that is not ours begins at the start.
    """
    plan = rules.plan_search(words.q)
    if plan is None:
        raise SearchTooShort()
    found = Found(max(1, min(words.limit, MOST)))
    way_no, after = _read_cursor(words.cursor)
    if plan.id_no and way_no == 0 and after is None:
        for customer_id in store.with_document(conn, secrets.blind(plan.id_no), context, found.limit):
            found.add(customer_id, MatchedBy.ID_NO)
    _walk_ways(conn, plan, context, found, way_no, after)
    if plan.grams and found.cursor is None:
        _walk_grams(conn, plan, words.q, context, found, after[1] if after and way_no == len(plan.ways) else "")
    return CustomerPage(items=tuple(_hits(conn, found, context)), next_cursor=found.cursor)


def _read_cursor(cursor: str) -> tuple[int, tuple[str, str] | None]:
    way, _, rest = cursor.partition(".")
    key_text, _, customer_id = rest.partition(".")
    if not way.isdigit() or not way.isascii() or len(way) > 2:
        return 0, None
    return int(way), (key_text, customer_id) if customer_id else None


def _walk_ways(
    conn: Connection, plan: Plan, context: WorkContext, found: Found, first: int, after: tuple[str, str] | None
) -> None:
    for way_no in range(first, len(plan.ways)):
        _walk_way(conn, plan.ways[way_no], way_no, context, found, after if way_no == first else None)
        if found.cursor is not None:
            return


def _walk_way(
    conn: Connection, way: Way, way_no: int, context: WorkContext, found: Found, position: tuple[str, str] | None
) -> None:
    """Walk one way until it ends or the page is full; then leave a cursor where another row waits."""
    while True:
        wanted = found.limit - len(found.by_id)
        rows = store.walk_keys(conn, way.kind, way.prefix, context, position, wanted + 1)
        for row in rows[:wanted]:
            found.add(row.customer_id, _MATCHED[way.kind])
            position = (row.key_text, row.customer_id)
        if len(rows) <= wanted:
            return
        if found.is_full():
            found.cursor = f"{way_no}." + (f"{position[0]}.{position[1]}" if position else ".")
            return


def _walk_grams(conn: Connection, plan: Plan, text: str, context: WorkContext, found: Found, after_id: str) -> None:
    """Organisations that hold the text anywhere: the 2-grams find candidates, the name decides."""
    wanted_text = rules.plain_name(text)
    while True:
        wanted = found.limit - len(found.by_id)
        rows = store.with_grams(conn, plan.grams, context, after_id, wanted + 1)
        for row in rows[:wanted]:
            after_id = row.customer_id
            if wanted_text in rules.plain_name(row.customer_name):
                found.add(row.customer_id, MatchedBy.NAME)
        if len(rows) <= wanted:
            return
        if found.is_full():
            found.cursor = f"{len(plan.ways)}..{after_id}"
            return


def _hits(conn: Connection, found: Found, context: WorkContext) -> list[CustomerHit]:
    ids = list(found.by_id)
    rows = store.many(conn, ids, context)
    documents = store.documents(conn, ids)
    accounts = store.accounts(conn, ids)
    numbers = store.access_keys(conn, ids)
    return [
        _hit(rows[one], matched_by, documents.get(one, []), accounts.get(one, []), numbers.get(one, []))
        for one, matched_by in found.by_id.items()
        if one in rows
    ]


def _hit(
    row: Row[Any],
    matched_by: MatchedBy,
    documents: Sequence[Row[Any]],
    accounts: Sequence[Row[Any]],
    numbers: list[str],
) -> CustomerHit:
    open_accounts = [one for one in accounts if not one.closed]
    # A number is indexed whole and without the area code; the whole one is what a person reads.
    whole = [one for one in numbers if not any(other != one and other.endswith(one) for other in numbers)]
    return CustomerHit(
        customer_id=row.customer_id, customer_no=row.customer_no, name=row.customer_name,
        customer_class=CustomerClass(row.customer_class), customer_kind=CustomerKind(row.customer_kind),
        masked_id_no=documents[0].masked_no if documents else "", address=rules.mask_address(row.address or ""),
        phones=tuple(whole[:_PHONES_SHOWN]), account_ids=tuple(one.account_id for one in open_accounts),
        account_nos=tuple(one.account_no for one in open_accounts), hall_code=row.hall_code, matched_by=matched_by,
    )  # fmt: skip
