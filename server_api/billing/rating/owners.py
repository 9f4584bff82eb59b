"""Guide tables: from what billing keeps of products, accesses, plans and payers to who owns a number when. Pure.

Spans of one key never overlap in the result: where two products claim a number at the same time, the later claim holds
from its beginning, as the exchange would have it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import polars as pl

from server_api.billing.rating.tariff.compile import local_second
from server_api.billing.usage.formats.frame import TOWN_OFFSET_S
from shared_models.contracts.rating import PriceRow

FOREVER_S = 2**62
NO_PLAN = -1
_SCHEMA = {
    "from_s": pl.Int64(),
    "until_s": pl.Int64(),
    "product_id": pl.String(),
    "plan_no": pl.Int64(),
    "account_id": pl.String(),
}
Span = tuple[int, int]


@dataclass
class Plans:
    """The plans that occur, numbered: a plan is the tariffs asked in order."""

    numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    def number(self, tariffs: tuple[str, ...]) -> int:
        """The number of a plan; NO_PLAN where no tariff is named."""
        return self.numbers.setdefault(tariffs, len(self.numbers)) if tariffs else NO_PLAN

    @property
    def listed(self) -> list[tuple[str, ...]]:
        """The plans by number."""
        return list(self.numbers)


def plan_of(rows: Sequence[PriceRow], offering_code: str, bundle_code: str, service: str, on: date) -> tuple[str, ...]:
    """The tariffs of a product on a day, by rank: those its bundle names for the service and those of its offering."""
    usage = [
        row
        for row in rows
        if row.kind == "usage"
        and row.tariff_code
        and (
            row.offering_code == offering_code
            or (bundle_code and row.offering_code == bundle_code and row.service == service)
        )
    ]
    # A product older than the first price book (taken over from an old system) keeps the price its book names.
    valid = [row for row in usage if row.valid_from <= on and (row.valid_until is None or on < row.valid_until)]
    usage = valid or usage
    ordered = sorted(usage, key=lambda row: (row.rank, row.offering_code != bundle_code, row.price_code))
    return tuple(dict.fromkeys(row.tariff_code for row in ordered))


def product_plans(
    products: Iterable[Any], books: Mapping[int, Sequence[PriceRow]], plans: Plans
) -> dict[str, list[tuple[int, int, int]]]:
    """Spans (from_s, until_s, plan_no) by product. A price book not heard of yet gives no plan: the usage waits."""
    known: dict[tuple[Any, ...], int] = {}
    found: dict[str, list[tuple[int, int, int]]] = {}
    for row in products:
        key = (row.book_version, row.offering_code, row.bundle_code or "", row.service, row.from_on)
        if key not in known:
            known[key] = plans.number(plan_of(books.get(row.book_version, ()), key[1], key[2], key[3], row.from_on))
        span = (day_second(row.from_on), day_second(row.until_on))
        found.setdefault(row.product_id, []).append((*span, known[key]))
    return found


def product_payers(
    relations: Iterable[Any], group: str, only: Container[str] | None = None
) -> dict[str, list[tuple[int, int, str]]]:
    """Spans (from_s, until_s, account_id) by product (all, or ``only`` those) for usage of an item group, preferred
    first.

    A relation that names the group goes before one for everything.
    """
    chosen: dict[str, list[Any]] = {}
    for row in relations:
        if row.item_group in (group, "*") and (only is None or row.product_id in only):
            chosen.setdefault(row.product_id, []).append(row)
    for rows in chosen.values():
        if len(rows) > 1:
            rows.sort(key=lambda row: (row.item_group == "*", row.priority, row.account_id))
    return {
        product_id: [(day_second(row.from_on), day_second(row.until_on), row.account_id) for row in rows]
        for product_id, rows in chosen.items()
    }


def owner_ranks(
    accesses: Iterable[Any],
    kind: str,
    plans: Mapping[str, Sequence[tuple[int, int, int]]],
    payers: Mapping[str, Sequence[tuple[int, int, str]]],
) -> list[pl.DataFrame]:
    """Frames (owner_key, from_s, until_s, product_id, plan_no, account_id), the n-th span of each key in the n-th."""
    spans: dict[str, list[tuple[int, int, str]]] = {}
    for row in accesses:
        if row.kind == kind and not (kind == "number" and not row.access_key.isdigit()):
            spans.setdefault(row.access_key, []).append((_second(row.from_at), _second(row.until_at), row.product_id))
    ranks: list[list[tuple[Any, ...]]] = []
    for key, claims in spans.items():
        owner = int(key) if kind == "number" else key
        rank = 0
        for begin, end, product_id in _disjoint(claims):
            for part in _cut(begin, end, plans.get(product_id, ()), payers.get(product_id, ())):
                if rank == len(ranks):
                    ranks.append([])
                ranks[rank].append((owner, part[0], part[1], product_id, part[2], part[3]))
                rank += 1
    schema = {"owner_key": pl.Int64() if kind == "number" else pl.String(), **_SCHEMA}
    return [pl.DataFrame(rows, schema=schema, orient="row") for rows in ranks] or [pl.DataFrame(schema=schema)]


@lru_cache(maxsize=65_536)
def day_second(on: date | None) -> int:
    """The instant a day begins in the town, in UTC seconds; none is for ever."""
    return FOREVER_S if on is None else local_second(on) - TOWN_OFFSET_S


def _second(at: datetime | None) -> int:
    return FOREVER_S if at is None else int(at.timestamp())


def _disjoint(claims: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Claims cut so that none overlaps a later one."""
    if len(claims) == 1:
        return list(claims)
    edges = sorted({edge for begin, end, _ in claims for edge in (begin, end)})
    found: list[tuple[int, int, str]] = []
    for begin, end in zip(edges, edges[1:], strict=False):
        holding = [claim for claim in claims if claim[0] <= begin and end <= claim[1]]
        if not holding:
            continue
        product_id = max(holding)[2]
        if found and found[-1][1] == begin and found[-1][2] == product_id:
            found[-1] = (found[-1][0], end, product_id)
        else:
            found.append((begin, end, product_id))
    return found


def _cut(
    begin: int,
    end: int,
    plans: Sequence[tuple[int, int, int]],
    payers: Sequence[tuple[int, int, str]],
) -> list[tuple[int, int, int, str | None]]:
    """A span cut where the plan or the payer changes."""
    if (
        len(plans) == len(payers) == 1
        and plans[0][0] <= begin
        and end <= plans[0][1]
        and payers[0][0] <= begin
        and end <= payers[0][1]
    ):
        return [(begin, end, plans[0][2], payers[0][2])]
    edges = {begin, end}
    for spans in (plans, payers):
        edges.update(edge for span in spans for edge in span[:2] if begin < edge < end)
    ordered = sorted(edges)
    found: list[tuple[int, int, int, str | None]] = []
    for left, right in zip(ordered, ordered[1:], strict=False):
        plan = next((span[2] for span in reversed(plans) if span[0] <= left < span[1]), NO_PLAN)
        payer = next((span[2] for span in payers if span[0] <= left < span[1]), None)
        if found and found[-1][2:] == (plan, payer):
            found[-1] = (found[-1][0], right, plan, payer)
        else:
            found.append((left, right, plan, payer))
    return found
