"""Rows of the counter desk: search hits, what is owed, products, payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop_client.widgets.table import ColumnSpec
from desktop_client.wording import Wording
from shared_models.contracts.desk import DeskAccount, DeskPayment, DeskProduct
from shared_models.contracts.party import CustomerHit
from shared_models.values.clock import town_text

Index = QModelIndex | QPersistentModelIndex
HIT_ROLE = Qt.ItemDataRole.UserRole + 1


class HitsModel(QAbstractListModel):
    """Customers found."""

    def __init__(self) -> None:
        super().__init__()
        self._hits: tuple[CustomerHit, ...] = ()

    @property
    def hits(self) -> tuple[CustomerHit, ...]:
        return self._hits

    def set_hits(self, hits: Sequence[CustomerHit]) -> None:
        """Show other hits; the same ones change nothing."""
        if tuple(hits) != self._hits:
            self.beginResetModel()
            self._hits = tuple(hits)
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._hits):
            return None
        hit = self._hits[index.row()]
        if role == HIT_ROLE:
            return hit
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{hit.name} {hit.customer_no} {' '.join(hit.phones)}"
        return None


class HitDelegate(QStyledItemDelegate):
    """A hit in three lines: name and number, access numbers, address."""

    HEIGHT = 72

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit = index.data(HIT_ROLE)
        if hit is None:
            return
        box: QRect = option.rect
        state = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, QColor("#e2eef8"))
            painter.fillRect(QRect(box.left(), box.top(), 3, box.height()), QColor("#0f6fb5"))
        inside = box.adjusted(14, 8, -12, -6)
        font = QFont(option.font)
        font.setPixelSize(15)
        font.setBold(True)
        word = self._wording.one_of("customer_class", hit.customer_class.value)
        shown_class = "" if hit.customer_class.value == "normal" else word
        self._line(painter, font, "#1b2733", inside, 0, hit.name, right=hit.customer_no, note=shown_class)
        font.setBold(False)
        font.setPixelSize(13)
        self._line(painter, font, "#1b2733", inside, 21, " · ".join(hit.phones[:3]) or hit.masked_id_no)
        font.setPixelSize(12)
        self._line(painter, font, "#6b7a89", inside, 40, hit.address or hit.masked_id_no)
        painter.setPen(QPen(QColor("#edf1f5")))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        painter.restore()

    @staticmethod
    def _line(
        painter: QPainter, font: QFont, colour: str, box: QRect, top: int, text: str, right: str = "", note: str = ""
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        line = QRect(box.left(), box.top() + top, box.width(), 20)
        room = line.width()
        if right:
            small = QFont(font)
            small.setBold(False)
            small.setPixelSize(12)
            painter.setFont(small)
            painter.setPen(QColor("#6b7a89"))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
            room -= painter.fontMetrics().horizontalAdvance(right) + 10
            painter.setFont(font)
            painter.setPen(QColor(colour))
        if note:
            room -= painter.fontMetrics().horizontalAdvance(note) + 8
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        if note:
            after = line.adjusted(painter.fontMetrics().horizontalAdvance(shown) + 8, 0, 0, 0)
            painter.setPen(QColor("#b26a00"))
            painter.drawText(after, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, note)


@dataclass(frozen=True, slots=True)
class OwedRow:
    """A bill, or a line of it."""

    title: str
    detail: str
    amount: str
    owed: str
    is_bill: bool
    overdue: bool = False


def owed_rows(account: DeskAccount | None, wording: Wording) -> list[OwedRow]:
    """The open bills of an account with their lines, oldest first."""
    rows: list[OwedRow] = []
    for bill in account.bills if account is not None else ():
        month = f"{bill.yyyymm // 100}-{bill.yyyymm % 100:02d}"
        due = bill.due_on.isoformat() if bill.due_on else ""
        detail = wording.say("counter.overdue" if bill.overdue else "counter.due_on", date=due).strip()
        rows.append(OwedRow(
            wording.say("counter.bill_of", month=month), detail, bill.total_fen.grouped, bill.owed_fen.grouped, True,
            bill.overdue,
        ))
        rows += [OwedRow(f"    {line.label}", line.detail, line.amount_fen.grouped, "", False) for line in bill.lines]
    if account is not None and account.late_fee_fen:
        rows.append(OwedRow(wording.say("counter.late_fee"), "", "", account.late_fee_fen.grouped, True, True))
    return rows


def owed_columns(wording: Wording) -> list[ColumnSpec[OwedRow]]:
    return [
        ColumnSpec(wording.say("counter.col_item"), lambda row: row.title, bold=lambda row: row.is_bill, width=174),
        ColumnSpec(
            wording.say("counter.col_detail"), lambda row: row.detail, stretch=True,
            tone=lambda row: "bad" if row.overdue else "muted",
        ),
        ColumnSpec(wording.say("counter.col_amount"), lambda row: row.amount, right=True, width=84,
                   tone=lambda row: "" if row.is_bill else "muted"),
        ColumnSpec(
            wording.say("counter.col_owed"), lambda row: row.owed, right=True, width=88,
            bold=lambda row: row.is_bill, tone=lambda row: "bad" if row.overdue else "",
        ),
    ]


def product_columns(wording: Wording) -> list[ColumnSpec[DeskProduct]]:
    return [
        ColumnSpec(wording.say("counter.col_service"), lambda row: wording.one_of("service", row.service), width=98),
        ColumnSpec(
            wording.say("counter.col_number"), lambda row: row.shown_as, stretch=True,
            hint=lambda row: "\n".join(part for part in (row.shown_as, row.offering_name, row.install_address) if part),
        ),
        ColumnSpec(
            wording.say("counter.col_state"), lambda row: wording.one_of("product_state", row.state), width=84,
            tone=lambda row: "good" if row.state == "active" else "bad" if row.state == "suspended" else "muted",
        ),
    ]


def payment_columns(wording: Wording) -> list[ColumnSpec[DeskPayment]]:
    return [
        ColumnSpec(wording.say("counter.col_time"), lambda row: town_text(row.paid_at)[5:16], width=98),
        ColumnSpec(wording.say("counter.col_receipt"), lambda row: row.receipt_no, stretch=True),
        ColumnSpec(
            wording.say("counter.col_amount"), lambda row: row.amount_fen.grouped, right=True, width=82,
            tone=lambda row: "muted" if row.state != "done" else "",
        ),
        ColumnSpec(
            wording.say("counter.col_state"), lambda row: wording.one_of("payment_state", row.state), width=74,
            tone=lambda row: "bad" if row.state == "reversed" else "good",
        ),
    ]
