"""Every worked example of rating/*.md: the price list, the calls, and what each costs to the millionth of a yuan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from server_api.billing.rating.attached import with_files
from server_api.billing.rating.offline import explained, rate_file
from server_api.billing.rating.service import tariffs_in
from shared_models.values.money import MicroYuan

PAGES = Path(__file__).parent / "rating"
CALLS = "seq,caller,called,start,end,duration_s,in_trunk,out_trunk,call_type,charged_party,free"
SESSIONS = "session,login,start,duration_s,octets_in,octets_out,address"


@dataclass(frozen=True)
class Example:
    """One example: its tariff file and its table, a row a call."""

    title: str
    source: str
    tariff: str
    heads: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def examples() -> list[Example]:
    """All examples of all pages."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        for section in page.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, text = section.partition("\n")
            source = re.search(r"^Source: (.+?)\n\n", text, re.DOTALL | re.MULTILINE)
            tariff = re.search(r"^```yaml\n(.+?)^```", text, re.DOTALL | re.MULTILINE)
            assert source and tariff, f"{page.name}: {title} has no source or no tariff"
            table = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)
            ]
            heads, rows = tuple(table[0]), [dict(zip(table[0], row, strict=True)) for row in table[2:]]
            assert rows, f"{page.name}: {title} has no calls"
            found.append(Example(f"{page.stem}: {title}", source[1], tariff[1], heads, tuple(rows)))
    return found


ALL = examples()


@pytest.mark.parametrize("example", ALL, ids=[one.title for one in ALL])
def test_example(example: Example, tmp_path: Path) -> None:
    (tmp_path / "tariff.yaml").write_text(example.tariff, encoding="utf-8")
    tariffs = with_files(tariffs_in(tmp_path / "tariff.yaml"), tmp_path)
    usage = tmp_path / "usage.csv"
    calls = "called" in example.heads
    lines = [_call(at, row) if calls else _session(at, row) for at, row in enumerate(example.rows, start=1)]
    usage.write_text("\n".join([CALLS if calls else SESSIONS, *lines]) + "\n", encoding="ascii")
    charged, tables, totals = rate_file(usage, tariffs, "calls_csv" if calls else "sessions_csv")
    assert totals.rated_count == len(example.rows), totals.aside
    told = list(explained(charged, tables, "en"))
    expected = [MicroYuan.parse(row["yuan"]).amount_micro_yuan for row in example.rows]
    assert [call["charge_micro_yuan"] for call in told] == expected, [call["text"] for call in told]


def test_there_are_many_and_each_names_its_source() -> None:
    assert len(ALL) >= 30
    assert all(len(one.source) > 10 for one in ALL)
    assert len({one.title for one in ALL}) == len(ALL)


def _call(seq: int, row: dict[str, str]) -> str:
    begin = datetime.fromisoformat(row["start"])
    seconds = int(row["seconds"].replace(",", ""))
    caller = row.get("caller") or "09373961234"
    more = (row.get("in_trunk") or "0", row.get("out_trunk") or "0", row.get("type") or "3")
    return ",".join((str(seq), caller, row["called"], str(begin), str(begin + timedelta(seconds=seconds)),
                     str(seconds), *more, "1", "0"))  # fmt: skip


def _session(seq: int, row: dict[str, str]) -> str:
    seconds = row.get("units", row.get("seconds", "60")).replace(",", "")
    if "minutes" in row:
        seconds = str(60 * int(row["minutes"].replace(",", "")))
    octets = row.get("octets", "0").replace(",", "")
    return f"s{seq},{row.get('login', 'u1')},{row['start']},{seconds},{octets},0,"
