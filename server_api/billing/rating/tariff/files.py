"""Tariffs as files: those of a file, and those that ship. No database is loaded."""

from __future__ import annotations

from pathlib import Path

import resources
from server_api.billing.rating.tariff.model import Tariff


def sample_tariffs() -> list[Tariff]:
    """The tariffs that ship with the product."""
    from server_api.billing.rating.tariff.read import read_tariffs

    folder: Path = resources.path("catalog", "tariffs")
    return [tariff for file in sorted(folder.glob("*.yaml")) for tariff in read_tariffs(file)]


def tariffs_in(path: Path) -> list[Tariff]:
    """The tariffs of a file: YAML, or an Excel workbook (.xlsx). Raises TariffNotValid."""
    from server_api.billing.rating.tariff.excel import read_workbook
    from server_api.billing.rating.tariff.read import read_tariffs

    return read_workbook(path) if path.suffix.lower() in (".xlsx", ".xlsm") else read_tariffs(path)
