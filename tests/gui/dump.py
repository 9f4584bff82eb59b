"""A window as indented text: what a person would see, widget by widget, for golden files a reviewer can read."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLabel, QLineEdit, QWidget

GOLDEN = Path(__file__).parents[1] / "golden" / "ui"


def dump(widget: QWidget, depth: int = 0) -> list[str]:
    """The visible widgets under one, in tab-free reading order of construction; unnamed frames only pass through."""
    lines: list[str] = []
    shown = _shown(widget)
    if shown:
        lines.append("  " * depth + shown)
    for child in widget.children():
        if isinstance(child, QWidget) and child.isVisible() and not isinstance(widget, QAbstractItemView | QComboBox):
            lines += dump(child, depth + (1 if shown else 0))
    return lines


def _shown(widget: QWidget) -> str:
    state = "" if widget.isEnabled() else " (off)"
    cursor = " <cursor>" if widget.hasFocus() else ""
    name = f" #{widget.objectName()}" if widget.objectName() and not widget.objectName().startswith("qt_") else ""
    match widget:
        case QLabel():
            text = str(widget.property("whole") or widget.text())
            return f"label{name} {text!r}" if text else ""
        case QComboBox():
            items = [widget.itemText(row) for row in range(widget.count())]
            return f"choice{name}{state}{cursor} {items}"
        case QLineEdit():
            text = "●" * len(widget.text()) if widget.echoMode() is QLineEdit.EchoMode.Password else widget.text()
            hint = f" hint {widget.placeholderText()!r}" if widget.placeholderText() else ""
            return f"field{name}{state}{cursor} {text!r}{hint}"
        case QAbstractButton():
            return f"button{name}{state}{cursor} {widget.text()!r}"
        case QAbstractItemView():
            return "\n".join([f"table{name}{cursor}", *_rows(widget)])
        case _:
            return f"{type(widget).__name__}{name}" if name and type(widget).__module__.startswith("desktop") else ""


def _rows(view: QAbstractItemView) -> list[str]:
    model = view.model()
    rows = []
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    if columns > 1:
        rows.append([str(model.headerData(at, Qt.Orientation.Horizontal)) for at in range(columns)])
    rows += [[str(model.index(row, at).data()) for at in range(columns)] for row in range(model.rowCount())]
    return ["        | " + " | ".join(row) for row in rows]


def check(widget: QWidget, name: str) -> None:
    """Compare with the golden file; ONEHALL_WRITE_GOLDEN=1 writes it anew."""
    text = "\n".join(dump(widget)) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("ONEHALL_WRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{name} looks different; ONEHALL_WRITE_GOLDEN=1 writes it anew"
