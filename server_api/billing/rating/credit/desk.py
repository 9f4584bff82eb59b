"""Where pricing runs: a process of its own beside the API, started with the first question.

Laying tariffs out is seconds of pure computing; in the API's process that took payments from 231 to 24 a second. Here a
thread takes whatever questions wait, hands them over together and hands the answers back; while one batch is worked on
the next gathers, so nobody waits for a timer and a busy desk makes larger batches by itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Protocol

from server_api.billing.rating.credit.asks import Ask, ChargeColumns, PriceColumns
from server_api.billing.rating.credit.quote import Quote
from server_api.platform.database import Database
from shared_models.values.faults.base import Fault, all_faults
from shared_models.values.faults.common import TooBusy
from shared_models.values.faults.credit import PricingAway

_MOST_TOGETHER = 400
_MOST_WAITING = 5_000
#: The first answer waits for the tariffs to be laid out.
_ANSWER_WITHIN_S = 60.0
#: A batch is some dozens of rows: handing them to other threads took longer than working them out, most of all where
#: the API needs the other core.
_ALONE = {"POLARS_MAX_THREADS": "1"}
_log = logging.getLogger("onehall.pricing")


class PricingFailed(Exception):
    """A defect in the pricing process; its log has the place."""


class Worker(Protocol):
    """What answers a batch. One thread calls it."""

    def answer(self, now: datetime, asks: Sequence[Ask]) -> list[Quote]: ...
    def prices(self, now: datetime, columns: PriceColumns) -> ChargeColumns: ...
    def close(self) -> None: ...


class ChildProcess:
    """The pricing process as seen from here: started when needed, and again after it died."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    def answer(self, now: datetime, asks: Sequence[Ask]) -> list[Quote]:
        """Quotes for a batch. Raises PricingAway, PricingFailed, and the faults of the database."""
        found: list[Quote] = self._ask(("quotes", now, list(asks)))
        return found

    def prices(self, now: datetime, columns: PriceColumns) -> ChargeColumns:
        """Charges of a batch. Raises the same."""
        found: ChargeColumns = self._ask(("prices", now, columns))
        return found

    def close(self) -> None:
        """End the process."""
        with self._guard:
            process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()  # it ends with its input
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._process is not None and self._process.poll() is None:
                return self._process
        self.close()
        command = [sys.executable, "-m", "server_api.billing.rating.credit.child"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **_ALONE})
        assert process.stdin is not None
        pickle.dump(self._url, process.stdin)  # not an argument: a database URL may hold a password
        process.stdin.flush()
        with self._guard:
            self._process = process
        return process

    def _ask(self, question: tuple[Any, ...]) -> Any:
        try:
            process = self._started()
            assert process.stdin is not None and process.stdout is not None
            overdue = threading.Timer(_ANSWER_WITHIN_S, process.kill)
            overdue.start()
            try:
                pickle.dump(question, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                kind, answer = pickle.load(process.stdout)
            finally:
                overdue.cancel()
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as trouble:
            _log.warning("the pricing process ended while it was asked: %r", trouble)
            self.close()
            raise PricingAway() from trouble
        if kind == "fault":
            code, params = answer
            raise all_faults()[code](**params)
        if kind == "error":
            raise PricingFailed(answer)
        return answer


class Desk:
    """Takes questions from any thread or from an event loop and answers them in batches."""

    def __init__(self, database: Database, worker: Worker | None = None) -> None:
        self._clock = database.clock
        self._worker: Worker = worker or ChildProcess(database.url)
        self._waiting: queue.Queue[tuple[Ask | PriceColumns, Future[Any]] | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()

    def submit(self, question: Ask | PriceColumns) -> Future[Any]:
        """Queue a question. Raises TooBusy where too many wait."""
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._loop, name="pricing", daemon=True)
                    self._thread.start()
        future: Future[Any] = Future()
        try:
            self._waiting.put_nowait((question, future))
        except queue.Full:
            raise TooBusy(what="price questions") from None
        return future

    async def quote(self, ask: Ask) -> Quote:
        """The quote for one question, without holding a thread."""
        found: Quote = await asyncio.wrap_future(self.submit(ask))
        return found

    async def prices(self, columns: PriceColumns) -> ChargeColumns:
        """The charges of many calls, without holding a thread."""
        found: ChargeColumns = await asyncio.wrap_future(self.submit(columns))
        return found

    def close(self) -> None:
        """Answer what waits, then end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=_ANSWER_WITHIN_S)
        self._worker.close()

    def _loop(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            batch = [first]
            ended = False
            while len(batch) < _MOST_TOGETHER:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                    break
                batch.append(following)
            self._answer(batch)
            if ended:
                return

    def _answer(self, batch: list[tuple[Ask | PriceColumns, Future[Any]]]) -> None:
        asks = [(question, future) for question, future in batch if isinstance(question, Ask)]
        if asks:
            self._settle(
                [future for _ask, future in asks],
                lambda: self._worker.answer(self._clock.now(), [ask for ask, _future in asks]),
            )
        for question, future in batch:
            if isinstance(question, PriceColumns):
                self._settle([future], lambda columns=question: [self._worker.prices(self._clock.now(), columns)])

    def _settle(self, futures: list[Future[Any]], work: Any) -> None:
        running = [future for future in futures if future.set_running_or_notify_cancel()]
        try:
            answers = work()
        except Exception as trouble:  # noqa: BLE001 - it belongs to those who asked, and is raised there
            if not isinstance(trouble, Fault):
                _log.error("pricing failed", exc_info=trouble)
            for future in running:
                future.set_exception(trouble)
            return
        for future, answer in zip(futures, answers, strict=True):
            if future in running:
                future.set_result(answer)


__all__ = ["ChildProcess", "Desk", "PricingFailed", "Worker"]
