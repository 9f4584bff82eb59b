"""Rate decks: prices by number prefix, as carriers publish them, from CSV or Excel; 200,000 lines in a fraction of a
second, every conflict named by its line. Pure but for reading the file.

Columns (English or Chinese headings, any order): prefix and price; optionally name, connect, first, first_price, step,
effective_from, effective_until. A price is in yuan per what the tariff's row says (``per``); a first block without a
price of its own costs its share. Of a prefix with several lines the one in force at the start of the call holds; a
line without an end holds until the next begins.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from server_api.billing.rating.tariff.reader import in_words
from shared_models.values.faults.rating import DeckNotValid

_HEADINGS = {
    "prefix": ("prefix", "code", "dial code", "dialcode", "area code", "前缀", "号码前缀", "字冠", "区号"),
    "name": ("name", "zone", "destination", "country", "名称", "目的地", "地区", "国家"),
    "price": ("price", "rate", "单价", "价格", "费率"),
    "connect": ("connect", "connection", "setup", "接通费"),
    "first": ("first", "first block", "minimum time", "首段", "首段时长"),
    "first_price": ("first_price", "first price", "首段价格"),
    "step": ("step", "increment", "计费单位", "步长"),
    "from": ("effective_from", "effective from", "effective", "effective date", "from", "valid from", "生效日期"),
    "until": ("effective_until", "effective until", "until", "valid until", "end date", "失效日期", "截止日期"),
}
_SECONDS = {"": 1, "s": 1, "sec": 1, "min": 60, "h": 3600, "秒": 1, "分": 60, "分钟": 60, "小时": 3600}
#: A tariff version numbers at most so many prices.
MOST_LINES = 990_000
#: More than this many problems of one file are counted, not listed.
MOST_PROBLEMS = 1_000
_DAY_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_ALL = ("prefix", "length", "name", "price", "first_price", "connect", "first", "step", "from_day", "until_day")


@dataclass(frozen=True)
class DeckProblem:
    """What is wrong with a line (the heading is line 1). ``problem`` is a text key under ``ui.tariff_problem``."""

    line: int
    field: str
    problem: str
    value: str = ""


@dataclass(frozen=True)
class Deck:
    """A rate deck. rows: prefix, length, name, price, first_price, connect (micro-yuan), first, step (seconds),
    from_day, until_day (days since 1970, the end exclusive); sorted by prefix and day; null is not given."""

    code: str
    rows: pl.DataFrame
    #: Lines given twice with the same content, taken once.
    repeated: int = field(default=0, compare=False)

    @cached_property
    def content(self) -> bytes:
        """The deck as text in one form, whatever form it came in."""
        return self.rows.write_csv().encode()

    @property
    def digest(self) -> str:
        """sha256 of the content: equal decks, equal digests."""
        return sha256(self.content).hexdigest()

    @classmethod
    def kept(cls, code: str, content: bytes) -> Deck:
        """The deck of ``content``."""
        kinds = {name: pl.String() if name == "name" else pl.Int64() for name in _ALL}
        return cls(code, pl.read_csv(content, schema=kinds))


def read_deck(path: Path, code: str | None = None) -> Deck:
    """Read and check a deck; its code is the file's name unless given. Raises DeckNotValid naming the first problem."""
    deck, problems = check_deck(path, code)
    if problems:
        one = problems[0]
        raise DeckNotValid(
            file=path.name,
            row=one.line,
            field=one.field,
            problem=in_words(one.problem, one.value),
            others=len(problems) - 1,
        )
    return deck


def check_deck(path: Path, code: str | None = None) -> tuple[Deck, list[DeckProblem]]:
    """A deck and everything that is wrong with it, in the order of its lines. Raises OSError."""
    code = code or path.stem
    text = _workbook(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _text(path.read_bytes())
    table, columns, problems = _table(text)
    if problems:
        return Deck(code, _empty()), problems
    return deck_of(code, table, columns)


def deck_of(code: str, table: pl.DataFrame, columns: dict[str, str]) -> tuple[Deck, list[DeckProblem]]:
    """A deck from a table of text; ``columns`` are its headings by what they mean."""
    values, tests = _values(table, columns)
    frame = table.lazy().with_row_index("line", offset=2).select("line", **values).collect()
    problems = _problems(frame, table, columns, tests)
    if len(frame) > MOST_LINES:
        problems.append(DeckProblem(MOST_LINES + 2, "prefix", "deck_too_long", str(len(frame))))
    if problems:  # conflicts among the good lines are found all the same
        frame = frame.filter(~pl.any_horizontal([test for _name, _problem, test in tests]))
    ordered, clashes = _in_order(frame)
    overlapping = _overlaps(ordered)
    problems = sorted([*problems, *clashes, *overlapping], key=lambda one: one.line)
    if problems:
        return Deck(code, _empty()), problems
    rows = ordered.with_columns(until_day=pl.coalesce("until_day", "next_day")).select(_ALL)
    return Deck(code, rows, len(frame) - len(rows)), []


def _in_order(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[DeckProblem]]:
    """The lines by prefix and day, those given twice once, with where the next line of the prefix begins."""
    ordered = frame.sort("prefix", "from_day", "line", nulls_last=False)
    same = (pl.col("prefix") == pl.col("prefix").shift(1)) & pl.col("from_day").eq_missing(pl.col("from_day").shift(1))
    rest = ("price", "first_price", "connect", "first", "step", "until_day")
    equal = pl.all_horizontal([pl.col(name).eq_missing(pl.col(name).shift(1)) for name in rest])
    ordered = ordered.with_columns(same=same.fill_null(value=False), equal=equal, earlier=pl.col("line").shift(1))
    clash = ordered.filter(pl.col("same") & ~pl.col("equal"))
    clashes = [
        DeckProblem(max(line, earlier), "prefix", "deck_double", f"{prefix}; {min(line, earlier)}")
        for line, earlier, prefix in clash.select("line", "earlier", "prefix").head(MOST_PROBLEMS).rows()
    ]
    ordered = ordered.filter(~pl.col("same"))
    follows = pl.col("prefix") == pl.col("prefix").shift(-1)
    next_day = pl.when(follows).then(pl.col("from_day").shift(-1))
    return ordered.with_columns(next_day=next_day, next_line=pl.col("line").shift(-1)), clashes


def _overlaps(ordered: pl.DataFrame) -> list[DeckProblem]:
    """Lines that say they hold beyond the day their prefix's next line begins."""
    overlap = ordered.filter(pl.col("next_day").is_not_null() & (pl.col("until_day") > pl.col("next_day")))
    return [
        DeckProblem(line, "effective_until", "deck_overlap", f"{prefix}; {other}")
        for line, other, prefix in overlap.select("line", "next_line", "prefix").head(MOST_PROBLEMS).rows()
    ]


def _values(table: pl.DataFrame, columns: dict[str, str]) -> tuple[dict[str, pl.Expr], list[tuple[str, str, pl.Expr]]]:
    """The columns of a deck from text, and for each what makes a line wrong: (column, problem, where)."""
    nothing = pl.lit(None, dtype=pl.Int64)
    prefix = pl.col(columns["prefix"]).fill_null("").str.strip_chars().str.replace(r"^(\+|00)", "")
    good = prefix.str.contains(r"^[1-9]\d{0,14}$")
    values = {
        "prefix": pl.when(good).then(prefix).cast(pl.Int64, strict=False),
        "length": prefix.str.len_bytes().cast(pl.Int64),
        "name": pl.col(columns["name"]).str.strip_chars() if "name" in columns else pl.lit(None, dtype=pl.String),
    }
    tests = [("prefix", "deck_prefix", pl.col("prefix").is_null())]
    for name in ("price", "first_price", "connect"):
        if name not in columns:
            values[name] = pl.lit(0, dtype=pl.Int64) if name == "connect" else nothing
            continue
        text = pl.col(columns[name]).str.strip_chars()
        values[name] = _micro_yuan(text)
        if name == "connect":
            values[name] = pl.when(_blank(text)).then(pl.lit(0, dtype=pl.Int64)).otherwise(values[name])
        values[f"{name}_given"] = ~_blank(text) if name != "price" else pl.lit(value=True)
        values[f"{name}_fine"] = text.str.contains(r"^\d{1,10}\.\d{6}\d*[1-9]\d*$").fill_null(value=False)
        tests.append((name, "price_too_fine", pl.col(f"{name}_fine")))
        tests.append((name, "price", pl.col(f"{name}_given") & pl.col(name).is_null()))
    for name in ("first", "step"):
        values[name] = nothing
        if name in columns:
            text = pl.col(columns[name]).str.strip_chars()
            unit = text.str.extract(r"^\d{1,6}\s*(\D*)$").replace_strict(_SECONDS, default=None, return_dtype=pl.Int64)
            values[name] = text.str.extract(r"^(\d{1,6})").cast(pl.Int64) * unit
            values[f"{name}_given"] = ~_blank(text)
            tests.append((name, "size", pl.col(f"{name}_given") & ~(pl.col(name) > 0).fill_null(value=False)))
    for name, day in (("from", "from_day"), ("until", "until_day")):
        values[day] = nothing
        if name in columns:
            text = pl.col(columns[name]).str.strip_chars()
            forms = [text.str.to_date(form, strict=False) for form in _DAY_FORMS]
            values[day] = pl.coalesce(forms).to_physical().cast(pl.Int64)
            values[f"{day}_given"] = ~_blank(text)
            heading = "effective_from" if name == "from" else "effective_until"
            tests.append((heading, "day", pl.col(f"{day}_given") & pl.col(day).is_null()))
    tests.append(
        ("effective_until", "until_before_from", (pl.col("until_day") <= pl.col("from_day")).fill_null(value=False))
    )
    return values, tests


def _blank(text: pl.Expr) -> pl.Expr:
    return text.fill_null("") == ""


def _micro_yuan(text: pl.Expr) -> pl.Expr:
    """Yuan as text to whole micro-yuan; null for what is no price. Digits only: nothing here is ever a fraction."""
    whole = text.str.extract(r"^(\d{1,10})(?:\.\d+)?$").cast(pl.Int64)
    parts = text.str.extract(r"^\d{1,10}\.(\d{1,6})0*$").fill_null("").str.pad_end(6, "0").cast(pl.Int64)
    return whole * 1_000_000 + parts


def _problems(
    frame: pl.DataFrame, table: pl.DataFrame, columns: dict[str, str], tests: Sequence[tuple[str, str, pl.Expr]]
) -> list[DeckProblem]:
    means = {"effective_from": "from", "effective_until": "until"}
    wrong = frame.lazy().select(pl.any_horizontal([test for _name, _problem, test in tests]).any()).collect().item()
    found: list[DeckProblem] = []
    for name, problem, test in tests if wrong else ():
        heading = columns.get(means.get(name, name), "")
        for line in frame.filter(test)["line"].head(MOST_PROBLEMS).to_list():
            value = table[heading][line - 2] if heading else ""
            found.append(DeckProblem(line, name, problem, str(value or "")[:60]))
    by_line: dict[tuple[int, str], DeckProblem] = {}
    for one in found:
        by_line.setdefault((one.line, one.field), one)
    return sorted(by_line.values(), key=lambda one: one.line)


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema={name: pl.String() if name == "name" else pl.Int64() for name in _ALL})


# ---- from a file to a table of text ----------------------------------------------------------------------------------
def _text(data: bytes) -> bytes:
    """The file as UTF-8 without a mark; what is not UTF-8 is read as GB 18030, as a Chinese Excel writes CSV."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace").encode()
    return data


def _table(text: bytes) -> tuple[pl.DataFrame, dict[str, str], list[DeckProblem]]:
    """The table, its headings by what they mean, and what is wrong with its shape."""
    head = text[:4096].split(b"\n", 1)[0].decode("utf-8", errors="replace").rstrip("\r")
    separator = max(",;\t", key=head.count)
    headings = next(csv.reader([head], delimiter=separator), [])
    columns: dict[str, str] = {}
    for heading in headings:
        plain = heading.strip().lower()
        meaning = next((name for name, words in _HEADINGS.items() if plain in words), None)
        if meaning and meaning not in columns:
            columns[meaning] = heading
    missing = [DeckProblem(1, name, "deck_column", ", ".join(_HEADINGS[name])) for name in ("prefix", "price")]
    missing = [one for one in missing if one.field not in columns]
    if missing:
        return pl.DataFrame(), columns, missing
    if len(set(headings)) < len(headings):
        return pl.DataFrame(), columns, [DeckProblem(1, "prefix", "double", head[:60])]
    try:
        wanted = list(columns.values())
        table = pl.read_csv(io.BytesIO(text), separator=separator, infer_schema=False, columns=wanted)
    except (pl.exceptions.PolarsError, ValueError):
        return pl.DataFrame(), columns, list(_ragged(text, separator, len(headings)))
    return table, columns, []


def _ragged(text: bytes, separator: str, count: int) -> Iterator[DeckProblem]:
    """The lines whose fields do not match the heading, found slowly where the fast reader gave up."""
    named = False
    for number, row in enumerate(csv.reader(io.StringIO(text.decode("utf-8")), delimiter=separator), start=1):
        if row and len(row) != count:
            named = True
            yield DeckProblem(number, "-", "deck_fields", f"{len(row)} / {count}")
    if not named:
        yield DeckProblem(1, "-", "deck_fields", "-")


def _workbook(path: Path) -> bytes:
    """The first sheet as CSV text."""
    from openpyxl import load_workbook  # a fifth of a second that no server should start with

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a zip that is none, XML that is none: openpyxl lets its libraries' errors through
        words = in_words("workbook", type(error).__name__)
        raise DeckNotValid(file=path.name, row=1, field="-", problem=words, others=0) from error
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in book[book.sheetnames[0]].iter_rows(values_only=True):
        writer.writerow([_cell(value) for value in row])
    book.close()
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()[:10]
    return str(value)


def day_of(number: int | None) -> date | None:
    """A day from its number since 1970."""
    return None if number is None else date(1970, 1, 1) + timedelta(days=number)
