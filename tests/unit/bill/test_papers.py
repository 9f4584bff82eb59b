"""Bills on paper: the words a program reads from the PDF are those of the bill, whole, on every page and size."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone

import pymupdf
import pytest

from server_api.billing.bill.paper import Paper, bill_pdf, line_pdf
from server_api.billing.bill.paper.bill import days_words
from server_api.billing.bill.service.document import service_totals, tax_totals
from shared_models.contracts.bill import (
    BillDocument,
    BillHead,
    BillLineView,
    BillPayer,
    BillState,
    ChargeView,
    LineKind,
    LineOpening,
)
from shared_models.contracts.rating import RatedCall
from shared_models.values.money import Fen, MicroYuan, split_tax

LONG_NAME = "张掖市甘州区人民政府机关事务管理局后勤服务中心第三综合办公楼物业管理办公室"
LONG_OFFER = "融合三宝套餐 100M（家庭版，含两年在网优惠，含光猫一台、机顶盒一台，含副终端一路）"


def line(
    number: int, label: str, fen: int, service: str = "voice", shown_as: str = "0937-3961234", **more: object,
) -> BillLineView:
    net, tax = split_tax(Fen(fen), 90)
    fields: dict[str, object] = {
        "line_no": number, "kind": LineKind.RECURRING, "product_id": shown_as, "service": service,
        "service_label": {"voice": "固定电话", "broadband": "宽带"}[service], "shown_as": shown_as, "item_code": "x",
        "label": label, "from_on": date(2026, 3, 1), "until_on": date(2026, 4, 1), "part_count": 1,
        "charge_micro_yuan": MicroYuan(fen * 10_000), "amount_fen": Fen(fen), "net_fen": net, "tax_fen": tax,
        "tax_per_mille": 90, **more,
    }
    return BillLineView(**fields)  # type: ignore[arg-type]


def bill_of(lines: list[BillLineView], owed: int = 0, advance: int = 0) -> BillDocument:
    total = Fen.total(each.amount_fen for each in lines)
    head = BillHead(
        bill_id="202603" + "0" * 26, bill_no="202603-1000012345", account_id="0" * 32, account_no="1000012345",
        yyyymm=202603, state=BillState.OPEN, issued_on=date(2026, 4, 1), due_on=date(2026, 4, 25), total_fen=total,
        open_fen=total, paid_fen=Fen(0), line_count=len(lines))
    return BillDocument(
        head=head, payer=BillPayer(customer_no="C0000123", name=LONG_NAME, address="甘肃省张掖市甘州区东街 1 号"),
        from_on=date(2026, 3, 1), until_on=date(2026, 4, 1), owed_before_fen=Fen(owed), advance_before_fen=Fen(advance),
        net_fen=Fen.total(each.net_fen for each in lines), tax_fen=Fen.total(each.tax_fen for each in lines),
        services=service_totals(lines, "zh_CN"), lines=tuple(lines), taxes=tax_totals(lines),
        frozen_at=datetime(2026, 4, 1, tzinfo=timezone.utc))


def pages(pdf: bytes) -> list[pymupdf.Page]:
    return list(pymupdf.open(stream=pdf, filetype="pdf"))


def words(pdf: bytes) -> str:
    """All text of a PDF without the places where lines break."""
    return re.sub(r"\s+", "", "".join(page.get_text() for page in pages(pdf)))


SMALL = [
    line(1, "月租费", 2_500), line(2, "市话通话费", 1_846, kind=LineKind.USAGE, part_count=1_087),
    line(3, "宽带月租费", 123_456_789, "broadband", "zy0937396", offering_label=LONG_OFFER, from_on=date(2026, 3, 17)),
]


@pytest.mark.parametrize(("paper", "size_mm"), [(Paper.A4, (210, 297)), (Paper.A5, (148, 210))])
def test_everything_is_on_the_paper(paper: Paper, size_mm: tuple[int, int]) -> None:
    pdf = bill_pdf(bill_of(SMALL, owed=4_210, advance=2_000), paper)
    said = words(pdf)
    for expected in (
        "客户账单", "202603-1000012345", LONG_NAME, "甘肃省张掖市甘州区东街1号", "2026-03-01–2026-03-31", "2026-04-25",
        "月租费", "市话通话费", "1,087次", LONG_OFFER.replace(" ", ""), "2026-03-17–03-31", "1,234,567.89",
        "1,234,611.35",
        "以前欠费", "42.10", "-20.00", "¥1,234,633.45",
        "人民币壹佰贰拾叁万肆仟陆佰叁拾叁元肆角伍分", "9%", "客服热线10000", "缴费方式",
    ):
        assert expected in said, expected
    page = pages(pdf)[0]
    assert [round(each / 72 * 25.4) for each in (page.rect.width, page.rect.height)] == list(size_mm)


@pytest.mark.parametrize("paper", list(Paper))
def test_nothing_leaves_the_sheet_and_amounts_are_set_to_one_edge(paper: Paper) -> None:
    pdf = bill_pdf(bill_of(SMALL), paper)
    margin = 6 / 25.4 * 72
    right_edges = set()
    for page in pages(pdf):
        for x0, y0, x1, y1, word, *_rest in page.get_text("words"):
            assert margin < x0 < x1 < page.rect.width - margin, word
            assert margin < y0 < y1 < page.rect.height, word
            if re.fullmatch(r"(25\.00|18\.46|1,234,567\.89|1,234,611\.35)", word) and x1 > page.rect.width * 0.8:
                right_edges.add(round(x1))
    assert len(right_edges) <= 2, right_edges


def test_a_long_bill_numbers_its_pages_and_repeats_its_headings() -> None:
    lines = [line(number, "月租费", 2_500, shown_as=f"0937-82{number:05d}") for number in range(1, 151)]
    pdf = bill_pdf(bill_of(lines), Paper.A5)
    found = pages(pdf)
    assert len(found) > 5
    for number, page in enumerate(found, 1):
        said = re.sub(r"\s+", "", page.get_text())
        assert f"第{number}页/共{len(found)}页" in said
        assert "202603-1000012345" in said
    said = words(pdf)
    assert all(f"0937-82{number:05d}" in said for number in range(1, 151))
    assert "3,750.00" in said


def test_in_english() -> None:
    said = words(bill_pdf(bill_of(SMALL), Paper.A4, "en"))
    assert "Customerbill" in said and "Topay" in said and "Page1of1" in said


def test_nothing_to_pay_says_so() -> None:
    assert "无需缴费" in words(bill_pdf(bill_of(SMALL[:1], advance=10_000)))


def call(number: int) -> RatedCall:
    return RatedCall(
        usage_id=number, product_id="0" * 32, started=f"2026-03-{number % 28 + 1:02d} 10:15:32", duration_s=3_725,
        quantity=3_725, covered=0, units=61, peer_no=f"0931-88{number:02d}****", zone_code="domestic",
        item_code="voice.local", tariff="VOICE-STD@2026-01-01/ld", charge_micro_yuan=MicroYuan(70_000),
        text="每 6 秒 0.07 元")


def test_a_line_with_its_calls() -> None:
    document = bill_of(SMALL)
    opening = LineOpening(line=SMALL[1], calls=tuple(call(number) for number in range(90)), rounding="详单合计 6.30 元")
    said = words(line_pdf(document, opening, Paper.A4))
    assert said.count("1:02:05") == 90 and said.count("每6秒0.07元") == 90 and "0931-8889****" in said
    assert "详单合计6.30元" in said and "第2页" in said


def test_a_line_with_its_charges() -> None:
    charge = ChargeView(
        charge_no=1, charge_month=202603, kind="month", rule="whole", text="25.00 元/月，整月 = 25.00 元",
        offering_code="PSTN", price_code="PSTN-M", price_version=1, from_on=date(2026, 3, 1), until_on=date(2026, 4, 1),
        price_micro_yuan=MicroYuan(25_000_000), numerator=1, denominator=1, share_per_mille=1000,
        amount_micro_yuan=MicroYuan(25_000_000))
    said = words(line_pdf(bill_of(SMALL), LineOpening(line=SMALL[0], charges=(charge,), rounding="一次"), Paper.A5))
    assert "25.00元/月，整月=25.00元" in said and "PSTN-M" in said


@pytest.mark.parametrize(("from_on", "until_on", "said"), [
    (date(2026, 3, 1), date(2026, 4, 1), "2026-03"), (date(2026, 3, 17), date(2026, 4, 1), "2026-03-17 – 03-31"),
    (date(2026, 1, 31), date(2027, 1, 31), "2026-01-31 – 2027-01-30"),
])
def test_days(from_on: date, until_on: date, said: str) -> None:
    assert days_words(from_on, until_on) == said


def test_no_line_begins_with_a_closing_mark_and_none_is_lost() -> None:
    from server_api.billing.bill.paper.sheet import Sheet

    sheet = Sheet(Paper.A5, "zh_CN", "账单", "1")
    sheet.ink(9)
    said = "25 × 6 秒（日间），每单元 0.80，计 20.00 元；超出部分、夜间优惠（八折）。" * 3
    for width in range(12, 80, 3):
        lines = sheet.wrap(said, width)
        assert "".join(lines).replace(" ", "") == said.replace(" ", "")
        assert all(line[0] not in "，。、；）" for line in lines)
    sheet.let_go()
