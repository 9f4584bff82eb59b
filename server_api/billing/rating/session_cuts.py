"""What sessions used since they were last rated, rated: each cut is a file of sessions like any other, imported once.

So the counts add up, every rated piece has its line, and a crash anywhere is gone on with: a cut that is made is
written again byte by byte, and a file that was taken is recognised.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from server_api.billing.rating.importer import import_file
from server_api.billing.usage.formats import sessions_csv
from server_api.billing.usage.radius import store
from server_api.billing.usage.radius.rules import Slice
from server_api.billing.usage.radius.take import close_silent, make_cut, slices, spool_name
from server_api.platform.database import Database
from shared_models.contracts.usage import UsageFileReport
from shared_models.contracts.work import WorkContext
from shared_models.values.faults.usage import AlreadyRegistered

SWITCH = "RADIUS"


def rate_sessions(
    database: Database, spool: Path | None = None, context: WorkContext | None = None
) -> list[UsageFileReport]:
    """Close sessions gone silent, take what is not rated yet, and rate it; a report for each cut.

    ``spool`` is where the files of cuts lie while they are imported, a folder of this run where none is named. Raises
    what import_file raises.
    """
    if spool is None:
        with tempfile.TemporaryDirectory(prefix="onehall-sessions-") as folder:
            return rate_sessions(database, Path(folder), context)
    close_silent(database, int(database.clock.now().timestamp()))
    make_cut(database)
    with database.reading() as conn:
        waiting = [row.cut_no for row in store.cuts_in(conn, "made")]
    reports = []
    spool.mkdir(parents=True, exist_ok=True)
    for cut_no in waiting:
        path = spool_name(spool, cut_no)
        with database.reading() as conn:
            path.write_bytes(sessions_csv.encode(_frame(list(slices(conn, cut_no)))))
        try:
            reports.append(
                import_file(database, path, format_code=sessions_csv.CODE, switch_code=SWITCH, context=context)
            )
        except AlreadyRegistered:  # taken before a crash; only the note of it was missing
            pass
        database.write(lambda conn, number=cut_no: store.set_cut(conn, number, "rated"))  # type: ignore[misc]
        path.unlink()
    return reports


def _frame(pieces: Sequence[Slice]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "session": [one.session_name for one in pieces],
            "owner_text": [one.login for one in pieces],
            "start_s": [one.start_s for one in pieces],
            "duration_s": [one.duration_s for one in pieces],
            "octets_in": [one.octets_in for one in pieces],
            "octets_out": [one.octets_out for one in pieces],
        },
        schema={
            "session": pl.String,
            "owner_text": pl.String,
            "start_s": pl.Int64,
            "duration_s": pl.Int64,
            "octets_in": pl.Int64,
            "octets_out": pl.Int64,
        },
    )
