"""The sheet all papers are drawn on: sizes, colours, running head and foot, and a table that breaks over pages.

Measures are millimetres, type sizes points. Text wraps; nothing is ever cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fpdf import FPDF
from fpdf.fonts import TTFFont

import resources
from resources import text
from server_api.billing.bill.paper.sizes import MEASURES, SIZES_MM, Paper

FONT = "paper"
INK = (30, 38, 46)
QUIET = (110, 120, 130)
ACCENT = (11, 83, 99)
PALE = (233, 241, 243)
RULE = (200, 208, 213)


@dataclass(frozen=True, slots=True)
class Cell:
    """Text in a table: main words and, below or behind them, quieter ones."""

    words: str
    quiet: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its share of the width, and whether it is set to the right (amounts)."""

    heading: str
    share: float
    right: bool = False


class Sheet(FPDF):
    """A document with this product's look. ``pages`` is the count to print, known after a first pass."""

    def __init__(self, paper: Paper, language: str, title: str, number: str, pages: int = 1) -> None:
        super().__init__(orientation="portrait", unit="mm", format=SIZES_MM[paper])
        self.measures = MEASURES[paper]
        self.language, self.title_words, self.number, self.pages_said = language, title, number, pages
        self.operator_words = ""
        margin = self.measures.margin
        self.set_margins(margin, margin, margin)
        self.set_auto_page_break(True, margin=margin + 6)
        self.add_font(FONT, fname=str(resources.path("fonts", "wqy-microhei.ttc")))
        self.set_title(f"{title} {number}")
        self.set_creator("OneHall")
        self.set_lang("zh-CN" if language.startswith("zh") else "en")

    @property
    def width(self) -> float:
        """The width between the margins."""
        return float(self.epw)

    def ink(self, size: float, colour: tuple[int, int, int] = INK) -> None:
        """Choose type size and colour."""
        self.set_font(FONT, size=size)
        self.set_text_color(*colour)

    def let_go(self) -> None:
        """Close the font's file: the library leaves it open for as long as the document is remembered."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    # ---- running head and foot -------------------------------------------------------------------------------------
    def header(self) -> None:
        """From the second page on: who, what, which."""
        if self.page_no() == 1:
            return
        self.ink(self.measures.small, QUIET)
        self.cell(self.width / 2, 5, self.operator_words)
        self.cell(
            self.width / 2,
            5,
            f"{self.title_words} {self.number}  {text('bill.continued', self.language)}",
            align="R",
            new_x="LMARGIN",
            new_y="NEXT",
        )
        self.hair()
        self.ln(2)

    def footer(self) -> None:
        """The page number, and the bill's own number again, so that loose sheets find together."""
        self.set_y(-self.measures.margin)
        self.ink(self.measures.small, QUIET)
        self.cell(self.width / 2, 5, self.number)
        self.cell(
            self.width / 2, 5, text("bill.page", self.language, page=self.page_no(), pages=self.pages_said), align="R"
        )

    # ---- parts -----------------------------------------------------------------------------------------------------
    def hair(self, colour: tuple[int, int, int] = RULE, width: float = 0.2) -> None:
        """A thin line across the sheet at the present height."""
        self.set_draw_color(*colour)
        self.set_line_width(width)
        self.line(self.l_margin, self.get_y(), self.l_margin + self.width, self.get_y())

    def heading(self, words: str) -> None:
        """A heading that is not left alone at the foot of a page."""
        self.keep_together(self.measures.row * 4)
        self.ln(self.measures.row * 0.6)
        self.ink(self.measures.base + 1.5, ACCENT)
        self.cell(self.width, self.measures.row, words, new_x="LMARGIN", new_y="NEXT")
        self.hair(ACCENT, 0.4)
        self.ln(0.8)

    def keep_together(self, height: float) -> None:
        """Begin a new page where less than ``height`` is left on this one."""
        if self.get_y() + height > self.h - self.b_margin:
            self.add_page()

    def panel(self, height: float, colour: tuple[int, int, int] = PALE) -> tuple[float, float]:
        """A tinted box across the sheet; returns its upper left corner."""
        x, y = self.l_margin, self.get_y()
        self.set_fill_color(*colour)
        self.rect(x, y, self.width, height, style="F", round_corners=True, corner_radius=1.5)
        return x, y

    # ---- tables ----------------------------------------------------------------------------------------------------
    def table_head(self, columns: Sequence[Column]) -> None:
        """The headings of a table."""
        self.ink(self.measures.small, QUIET)
        for column in columns:
            self.cell(column.share * self.width, self.measures.row, column.heading, align="R" if column.right else "L")
        self.ln(self.measures.row)
        self.hair()

    def table_row(
        self, columns: Sequence[Column], cells: Sequence[Cell], again: Callable[[], None] | None = None
    ) -> None:
        """A row as high as its longest text. On a new page ``again`` draws the headings first."""
        wrapped = [self._wrapped(column, cell) for column, cell in zip(columns, cells, strict=True)]
        line_height = self.measures.row * 0.78
        height = max(sum(len(lines) for _size, _colour, lines in parts) for parts in wrapped) * line_height
        height += self.measures.row - line_height
        if self.get_y() + height > self.h - self.b_margin:
            self.add_page()
            if again is not None:
                again()
        top, left = self.get_y(), self.l_margin
        for column, parts in zip(columns, wrapped, strict=True):
            y = top + (self.measures.row - line_height) / 2
            for size, colour, lines in parts:
                self.ink(size, colour)
                for line in lines:
                    self.set_xy(left, y)
                    self.cell(column.share * self.width, line_height, line, align="R" if column.right else "L")
                    y += line_height
            left += column.share * self.width
        self.set_xy(self.l_margin, top + height)

    def _wrapped(self, column: Column, cell: Cell) -> list[tuple[float, tuple[int, int, int], list[str]]]:
        parts = []
        for words, size, colour in ((cell.words, self.measures.base, INK), (cell.quiet, self.measures.small, QUIET)):
            if words:
                self.ink(size, colour)
                parts.append((size, colour, self.wrap(words, column.share * self.width - 2 * self.c_margin)))
        return parts

    def wrap(self, words: str, width: float) -> list[str]:
        """Break text into lines that fit, between words where there are blanks, else between characters."""
        lines: list[str] = []
        line = ""
        for piece in _pieces(words):
            if line and self.get_string_width(line + piece) > width:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
            while self.get_string_width(line) > width and len(line) > 1:
                fitting = len(line) - 1
                while fitting > 1 and self.get_string_width(line[:fitting]) > width:
                    fitting -= 1
                lines.append(line[:fitting])
                line = line[fitting:]
        return [*lines, line.rstrip()] if line.strip() or not lines else lines


_NEVER_FIRST = "，。、；：！？）》」』】％"


def _pieces(words: str) -> list[str]:
    """Where a line may break: after a blank, around every Chinese character, never before a closing mark."""
    pieces: list[str] = []
    word = ""
    for character in words:
        if character in _NEVER_FIRST:
            # closing marks stay with what they close: no line begins with one
            word = (word or (pieces.pop() if pieces else "")) + character
            pieces.append(word)
            word = ""
        elif ord(character) > 0x2E7F:
            pieces += [word, character] if word else [character]
            word = ""
        else:
            word += character
            if character == " ":
                pieces.append(word)
                word = ""
    return [*pieces, word] if word else pieces


def counted(draw: Callable[[int], Sheet]) -> bytes:
    """Draw a document; once more when its page count was not the one it said."""
    sheet = draw(1)
    if sheet.page_no() != 1:
        sheet.let_go()
        sheet = draw(sheet.page_no())
    try:
        return bytes(sheet.output())
    finally:
        sheet.let_go()
