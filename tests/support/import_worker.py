"""A process that imports usage files and may be killed at any moment; used by the fault tests."""

from __future__ import annotations

import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from server_api.billing.rating import importer, turns
from server_api.billing.rating.included import deal_included_units
from server_api.billing.usage.formats import gb2048, pieces
from server_api.platform.database import Database
from shared_models.values.faults.usage import AlreadyRegistered
from tests.support.engines import TEST_SECRETS, Urls

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.import_worker"])
_PIECE_BYTES = 6 * 2_048


def work(urls: Urls, paths: list[Path], count: Any) -> None:
    """Import the files, then deal out included units; ``count`` goes up with each write turn."""
    gb2048.PIECE_BYTES = _PIECE_BYTES
    pieces.line_pieces.__defaults__ = (_PIECE_BYTES,)
    turns.TurnSize.learn = lambda self, _count, _ns: setattr(self, "rows", 40)  # type: ignore[assignment, method-assign]
    whole_turn = Database.batch

    def counted(self: Database) -> Any:
        count.value += 1
        time.sleep(0.002)  # so that a kill may fall before, into and after any of them
        return whole_turn(self)

    Database.batch = counted  # type: ignore[method-assign]
    database = Database("billing", urls.billing, secrets=TEST_SECRETS, label="import", pool_size=4)
    for path in paths:
        try:
            importer.import_file(database, path, deal=False)
        except AlreadyRegistered:
            continue
    deal_included_units(database)
    database.close()


def start(urls: Urls, paths: list[Path], count: Any) -> BaseProcess:
    """Such a process, started."""
    process = _CONTEXT.Process(target=work, args=(urls, paths, count), daemon=True)
    process.start()
    return process


def counter() -> Any:
    """A number both sides see."""
    return _CONTEXT.Value("q", 0)
