"""The invariants of bills notice what they are for: each is given books that lie."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Table, delete, update

from server_api.billing.bill.checks import CHECKS
from server_api.platform.database import Databases
from shared_models.tables.billing.bill import bill, bill_charge, bill_line, billing_event
from shared_models.tables.billing.rating import rated_usage
from shared_models.values.clock import ManualClock
from shared_models.values.money import Fen, MicroYuan
from tests.support.bill_town import BillTown

Lie = tuple[str, Table, dict[str, object] | None]
LIES: list[Lie] = [
    ("bill_is_sum_of_lines", bill, {"total_fen": Fen(1)}),
    ("bill_is_sum_of_lines", bill, {"tax_fen": Fen(0)}),
    ("bill_is_sum_of_lines", bill_line, {"netted_fen": Fen(1)}),
    ("bill_is_sum_of_lines", bill_line, None),
    ("line_is_sum_of_parts", bill_line, {"amount_fen": Fen(1)}),
    ("line_is_sum_of_parts", bill_line, {"net_fen": Fen(1)}),
    ("line_is_sum_of_parts", bill_line, {"part_count": 7}),
    ("line_is_sum_of_parts", bill_charge, {"amount_micro_yuan": MicroYuan(1)}),
    ("line_is_sum_of_parts", bill_charge, None),
    ("line_is_sum_of_parts", rated_usage, {"charge_micro_yuan": 1}),
    ("line_is_sum_of_parts", rated_usage, None),
    ("bill_open_within_total", bill, {"open_fen": Fen(999_999)}),
    ("bill_open_within_total", bill, {"open_fen": Fen(-1)}),
    ("bill_open_within_total", bill, {"state": "settled"}),
    ("product_has_open_event", billing_event, {"kind": "resumed"}),
]


@pytest.fixture
def town(databases: Databases, clock: ManualClock) -> BillTown:
    town = BillTown(databases, clock).on("2026-03-01")
    home = town.account(1)
    town.calls(home, town.install(home, "PSTN", "2026-01-01"), 202603, [75_000, 75_000])
    town.run(202603)
    return town


def test_true_books_hold(town: BillTown) -> None:
    found = {name: check(town.billing) for name, check in CHECKS}
    assert all(finding.holds for finding in found.values())
    assert {name: (finding.counted, str(finding.amount)) for name, finding in found.items()} == {
        "bill_is_sum_of_lines": (1, "25.15"),
        "line_is_sum_of_parts": (2, "25.15"),
        "bill_open_within_total": (1, "25.15"),
        "product_has_open_event": (1, "None"),
    }


@pytest.mark.one_engine
@pytest.mark.parametrize(("name", "table", "values"), LIES)
def test_a_lie_is_found(town: BillTown, name: str, table: Table, values: dict[str, object] | None) -> None:
    check: Callable[..., object] = dict(CHECKS)[name]
    with town.billing.batch() as connection:
        connection.execute(delete(table) if values is None else update(table).values(**values))
    finding = check(town.billing)
    assert not finding.holds and finding.wrong  # type: ignore[attr-defined]
