"""Bulk work without Python looking for cycles of garbage in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Pause the search for cycles of garbage within the block.

    Rows fetched or made by the ten thousand hold no cycles, but each few hundred of them made Python look again: a
    sixth of the time of writing rated calls, a third of reading the guide.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
