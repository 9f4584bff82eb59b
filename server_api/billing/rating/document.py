"""A tariff as the document it would be read from: what the database keeps, readable by ``tariff_of``. Pure."""

from __future__ import annotations

from typing import Any

from server_api.billing.rating.tariff.allowance import included_document, period_cap_document, tiers_document
from server_api.billing.rating.tariff.model import WHOLE_CALL, WHOLE_DAY, WHOLE_PPM, Row, Tariff
from server_api.billing.rating.tariff.windows import day_words
from shared_models.values.money import MicroYuan


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
            windows.setdefault(window.code, []).append(
                {"from": _clock(window.from_s), "until": _clock(window.until_s), "days": day_words(window.days)}
            )
        document["windows"] = windows
    if tariff.calendar:
        document["calendar"] = tariff.calendar
    if tariff.deck_versions:
        document["deck_versions"] = {code: str(number) for code, number in tariff.deck_versions.items()}
    if tariff.included:
        document["included"] = [included_document(one) for one in tariff.included]
    if tariff.period_caps:
        document["period_caps"] = [period_cap_document(one) for one in tariff.period_caps]
    return document


def _row(row: Row) -> dict[str, Any]:
    table: dict[str, Any] = {"row": row.code, "item": row.item_code}
    for name, values in (
        ("zones", row.zones), ("prefixes", row.prefixes), ("from", row.from_zones), ("in_trunk", row.in_trunks),
        ("out_trunk", row.out_trunks), ("call_type", row.call_types),
    ):  # fmt: skip
        if values:
            table[name] = [str(value) for value in values]
    if row.deck:
        table["deck"] = row.deck
    if row.priority:
        table["priority"] = str(row.priority)
    if row.quantity:
        table["quantity"] = row.quantity.value
    table |= {"flat": _prices(row.prices_micro_yuan)} if row.step == WHOLE_CALL else _stepped(row)
    for name, value in (("connect", row.connect_micro_yuan), ("minimum", row.minimum_micro_yuan)):
        if value:
            table[name] = _price(value)
    if row.cap_micro_yuan is not None:
        table["cap"] = _price(row.cap_micro_yuan)
    if row.adjust_ppm != WHOLE_PPM:
        more = row.adjust_ppm > WHOLE_PPM
        table["surcharge" if more else "discount"] = _percent(abs(row.adjust_ppm - WHOLE_PPM))
    return table


def _stepped(row: Row) -> dict[str, Any]:
    by_window = {code: str(step) for code, step in row.window_steps.items()}
    table: dict[str, Any] = {"step": by_window or str(row.step)}
    if row.per:
        table["per"] = str(row.per)
    if row.tiers:
        table["tiers"] = tiers_document(row.tiers)
    elif not row.deck:
        table["price"] = _prices(row.prices_micro_yuan)
    if row.first:
        table["first"] = str(row.first)
        if row.first_prices_micro_yuan:
            table["first_price"] = _prices(row.first_prices_micro_yuan)
    if row.then:
        table["then"] = [
            {
                "after": str(steps.after),
                "step": str(steps.step),
                "per": str(steps.per),
                "price": _prices(steps.prices_micro_yuan),
            }
            for steps in row.then
        ]
    return table


def _prices(prices_micro_yuan: dict[str, int]) -> dict[str, str]:
    return {code: _price(amount) for code, amount in prices_micro_yuan.items()}


def _price(micro_yuan: int) -> str:
    return str(MicroYuan(micro_yuan))


def _percent(ppm: int) -> str:
    return f"{ppm // 10_000}.{ppm % 10_000:04d} %"


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
