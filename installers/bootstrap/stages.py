"""``dev.py test``: the stages, their times, and one honest closing line."""

from __future__ import annotations

import argparse
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from installers.bootstrap import system_packages, virtual_env
from installers.bootstrap.console import REPOSITORY, run, say


@dataclass(frozen=True)
class Run:
    """What this run of the tests was asked to do."""

    workers: int
    pytest_arguments: tuple[str, ...]


@dataclass
class Tally:
    """What came out of a stage; ``notes`` are things that are missing, in words."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.errors += other.errors
        self.skipped += other.skipped
        self.notes += other.notes

    @property
    def good(self) -> bool:
        return not (self.failed or self.errors)


@dataclass(frozen=True)
class Stage:
    """A part of the tests that can be run alone."""

    what: str
    run: Callable[[Run], Tally]
    needs: tuple[str, ...] = ()


# ---- static checks -----------------------------------------------------------------------------------------------
def _static(_run: Run) -> Tally:
    python = virtual_env.python()
    checks: dict[str, list[str | Path]] = {
        "ruff": [python, "-m", "ruff", "check", "."],
        "mypy": [python, "-m", "mypy"],
        "import contracts": [virtual_env.program("lint-imports"), "--no-logo"],
    }
    tally = Tally()
    for name, command in checks.items():
        code = run(command, timeout_s=600)
        say(f"  {name}: {'ok' if code == 0 else f'FAILED (exit code {code})'}")
        tally.passed += code == 0
        tally.failed += code != 0
    return tally


# ---- pytest ------------------------------------------------------------------------------------------------------
def _pytest(name: str, folders: tuple[str, ...], *, limit_s: float, parallel: bool = True) -> Callable[[Run], Tally]:
    def stage(asked: Run) -> Tally:
        there = [folder for folder in folders if any((REPOSITORY / folder).rglob("test_*.py"))]
        if not there:
            return Tally(failed=1, notes=[f"{name}: no tests found in {', '.join(folders)}"])
        report = REPOSITORY / ".venv" / "reports" / f"{name}.xml"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.unlink(missing_ok=True)
        spread = ["-n", str(asked.workers), "--dist", "worksteal"] if parallel and asked.workers > 1 else []
        code = run(
            [
                virtual_env.python(),
                "-m",
                "pytest",
                "-q",
                *spread,
                f"--junitxml={report}",
                *asked.pytest_arguments,
                *there,
            ],
            extra={
                **system_packages.child_environment(),
                "ONEHALL_REQUIRE_ENGINES": "sqlite,postgresql",
                "ONEHALL_BROWSER": system_packages.browser(),
            },
            timeout_s=limit_s,
        )
        return _tally_of(name, report, code)

    return stage


def _tally_of(name: str, report: Path, code: int) -> Tally:
    """Count from pytest's own report; an exit code that the counts do not explain is an error of its own."""
    tally = Tally()
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            counts = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
            tally.failed += counts["failures"]
            tally.errors += counts["errors"]
            tally.skipped += counts["skipped"]
            tally.passed += counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    if code and tally.good:
        tally.errors += 1
        tally.notes.append(f"{name}: pytest ended with exit code {code}")
    return tally


_MINUTE = 60.0
STAGES: dict[str, Stage] = {
    "static": Stage("ruff, mypy, import contracts", _static),
    "architecture": Stage(
        "rules about the code itself", _pytest("architecture", ("tests/architecture",), limit_s=5 * _MINUTE)
    ),
    "suite": Stage(
        "unit, contract, golden and scenario tests and worked examples on SQLite and PostgreSQL",
        _pytest(
            "suite",
            ("tests/unit", "tests/contract", "tests/golden", "tests/scenario", "tests/examples", "tests/perf"),
            limit_s=25 * _MINUTE,
        ),
        needs=("postgres", "fonts", "spark"),
    ),
    "gui": Stage(
        "the desktop client, unseen", _pytest("gui", ("tests/gui",), limit_s=8 * _MINUTE), needs=("gui", "fonts")
    ),
    "web": Stage(
        "the portal and the API in a real browser",
        _pytest("web", ("tests/web",), limit_s=8 * _MINUTE, parallel=False),
        needs=("browser", "fonts"),
    ),
    "faults": Stage(
        "kills, lost replies, full disks: the short form",
        _pytest("faults", ("tests/faults",), limit_s=10 * _MINUTE),
        needs=("postgres",),
    ),
    "packaging": Stage(
        "the distribution, built and installed anew",
        _pytest("packaging", ("tests/packaging",), limit_s=8 * _MINUTE, parallel=False),
    ),
}


# ---- running them ------------------------------------------------------------------------------------------------
def command(options: argparse.Namespace) -> int:
    """Set up and run the stages asked for; 0 only when everything in them passed."""
    extra = tuple(word for word in options.pytest if word != "--")
    return run_stages(options.only or list(STAGES), Run(workers=options.workers, pytest_arguments=extra))


def run_stages(names: list[str], asked: Run) -> int:
    """Run stages one after the other, print their times and the closing line; returns the exit code."""
    began = time.monotonic()
    virtual_env.ensure("test")
    needed = list(dict.fromkeys(need for name in names for need in STAGES[name].needs))
    advice = system_packages.ensure(*needed) if needed else []
    total = Tally(notes=[f"missing system packages: {line}" for line in advice])
    lines: list[str] = []
    for name in names:
        say(f"\n== {name}: {STAGES[name].what}")
        started = time.monotonic()
        tally = STAGES[name].run(asked)
        lines.append(
            f"  {name:<13}{'ok' if tally.good else 'FAILED':<8}{_counts(tally):<46}{time.monotonic() - started:7.1f} s"
        )
        total.add(tally)
    say("\n" + "\n".join(["stages", *lines, *(f"note: {note}" for note in total.notes)]))
    say(f"===== {_counts(total)} in {time.monotonic() - began:.2f}s =====")
    return 0 if total.good else 1


def _counts(tally: Tally) -> str:
    words = [f"{tally.passed} passed", f"{tally.failed} failed"]
    words += [f"{count} {word}" for count, word in ((tally.errors, "errors"), (tally.skipped, "skipped")) if count]
    return ", ".join(words)


__all__ = ["STAGES", "Run", "Stage", "Tally", "command", "run_stages"]
