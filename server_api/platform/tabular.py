"""Tables as people bring them: Excel and CSV, read row by row, with errors that name file, row, field and remedy."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import resources
from shared_models.contracts.catalog import RowError

#: A sheet of more rows is not a list somebody made but a mistake (or an attack on the memory).
MAX_ROWS = 2_000_000


@dataclass(frozen=True)
class Row:
    """One row: its number as the person sees it (the heading is row 1), and its cells by heading, as text."""

    row_no: int
    cells: dict[str, str]

    def text(self, field: str) -> str:
        """A cell's text without surrounding blanks; '' where the column or the cell is missing."""
        return self.cells.get(field, "")


class TableNotReadable(ValueError):
    """The file is not what its name says, or its text is in no known encoding."""


def row_error(file: str, row_no: int, field: str, code: str, **params: object) -> RowError:
    """An error of a row, with its words in both languages (texts ``row_error.<code>.text`` and ``.remedy``)."""
    words = {
        f"{part}_{short}": resources.text(f"row_error.{code}.{part}", language, field=field, **params)
        for part in ("text", "remedy")
        for short, language in (("zh", "zh_CN"), ("en", "en"))
    }
    return RowError(file=file, row_no=row_no, field=field, code=code, **words)


def decode_text(raw: bytes) -> str:
    """Decode a text file as people's programs write it: UTF-8 (with or without mark), UTF-16, else GB 18030."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableNotReadable("the text is neither UTF-8 nor GB 18030")


def read_table(file: Path, sheet: str = "") -> Iterator[Row]:
    """Read a .csv or .xlsx file row by row; empty rows are passed over. Raises TableNotReadable."""
    if file.suffix.lower() == ".csv":
        yield from _rows(csv.reader(io.StringIO(decode_text(file.read_bytes()), newline="")))
        return
    yield from read_sheets(file.read_bytes(), [sheet] if sheet else None)[0][1]


def read_sheets(raw: bytes, names: Sequence[str] | None = None) -> list[tuple[str, list[Row]]]:
    """Read sheets of an Excel file: those named that are there, or the first. Raises TableNotReadable."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
        raise TableNotReadable("this is not an Excel workbook (.xlsx)") from error
    try:
        wanted = book.sheetnames[:1] if names is None else [name for name in names if name in book.sheetnames]
        return [(name, list(_rows(book[name].iter_rows(values_only=True)))) for name in wanted]
    finally:
        book.close()


def _rows(source: Iterable[Sequence[Any]]) -> Iterator[Row]:
    heading: list[str] | None = None
    for row_no, cells in enumerate(source, start=1):
        if row_no > MAX_ROWS:
            raise TableNotReadable(f"more than {MAX_ROWS} rows")
        texts = [_text(cell) for cell in cells]
        if not any(texts):
            continue
        if heading is None:
            heading = texts
            continue
        yield Row(row_no, {name: text for name, text in zip(heading, texts, strict=False) if name})


def _text(cell: Any) -> str:
    """A cell as text. Excel hands numbers back as floats: a whole one is a number somebody typed, 12.0 means 12."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if (cell.hour, cell.minute, cell.second) == (0, 0, 0) else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def write_csv(file: Path, heading: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig") -> int:
    """Write a .csv as Excel opens it (a mark, CRLF); returns the number of rows."""
    count = 0
    with file.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(heading)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def sheets_to_excel(sheets: Sequence[tuple[str, Sequence[str], Iterable[Sequence[object]]]]) -> bytes:
    """An Excel workbook with a heading row in each sheet."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    for name, heading, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.append(list(heading))
        for row in rows:
            sheet.append([_harmless(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _harmless(cell: object) -> object:
    """Text that begins like a formula would be run by Excel: it is kept as text by a leading apostrophe."""
    return "'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "@") else cell
