"""The window: signing in, then the workspace; the heartbeat that watches the server and resumes kept acts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from desktop_client.config import ClientSettings
from desktop_client.desks.login.page import LoginPage
from desktop_client.desks.login.presenter import LoginPresenter
from desktop_client.gateway.health import HealthApi
from desktop_client.gateway.http import HallHttp, ServerAddress
from desktop_client.gateway.sessions import SessionsApi
from desktop_client.shell.bridge import MessageBridge
from desktop_client.shell.session import DeskSession
from desktop_client.widgets.basic import icon
from desktop_client.wording import Message, Tone, Wording
from desktop_client.work.server_call import CallGroup, ServerCalls
from shared_models.contracts.session import Session

if TYPE_CHECKING:
    from desktop_client.shell.desk_work import DeskWork
    from desktop_client.shell.workspace import Workspace

#: How often the server is asked how it is, and kept acts are tried again.
HEARTBEAT_MS = 5_000
log = logging.getLogger(__name__)


class MainWindow(QMainWindow):
    """Signals: ``language_wanted(str)``; ``signed_in`` and ``signed_out`` for whoever drives the window."""

    language_wanted = Signal(str)
    signed_in = Signal()
    signed_out = Signal()
    _session_ended = Signal()

    def __init__(self, settings: ClientSettings, wording: Wording, heartbeat_ms: int = HEARTBEAT_MS) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle(wording.say("product_long"))
        self.setWindowIcon(icon("onehall"))
        self.setMinimumSize(1280, 680)
        self.settings = settings
        self.wording = wording
        self.bridge = MessageBridge()
        self.calls = ServerCalls(self._unhandled, self)
        self.http = HallHttp(ServerAddress(settings.server_url, settings.ca_file), self._session_ended.emit)
        self._health = HealthApi(self.http)
        self._session_ended.connect(self._on_session_ended)
        self.login = LoginPresenter(
            runner=self.calls, sessions=SessionsApi(self.http), wording=wording, signed_in=self._on_signed_in
        )
        self.login_page = LoginPage(self.login, wording, counter_no=settings.counter_no, server=settings.server_url)
        self.login_page.language_wanted.connect(self.language_wanted)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.login_page)
        self.setCentralWidget(self._stack)
        self._workspace: Workspace | None = None
        self._work: DeskWork | None = None
        self._group: CallGroup | None = None
        self._heart = QTimer(self)
        self._heart.setInterval(heartbeat_ms)
        self._heart.timeout.connect(self._beat)
        self._asking = False
        self.login_page.arrive()

    # ---- signing in and out --------------------------------------------------------------------------------------
    @property
    def workspace(self) -> Workspace | None:
        """The signed-in window, None before."""
        return self._workspace

    def _on_signed_in(self, session: Session) -> None:
        counter_no = session.context.counter_no or self.settings.counter_no
        desk_session = DeskSession(self.settings.server_url, counter_no, session)
        before = self.workspace
        if before is not None and before.desk_session.is_same_person(desk_session):
            self._stack.setCurrentWidget(before)
            if before.current is not None:
                before.current.arrive()
        else:
            self._drop_workspace()
            self._make_workspace(desk_session)
        self._heart.start()
        self.signed_in.emit()

    def _make_workspace(self, desk_session: DeskSession) -> None:
        from desktop_client.shell.assembly import make_work
        from desktop_client.shell.navigation import DeskTools
        from desktop_client.shell.workspace import Workspace

        self._group = CallGroup(self.calls)
        work = make_work(self.settings, self.http, self._group, self.bridge, self.wording, desk_session.owner)
        tools = DeskTools(self.http, self._group, work, self.bridge, self.wording)
        workspace = Workspace(tools, desk_session, self.bridge)
        workspace.leave.connect(self.sign_out)
        self._workspace = workspace
        self._work = work
        self._stack.addWidget(workspace)
        self._stack.setCurrentWidget(workspace)
        if workspace.current is not None:
            workspace.current.arrive()
        work.settle_leftovers()
        work.resume()

    def sign_out(self) -> None:
        """Back to the sign-in form; the session ends at the server too."""
        self._heart.stop()
        sessions = SessionsApi(self.http)
        self.calls.run(lambda _: sessions.sign_out(), success=lambda _: None)
        self._drop_workspace()
        self.login.reset()
        self._stack.setCurrentWidget(self.login_page)
        self.login_page.arrive()
        self.signed_out.emit()

    def _on_session_ended(self) -> None:
        """The server no longer knows the session. The desk stays as it is behind the sign-in form."""
        if self.workspace is None or self._stack.currentWidget() is self.login_page:
            return
        self._heart.stop()
        self.login.reset(Message(Tone.WARNING, self.wording.say("login.session_ended")))
        self._stack.setCurrentWidget(self.login_page)
        self.login_page.arrive()

    def _drop_workspace(self) -> None:
        workspace = self.workspace
        if workspace is not None:
            if self._group is not None:
                self._group.close()
            self._work = None
            self.bridge.disconnect()
            self._stack.removeWidget(workspace)
            workspace.deleteLater()
            self._workspace = None

    # ---- the heartbeat -------------------------------------------------------------------------------------------
    def _beat(self) -> None:
        """Ask the server how it is; when it answers, send what was kept."""
        if self._asking:
            return
        self._asking = True
        self.calls.run(lambda _: self._health.ask(), success=lambda _: self._heard(), failure=self._not_heard)

    def _heard(self) -> None:
        self._asking = False
        workspace = self.workspace
        if workspace is None:
            return
        workspace.show_lamp(True)
        if self._work is not None:
            self._work.resume()

    def _not_heard(self, trouble: Exception) -> None:
        self._asking = False
        log.info("the server does not answer: %s", trouble)
        if self.workspace is not None:
            self.workspace.show_lamp(False)

    def _unhandled(self, trouble: Exception) -> None:
        """A call failed and nobody said what to do: the bridge speaks."""
        self.bridge.tell(self.wording.of_trouble(trouble))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is always safe: what has no outcome is in the journal."""
        self._heart.stop()
        self.calls.close()
        super().closeEvent(event)
