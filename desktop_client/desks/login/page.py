"""The sign-in window: staff number, password, counter; and the first password change."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from desktop_client.desks.login.presenter import LoginPresenter, LoginStage, LoginState
from desktop_client.widgets.basic import button, card, icon, label, restyle
from desktop_client.wording import Tone, Wording


class LoginPage(QWidget):
    """Signals: ``language_wanted(str)`` when the teller asks for the other language."""

    language_wanted = Signal(str)

    def __init__(self, presenter: LoginPresenter, wording: Wording, *, counter_no: str, server: str) -> None:
        super().__init__()
        self.setObjectName("loginPage")
        self._presenter = presenter
        self._wording = wording
        self._staff_no = self._field("staffNo")
        self._password = self._field("password", secret=True)
        self._counter_no = self._field("counterNo")
        self._counter_no.setText(counter_no)
        self._new_password = self._field("newPassword", secret=True)
        self._again = self._field("passwordAgain", secret=True)
        self._sign_in = button(wording.say("login.sign_in"), "signIn", "primary")
        self._change = button(wording.say("login.change"), "changePassword", "primary")
        self._cancel = button(wording.say("login.cancel"), "cancelChange", "flat")
        self._message = label(role="problem", name="loginMessage")
        self._message.setWordWrap(True)
        self._message.setMinimumHeight(44)
        self._message.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._forms = QStackedWidget()
        self._forms.addWidget(self._enter_form())
        self._forms.addWidget(self._change_form())
        self._build(server)
        self._connect()
        presenter.listener = self._show
        self._show(presenter.state)

    def _field(self, name: str, secret: bool = False) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(name)
        field.setMaxLength(200 if secret else 20)
        field.setMinimumHeight(38)
        if secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        return field

    def _enter_form(self) -> QWidget:
        return self._form([
            ("login.staff_no", self._staff_no), ("login.password", self._password),
            ("login.counter_no", self._counter_no),
        ], [self._sign_in])

    def _change_form(self) -> QWidget:
        return self._form(
            [("login.new_password", self._new_password), ("login.again", self._again)], [self._change, self._cancel]
        )

    def _form(self, rows: list[tuple[str, QLineEdit]], buttons: list[QWidget]) -> QWidget:
        form = QWidget()
        layout = QVBoxLayout(form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for key, field in rows:
            caption = label(self._wording.say(key), "muted")
            caption.setBuddy(field)
            field.setAccessibleName(self._wording.say(key))
            layout.addWidget(caption)
            layout.addWidget(field)
            layout.addSpacing(8)
        layout.addStretch(1)
        for one in buttons:
            one.setMinimumHeight(40)
            layout.addWidget(one)
        return form

    def _build(self, server: str) -> None:
        frame, inside = card("loginCard")
        frame.setFixedWidth(400)
        inside.setContentsMargins(36, 30, 36, 24)
        head = QHBoxLayout()
        picture = label()
        picture.setPixmap(icon("onehall").pixmap(52, 52))
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(label(self._wording.say("product"), "title"))
        names.addWidget(label(self._wording.say("login.subtitle"), "muted"))
        head.addWidget(picture)
        head.addSpacing(10)
        head.addLayout(names, 1)
        inside.addLayout(head)
        inside.addSpacing(16)
        inside.addWidget(self._forms)
        inside.addWidget(self._busy)
        inside.addWidget(self._message)
        other = "en" if self._wording.language == "zh_CN" else "zh_CN"
        language = button(self._wording.say("login.other_language"), "otherLanguage", "flat")
        language.clicked.connect(lambda: self.language_wanted.emit(other))
        foot = QHBoxLayout()
        foot.addWidget(label(self._wording.say("login.server", server=server), "small", "serverName"))
        foot.addStretch(1)
        foot.addWidget(language)
        inside.addLayout(foot)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(frame)
        middle.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(middle)
        layout.addStretch(3)

    def _connect(self) -> None:
        self._staff_no.returnPressed.connect(self._password.setFocus)
        self._password.returnPressed.connect(self._after_password)
        self._counter_no.returnPressed.connect(self._on_sign_in)
        self._sign_in.clicked.connect(self._on_sign_in)
        self._new_password.returnPressed.connect(self._again.setFocus)
        self._again.returnPressed.connect(self._on_change)
        self._change.clicked.connect(self._on_change)
        self._cancel.clicked.connect(self._presenter.back)
        for field in self._fields():
            field.installEventFilter(self)

    def _fields(self) -> list[QLineEdit]:
        return [self._staff_no, self._password, self._counter_no, self._new_password, self._again]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Esc goes back, as everywhere."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._presenter.back()
            return True
        return super().eventFilter(watched, event)

    def arrive(self) -> None:
        """Put the cursor where something is missing."""
        empty = next((field for field in self._fields()[:3] if not field.text()), self._password)
        empty.setFocus()

    def _after_password(self) -> None:
        if self._counter_no.text().strip():
            self._on_sign_in()
        else:
            self._counter_no.setFocus()

    def _on_sign_in(self) -> None:
        self._presenter.sign_in(self._staff_no.text(), self._password.text(), self._counter_no.text())

    def _on_change(self) -> None:
        self._presenter.change_password(self._new_password.text(), self._again.text())

    def _show(self, state: LoginState) -> None:
        changing = state.stage in (LoginStage.NEW_PASSWORD, LoginStage.CHANGING)
        waiting = state.stage in (LoginStage.SIGNING_IN, LoginStage.CHANGING)
        self._forms.setCurrentIndex(1 if changing else 0)
        for widget in (*self._fields(), self._sign_in, self._change):
            widget.setEnabled(not waiting)
        self._busy.setVisible(waiting)
        message = state.message
        self._message.setText("" if message is None else f"{message.text}\n{message.remedy}".strip())
        restyle(self._message, "role", "muted" if message is not None and message.tone is Tone.INFO else "problem")
        if state.stage is LoginStage.ENTER and not waiting:
            self._password.clear()
            self._new_password.clear()
            self._again.clear()
        self._point_at(state)

    def _point_at(self, state: LoginState) -> None:
        """The cursor goes to the field that is wrong, once the page is shown."""
        names = {"staff_no": self._staff_no, "password": self._password, "counter_no": self._counter_no,
                 "new_password": self._new_password, "again": self._again}
        for name, field in names.items():
            restyle(field, "bad", name == state.bad_field and state.message is not None
                    and state.message.tone is not Tone.INFO)
        if field_wanted := names.get(state.bad_field):
            QTimer.singleShot(0, self, field_wanted.setFocus)

