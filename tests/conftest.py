"""Set-up of every test run: the shared session, the database engines, and an honest account of what was not tested."""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest

# Before anything imports Qt: tests never open a window on somebody's desk.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTEST_QT_API", "pyside6")

pytest_plugins = [
    "tests.support.databases",
    "tests.support.browser",
    "tests.support.house",
    "tests.support.hall",
    "tests.support.shadow",
]


def _controls_session(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    from tests.support.session import begin_session

    if _controls_session(config):
        begin_session()


def pytest_unconfigure(config: pytest.Config) -> None:
    from tests.support.engines import close_postgres_admin
    from tests.support.postgres_server import forget_cluster
    from tests.support.session import end_session

    close_postgres_admin()
    if _controls_session(config):
        forget_cluster()
        end_session()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per engine: how many tests ran on it, or why none did."""
    from tests.support.engines import ENGINES

    ran: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name in ENGINES:
                if re.search(rf"[\[-]{name}[\]-]", report.nodeid):
                    ran[name] += 1
    if not ran:
        return
    terminalreporter.section("databases")
    for name, engine in ENGINES.items():
        missing = engine.why_missing() if not ran[name] else ""
        said = f"{ran[name]} tests" if ran[name] else f"NOT TESTED: {missing or 'no test of this run uses it'}"
        terminalreporter.write_line(f"{name:<11} {said}")
