"""Whole histories through the calculator: told late or in time, looked at once or again, whole or in parts: one sum."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.bill.policy import billing_policy
from server_api.billing.bill.rules.inputs import BillDraft
from shared_models.contracts.rating import PriceRow
from shared_models.values.money import MicroYuan
from tests.support.bill_months import bills_of
from tests.support.billing_pages import Example, Happening, Money

POLICY = billing_policy()
FIRST, DAYS, HORIZON = date(2026, 1, 1), 120, 202612


def price(offering: str, fen: int, kind: str = "recurring", **more: object) -> PriceRow:
    fields: dict[str, object] = {
        "offering_code": offering, "price_code": f"{offering}-{kind}", "kind": kind, "service": "voice",
        "item_code": "voice.monthly" if kind == "recurring" else "minimum.spend",
        "charge_micro_yuan": MicroYuan(fen * 10_000), "tax_per_mille": 90, "valid_from": FIRST, **more,
    }  # fmt: skip
    return PriceRow(**fields)  # type: ignore[arg-type]


def example(prices: list[PriceRow], happenings: list[Happening], money: tuple[Money, ...] = ()) -> Example:
    services = {row.offering_code: "voice" for row in prices}
    return Example(
        "story", "pencil", tuple(prices), POLICY, services, tuple(happenings), money, (), None, (), {HORIZON: []}
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Happening]:
    """A product's events on days of their own, each told on its day or up to ten weeks later."""
    days = sorted(draw(st.sets(st.integers(0, DAYS), min_size=1, max_size=6)))
    kinds = st.sampled_from(["changed", "suspended", "resumed"])
    found = []
    for place, day in enumerate(days):
        kind = draw(kinds) if place else "activated"
        if place and place == len(days) - 1 and draw(st.booleans()):
            kind = "terminated"
        on = FIRST + timedelta(days=day)
        told = on + timedelta(days=draw(st.integers(0, 70)) if place else 0)
        offering = draw(st.sampled_from("AB")) if kind in ("activated", "changed") else ""
        found.append(Happening(on, told, "line", kind, offering))
    return found


@st.composite
def price_lists(draw: st.DrawFn) -> list[PriceRow]:
    rows = []
    for offering in "AB":
        params: dict[str, str | int | bool | list[str]] = {"proration": draw(st.sampled_from(sorted(POLICY.proration)))}
        if draw(st.booleans()):
            params["in_advance"] = True
        elif draw(st.booleans()):
            params["first_part"] = "next"
        if draw(st.booleans()):
            params["suspended_micro_yuan"] = 5_000_000
        rows.append(price(offering, draw(st.integers(1, 20_000)), params=params))
        if draw(st.booleans()):
            earned: dict[str, str | int | bool | list[str]] = {}
            if draw(st.booleans()):
                earned = {"best_of": "x", "least_spend_micro_yuan": draw(st.integers(0, 200)) * 1_000_000}
            off = {"percent_per_mille": draw(st.integers(1, 1000)), **earned}
            rows.append(price(offering, 0, "discount", price_code=f"{offering}-part", params=off))
            if draw(st.booleans()):
                amount = draw(st.integers(1, 10_000))
                rows.append(price(offering, amount, "discount", price_code=f"{offering}-amount", params=earned))
        if draw(st.booleans()):
            rows.append(price(offering, draw(st.integers(1, 30_000)), "minimum", params={"scope": "product"}))
    return rows


def sums(bills: dict[int, BillDraft]) -> Counter[tuple[str, str, int]]:
    """Fen by offering, price and the month they are for; what comes to nothing is left out."""
    found: Counter[tuple[str, str, int]] = Counter()
    for draft in bills.values():
        for line in draft.lines:
            charge = line.charges[0]
            found[charge.offering_code, charge.price_code, charge.charge_month] += line.amount_fen
    return Counter({key: fen for key, fen in found.items() if fen})


@settings(max_examples=120, deadline=None)
@given(price_lists(), histories())
def test_told_late_costs_what_it_costs_told_in_time(prices: list[PriceRow], happenings: list[Happening]) -> None:
    """However late news comes, in the end every month has cost, by price, to the fen, what it should have."""
    late = bills_of(example(prices, happenings))
    in_time = bills_of(example(prices, [replace(each, told=each.on) for each in happenings]))
    assert sums(late) == sums(in_time)


@settings(max_examples=60, deadline=None)
@given(price_lists(), histories())
def test_looking_again_at_all_that_was_billed_adds_nothing(prices: list[PriceRow], happenings: list[Happening]) -> None:
    told = [replace(each, told=each.on) for each in happenings]
    once, again = bills_of(example(prices, told)), bills_of(example(prices, told), doubt_everything=True)
    assert {month: draft.total_fen for month, draft in again.items()} == {
        month: draft.total_fen for month, draft in once.items()
    }
    assert sums(again) == sums(once)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["actual_days", "thirty_days"]),
    st.integers(1, 30_000),
    st.integers(1, 30_000),
    st.integers(1, 27),
    st.integers(28, 80),
)
def test_a_changed_product_costs_the_sum_of_its_parts(way: str, old: int, new: int, begin: int, change: int) -> None:
    """A change from A to B costs what A left that day and B taken that day cost, on one product or two."""
    prices = [price("A", old, params={"proration": way}), price("B", new, params={"proration": way})]
    begins, changes = FIRST + timedelta(days=begin), FIRST + timedelta(days=change)
    one = [Happening(begins, begins, "line", "activated", "A"), Happening(changes, changes, "line", "changed", "B")]
    two = [
        Happening(begins, begins, "first", "activated", "A"),
        Happening(changes, changes, "first", "terminated"),
        Happening(changes, changes, "second", "activated", "B"),
    ]
    assert sums(bills_of(example(prices, one))) == sums(bills_of(example(prices, two)))
