"""The draft bill as a pure function: golden tables, and sums that hold whatever goes in."""

from __future__ import annotations

from datetime import date, timedelta
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server_api.billing.bill.policy import billing_policy, read_policy
from server_api.billing.bill.rules.draft import draft_bill
from server_api.billing.bill.rules.inputs import (
    AccountInput,
    BillDraft,
    EventInput,
    PayInput,
    ProductInput,
    UsageInput,
)
from server_api.billing.bill.rules.prices import PriceBook
from server_api.billing.bill.rules.proration import Proration
from server_api.billing.bill.rules.recurring import charges_of, payer_of
from server_api.billing.bill.rules.terms import add_months
from shared_models.contracts.rating import PriceRow
from shared_models.values.faults.base import Fault
from shared_models.values.faults.bill import (
    BillAmountTooLarge,
    BillBundleDoubled,
    BillHistoryBroken,
    BillItemUnknown,
    BillPriceMissing,
    BillProductUnknown,
)
from shared_models.values.money import MICRO_PER_FEN, MicroYuan, round_half_up
from shared_models.values.period import Month

POLICY = billing_policy()
APRIL = Month(202604)


def price(offering: str, yuan: str, policy: str = "actual_days", **more: object) -> PriceRow:
    params = {"proration": policy, **more.pop("params", {})}  # type: ignore[dict-item]
    fields: dict[str, object] = {
        "offering_code": offering, "price_code": f"{offering}-M", "kind": "recurring", "service": "voice",
        "item_code": "voice.monthly", "charge_micro_yuan": MicroYuan.parse(yuan), "tax_per_mille": 90,
        "valid_from": date(2020, 1, 1), "name_zh": "月租费", "name_en": "Monthly fee", "params": params, **more,
    }
    return PriceRow(**fields)  # type: ignore[arg-type]


def book(*rows: PriceRow, version: int = 1) -> PriceBook:
    made = PriceBook(POLICY.proration, POLICY.default_proration)
    made.add(version, rows)
    return made


def history(*steps: str) -> list[EventInput]:
    """``2026-01-01 activated A`` … one event a line; a bundle follows as ``in B``."""
    events, offering = [], ""
    for number, step in enumerate(steps, 1):
        words = step.split()
        offering = words[2] if len(words) > 2 and words[2] != "in" else offering
        bundle = words[words.index("in") + 1] if "in" in words else ""
        events.append(EventInput(
            f"e{number}", number, words[1], date.fromisoformat(words[0]), offering, 1, bundle, bundle and "i1"))
    return events


def account(events: list[EventInput], usage: list[UsageInput] | None = None, service: str = "voice") -> AccountInput:
    product = ProductInput("p1", "P1", service, "3961234", "0937")
    pays = [PayInput("*", "a1", 0, date(2020, 1, 1), None)]
    return AccountInput("a1", {"p1": product}, {"p1": events}, {"p1": pays}, usage or [])


def drafted(rows: PriceBook, month: Month, *steps: str) -> BillDraft:
    return draft_bill(rows, POLICY.bill, month, account(history(*steps)))


def shown(draft: BillDraft) -> str:
    return "\n".join(
        f"{line.offering_code} {line.from_on:%m-%d} {line.until_on:%m-%d} {line.amount_fen}" for line in draft.lines)


# 30.00 a month in April (30 days): what each policy makes of each event. first = part of the month after the event.
GOLDEN = """
    policy        event                       fen
    actual_days   2026-04-11 activated A     2000
    actual_days   2026-04-11 terminated      1000
    actual_days   2026-04-11 suspended       1000
    actual_days   2026-04-30 activated A      100
    full_month    2026-04-11 activated A     3000
    full_month    2026-04-30 activated A     3000
    full_month    2026-04-02 terminated      3000
    full_month    2026-04-02 suspended       3000
    half_by_15    2026-04-15 activated A     3000
    half_by_15    2026-04-16 activated A     1500
    half_by_15    2026-04-14 terminated      1500
    half_by_15    2026-04-15 terminated      1500
    half_by_15    2026-04-16 terminated      3000
    half_by_15    2026-04-15 suspended       1500
    free_first    2026-04-02 activated A        0
    free_first    2026-04-01 activated A     3000
    free_first    2026-04-02 terminated      3000
    thirty_days   2026-04-16 activated A     1500
    none          2026-04-16 activated A        0
    none          2026-04-16 terminated         0
"""


@pytest.mark.parametrize("row", [line.strip() for line in GOLDEN.strip().splitlines()[1:]])
def test_golden_policies(row: str) -> None:
    policy, event, fen = row.split(maxsplit=1)[0], " ".join(row.split()[1:-1]), int(row.split()[-1])
    before = [] if "activated" in event else ["2026-01-01 activated A"]
    assert drafted(book(price("A", "30", policy)), APRIL, *before, event).total_fen == fen


# 30.00 -> 60.00 in April (30 days), changed on the day given.
CHANGES = """
    actual_days   2026-04-11   1000  4000
    full_month    2026-04-11      0  6000
    none          2026-04-11   3000     0
    half_by_15    2026-04-11      0  6000
    half_by_15    2026-04-16   1500  3000
    thirty_days   2026-04-21   2000  2000
"""


@pytest.mark.parametrize("row", [line.split() for line in CHANGES.strip().splitlines()])
def test_golden_changes(row: list[str]) -> None:
    policy, day, old, new = row
    rows = book(price("A", "30", policy), price("B", "60", policy))
    draft = drafted(rows, APRIL, "2026-01-01 activated A", f"{day} changed B")
    found = {line.offering_code: line.amount_fen for line in draft.lines}
    assert (found.get("A", 0), found.get("B", 0)) == (int(old), int(new))


def test_the_day_of_the_stop_is_charged_where_the_policy_says_so() -> None:
    rows = book(price("A", "30", params={"last_day_counts": True}))
    assert drafted(rows, APRIL, "2026-01-01 activated A", "2026-04-10 terminated").total_fen == 1_000
    assert drafted(rows, APRIL, "2026-01-01 activated A", "2026-04-30 terminated").total_fen == 3_000
    assert drafted(rows, APRIL, "2026-01-01 activated A", "2026-04-01 terminated").total_fen == 100
    assert drafted(rows, Month(202605), "2026-01-01 activated A", "2026-04-30 terminated").lines == ()


def test_suspension_fee_is_what_the_active_days_leave() -> None:
    """30.00 active, 5.00 a month suspended: 10 days of one and 20 of the other."""
    rows = book(price("A", "30", params={"suspended_micro_yuan": 5_000_000}))
    draft = drafted(rows, APRIL, "2026-01-01 activated A", "2026-04-11 suspended")
    assert [(line.label, line.amount_fen) for line in draft.lines] == [("月租费", 1_000), ("停机保号费", 333)]
    draft = drafted(rows, Month(202605), "2026-01-01 activated A", "2026-04-11 suspended")
    assert [(line.label, line.amount_fen) for line in draft.lines] == [("停机保号费", 500)]
    both = book(*(price(each, "30", params={"suspended_micro_yuan": 5_000_000}) for each in "AB"))
    draft = drafted(
        both, APRIL, "2026-01-01 activated A", "2026-03-11 suspended", "2026-04-11 changed B", "2026-04-21 resumed")
    assert [(line.offering_code, line.label, line.amount_fen) for line in draft.lines] == [
        ("A", "停机保号费", 167), ("B", "停机保号费", 167), ("B", "月租费", 1_000)]


def test_pieces_of_a_month_never_cost_more_than_the_month() -> None:
    """Charged whole for the part before the suspension and whole for the part after it: once is enough."""
    draft = drafted(
        book(price("A", "30", "full_month")), APRIL,
        "2026-01-01 activated A", "2026-04-05 suspended", "2026-04-20 resumed")
    assert draft.total_fen == 3_000


def test_what_is_undone_the_same_day_never_was() -> None:
    rows = book(price("A", "30"), price("B", "60"))
    whole = ["2026-01-01 activated A", "2026-04-10 suspended", "2026-04-10 resumed"]
    assert shown(drafted(rows, APRIL, *whole)) == "A 04-01 05-01 3000"
    twice = ["2026-01-01 activated A", "2026-04-10 changed B", "2026-04-10 changed A"]
    assert shown(drafted(rows, APRIL, *twice)) == "A 04-01 05-01 3000"


def test_bundle_keeps_what_is_charged_inside_it() -> None:
    rows = book(
        price("A", "30"), price("A", "6", price_code="CLIP", item_code="voice.clip", name_zh="来电显示",
                                params={"kept_in_bundle": True}),
        price("BUN", "99.99", service="bundle", item_code="bundle.monthly",
              split_per_mille={"voice": 333, "broadband": 667}, params={"rest_service": "broadband"}),
    )
    draft = drafted(rows, APRIL, "2026-01-01 activated A in BUN")
    assert [(line.label, line.amount_fen) for line in draft.lines] == [("来电显示", 600), ("月租费", 3_329)]
    other = draft_bill(rows, POLICY.bill, APRIL, account(history("2026-01-01 activated A in BUN"), service="tv"))
    assert sum(line.amount_fen for line in other.lines) == 3_600, "a product the split does not name pays its own price"


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=5), st.integers(1, 99_999), st.integers(1, 31))
def test_bundle_shares_sum_to_the_bundle(weights: list[int], fen: int, day: int) -> None:
    services = ["voice", "broadband", "tv", "iptv", "leased_line"][: len(weights)]
    rows = book(
        price("A", "30"),
        price("BUN", "0", service="bundle", charge_micro_yuan=MicroYuan(fen * MICRO_PER_FEN),
              split_per_mille=dict(zip(services, weights, strict=True))))
    events = history(f"2026-03-{day:02d} activated A in BUN")
    total = sum(
        charge.amount_micro_yuan for service in services
        for charge in charges_of(rows, ProductInput(service, "P", service, "", ""), events, Month(202603)))
    assert total == round_half_up(fen * (32 - day), 31) * MICRO_PER_FEN


KINDS = st.sampled_from(["changed", "suspended", "resumed"])


@settings(max_examples=150)
@given(
    st.dates(date(2026, 1, 1), date(2026, 2, 28)),
    st.lists(st.tuples(st.integers(0, 60), KINDS, st.sampled_from("AB")), max_size=6),
    st.sampled_from(sorted(POLICY.proration)), st.one_of(st.none(), st.integers(0, 90)),
)
def test_sums_hold_whatever_happens(
    start: date, steps: list[tuple[int, str, str]], policy: str, stop: int | None,
) -> None:
    """Bill = its lines, line = its charges rounded once, net + tax = gross; never below nothing or above a month."""
    words = [f"{start} activated A"]
    words += [f"{start + timedelta(days=days)} {kind} {offering}" for days, kind, offering in sorted(steps)]
    if stop is not None:
        last = max([start, *(start + timedelta(days=days) for days, _kind, _offering in steps)])
        words.append(f"{last + timedelta(days=stop)} terminated")
    rows = book(price("A", "29.99", policy), price("B", "61.37", policy))
    for month in (Month(202601), Month(202602), Month(202603)):
        draft = drafted(rows, month, *words)
        assert draft == drafted(rows, month, *words)
        assert draft.total_fen == sum(line.amount_fen for line in draft.lines)
        assert draft.total_fen == draft.net_fen + draft.tax_fen
        for line in draft.lines:
            assert line.charge_micro_yuan == sum(part.amount_micro_yuan for part in line.charges)
            assert line.amount_fen == round_half_up(line.charge_micro_yuan, MICRO_PER_FEN)
            assert line.net_fen + line.tax_fen == line.amount_fen
            assert line.amount_fen >= 0
            assert month.first_on <= line.from_on < line.until_on <= month.until_on
            for part in line.charges:
                assert part.amount_micro_yuan == part.price_micro_yuan * part.numerator // part.denominator
        assert draft.total_fen <= 2_999 + 6_137, "no price costs more than its month, however often it was changed"


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=40))
def test_usage_is_rounded_once(charges: list[int]) -> None:
    usage = [UsageInput("p1", "voice.local", sum(charges), len(charges), 60)]
    draft = draft_bill(book(price("A", "0")), POLICY.bill, APRIL, account(history("2026-01-01 activated A"), usage))
    assert draft.total_fen == round_half_up(sum(charges), MICRO_PER_FEN)


def test_credit_is_set_against_the_other_lines() -> None:
    rows = book(price("A", "30"), price("C", "-40", price_code="GIFT", item_code="voice.clip"))
    events = {"p1": history("2026-01-01 activated A"), "p2": history("2026-01-01 activated C")}
    product = ProductInput("p1", "P1", "voice", "3961234", "")
    pays = [PayInput("*", "a1", 0, date(2020, 1, 1), None)]
    draft = draft_bill(rows, POLICY.bill, APRIL, AccountInput(
        "a1", {"p1": product, "p2": product._replace(product_id="p2")}, events, {"p1": pays, "p2": pays}, []))
    assert draft.total_fen == -1_000
    assert [(line.amount_fen, line.netted_fen) for line in draft.lines] == [(3_000, 3_000), (-4_000, -3_000)]


# ---- refusals ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("steps", "fault"), [
    (("2026-01-01 changed A",), BillHistoryBroken),
    (("2026-01-01 activated A", "2026-02-01 activated A"), BillHistoryBroken),
    (("2026-01-01 activated A", "2026-02-01 terminated", "2026-03-01 resumed"), BillHistoryBroken),
    (("2026-01-01 activated NONE",), BillPriceMissing),
    (("2026-01-01 activated A in NONE",), BillPriceMissing),
])
def test_refused_histories_and_prices(steps: tuple[str, ...], fault: type[Fault]) -> None:
    with pytest.raises(fault):
        drafted(book(price("A", "30")), APRIL, *steps)


def test_refused_usage_and_products() -> None:
    rows, events = book(price("A", "30")), history("2026-01-01 activated A")
    with pytest.raises(BillItemUnknown):
        draft_bill(rows, POLICY.bill, APRIL, account(events, [UsageInput("p1", "no.such", 1, 1, 1)]))
    with pytest.raises(BillProductUnknown):
        draft_bill(rows, POLICY.bill, APRIL, account(events, [UsageInput("p9", "voice.local", 1, 1, 1)]))
    with pytest.raises(BillProductUnknown):
        draft_bill(rows, POLICY.bill, APRIL, account(events)._replace(products={}))
    with pytest.raises(BillAmountTooLarge):
        draft_bill(rows, POLICY.bill, APRIL, account(events, [UsageInput("p1", "voice.local", 10**17, 1, 1)]))
    with pytest.raises(BillPriceMissing):
        drafted(book(price("A", "30", "by_moon")), APRIL, "2026-01-01 activated A")


def test_two_products_in_one_place_of_a_bundle_are_refused() -> None:
    rows = book(price("A", "30"), price("BUN", "100", service="bundle", split_per_mille={"voice": 500, "tv": 500}))
    events = history("2026-01-01 activated A in BUN")
    product = ProductInput("p1", "P1", "voice", "3961234", "")
    pays = [PayInput("*", "a1", 0, date(2020, 1, 1), None)]
    with pytest.raises(BillBundleDoubled):
        draft_bill(rows, POLICY.bill, APRIL, AccountInput(
            "a1", {"p1": product, "p2": product._replace(product_id="p2")}, {"p1": events, "p2": events},
            {"p1": pays, "p2": pays}, []))


# ---- prices, payers, months ----------------------------------------------------------------------------------------
def test_a_product_keeps_the_price_of_the_day_it_was_taken() -> None:
    rows = book(
        price("A", "20", valid_from=date(2025, 1, 1)), price("A", "30", valid_from=date(2026, 2, 1)),
        price("W", "9", valid_until=date(2026, 1, 1)))
    assert drafted(rows, APRIL, "2025-06-01 activated A").total_fen == 2_000
    assert drafted(rows, APRIL, "2026-02-01 activated A").total_fen == 3_000
    assert drafted(rows, APRIL, "2019-01-01 activated A").total_fen == 2_000, "older than the first row"
    assert drafted(rows, APRIL, "2025-12-31 activated W").total_fen == 900
    assert drafted(rows, APRIL, "2026-01-01 activated W").lines == (), "withdrawn by then"


def test_who_pays() -> None:
    day, later = date(2026, 4, 10), date(2026, 5, 1)
    all_items = PayInput("*", "home", 0, date(2020, 1, 1), None)
    voice = PayInput("voice", "firm", 0, date(2026, 4, 1), later)
    assert payer_of([all_items], "voice", day) == "home"
    assert payer_of([all_items, voice], "voice", day) == "firm"
    assert payer_of([all_items, voice], "tv", day) == "home"
    assert payer_of([all_items, voice], "voice", later) == "home"
    assert payer_of([voice], "voice", date(2027, 1, 1)) == "firm", "the one that held last"
    assert payer_of([voice], "tv", day) == "" and payer_of([], "tv", day) == ""
    second = PayInput("*", "spare", 1, date(2020, 1, 1), None)
    assert payer_of([second, all_items], "tv", day) == "home", "the lower priority number"


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(0, 240))
def test_months_are_counted_from_the_beginning_not_from_the_last(on: date, months: int) -> None:
    later = add_months(on, months)
    assert (later.year * 12 + later.month) - (on.year * 12 + on.month) == months
    assert later.day == on.day or (later + timedelta(days=1)).day == 1


def test_policy_file_must_be_whole() -> None:
    import tomllib

    import resources

    tree = tomllib.loads(resources.path("policy", "billing.toml").read_text(encoding="utf-8"))
    assert read_policy(tree) == POLICY
    with pytest.raises(ValueError, match="no such policy"):
        read_policy({**tree, "proration": {**tree["proration"], "default": "by_moon"}})
    assert Proration() == POLICY.proration["actual_days"]
    assert [str(POLICY.due_on(Month(each))) for each in (202601, 202612)] == ["2026-02-25", "2027-01-25"]


def test_shown_form_is_readable() -> None:
    rows = book(price("A", "30"), price("B", "60"))
    assert shown(drafted(rows, APRIL, "2026-01-01 activated A", "2026-04-11 changed B")) == dedent("""
        A 04-01 04-11 1000
        B 04-11 05-01 4000
    """).strip()
