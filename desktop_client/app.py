"""The client's start: settings, look, window. What is heavy is imported when needed, so that sign-in shows fast."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from desktop_client.config import ClientSettings
    from desktop_client.shell.main_window import MainWindow

_NAME = "onehall-client"
_OPTIONS = {
    "server_url": ("--server", "server address, e.g. https://hall.example:8443"),
    "ca_file": ("--ca-file", "certificate authority the server's certificate must come from (PEM)"),
    "counter_no": ("--counter", "number of this counter"),
    "language": ("--language", "zh_CN or en; default follows the system"),
    "printer": ("--printer", "receipt printer: network:HOST:PORT, windows:NAME, file:PATH, pdf:FOLDER"),
    "data_folder": ("--data-folder", "where the journal of unconfirmed acts is kept"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the client; gives the exit code: 0 ended by the teller, 2 wrong settings."""
    started = time.perf_counter()
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.WARNING)
    from desktop_client.config import SettingsNotValid, load_settings

    try:
        settings = load_settings(os.environ, {name: getattr(arguments, name) for name in _OPTIONS})
        if arguments.measure_start:
            return _measure(settings, started)
        return _run(settings)
    except (SettingsNotValid, ValueError) as problem:
        print(f"onehall-client: {problem}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="onehall-client", description="The teller's desktop client of OneHall.")
    for name, (option, text) in _OPTIONS.items():
        parser.add_argument(option, dest=name, default="", help=text)
    parser.add_argument("--measure-start", action="store_true", help="print the milliseconds to the sign-in form")
    parser.add_argument("--verbose", action="store_true", help="log what happens")
    return parser


def make_application() -> QApplication:
    """The dressed application object; the one there is, where there is one."""
    from PySide6.QtWidgets import QApplication

    from desktop_client.shell.style import dress

    found = QApplication.instance()
    app = found if isinstance(found, QApplication) else QApplication(sys.argv[:1])
    if app.applicationName() != _NAME:
        app.setApplicationName(_NAME)
        dress(app)
    return app


def make_window(settings: ClientSettings) -> MainWindow:
    """The window in the language of the settings, not yet shown."""
    from desktop_client.config import system_language
    from desktop_client.shell.main_window import MainWindow
    from desktop_client.wording import Wording

    return MainWindow(settings, Wording(settings.language or system_language()))


def _run(settings: ClientSettings) -> int:
    from PySide6.QtCore import QLockFile

    app = make_application()
    settings.folder.mkdir(parents=True, exist_ok=True)
    # Two windows on one journal would send the same acts twice as often; the server books them once all the same.
    lock = QLockFile(str(settings.folder / "client.lock"))
    if not lock.tryLock(100):
        print("onehall-client: already running for this user", file=sys.stderr)
        return 3
    keeper = WindowKeeper(settings)
    keeper.open(settings.language)
    code = app.exec()
    lock.unlock()
    return code


class WindowKeeper:
    """Holds the window, and makes it anew when the teller asks for the other language."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self.window: MainWindow | None = None

    def open(self, language: str) -> None:
        """Show the window in a language, in place of the one before."""
        from dataclasses import replace

        before = self.window
        self.window = make_window(replace(self._settings, language=language))
        self.window.language_wanted.connect(self.open)
        if before is None:
            self.window.resize(1366, 768)
        else:
            self.window.setGeometry(before.geometry())
        self.window.show()
        if before is not None:
            before.close()
            before.deleteLater()


def _measure(settings: ClientSettings, started: float) -> int:
    """Print how long it took until the sign-in form was painted."""
    from PySide6.QtCore import QTimer

    app = make_application()
    window = make_window(settings)
    window.resize(1366, 768)
    window.show()
    app.processEvents()
    window.grab()
    print(round((time.perf_counter() - started) * 1000))
    QTimer.singleShot(0, app.quit)
    app.exec()
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
