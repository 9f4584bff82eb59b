"""The pricing process: reads questions from its input, answers on its output, ends with its input.

It reads the billing database and holds no key of the installation: nothing it needs is sealed.
"""

from __future__ import annotations

import logging
import pickle
import signal
import sys
from datetime import datetime
from typing import Any, BinaryIO

from server_api.billing.rating.credit.asks import Ask, PriceColumns
from server_api.billing.rating.credit.pricing import Pricer
from server_api.platform.database import Database
from server_api.platform.secrets import Secrets
from shared_models.values.clock import ManualClock, SystemClock
from shared_models.values.faults.base import Fault

_log = logging.getLogger("onehall.pricing")


class AskedClock:
    """Tells the instant the asking process gave with its question: both go by one clock."""

    def __init__(self) -> None:
        self._clock = ManualClock(SystemClock().now())

    def now(self) -> datetime:
        """The instant of the last question."""
        return self._clock.now()

    def set(self, at: datetime) -> None:
        """A question came with this instant."""
        self._clock.set(at)


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    clock = AskedClock()
    url: str = pickle.load(questions)
    database = Database("billing", url, clock=clock, secrets=Secrets(bytes(32)), label="pricing", pool_size=1)
    pricer = Pricer(database)
    try:
        while True:
            try:
                kind, now, content = pickle.load(questions)
            except EOFError:
                return
            clock.set(now)
            pickle.dump(_answer(pricer, kind, content), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
    finally:
        database.close()


def _answer(pricer: Pricer, kind: str, content: list[Ask] | PriceColumns) -> tuple[str, Any]:
    try:
        if kind == "prices" and isinstance(content, PriceColumns):
            return "ok", pricer.prices(content)
        if kind == "quotes" and isinstance(content, list):
            return "ok", pricer.quotes(content)
        return "error", f"no such question: {kind}"
    except Fault as fault:
        return "fault", (fault.code, fault.params)
    except Exception as error:  # noqa: BLE001 - a defect is told to the one who asked; the process goes on
        _log.exception("a question failed")
        return "error", f"{type(error).__name__}: {error}"


def main() -> None:
    """Run as a child of the API process."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Ctrl-C reaches the whole group: the API ends us by closing our input, after its last question.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may write where the answers go
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
