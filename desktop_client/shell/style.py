"""The look: Fusion, one light palette, one style sheet, a font that has Chinese on every system."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

#: Fonts with good Chinese and figures, best first; the last ships with the product.
_FAMILIES = ("Microsoft YaHei UI", "Noto Sans CJK SC", "WenQuanYi Micro Hei")


def dress(app: QApplication) -> None:
    """Give the application its look. The system's dark mode is not followed: papers and amounts are read on light."""
    app.setStyle("Fusion")
    app.styleHints().setColorScheme(Qt.ColorScheme.Light)
    app.setPalette(_palette())
    app.setFont(_font())
    app.setStyleSheet((Path(__file__).parent / "style.qss").read_text(encoding="utf-8"))


def _font() -> QFont:
    present = set(QFontDatabase.families())
    family = next((name for name in _FAMILIES if name in present), "")
    if not family:
        from desktop_client.printing.fonts import print_family

        family = print_family()
    font = QFont(family)
    font.setPixelSize(14)
    return font


def _palette() -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: "#f3f6f9", QPalette.ColorRole.WindowText: "#1b2733",
        QPalette.ColorRole.Base: "#ffffff", QPalette.ColorRole.AlternateBase: "#fafcfe",
        QPalette.ColorRole.Text: "#1b2733", QPalette.ColorRole.Button: "#ffffff",
        QPalette.ColorRole.ButtonText: "#1b2733", QPalette.ColorRole.Highlight: "#0f6fb5",
        QPalette.ColorRole.HighlightedText: "#ffffff", QPalette.ColorRole.PlaceholderText: "#93a1af",
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    return palette
