"""Tariff files: what is right is read exactly, what is wrong is named by file, row, field and remedy."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

import resources
from server_api.billing.rating.document import document_of
from server_api.billing.rating.service import sample_tariffs, tariffs_in
from server_api.billing.rating.tariff.compile import compile_tariffs
from server_api.billing.rating.tariff.model import Quantity, Row, Tariff
from server_api.billing.rating.tariff.read import read_tariffs, tariff_of
from shared_models.values.faults.rating import TariffNotValid

GOOD = """
tariff: T1
effective_from: 2026-01-01
quantity: seconds
windows:
  night: {from: "00:00", until: "07:00"}
  day: {from: "07:00", until: "24:00"}
rows:
  - row: a
    zones: [local]
    item: voice.local
    first: 3 min
    first_price: 0.22
    step: 1 min
    price: {day: 0.11, night: 0.055}
  - row: b
    zones: ["*"]
    item: voice.other
    step: 6 s
    price: 0.07
included:
  - {code: P, rows: [a], quantity: 10 min, counted_in: 1 min}
"""


def read(text: str, tmp_path: Path) -> list[Tariff]:
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    return read_tariffs(path)


def test_a_good_file(tmp_path: Path) -> None:
    (tariff,) = read(GOOD, tmp_path)
    assert (tariff.version, tariff.quantity) == ("T1@2026-01-01", Quantity.SECONDS)
    first, second = tariff.rows
    assert (first.first, first.step, first.prices_micro_yuan) == (180, 60, {"day": 110_000, "night": 55_000})
    assert first.first_prices_micro_yuan == {"day": 220_000, "night": 220_000}
    assert (second.first, second.step, second.per, second.prices_micro_yuan["day"]) == (0, 6, 6, 70_000)
    assert (tariff.included[0].quantity, tariff.included[0].counted_in) == (600, 60)


@pytest.mark.parametrize(
    ("old", "new", "row", "field", "words"),
    [
        ("price: 0.07", "price: 0.0700001", "b", "price", "millionth"),
        ("price: 0.07", "price: -0.07", "b", "price", "not a price"),
        ("price: 0.07", "price: free", "b", "price", "not a price"),
        ("price: 0.07", "price: {day: 1}", "b", "price", "night"),
        ("price: 0.07", "price: {day: 1, night: 1, noon: 1}", "b", "price", "noon"),
        ("step: 6 s", "step: 0 s", "b", "step", "quantity"),
        ("step: 6 s", "step: 6 GB", "b", "step", "quantity"),
        ("step: 6 s", "step: 1e3", "b", "step", "quantity"),
        ("step: 6 s", "steps: 6 s", "b", "steps", "not a field"),
        ("first_price: 0.22", "connect: 0", "a", "first_price", "missing"),
        ('until: "07:00"', 'until: "06:00"', "-", "windows", "gap"),
        ('from: "07:00"', 'from: "06:00"', "-", "windows", "gap"),
        ('until: "24:00"', 'until: "24:01"', "day", "until", "time of day"),
        ("2026-01-01", "2026-02-30", "-", "effective_from", "day"),
        ("tariff: T1", "tariff: T 1", "-", "tariff", "not a code"),
        ("quantity: seconds", "quantity: miles", "-", "quantity", "miles"),
        ("row: b", "row: a", "a", "row", "twice"),
        ('zones: ["*"]', "zones: [local]", "b", "zones", "twice"),
        ("rows: [a]", "rows: [z]", "P", "rows", "no row"),
        ("counted_in: 1 min", "counted_in: 7 min", "P", "counted_in", "multiple"),
        ("item: voice.other", "item: ", "b", "item", "not a code"),
        ("rows:\n  - row: a", "rowz:\n  - row: a", "-", "rowz", "not a field"),
    ],
)
def test_problems_are_named(old: str, new: str, row: str, field: str, words: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(TariffNotValid) as refused:
        read(GOOD.replace(old, new), tmp_path)
    params: dict[str, Any] = refused.value.params
    assert (params["file"], params["row"], params["field"]) == ("t.yaml", row, field)
    assert words in params["problem"]["en"]
    assert params["problem"]["zh"] != params["problem"]["en"]


@pytest.mark.parametrize("text", ["{", "- 1\n- 2", "", "a: [", "\t:", "tariff: !!python/object:os.system x"])
def test_what_is_no_tariff_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(TariffNotValid):
        if not read(text, tmp_path):
            raise TariffNotValid(file="t.yaml", row="-", field="-", problem={}, others=0)


def test_every_problem_has_words() -> None:
    folder = resources.path("..", "server_api", "billing", "rating", "tariff")
    codes = {
        node.args[2].value
        for source in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wrong"
        and len(node.args) > 2
        and isinstance(node.args[2], ast.Constant)
    }
    assert len(codes) >= 12
    for language in resources.LANGUAGES:
        missing = [code for code in codes if f"ui.tariff_problem.{code}" not in resources.texts(language)]
        assert missing == []


def test_a_tariff_survives_being_kept() -> None:
    for tariff in sample_tariffs():
        again, problems = tariff_of(document_of(tariff))
        assert (again, problems) == (tariff, [])


def test_what_could_overflow_is_refused() -> None:
    row = Row("r", ("*",), "i", 1, 1, {"all": 10**15})
    with pytest.raises(TariffNotValid):
        compile_tariffs({1: Tariff("T", date(2020, 1, 1), Quantity.OCTETS, (row,))}, [("T",)], {"86": "national"})


def test_a_workbook(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(
        [
            "tariff",
            "effective_from",
            "quantity",
            "row",
            "zones",
            "item",
            "first",
            "first_price",
            "step",
            "price",
            "price:day",
            "price:night",
        ]
    )
    sheet.append(
        ["T1", date(2026, 1, 1), "seconds", "a", "local", "voice.local", "3 min", 0.22, "1 min", None, "0.11", "0.055"]
    )
    sheet.append(["T1", None, None, "b", "*", "voice.other", None, None, "6 s", 0.07, None, None])
    windows = book.create_sheet("windows")
    windows.append(["tariff", "window", "from", "until"])
    windows.append(["T1", "night", "00:00", "07:00"])
    windows.append(["T1", "day", "07:00", "24:00"])
    included = book.create_sheet("included")
    included.append(["tariff", "code", "rows", "quantity", "counted_in"])
    included.append(["T1", "P", "a", "10 min", "1 min"])
    path = tmp_path / "t.xlsx"
    book.save(path)
    assert tariffs_in(path) == read(GOOD, tmp_path)
    sheet["J3"] = 0.1234567
    book.save(path)
    with pytest.raises(TariffNotValid) as refused:
        tariffs_in(path)
    assert (refused.value.params["row"], refused.value.params["field"]) == ("3", "price")
    path.write_bytes(b"PK\3\4 not a workbook")
    with pytest.raises(TariffNotValid):
        tariffs_in(path)


def test_rating_expressions_keep_their_rules() -> None:
    """A window without order gave two totals on two runs; a bare // loses digits on engines that divide in floats."""
    folder = resources.path("..", "server_api", "billing", "rating")
    for name in ("expressions.py", "rater.py"):
        tree = ast.parse((folder / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "over":
                assert any(word.arg == "order_by" for word in node.keywords), (
                    f"{name}:{node.lineno} a window without order"
                )
            if name == "expressions.py" and isinstance(node, ast.BinOp):
                assert not isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)), f"{name}:{node.lineno} divides"
    text = (folder / "expressions.py").read_text(encoding="utf-8")
    assert not re.search(r"\b(join_asof|Decimal|unique\()", text)
