"""Receipts on paper: golden prints, the traps of GBK printers, and the same bytes as an independent encoder."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from desktop_client.devices.receipt_printer.simulator.interpreter import Interpreter, Printed
from desktop_client.printing import escpos
from desktop_client.printing.form import FormNotValid, form_for, load_form
from desktop_client.printing.layout import fields_of, lay_out
from desktop_client.printing.paper import (
    BarcodeRow,
    Command,
    FeedRow,
    Paper,
    TextRow,
    columns_of,
    fold,
    pair,
    printable,
)
from shared_models.contracts.receipt import ReceiptKind
from shared_models.values.money import Fen
from tests.unit.desktop_client.papers import receipt

GOLDEN = Path(__file__).parents[2] / "golden" / "receipts"


def printed(data: bytes) -> Printed:
    reader = Interpreter()
    reader.feed(data)
    return reader.printed


def as_text(out: Printed) -> str:
    return "\n".join([*out.text, "---", *out.log]) + "\n"


CASES = {
    "payment": (receipt(), "zh_CN"),
    "payment_reprint": (
        receipt(copy_no=2, printed_at=datetime(2026, 11, 24, 1, 0, 0, tzinfo=timezone.utc)), "zh_CN",
    ),
    "payment_en": (receipt(), "en"),
    "reversal": (receipt(ReceiptKind.REVERSAL), "zh_CN"),
    "day_close": (receipt(ReceiptKind.DAY_CLOSE, customer_name="", customer_no="", account_no=""), "zh_CN"),
}


@pytest.mark.parametrize("name", CASES)
def test_golden_prints(name: str) -> None:
    """What comes out, line by line. ONEHALL_WRITE_GOLDEN=1 writes the files anew; read the difference."""
    document, language = CASES[name]
    paper = lay_out(document, form_for(document.kind), language)
    text = as_text(printed(escpos.encode(paper)))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("ONEHALL_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_nothing_printed_is_wider_than_the_paper_or_unknown() -> None:
    for document, language in CASES.values():
        out = printed(escpos.encode(lay_out(document, form_for(document.kind), language)))
        assert out.unknown == []
        assert "WRAP" not in out.log


def test_chinese_needs_its_mode_first() -> None:
    paper = Paper("x", 48, 80, (TextRow("玉门"),))
    assert escpos.encode(paper) == bytes.fromhex("1b40" + "1C26D3F1C3C50A")


def test_a_printer_not_told_about_chinese_prints_rubbish_in_the_simulator_too() -> None:
    assert printed("玉门\n".encode("gbk")).text != ["玉门"]


def test_the_yen_sign_is_the_one_gbk_printers_have() -> None:
    assert printable("\u00a5 12.00") == "\uffe5 12.00"
    assert printable("\uffe5").encode("gbk") == b"\xa3\xa4"


def test_characters_outside_gbk_become_the_geta_mark() -> None:
    assert printable("𠮷野家㛃") == "〓野家〓"


def test_a_name_cannot_command_the_printer() -> None:
    document = receipt(customer_name="王\x1bp\x00\x19\x19\x1dV\x00")
    out = printed(escpos.encode(lay_out(document, form_for(document.kind))))
    assert out.log.count("DRAWER") == 1
    assert out.log.count("CUT") == 1


@given(st.text(max_size=80), st.text(max_size=20), st.integers(min_value=8, max_value=64))
def test_lines_always_fit_and_lose_nothing(left: str, right: str, columns: int) -> None:
    left, right = printable(left), printable(right)
    rows = pair(left, right, columns)
    assert "".join(start for start, _ in rows) == left
    assert "".join(end for _, end in rows) == right
    for start, end in rows:
        assert columns_of(start) + columns_of(end) + (1 if start and end else 0) <= columns


@given(st.text(max_size=100), st.integers(min_value=2, max_value=50))
def test_folding_keeps_every_character(text: str, columns: int) -> None:
    pieces = fold(printable(text), columns)
    assert "".join(pieces) == printable(text)
    assert all(columns_of(piece) <= columns for piece in pieces)


def test_the_bytes_agree_with_python_escpos() -> None:
    """An independent encoder writes the same commands; only its code page switching is not asked for."""
    escpos_printer = pytest.importorskip("escpos.printer")
    other = escpos_printer.Dummy()
    other._raw(b"\x1b@")
    other._raw(b"\x1c&" + "合计 ￥1.00".encode("gb18030") + b"\n")
    other.cashdraw(2)
    other.cut(mode="PART", feed=False)
    ours = escpos.encode(Paper("x", 48, 80, (TextRow("合计 ￥1.00"), Command.DRAWER, Command.CUT)))
    assert ours[: ours.index(b"\x1bp")] == other.output[: other.output.index(b"\x1bp")]
    assert printed(ours).log == ["DRAWER", "CUT"]
    assert printed(other.output).log == ["DRAWER", "CUT"]


def test_reprint_says_so_and_the_original_does_not() -> None:
    first = lay_out(receipt(), form_for(ReceiptKind.PAYMENT))
    second = lay_out(receipt(copy_no=2), form_for(ReceiptKind.PAYMENT))
    assert not any(isinstance(row, TextRow) and "补打" in row.left for row in first.rows)
    assert any(isinstance(row, TextRow) and "补打" in row.left for row in second.rows)


def test_the_drawer_opens_for_cash_only() -> None:
    assert Command.DRAWER in lay_out(receipt(), form_for(ReceiptKind.PAYMENT)).rows
    by_card = receipt(methods=({"method": "pos", "amount_fen": 11736},), received_fen=Fen(0), change_fen=Fen(0))
    assert Command.DRAWER not in lay_out(by_card, form_for(ReceiptKind.PAYMENT)).rows


def test_every_kind_has_a_form_and_every_form_is_valid() -> None:
    for kind in ReceiptKind:
        assert kind in form_for(kind).kinds
    for file in resources.path("receipts").glob("*.toml"):
        assert load_form(file).rows


@pytest.mark.parametrize("row", [
    'type = "text"\ntext = "{nothing_like_this}"', 'type = "dance"', 'type = "text"\ntext = "{word.no_such_word}"',
    'type = "feed"\nwhen = "never_heard"', 'type = "text"\ncolour = "red"',
])
def test_a_form_with_a_mistake_is_refused_when_it_is_loaded(tmp_path: Path, row: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(f'[form]\nkinds = ["payment"]\ncolumns = 48\npaper_mm = 80\n[[row]]\n{row}\n', encoding="utf-8")
    with pytest.raises(FormNotValid, match="row 1"):
        load_form(file)


def test_no_form_for_a_width_nobody_has() -> None:
    with pytest.raises(FormNotValid, match="57 mm"):
        form_for(ReceiptKind.PAYMENT, 57)


def test_the_fields_a_form_may_name_are_the_fields_there_are() -> None:
    from desktop_client.printing.form import FIELDS

    assert set(fields_of(receipt(), "en")) == FIELDS


def test_bytes_may_arrive_in_any_pieces() -> None:
    job = escpos.encode(lay_out(receipt(), form_for(ReceiptKind.PAYMENT)))
    reader = Interpreter()
    for byte in job:
        reader.feed(bytes([byte]))
    assert as_text(reader.printed) == as_text(printed(job))


def test_bar_codes_and_feeds_are_read_back() -> None:
    out = printed(escpos.encode(Paper("x", 48, 80, (BarcodeRow("AB{1"), FeedRow(2)))))
    assert out.log == ["BARCODE 73 AB{1"]
    assert 2 in out.items
