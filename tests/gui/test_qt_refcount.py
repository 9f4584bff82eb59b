"""PySide6 must not lose references: 6.12.0 on Python 3.11 dropped one of True per signal and one of None per override.

The interpreter aborts after some six hundred signals (``bool_dealloc``), which no short test shows; so the counts of
None, True and False are compared around each kind of callback the client uses. 6.11.3 keeps all of them.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QEvent,
    QEventLoop,
    QModelIndex,
    QObject,
    QRunnable,
    Qt,
    QThread,
    QThreadPool,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QValidator
from PySide6.QtWidgets import QApplication, QLineEdit, QStyledItemDelegate, QTableView, QWidget
from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.gui
TIMES = 60
#: On Python 3.12 and later these objects are immortal and their counts say nothing.
COUNTED = (None, True, False)


class Painted(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None:
        return None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        return None

    def event(self, event: QEvent) -> bool:
        return super().event(event)


class Filter(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return False


class Teller(QObject):
    told = Signal(object)
    rang = Signal()

    @Slot(object)
    def hear(self, value: object) -> None:
        return None


class Rows(QAbstractTableModel):
    answer: Any = None

    def rowCount(self, parent: Any = None) -> int:
        return 3

    def columnCount(self, parent: Any = None) -> int:
        return 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        return self.answer


class Brush(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: Any, index: Any) -> None:
        return None


class Strict(QValidator):
    def validate(self, text: str, position: int) -> object:
        return QValidator.State.Acceptable


class Thread(QThread):
    def run(self) -> None:
        return None


class Job(QRunnable):
    def run(self) -> None:
        return None


@dataclass
class Kind:
    name: str
    once: Callable[[], object]
    times: int = TIMES


def kinds(keep: list[object]) -> Iterator[Kind]:
    """Every kind of callback; ``keep`` holds what must live while it is counted."""
    widget, teller, listener, rows = Painted(), Teller(), Filter(), Rows()
    widget.show()
    teller.told.connect(teller.hear)
    teller.rang.connect(lambda: None)
    keep += [widget, teller, listener, rows]
    yield Kind("paintEvent", widget.repaint)
    key = (QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a")
    yield Kind("keyPressEvent and event", lambda: QApplication.sendEvent(widget, QKeyEvent(*key)))
    widget.installEventFilter(listener)
    yield Kind("eventFilter", lambda: QApplication.sendEvent(widget, QEvent(QEvent.Type.User)))
    widget.removeEventFilter(listener)
    yield Kind("signal with a value to a slot", lambda: teller.told.emit(1))
    yield Kind("signal with None", lambda: teller.told.emit(None))
    yield Kind("signal with True", lambda: teller.told.emit(True))
    yield Kind("signal to a lambda", teller.rang.emit)
    for answer in (None, True):
        rows.answer = answer
        yield Kind(f"model data {answer}", lambda: rows.index(0, 0).data())
    view, brush = QTableView(), Brush()
    view.setModel(rows)
    view.setItemDelegate(brush)
    view.resize(200, 120)
    view.show()
    keep += [view, brush]
    yield Kind("delegate paint", view.viewport().repaint)
    field, strict = QLineEdit(), Strict()
    field.setValidator(strict)
    keep += [field, strict]
    yield Kind("validator", lambda: field.setText("x"))
    yield Kind("timer", _tick)
    yield Kind("thread", _thread, 40)
    pool = QThreadPool()
    keep.append(pool)

    def start(job: Any) -> None:
        pool.start(job)
        pool.waitForDone()

    yield Kind("runnable", lambda: start(Job()))
    yield Kind("pool with a function", lambda: start(lambda: None))
    yield Kind("show and close", lambda: (widget.show(), widget.close()), 40)


def _tick() -> None:
    loop = QEventLoop()
    QTimer.singleShot(0, loop.quit)
    loop.exec()


def _thread() -> None:
    thread = Thread()
    thread.start()
    thread.wait()


@pytest.fixture
def still_collector() -> Iterator[None]:
    """No garbage collection while references are counted."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("still_collector")
def test_no_callback_takes_a_reference_with_it(qtbot: QtBot) -> None:
    keep: list[object] = []
    lost: list[str] = []
    for kind in kinds(keep):
        kind.once()
        QCoreApplication.processEvents()
        before = [sys.getrefcount(one) for one in COUNTED]
        for _ in range(kind.times):
            kind.once()
        after = [sys.getrefcount(one) for one in COUNTED]
        for one, first, last in zip(COUNTED, before, after, strict=True):
            # Half of one per call: caches may hold a few more, a fault costs one each time.
            if abs(last - first) >= kind.times // 2:
                lost.append(f"{kind.name}: {one} {last - first:+d}")
    for one in keep:
        if isinstance(one, QWidget):
            one.close()
            one.deleteLater()
    assert lost == []


def test_the_pinned_version_is_the_one_installed() -> None:
    import PySide6
    import shiboken6

    assert (PySide6.__version__, shiboken6.__version__) == ("6.11.3", "6.11.3")
