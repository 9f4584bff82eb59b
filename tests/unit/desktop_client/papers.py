"""Receipts as the tests print them."""

from __future__ import annotations

from datetime import datetime, timezone

from shared_models.contracts.receipt import MethodLine, Receipt, ReceiptKind, ReceiptLine
from shared_models.values.money import Fen
from shared_models.values.rmb import rmb_capitals

ISSUED_AT = datetime(2026, 11, 23, 2, 15, 32, tzinfo=timezone.utc)


def receipt(kind: ReceiptKind = ReceiptKind.PAYMENT, **changes: object) -> Receipt:
    """A household paying two months with cash."""
    sign = -1 if kind is ReceiptKind.REVERSAL else 1
    lines = (
        ReceiptLine(label="固定电话 月租费", detail="0937-3913183  2026年10月", amount_fen=Fen(sign * 2236)),
        ReceiptLine(label="宽带 100M 包月", detail="ymkd39131832  2026年10月", amount_fen=Fen(sign * 6500)),
        ReceiptLine(
            label="数字电视 基本收视维护费（主机）及付费节目包", detail="8712 3456 7890 1234",
            amount_fen=Fen(sign * 3000),
        ),
    )
    total = Fen.total(line.amount_fen for line in lines)
    values: dict[str, object] = {
        "kind": kind, "receipt_no": "YM01-03-0000123", "hall_code": "YM01", "hall_name": "玉门油田营业厅",
        "counter_no": "03", "staff_no": "1001", "staff_name": "张丽", "customer_no": "YM00001504",
        "customer_name": "王建国", "account_no": "A00001504", "lines": lines, "total_fen": total,
        "total_capitals": rmb_capitals(total), "methods": (MethodLine(method="cash", amount_fen=total),),
        "received_fen": Fen(12000) if sign > 0 else Fen(0), "change_fen": Fen(264) if sign > 0 else Fen(0),
        "balance_after_fen": Fen(0), "issued_at": ISSUED_AT, "barcode_text": "YM01030000123",
        "reverses_receipt_no": "YM01-03-0000122" if sign < 0 else "",
    }
    return Receipt.model_validate(values | changes)
