"""Who owns a number or login, by which plan it is priced and who pays: asked for the few keys of a batch, not for all.

An import reads the whole guide once; a question must not wait for a million rows, so its keys are looked up and
remembered for some seconds. What is remembered may be that old: news of a change takes as long to cross anyway.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from server_api.billing.rating.credit import store
from server_api.billing.rating.guide import KIND_OF_SERVICE
from server_api.billing.rating.owners import NO_PLAN, Plans, owner_ranks, product_payers, product_plans
from server_api.billing.usage.numbers import access_key
from shared_models.contracts.rating import PriceRow

REMEMBERED_S = 5.0
_MOST_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a call belongs to at its start."""

    product_id: str
    plan_no: int
    account_id: str | None


#: (from_s, until_s, owner), in order of time.
Spans = tuple[tuple[int, int, Owner], ...]


class OwnerBook:
    """Owners by number and login, looked up when they are first asked for."""

    def __init__(self, plans: Plans, books: Mapping[int, Sequence[PriceRow]]) -> None:
        self.plans = plans
        self._books = books
        self._known: OrderedDict[tuple[str, str], tuple[float, Spans]] = OrderedDict()

    def learn(self, conn: Connection, service: str, accesses: Iterable[str]) -> None:
        """Look up the keys not known, or known for too long."""
        fresh_s = time.monotonic() - REMEMBERED_S
        unknown = sorted(
            {
                access
                for access in set(accesses)
                if (known := self._known.get((service, access))) is None or known[0] < fresh_s
            }
        )
        if unknown:
            self._remember(service, self._look_up(conn, service, unknown))

    def owner(self, service: str, access: str, start_s: int) -> Owner | None:
        """Whom a call of that start belongs to; the key was learnt before."""
        known = self._known.get((service, access))
        if known is None:
            return None
        return next((owner for from_s, until_s, owner in known[1] if from_s <= start_s < until_s), None)

    def _look_up(self, conn: Connection, service: str, accesses: Sequence[str]) -> dict[str, Spans]:
        kind = KIND_OF_SERVICE[service]
        keys = {access: access_key(kind, access) for access in accesses}
        rows = store.accesses(conn, kind, sorted(set(keys.values())))
        product_ids = sorted({row.product_id for row in rows})
        plans = product_plans(
            (row for row in store.products(conn, product_ids) if row.service == service), self._books, self.plans
        )
        payers = product_payers(store.payers(conn, product_ids), service)
        spans: dict[str, list[tuple[int, int, Owner]]] = {}
        for frame in owner_ranks(rows, kind, plans, payers):
            for key, from_s, until_s, product_id, plan_no, account_id in frame.select(
                "owner_key", "from_s", "until_s", "product_id", "plan_no", "account_id"
            ).iter_rows():
                spans.setdefault(str(key), []).append((from_s, until_s, Owner(product_id, plan_no, account_id)))
        return {access: tuple(spans.get(key, ())) for access, key in keys.items()}

    def _remember(self, service: str, found: Mapping[str, Spans]) -> None:
        now_s = time.monotonic()
        for access, spans in found.items():
            self._known[service, access] = (now_s, spans)
            self._known.move_to_end((service, access))
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)


__all__ = ["NO_PLAN", "Owner", "OwnerBook"]
