"""What every command speaks through: text for people, or one JSON document for programs."""

from __future__ import annotations

import json
import locale
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import resources
from shared_models.values.faults.base import Fault

OK, REFUSED, USAGE, AWAY, INTERRUPTED = 0, 1, 2, 3, 130
_language = "en"


def choose_language(argv: Sequence[str]) -> str:
    """The language asked for by ``--lang``, ``ONEHALL_LANG`` or the system; kept for ``t`` in this process."""
    global _language
    wanted = ""
    for index, word in enumerate(argv):
        if word == "--lang" and index + 1 < len(argv):
            wanted = argv[index + 1]
        elif word.startswith("--lang="):
            wanted = word.partition("=")[2]
    wanted = wanted or os.environ.get("ONEHALL_LANG", "") or (locale.getlocale()[0] or "")
    _language = "zh_CN" if wanted.lower().startswith(("zh", "chinese")) else "en"
    return _language


def language() -> str:
    """The language this process speaks: zh_CN or en."""
    return _language


def t(key: str, **params: object) -> str:
    """A text of the command line in the chosen language; ``key`` is below ``cli``."""
    return resources.text(f"cli.{key}", _language, **params)


class Console:
    """Prints lines and progress for people; with ``--json`` only what ``result`` is given."""

    def __init__(self, as_json: bool = False, out: TextIO | None = None, error: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._error = error or sys.stderr
        self._progress_at = 0.0
        self._progress_open = False

    def say(self, text: str = "") -> None:
        """A line for people; silent with ``--json``."""
        self._end_progress()
        if not self.as_json:
            print(text, file=self._out, flush=True)

    def complain(self, text: str) -> None:
        """A line on standard error."""
        self._end_progress()
        print(text, file=self._error, flush=True)

    def result(self, document: Any) -> None:
        """The result as one JSON document, printed only with ``--json``."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=False, default=str), file=self._out, flush=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Columns for people; Chinese characters count two places."""
        shown = [[str(cell) for cell in row] for row in rows]
        widths = [max(_width(text) for text in column) for column in zip(headings, *shown, strict=True)]
        for row in [list(headings), *shown]:
            cells = [text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)]
            self.say("  ".join(cells).rstrip())

    def progress(self, text: str) -> None:
        """A line that is written over (at most 5 times a second), on standard error and only on a terminal.

        For programs that show it themselves: ``ONEHALL_PROGRESS=lines`` writes a plain line each second.
        """
        now = time.monotonic()
        if os.environ.get("ONEHALL_PROGRESS") == "lines":
            if now - self._progress_at >= 1.0:
                self._progress_at = now
                print(text, file=self._error, flush=True)
            return
        if self.as_json or not self._error.isatty() or now - self._progress_at < 0.2:
            return
        self._progress_at, self._progress_open = now, True
        print(f"\r\x1b[K{text}", end="", file=self._error, flush=True)

    def _end_progress(self) -> None:
        if self._progress_open:
            self._progress_open = False
            print("\r\x1b[K", end="", file=self._error, flush=True)

    def refusal(self, fault: Fault) -> None:
        """Say what was refused and what to do about it."""
        text = resources.text(f"fault.{fault.code}.text", _language, **_spoken(fault.params))
        remedy = resources.text(f"fault.{fault.code}.remedy", _language, **_spoken(fault.params))
        if self.as_json:
            self.result({"fault": fault.code, "text": text, "remedy": remedy, "params": fault.params,
                         "retry": fault.retry})
        else:
            self.complain(text)
            self.complain(remedy)


def _spoken(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters in the chosen language, where they come in both."""
    spoken: dict[str, object] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and {"zh", "en"} <= set(value):
            value = value["zh" if _language == "zh_CN" else "en"]
        spoken[name] = value
    return spoken


def _width(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
