"""The font papers and windows are drawn with, loaded once from the product's own file."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtGui import QFontDatabase

import resources


@lru_cache(maxsize=1)
def print_family() -> str:
    """The family of the font that ships; loads it on first use."""
    number = QFontDatabase.addApplicationFont(str(resources.path("fonts", "wqy-microhei.ttc")))
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    if not families:
        raise RuntimeError("the font that ships with the product cannot be read")
    return families[0]
