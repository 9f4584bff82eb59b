"""What billing hears of prices and products, in any order and late, and what usage makes of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from server_api.billing.rating import importer, jobs, store
from server_api.billing.rating import service as rating
from server_api.billing.rating.retry import retry_pool
from server_api.billing.usage import store as usage_store
from server_api.billing.usage.formats import calls_csv
from server_api.billing.usage.samples import sample_calls
from server_api.platform.database import Databases
from shared_models.contracts.events import (
    BillingEventKind,
    BillingEventState,
    PriceBookPart,
    PriceBookPublished,
    ProductRecorded,
)
from shared_models.contracts.rating import PriceRow, price_book_digest
from shared_models.values.faults.common import InputNotValid, NotFound
from shared_models.values.ids import new_id
from shared_models.values.period import Month
from tests.support import usage_town as town

NUMBERS = ["09373960000", "09373960001"]
MONTH = Month(202602)


def test_a_price_book_is_live_only_when_it_is_whole(databases: Databases) -> None:
    rows = [row.model_dump(mode="json") for row in town.price_rows()]
    head = PriceBookPublished(
        version=7, row_count=len(rows), digest=price_book_digest(rows), effective_on=town.LONG_AGO
    )
    billing = databases.billing

    def live() -> list[int]:
        with billing.reading() as conn:
            return [version for version, _on in rating.live_price_books(conn)]

    def hear(*payloads: PriceBookPart | PriceBookPublished) -> None:
        for payload in payloads:
            handler = jobs.keep_price_part if isinstance(payload, PriceBookPart) else jobs.keep_price_book
            town.act(billing, lambda uow, h=handler, p=payload: h(uow, town.envelope(), p))

    hear(head)
    assert live() == []
    hear(PriceBookPart(version=7, part_no=2, rows=tuple(rows[2:])))
    assert live() == []
    with billing.reading() as conn, pytest.raises(NotFound):
        rating.price_rows(conn, 7)
    hear(PriceBookPart(version=7, part_no=1, rows=tuple(rows[:2])))
    assert live() == [7]
    with billing.reading() as conn:
        assert rating.price_rows(conn, 7) == town.price_rows()
    hear(PriceBookPart(version=7, part_no=1, rows=tuple(rows[:2])), head)
    assert live() == [7]
    wrong = PriceBookPublished(version=8, row_count=1, digest="0" * 64, effective_on=town.LONG_AGO)
    hear(wrong, PriceBookPart(version=8, part_no=1, rows=tuple(rows[:1])))
    assert live() == [7]


def recorded(*events: tuple[BillingEventKind, date, str]) -> ProductRecorded:
    return ProductRecorded(
        product_id="p",
        product_no="p",
        customer_id="c",
        service="voice",
        shown_as="p",
        events=tuple(
            BillingEventState(event_id=new_id(), kind=kind, effective_on=on, offering_code=offering, price_version=1)
            for kind, on, offering in events
        ),
    )


def test_spans_of_a_products_offerings() -> None:
    kind = BillingEventKind
    one, two, three = date(2026, 1, 10), date(2026, 2, 1), date(2026, 3, 5)
    spans = jobs.spans_of(
        recorded(
            (kind.ACTIVATED, one, "A"),
            (kind.SUSPENDED, two, "A"),
            (kind.RESUMED, two, "A"),
            (kind.CHANGED, two, "B"),
            (kind.TERMINATED, three, "B"),
        ),
        4,
    )
    assert [(s["from_on"], s["until_on"], s["offering_code"], s["source_seq"]) for s in spans] == [
        (one, two, "A", 4),
        (two, three, "B", 4),
    ]
    same_day = jobs.spans_of(recorded((kind.ACTIVATED, one, "A"), (kind.CHANGED, one, "B")), 1)
    assert [(s["from_on"], s["until_on"], s["offering_code"]) for s in same_day] == [(one, None, "B")]
    assert jobs.spans_of(recorded((kind.ACTIVATED, one, "A"), (kind.TERMINATED, one, "A")), 1) == []


def test_an_older_fact_never_replaces_a_newer(databases: Databases) -> None:
    billing = databases.billing
    newer, older = town.product(NUMBERS[0], "FIX300"), town.product(NUMBERS[0], "FIX")
    town.act(billing, lambda uow: town.install(uow, newer, seq=5))
    town.act(billing, lambda uow: town.install(uow, older, seq=4))
    with billing.reading() as conn:
        (row,) = store.product_rows(conn)
        assert (row.offering_code, row.source_seq) == ("FIX300", 5)
        assert [row.source_seq for row in usage_store.access_rows(conn)] == [5]


def test_usage_waits_for_price_book_tariff_and_payer(databases: Databases, tmp_path: Path) -> None:
    """Each missing thing has its own reason, and each arrival lets the calls go on to the next."""
    billing = databases.billing
    town.act(billing, lambda uow: town.install(uow, town.product(NUMBERS[0], "FIX")))
    (tmp_path / "a.csv").write_bytes(calls_csv.encode(sample_calls(NUMBERS, MONTH, 60, 1)))
    report = importer.import_file(billing, tmp_path / "a.csv")
    assert set(report.reasons) == {"no_owner", "no_tariff"}
    town.act(billing, town.publish_prices)
    assert retry_pool(billing).rated_count == 0
    tariffs = [tariff for tariff in rating.sample_tariffs() if tariff.code == "VOICE-STD"]
    town.act(billing, lambda uow: rating.import_tariffs(uow, tariffs=tariffs))
    assert retry_pool(billing).rated_count == 0
    with billing.reading() as conn:
        assert set(usage_store.reasons_of(conn, report.file_no)) == {"no_owner", "no_account"}
    town.act(
        billing, lambda uow: town.install(uow, town.product(NUMBERS[0], "FIX"), town.account_of(NUMBERS[0]), seq=2)
    )
    assert retry_pool(billing).rated_count == report.reasons["no_tariff"]


def test_a_price_change_by_day(databases: Databases, tmp_path: Path) -> None:
    """A call is priced by the version in force when it begins, also when the file comes later."""
    billing = databases.billing
    old = rating.sample_tariffs()
    text = tmp_path / "t.yaml"
    text.write_text(
        """
tariff: VOICE-STD
effective_from: 2026-02-15
quantity: seconds
rows:
  - {row: all, zones: ["*"], item: voice.local, step: 1 min, price: 1}
""",
        encoding="utf-8",
    )
    town.small_town(billing, NUMBERS[1:] * 1, tariffs=[*old, *rating.tariffs_in(text)])
    town.act(billing, lambda uow: town.install(uow, town.product(NUMBERS[0], "FIX"), town.account_of(NUMBERS[0])))
    lines = [calls_csv.HEADER]
    for day in ("14", "15"):
        lines.append(f"{day},{NUMBERS[0]},3962001,2026-02-{day} 10:00:00,2026-02-{day} 10:01:00,60,0,0,3,1,0")
    lines.append(f"16,{NUMBERS[0]},3962001,2026-02-14 23:59:30,2026-02-15 00:01:30,120,0,0,3,1,0")
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="ascii")
    importer.import_file(billing, tmp_path / "a.csv")
    with billing.reading() as conn:
        (line,) = rating.charges_for(conn, 202602)
        page = rating.calls_of_line(conn, 202602, line.account_id, line.product_id, line.item_code, language="en")
        prices = sorted(
            (call.started, str(call.charge_micro_yuan), call.tariff.partition("@")[2]) for call in page.items
        )
        with pytest.raises(InputNotValid):
            rating.calls_of_line(conn, 202602, line.account_id, line.product_id, line.item_code, cursor="x")
        with pytest.raises(NotFound):
            rating.explain(conn, 202602, line.account_id, 1)
        again = rating.explain(conn, 202602, line.account_id, page.items[0].usage_id, "en")
    assert again == page.items[0]
    assert prices == [
        ("2026-02-14 10:00:00", "0.22", "2001-02-21/local"),
        ("2026-02-14 23:59:30", "0.22", "2001-02-21/local"),
        ("2026-02-15 10:00:00", "1.00", "2026-02-15/all"),
    ]


def test_tariffs_are_kept_once(databases: Databases) -> None:
    billing = databases.billing
    tariffs = rating.sample_tariffs()
    first = town.act(billing, lambda uow: rating.import_tariffs(uow, tariffs=tariffs))
    second = town.act(billing, lambda uow: rating.import_tariffs(uow, tariffs=tariffs))
    assert '"unchanged_count":0' in first.reply
    assert f'"unchanged_count":{len(tariffs)}' in second.reply
    with billing.reading() as conn:
        assert rating.tariff_codes(conn) == [tariff.version for tariff in tariffs]


def test_a_bundles_usage_prices_go_before_the_offerings_own() -> None:
    from server_api.billing.rating.owners import plan_of

    def row(offering: str, tariff: str, rank: int, service: str = "voice") -> PriceRow:
        return PriceRow(
            offering_code=offering,
            price_code=tariff,
            kind="usage",
            service=service,
            tariff_code=tariff,
            rank=rank,
            valid_from=town.LONG_AGO,
        )

    rows = [row("FIX", "STD", 10), row("TRIPLE", "PACK", 0), row("TRIPLE", "BBPACK", 0, "broadband")]
    assert plan_of(rows, "FIX", "TRIPLE", "voice", date(2026, 1, 1)) == ("PACK", "STD")
    assert plan_of(rows, "FIX", "", "voice", date(2026, 1, 1)) == ("STD",)
    assert plan_of(rows, "FIX", "", "voice", date(2006, 1, 1)) == ("STD",)
