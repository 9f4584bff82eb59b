"""Reads the pages of billing/*.md: prices, what happened to the products of one account, and the lines of its bills."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml

import resources
from server_api.billing.bill.policy import BillingPolicy, read_policy
from server_api.billing.bill.rules.inputs import DraftLine
from shared_models.contracts.rating import PriceRow
from shared_models.values.money import Fen, MicroYuan
from shared_models.values.period import Month

PAGES = Path(__file__).parents[1] / "examples" / "billing"
ACCOUNT = "account"
#: Amounts of a price in yuan, and what the price book calls them.
_AMOUNTS = {
    "suspended": "suspended_micro_yuan",
    "decline": "decline_micro_yuan",
    "least_spend": "least_spend_micro_yuan",
}
_FIELDS = ("per_months", "tax_per_mille", "valid_from", "valid_until", "rank", "item_group")
_KINDS = {"takes": "activated", "changes to": "changed", "is suspended": "suspended", "is resumed": "resumed",
          "is terminated": "terminated"}  # fmt: skip
_HAPPENS = re.compile(
    r"(?P<what>takes|changes to|is suspended|is resumed|is terminated) ?(?P<offering>[A-Z0-9]+)?"
    r"(?: in (?P<bundle>[A-Z0-9]+))?(?: for (?P<reason>\w+))?(?:, told (?P<told>[\d-]+))?"
)


@dataclass(frozen=True)
class Happening:
    """Something that happens to a product; ``told`` is the day on which billing hears of it."""

    on: date
    told: date
    product: str
    kind: str
    offering: str = ""
    bundle: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Money:
    """Something with an amount: use of an item, a charge or credit, what an overdue bill owes from a day on."""

    on: date
    product: str
    kind: str
    item: str
    amount: str


@dataclass(frozen=True)
class Example:
    """One example of one account. ``lines`` are those of the bills, as ``told_line`` writes them, by month."""

    title: str
    source: str
    prices: tuple[PriceRow, ...]
    policy: BillingPolicy
    services: dict[str, str]
    happenings: tuple[Happening, ...]
    money: tuple[Money, ...]
    billing_days: tuple[tuple[int, int], ...]
    due_on: date | None
    columns: tuple[str, ...]
    lines: dict[int, list[str]] = field(default_factory=dict)

    @property
    def months(self) -> Iterator[Month]:
        """From the month of the first happening (with billing days the one before: its cycle) to the last bill."""
        first = min([each.on for each in self.happenings] + [each.on for each in self.money])
        month = Month.of(first) if not self.billing_days else Month.of(first).previous()
        while month.yyyymm <= max(self.lines):
            yield month
            month = month.next()


def examples() -> list[Example]:
    """All examples of all pages."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, text = section.partition("\n")
            found.append(_example(f"{page.stem}: {title}", text))
    return found


def told_line(line: DraftLine, names: dict[str, str], columns: tuple[str, ...]) -> str:
    """A line as the pages write it: ``line A voice.monthly correction | 04-01 | 05-01 | -5.00``."""
    words = [names.get(line.product.product_id, ACCOUNT), line.offering_code, line.item_code]
    words += [line.kind] if line.kind not in ("recurring", "usage") else []
    cells = {
        "line": " ".join(word for word in words if word),
        "from": f"{line.from_on:%m-%d}",
        "until": f"{line.until_on:%m-%d}",
        "yuan": str(Fen(line.amount_fen)),
        "net": str(Fen(line.net_fen)),
        "tax": str(Fen(line.tax_fen)),
    }
    return " | ".join(cells[column] for column in columns)


def _example(title: str, text: str) -> Example:
    source = re.search(r"^Source: (.+?)\n\n", text, re.DOTALL | re.MULTILINE)
    assert source, f"{title}: no source"
    tables = [_rows(block) for block in re.findall(r"(?:^\|.*\|\n?)+", text, re.MULTILINE)]
    assert len(tables) == 3, f"{title}: three tables: prices, what happens, bills"
    prices, happens, bills = tables
    rules = re.search(r"^```toml\n(.+?)^```", text, re.DOTALL | re.MULTILINE)
    columns = tuple(name for name in bills[0] if name != "bill")
    lines: dict[int, list[str]] = {}
    for row in bills:
        kept = lines.setdefault(int(row["bill"].replace("-", "")), [])
        if row["line"]:
            kept.append(" | ".join(row[column] for column in columns))
    rows = tuple(_price(row) for row in prices)
    services = {row.offering_code: row.service for row in rows if row.kind == "recurring" and not row.split_per_mille}
    days, due_on = [], None
    happenings, money = [], []
    for row in happens:
        on, product, what = date.fromisoformat(row["on"]), row["product"], row["what happens"]
        if told := re.fullmatch(r"is billed on day (\d+)", what):
            days.append((Month.of(on).yyyymm, int(told[1])))
        elif told := re.fullmatch(r"has a bill of ([\d.]+) due", what):
            due_on = on
            money.append(Money(on, product, "owes", "", told[1]))
        elif told := re.fullmatch(r"(uses|is charged|is credited) ([a-z_.]+) ([\d.]+)|(owes) ([\d.]+)", what):
            verb = told[1] or told[4]
            money.append(Money(on, product, verb, told[2] or "", told[3] or told[5]))
        else:
            happenings.append(_happening(title, on, product, what))
    return Example(
        title, source[1], rows, _policy(rules[1] if rules else ""), services, tuple(happenings), tuple(money),
        tuple(sorted(days)), due_on, columns, lines,
    )  # fmt: skip


def _rows(block: str) -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def _happening(title: str, on: date, product: str, what: str) -> Happening:
    told = _HAPPENS.fullmatch(what)
    assert told, f"{title}: nobody understands {what!r}"
    heard = date.fromisoformat(told["told"]) if told["told"] else on
    return Happening(
        on, heard, product, _KINDS[told["what"]], told["offering"] or "", told["bundle"] or "", told["reason"] or ""
    )


def _price(row: dict[str, str]) -> PriceRow:
    """A row of a table of prices; what is not said is so: a fee by the month, in arrears, by actual days, 9 % VAT."""
    how = yaml.safe_load("{" + row["how"] + "}") or {}
    service = row["item"].split(".")[0]
    kind = row["kind"]
    split = how.pop("split", {})
    fields = {name: how.pop(name) for name in _FIELDS if name in how}
    for name, column in _AMOUNTS.items():
        if name in how:
            how[column] = MicroYuan.parse(str(how.pop(name))).amount_micro_yuan
    rank = fields.pop("rank", 0)
    return PriceRow(
        **{
            "offering_code": row["offering"],
            "price_code": f"{row['offering']}-{kind[0].upper()}{how.pop('code', '')}",
            "kind": {"fee": "recurring"}.get(kind, kind),
            "service": service,
            "item_code": row["item"],
            "item_group": service,
            "rank": rank,
            "charge_micro_yuan": MicroYuan.parse(row["yuan"]),
            "tax_per_mille": 90,
            "valid_from": date(2000, 1, 1),
            "name_zh": row["item"],
            "name_en": row["item"],
            "params": how,
            "split_per_mille": split,
            **fields,
        }
    )


def _policy(rules: str) -> BillingPolicy:
    """The house rules in force, with what the example says otherwise."""
    tree = tomllib.loads(resources.path("policy", "billing.toml").read_text(encoding="utf-8"))
    for name, value in tomllib.loads(rules).items():
        tree[name] = {**tree.get(name, {}), **value}
    return read_policy(tree)
