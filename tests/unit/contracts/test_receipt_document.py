"""The receipt document refuses sums that do not agree and survives the wire unchanged."""

from datetime import datetime, timezone

import pytest
from pydantic import ValidationError

from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptLine
from shared_models.contracts.table import CellKind, Column, Table
from shared_models.values.money import Fen
from shared_models.values.rmb import rmb_capitals


def receipt(**changes: object) -> Receipt:
    values: dict[str, object] = {
        "receipt_no": "YM01-03-0000123", "hall_code": "YM01", "hall_name": "中心营业厅", "counter_no": "03",
        "staff_no": "1001", "total_fen": Fen(11736), "total_capitals": rmb_capitals(Fen(11736)),
        "lines": (
            ReceiptLine(label="固定电话", detail="0937-3913183 2026年10月", amount_fen=Fen(1736)),
            ReceiptLine(label="宽带", amount_fen=Fen(10000)),
        ),
        "methods": (MethodLine(method="cash", amount_fen=Fen(11736)),),
        "issued_at": datetime(2026, 11, 23, 2, 15, 32, tzinfo=timezone.utc),
    }
    return Receipt.model_validate(values | changes)


def test_a_receipt_survives_the_wire() -> None:
    paper = receipt()
    assert Receipt.model_validate_json(paper.model_dump_json()) == paper
    assert '"total_fen":11736' in paper.model_dump_json()


def test_lines_that_do_not_sum_to_the_total_are_refused() -> None:
    with pytest.raises(ValidationError, match="lines of a receipt must sum"):
        receipt(total_fen=Fen(11737))


def test_methods_that_do_not_sum_to_the_total_are_refused() -> None:
    with pytest.raises(ValidationError, match="methods of a receipt must sum"):
        receipt(methods=(MethodLine(method="cash", amount_fen=Fen(1)),))


def test_only_a_second_copy_is_a_reprint() -> None:
    assert not receipt().is_reprint
    assert receipt(copy_no=2).is_reprint


def test_a_table_is_rectangular() -> None:
    columns = (Column(key="teller", label="营业员"), Column(key="sum", label="金额", kind=CellKind.MONEY_FEN))
    assert Table(title="日报", columns=columns, rows=(("张丽", 100),), totals=(None, 100)).rows[0][1] == 100
    with pytest.raises(ValidationError, match="one cell per column"):
        Table(title="日报", columns=columns, rows=(("张丽",),))
