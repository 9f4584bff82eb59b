"""A tariff as the document it would be read from: what the database keeps, readable by ``tariff_of``. Pure."""

from __future__ import annotations

from typing import Any

from server_api.billing.rating.tariff.model import WHOLE_DAY, Row, Tariff
from shared_models.values.money import MicroYuan

_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def document_of(tariff: Tariff) -> dict[str, Any]:
    """The tariff with every value as text, in the words of the tariff format."""
    document: dict[str, Any] = {
        "tariff": tariff.code,
        "name": dict(tariff.names),
        "effective_from": tariff.effective_on.isoformat(),
        "quantity": tariff.quantity.value,
        "source": tariff.source,
        "rows": [_row(row) for row in tariff.rows],
    }
    if any(window.code != WHOLE_DAY for window in tariff.windows):
        windows: dict[str, list[dict[str, str]]] = {}
        for window in tariff.windows:
            days = ",".join(name for bit, name in enumerate(_DAY_NAMES) if window.days >> bit & 1)
            windows.setdefault(window.code, []).append(
                {"from": _clock(window.from_s), "until": _clock(window.until_s), "days": days}
            )
        document["windows"] = windows
    if tariff.included:
        document["included"] = [
            {"code": one.code, "rows": list(one.rows), "quantity": str(one.quantity), "counted_in": str(one.counted_in)}
            for one in tariff.included
        ]
    return document


def _row(row: Row) -> dict[str, Any]:
    table: dict[str, Any] = {
        "row": row.code,
        "zones": list(row.zones),
        "item": row.item_code,
        "step": str(row.step),
        "per": str(row.per),
        "price": {code: _price(amount) for code, amount in row.prices_micro_yuan.items()},
    }
    if row.first:
        table["first"] = str(row.first)
        table["first_price"] = {code: _price(amount) for code, amount in row.first_prices_micro_yuan.items()}
    for name, value in (("connect", row.connect_micro_yuan), ("minimum", row.minimum_micro_yuan)):
        if value:
            table[name] = _price(value)
    if row.cap_micro_yuan is not None:
        table["cap"] = _price(row.cap_micro_yuan)
    return table


def _price(micro_yuan: int) -> str:
    return str(MicroYuan(micro_yuan))


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
