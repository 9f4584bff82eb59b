"""What the virtual printer printed, as a picture: 203 dpi, 576 dots of print on 80 mm paper."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

import resources
from desktop_client.devices.receipt_printer.simulator.interpreter import DOTS, Cell, Interpreter, Printed
from desktop_client.printing.barcode import modules_of

_MARGIN = 32
_LINE = 30
_BARCODE_HEIGHT = 80
_MODULE_DOTS = 2


def picture(printed: Printed) -> Image.Image:
    """Draw the paper, one below the other where it was cut."""
    heights = [_height(item) for item in printed.items]
    image = Image.new("L", (DOTS + 2 * _MARGIN, sum(heights) + 2 * _MARGIN), 255)
    top = _MARGIN
    for item, height in zip(printed.items, heights, strict=True):
        if isinstance(item, list):
            _draw_line(image, item, top, height)
        elif isinstance(item, str):
            _draw_barcode(image, item, top)
        elif item is None:
            _draw_cut(image, top + height // 2)
        top += height
    return image


def picture_of_job(job: bytes) -> Image.Image:
    """What a job would look like on paper, from its bytes: for the demo, for training, for a complaint."""
    reader = Interpreter()
    reader.feed(job)
    return picture(reader.printed)


def _height(item: list[Cell] | int | str | None) -> int:
    if isinstance(item, list):
        tallest = max((cell.style.height for cell in item), default=1)
        return max(_LINE, 24 * tallest + 6)
    if isinstance(item, str):
        return _BARCODE_HEIGHT + _LINE + 8
    return _LINE * (2 if item is None else item)


def _draw_line(image: Image.Image, cells: list[Cell], top: int, height: int) -> None:
    width = sum(cell.dots for cell in cells)
    align = cells[0].style.align if cells else 0
    left = _MARGIN + (0, (DOTS - width) // 2, DOTS - width)[align]
    for cell in cells:
        glyph = _glyph(cell.character).resize((cell.dots, 24 * cell.style.height), Image.Resampling.NEAREST)
        box = (left, top + height - 24 * cell.style.height - 3)
        for shift in (0, 1) if cell.style.bold else (0,):
            image.paste(0, (box[0] + shift, box[1]), glyph)
        left += cell.dots


@lru_cache(maxsize=2000)
def _glyph(character: str) -> Image.Image:
    """A character in its cell of 12 or 24 dots, black where it prints."""
    wide = 12 if character.isascii() else 24
    font = _font(20 if character.isascii() else 23)
    cell = Image.new("L", (wide, 24), 0)
    draw = ImageDraw.Draw(cell)
    room = draw.textlength(character, font=font)
    draw.text(((wide - room) / 2, 20), character, font=font, fill=255, anchor="ls")
    return cell.point(lambda level: 255 if level > 100 else 0)


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(resources.path("fonts", "wqy-microhei.ttc")), size)


def _draw_barcode(image: Image.Image, text: str, top: int) -> None:
    modules = modules_of(text)
    draw = ImageDraw.Draw(image)
    left = _MARGIN + (DOTS - len(modules) * _MODULE_DOTS) // 2
    for index, module in enumerate(modules):
        if module == "1":
            start = left + index * _MODULE_DOTS
            draw.rectangle((start, top + 4, start + _MODULE_DOTS - 1, top + 4 + _BARCODE_HEIGHT), fill=0)
    draw.text((_MARGIN + DOTS // 2, top + _BARCODE_HEIGHT + 26), text, font=_font(20), fill=0, anchor="ms")


def _draw_cut(image: Image.Image, at: int) -> None:
    draw = ImageDraw.Draw(image)
    for left in range(0, image.width, 16):
        draw.line((left, at, left + 8, at), fill=150)
