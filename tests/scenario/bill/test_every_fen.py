"""Every fen from rated usage over bill lines to the ledger and back, in a town that nobody chose.

``ONEHALL_TOWNS=50`` tries as many towns; the short form tries one.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select

from server_api.platform.database import Databases
from shared_models.contracts.rating import PriceRow
from shared_models.tables.billing.bill import bill, bill_charge, bill_line
from shared_models.tables.billing.ledger import posting
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.clock import ManualClock, town_midnight
from shared_models.values.ledger import LedgerCode
from shared_models.values.money import MICRO_PER_FEN, round_half_up
from shared_models.values.period import Month
from tests.support.bill_town import TOWN_PRICES, BillTown, recurring

MONTHS = (Month(202601), Month(202602), Month(202603))
ACCOUNTS = 10
ITEMS = ("voice.local", "voice.long_distance", "voice.international", "voice.service")
SERVICES = {"PSTN": "voice", "BB100": "broadband", "BB300": "broadband", "BBYEAR": "broadband", "TV": "tv"}


def prices(rng: random.Random) -> tuple[PriceRow, ...]:
    """The town's prices with a discount, a minimum spend, a commitment and a fee in advance of random size."""
    tens = f"{rng.randint(1, 40)}.{rng.randint(0, 99):02d}"
    return (
        *(row for row in TOWN_PRICES if row.offering_code != "TV"),
        recurring("TV", tens, "tv", params={"in_advance": True}),
        recurring(
            "PSTN", "0", kind="discount", price_code="PSTN-D", params={"percent_per_mille": rng.randint(1, 500)}
        ),
        recurring("BB100", tens, "broadband", kind="minimum", price_code="BB100-MIN", item_code="minimum.spend"),
        recurring(
            "BB300", tens, "broadband", kind="commitment", price_code="BB300-C", item_code="early_stop", per_months=12
        ),
    )  # fmt: skip


def live(town: BillTown, rng: random.Random, months: tuple[Month, ...]) -> None:
    """Months of people who take, change, suspend and leave what they like, and call whom they like."""
    accounts = [town.account(number) for number in range(1, ACCOUNTS + 1)]
    products: list[tuple[str, str, str]] = []
    for number, account in enumerate(accounts):
        for offering in rng.sample(sorted(SERVICES), rng.randint(1, 3)):
            day = str(months[0].first_on + timedelta(days=rng.randint(0, 40)))
            product_id = town.install(account, offering, day, SERVICES[offering], f"{offering}-{number}")
            products.append((account, product_id, day))
    for month in months:
        town.clock.set(max(town.clock.now(), town_midnight(month.first_on + timedelta(days=14))))
        for account, product_id, since in products:
            for item in rng.sample(ITEMS, rng.randint(0, 2)):
                town.calls(account, product_id, month.yyyymm, [rng.randint(0, 3_000_000) for _ in range(3)], item=item)
            if rng.random() < 0.3:
                _happen(town, rng, product_id, date.fromisoformat(since), month)
        assert town.run(month.yyyymm).aside_count == 0


def _happen(town: BillTown, rng: random.Random, product_id: str, since: date, month: Month) -> None:
    """Something happens to a product in this month or, told late, in the one before."""
    last = town.histories[product_id].events[-1]
    if last.kind == "terminated":
        return
    first = max(since, last.effective_on, month.previous().first_on) + timedelta(days=1)
    on = str(first + timedelta(days=rng.randint(0, 25)))
    service = town.histories[product_id].service
    kind = rng.choice(["changed", "suspended", "resumed", "terminated"])
    others = [offering for offering, each in SERVICES.items() if each == service]
    town.event(product_id, kind, on, rng.choice(others) if kind == "changed" else "")


@pytest.mark.parametrize("seed", range(int(os.environ.get("ONEHALL_TOWNS", "1"))))
def test_every_fen_is_traced(databases: Databases, clock: ManualClock, seed: int) -> None:
    rng = random.Random(seed)
    clock.set(town_midnight(MONTHS[0].first_on))
    town = BillTown(databases, clock, prices(rng))
    live(town, rng, MONTHS)
    with town.billing.reading() as conn:
        lines = _rows(conn, bill_line)
        bills = {row["bill_id"]: row for row in _rows(conn, bill)}
        assert len(bills) > ACCOUNTS and len({line["kind"] for line in lines}) >= 4, "a town in which little happens"
        _usage_to_lines(_rows(conn, rated_usage), lines, bills)
        _charges_to_lines(_rows(conn, bill_charge), lines)
        _lines_to_ledger(lines, bills, _rows(conn, posting))
    assert town.broken() == []


def _rows(conn: Connection, table: Table) -> list[dict[str, Any]]:
    """All rows, amounts as bare integers."""
    return [
        {name: getattr(value, "amount_fen", getattr(value, "amount_micro_yuan", value)) for name, value in row.items()}
        for row in conn.execute(select(table)).mappings()
    ]


def _usage_to_lines(used: list[dict[str, Any]], lines: list[dict[str, Any]], bills: dict[str, Any]) -> None:
    """Every rated call is on one line, every usage line is its calls, rounded once."""
    rated: Counter[tuple[Any, ...]] = Counter()
    calls: Counter[tuple[Any, ...]] = Counter()
    for row in used:
        key = (row["period"], row["account_id"], row["product_id"], row["item_code"])
        rated[key] += row["charge_micro_yuan"]
        calls[key] += 1
    seen = set()
    for line in lines:
        if line["kind"] == "usage":
            account_id = bills[line["bill_id"]]["account_id"]
            key = (line["period"], account_id, line["product_id"], line["item_code"])
            assert key not in seen and key in rated
            seen.add(key)
            assert (line["charge_micro_yuan"], line["part_count"]) == (rated[key], calls[key])
            assert line["amount_fen"] == round_half_up(rated[key], MICRO_PER_FEN)
    assert seen == set(rated)


def _charges_to_lines(charges: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    """Every charge is on a line that is its charges, rounded once."""
    sums: Counter[tuple[Any, ...]] = Counter()
    for charge in charges:
        sums[charge["period"], charge["bill_id"], charge["line_no"]] += charge["amount_micro_yuan"]
    keys = set()
    for line in lines:
        if line["kind"] != "usage":
            key = (line["period"], line["bill_id"], line["line_no"])
            keys.add(key)
            assert line["charge_micro_yuan"] == sums[key]
            assert line["amount_fen"] == round_half_up(sums[key], MICRO_PER_FEN)
    assert keys == {(charge["period"], charge["bill_id"], charge["line_no"]) for charge in charges}


def _lines_to_ledger(lines: list[dict[str, Any]], bills: dict[str, Any], postings: list[dict[str, Any]]) -> None:
    """Of every bill revenue by item, VAT by rate and the account's debt are its lines; no other act made any."""
    wanted: Counter[tuple[Any, ...]] = Counter()
    for line in lines:
        wanted[line["bill_id"], LedgerCode.REVENUE, line["item_code"]] += line["net_fen"]
        wanted[line["bill_id"], LedgerCode.VAT, str(line["tax_per_mille"])] += line["tax_fen"]
        wanted[line["bill_id"], LedgerCode.RECEIVABLE, bills[line["bill_id"]]["account_id"]] -= line["amount_fen"]
    booked: Counter[tuple[Any, ...]] = Counter()
    income = {LedgerCode.REVENUE.value, LedgerCode.VAT.value}
    for row in postings:
        if income & {row["from_code"], row["to_code"]}:
            assert row["act_id"] in bills, "income that no bill made"
            booked[row["act_id"], LedgerCode(row["from_code"]), row["from_owner"]] += row["amount_fen"]
            booked[row["act_id"], LedgerCode(row["to_code"]), row["to_owner"]] -= row["amount_fen"]
    assert {key: fen for key, fen in booked.items() if fen} == {key: fen for key, fen in wanted.items() if fen}
