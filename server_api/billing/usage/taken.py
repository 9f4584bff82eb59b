"""Which identities are taken: what makes a call count once, whatever file and piece bring it.

Identities are in the order of time but for one seam a month, and so are the files of an exchange: a piece overlaps few
others, and only those are read. What is held is eight bytes a call; looking takes the same time however many calls the
month has already.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from server_api.billing.usage import store
from server_api.platform.database import Database

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_NOTHING = np.zeros(0, np.int64)
_ANY = (0, 2**63 - 1)


@dataclass
class _Run:
    """Identities taken together: those of a piece, sorted once they are needed."""

    low: int
    high: int
    place: tuple[int, int] | None = None
    ids: Ints = field(default_factory=lambda: _NOTHING)

    def hits(self, wanted: Ints) -> Flags:
        """Which of some identities are among these."""
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return self.ids[at] == wanted


class Taken:
    """The identities taken as an import sees them: by other files, by its own pieces before, and what it stored of the
    pieces from ``first_piece`` on before it was interrupted (``own``, which are no doubles)."""

    def __init__(self, database: Database | None = None, file_no: int = 0, first_piece: int = 0) -> None:
        self._database = database
        self._file_no, self._first_piece = file_no, first_piece
        self._months: dict[int, list[_Run]] = {}
        self._own: list[Ints] = []
        self._next_turn = 0

    def fresh(self, identities: Ints, months: Ints) -> Flags:
        """True for those seen nowhere before, and for the first of those that come twice here."""
        fresh = _first_of_each(identities)
        for month in np.unique(months).tolist():
            runs = self._runs(month)
            here = np.flatnonzero(months == month)
            ids = identities[here]
            low, high = int(ids.min()), int(ids.max())
            for run in runs:
                if run.low <= high and low <= run.high and self._loaded(run, month):
                    inside = np.flatnonzero((ids >= run.low) & (ids <= run.high))
                    doubles = inside[run.hits(ids[inside])] if len(inside) else inside
                    fresh[here[doubles]] = False
        return fresh

    def take(self, identities: Ints, months: Ints) -> None:
        """These are taken from now on."""
        for month in np.unique(months).tolist():
            ids = np.sort(identities[months == month])
            self._runs(month).append(_Run(int(ids[0]), int(ids[-1]), None, ids))

    @property
    def own(self) -> tuple[Ints, int]:
        """What the interrupted import stored of these months already, and the number of the turn after its last."""
        return (np.concatenate(self._own) if self._own else _NOTHING), self._next_turn

    def _runs(self, month: int) -> list[_Run]:
        runs = self._months.get(month)
        if runs is not None:
            return runs
        runs = self._months[month] = []
        if self._database is None:
            return runs
        with self._database.reading() as conn:
            for file_no, piece_no, span in store.seen_pieces(conn, month):
                if file_no == self._file_no and piece_no >= self._first_piece:
                    ids, next_turn = store.seen_of_piece(conn, month, file_no, piece_no)
                    self._own.append(ids)
                    self._next_turn = max(self._next_turn, next_turn)
                else:
                    low, high = span or _ANY
                    runs.append(_Run(low, high, (file_no, piece_no)))
        return runs

    def _loaded(self, run: _Run, month: int) -> bool:
        """Read a run's identities unless they are here; False where there are none."""
        if run.place is not None and self._database is not None:
            with self._database.reading() as conn:
                run.ids = np.sort(store.seen_of_piece(conn, month, *run.place)[0])
            run.place = None
            if len(run.ids):
                run.low, run.high = int(run.ids[0]), int(run.ids[-1])
        return len(run.ids) > 0


def _first_of_each(identities: Ints) -> Flags:
    """True for the first of each value; a plain sort says quickly which few values come more than once."""
    first = np.ones(len(identities), np.bool_)
    ordered = np.sort(identities)
    several = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(several):
        places = np.flatnonzero(_Run(0, 0, None, several).hits(identities))
        first[places] = False
        first[places[np.unique(identities[places], return_index=True)[1]]] = True
    return first
