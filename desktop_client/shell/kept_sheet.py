"""The list of acts without an outcome: what they are, since when, and that they will be sent again."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop_client.shell.desk_work import DeskWork, Kept
from desktop_client.widgets.basic import button, label
from desktop_client.widgets.sheet import Sheet
from desktop_client.widgets.table import ColumnSpec, RowsModel, RowsView
from desktop_client.wording import Wording


class KeptSheet(Sheet):
    """Shown by F10. An act that surely never left this machine can be taken back here, no other."""

    def __init__(self, parent: QWidget, work: DeskWork, wording: Wording) -> None:
        super().__init__(parent, wording.say("acts.title"), width=780)
        self.setObjectName("keptSheet")
        self._work = work
        self._wording = wording
        columns = [
            ColumnSpec[Kept](wording.say("acts.col_time"), lambda row: row.made_at, width=160),
            ColumnSpec[Kept](wording.say("acts.col_what"), lambda row: row.title, stretch=True),
            ColumnSpec[Kept](
                wording.say("acts.col_state"), lambda row: wording.say(f"acts.state_{row.state}"), width=150,
                tone=lambda row: "bad" if row.state == "sent" else "",
            ),
            ColumnSpec[Kept](wording.say("acts.col_tries"), lambda row: str(row.tries), right=True, width=70),
        ]
        self._rows: RowsModel[Kept] = RowsModel(columns)
        self._view = RowsView(self._rows, columns, "keptActs")
        self._view.setMinimumHeight(220)
        self._hint = label(wording.say("acts.hint"), "muted")
        self._hint.setWordWrap(True)
        self._send = button(wording.say("acts.send_now"), "sendNow", "primary")
        self._withdraw = button(wording.say("acts.withdraw"), "withdraw")
        close = button(wording.say("acts.close"), "closeKept")
        self.inside.addWidget(self._hint)
        self.inside.addWidget(self._view)
        row = QHBoxLayout()
        row.addWidget(self._withdraw)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self._send)
        self.inside.addLayout(row)
        self._send.clicked.connect(lambda: work.resume(self.reload))
        self._withdraw.clicked.connect(self._on_withdraw)
        close.clicked.connect(self.close_sheet)
        self._view.selectionModel().selectionChanged.connect(lambda *_: self._enable())

    def open_list(self) -> None:
        """Show the list as it is now."""
        self.reload()
        self.open_over(self._send)

    def reload(self) -> None:
        """Read the journal again."""
        self._work.kept(self._show_rows)

    def _show_rows(self, rows: list[Kept]) -> None:
        self._rows.set_rows(rows)
        if rows and not self._view.currentIndex().isValid():
            self._view.selectRow(0)
        self._hint.setText(self._wording.say("acts.hint" if rows else "acts.none"))
        self._enable()

    def _enable(self) -> None:
        row = self._rows.row_at(self._view.currentIndex())
        self._withdraw.setEnabled(row is not None and row.may_withdraw)
        self._send.setEnabled(bool(self._rows.rows))

    def _on_withdraw(self) -> None:
        row = self._rows.row_at(self._view.currentIndex())
        if row is not None:
            self._work.withdraw(row.operation_id, lambda _: self.reload())
