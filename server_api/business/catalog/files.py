"""The catalogue as a file: YAML (four lists) or Excel (four sheets), prices in yuan, errors by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from server_api.business.catalog.rules import contradictions
from server_api.platform.tabular import TableNotReadable, read_sheets, row_error, sheets_to_excel
from shared_models.contracts.base import Contract
from shared_models.contracts.catalog import (
    BundleMemberRow,
    CatalogDocument,
    OfferingRow,
    OfferPriceRow,
    RelationRow,
    RowError,
)
from shared_models.values.faults.base import Fault
from shared_models.values.faults.catalog import CatalogNotReadable
from shared_models.values.money import MicroYuan, PriceTooFine

SECTIONS: dict[str, type[Contract]] = {
    "offerings": OfferingRow,
    "prices": OfferPriceRow,
    "members": BundleMemberRow,
    "relations": RelationRow,
}
#: A file names prices in yuan, because people write it; everything else names micro-yuan.
_YUAN = {
    "charge_yuan": "charge_micro_yuan",
    "suspended_yuan": "suspended_micro_yuan",
    "decline_yuan": "decline_micro_yuan",
    "least_spend_yuan": "least_spend_micro_yuan",
}
_FLAGS = {"in_advance", "refund_unused_months", "kept_in_bundle", "mandatory", "takes_rest", "last_day_counts"}
_WHOLE = {
    "per_months", "tax_per_mille", "split_weight", "sort_no", "rank", "percent_per_mille", "first_months",
    "after_months", "from_month", "until_month",
}  # fmt: skip
#: Several codes stand in one cell with spaces between them.
_LISTS = {"on_items", "on_groups", "on_members", "forgiven_reasons", "forgiven_to"}
_SITUATIONS = ("start", "change", "suspend", "resume", "stop")
Cells = dict[str, Any]


def read_yaml(text: str, file: str) -> tuple[CatalogDocument, list[RowError]]:
    """Read a catalogue from YAML; the document holds the rows that are right. Raises CatalogNotReadable."""
    import yaml  # who reads or writes a file needs it, not who starts

    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CatalogNotReadable(reason=str(error)[:200]) from error
    except (RecursionError, ValueError) as error:
        raise CatalogNotReadable(reason=type(error).__name__) from error
    if not isinstance(tree, dict) or not set(tree) <= set(SECTIONS):
        raise CatalogNotReadable(reason="offerings, prices, members, relations")
    rows: dict[str, list[tuple[int, Cells]]] = {}
    for section, entries in tree.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise CatalogNotReadable(reason=section)
        rows[section] = [
            (number, {str(key): value for key, value in entry.items()}) for number, entry in enumerate(entries, 1)
        ]
    return _take(rows, file, _same)


def read_excel(raw: bytes, file: str) -> tuple[CatalogDocument, list[RowError]]:
    """Read a catalogue from an Excel workbook, a sheet a list. Raises CatalogNotReadable."""
    try:
        sheets = read_sheets(raw, list(SECTIONS))
    except TableNotReadable as error:
        raise CatalogNotReadable(reason=str(error)) from error
    rows = {name: [(row.row_no, dict(row.cells)) for row in sheet] for name, sheet in sheets}
    return _take(rows, file, _from_cells)


def _same(cells: Cells) -> Cells:
    return dict(cells)


def _from_cells(cells: Cells) -> Cells:
    """Excel holds text: empty cells are left out, flags and whole numbers are read."""
    found: Cells = {}
    detail: Cells = {}
    for name, text in cells.items():
        if text == "":
            continue
        if name in _FLAGS:
            found[name] = {"1": True, "0": False, "是": True, "否": False}.get(str(text).lower(), text)
        elif name in _WHOLE and str(text).isascii() and str(text).isdigit():
            found[name] = int(text)
        elif name in _LISTS:
            found[name] = str(text).split()
        elif name.startswith("proration_") and name.removeprefix("proration_") in _SITUATIONS:
            detail[name.removeprefix("proration_")] = text
        else:
            found[name] = text
    return {**found, "proration_detail": detail} if detail else found


def _take(
    rows: dict[str, list[tuple[int, Cells]]], file: str, convert: Callable[[Cells], Cells]
) -> tuple[CatalogDocument, list[RowError]]:
    errors: list[RowError] = []
    taken: dict[str, list[Contract]] = {section: [] for section in SECTIONS}
    numbers: dict[str, list[int]] = {section: [] for section in SECTIONS}
    for section, model in SECTIONS.items():
        for row_no, cells in rows.get(section, []):
            row, wrong = _read_row(model, convert(cells), f"{file}#{section}", row_no)
            errors += wrong
            if row is not None:
                taken[section].append(row)
                numbers[section].append(row_no)
    document = CatalogDocument.model_validate(taken)
    if not errors:  # a row set aside would make others look wrong that are right
        errors = [
            row_error(f"{file}#{one.section}", numbers[one.section][one.index], one.field, one.code, **one.params)
            for one in contradictions(document)
        ]
    return document, errors


def _read_row(model: type[Contract], cells: Cells, file: str, row_no: int) -> tuple[Contract | None, list[RowError]]:
    errors: list[RowError] = []
    for yuan, micro in _YUAN.items():
        if yuan not in cells:
            continue
        text = cells.pop(yuan)
        try:
            cells[micro] = MicroYuan.parse(str(text)).amount_micro_yuan
        except PriceTooFine:
            errors.append(row_error(file, row_no, yuan, "price_too_fine", value=str(text)[:40]))
        except Fault:
            errors.append(row_error(file, row_no, yuan, "field_not_valid", reason=str(text)[:40]))
    if errors:
        return None, errors
    try:
        return model.model_validate(cells), []
    except ValidationError as error:
        return None, [
            row_error(
                file, row_no, ".".join(str(part) for part in one["loc"]),
                "field_unknown" if one["type"] == "extra_forbidden" else "field_not_valid", reason=one["msg"],
            )
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]  # fmt: skip


def to_yaml(catalog: CatalogDocument) -> str:
    """The catalogue as YAML that reads back to the same."""
    import yaml  # as above

    tree = {section: [_plain(row) for row in getattr(catalog, section)] for section in SECTIONS}
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=120)


def to_excel(catalog: CatalogDocument) -> bytes:
    """The catalogue as an Excel workbook that reads back to the same."""
    return sheets_to_excel([
        (section, list(_columns(model)), [_cells(_plain(row), model) for row in getattr(catalog, section)])
        for section, model in SECTIONS.items()
    ])  # fmt: skip


def _columns(model: type[Contract]) -> Iterator[str]:
    back = {micro: yuan for yuan, micro in _YUAN.items()}
    for name in model.model_fields:
        if name == "proration_detail":
            yield from (f"proration_{situation}" for situation in _SITUATIONS)
        else:
            yield back.get(name, name)


def _plain(row: Contract) -> Cells:
    """A row as a person writes it: what is left at its default is left out, prices in yuan."""
    found = row.model_dump(mode="json", exclude_defaults=True)
    for yuan, micro in _YUAN.items():
        if micro in found:
            found[yuan] = str(MicroYuan(found.pop(micro)))
    return found


def _cells(plain: Cells, model: type[Contract]) -> Sequence[object]:
    detail = plain.get("proration_detail", {})
    spread = {**plain, **{f"proration_{situation}": way for situation, way in detail.items()}}
    return [_cell(spread.get(name, "")) for name in _columns(model)]


def _cell(value: object) -> object:
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return ("1" if value else "0") if isinstance(value, bool) else value
