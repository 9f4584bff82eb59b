"""The same rating expressions on PySpark: for files of a size one machine should not be asked for.

Calls and tables cross as Parquet files, so a cluster reads them where it is; on one machine the folder is temporary.
Needs the ``spark`` extra and Java 17 or later; nothing here is imported by who does not ask for it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from server_api.billing.rating.arithmetic import dividing_in_floats
from server_api.billing.rating.rater import DAY_S, Owners, rate_on
from server_api.billing.rating.tariff.compile import Compiled
from shared_models.values.faults.rating import SparkNotThere

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Small tables are sent to every worker; a deck of 200,000 lines is one.
_BROADCAST_BYTES = 64 * 1024 * 1024


@contextmanager
def spark_session(master: str = "") -> Iterator[SparkSession]:
    """A Spark session: the one there is, else a new one, ended with the block, of ``master`` or ``SPARK_MASTER`` or all
    cores of this machine.

    Raises SparkNotThere without PySpark or Java.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkNotThere(missing="pyspark") from None
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise SparkNotThere(missing="Java")
    if (there := SparkSession.getActiveSession()) is not None:
        yield there
        return
    builder = SparkSession.builder.master(master or os.environ.get("SPARK_MASTER", "local[*]")).appName("onehall rate")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.autoBroadcastJoinThreshold": str(_BROADCAST_BYTES),
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 2),
        "spark.sql.ansi.enabled": "true",  # a sum beyond 63 bits is an error, never another number
        "spark.log.level": "FATAL",  # its "errors" are code too long to be compiled; what really fails is raised here
        "spark.sql.constraintPropagation.enabled": "false",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def rate_with_spark(
    session: SparkSession,
    calls: pl.DataFrame,
    tariffs: Compiled,
    owners: Owners | int | None,
    *,
    included: bool,
    longest_s: int = DAY_S,
    folder: Path | None = None,
) -> pl.DataFrame:
    """Guide and rate calls on Spark; the same columns and charges as ``rater.rate`` with ``explain``. ``folder``: where
    all workers see the files; none on one machine.

    The steps of each charge are always kept: dropped, Spark would put expressions used several times into one another
    and work them out each time.
    """
    here = Path(tempfile.mkdtemp(prefix="onehall-spark-", dir=folder))
    numbers = itertools.count()

    def table(frame: pl.DataFrame) -> Any:
        path = here / f"table-{next(numbers)}.parquet"
        _plain(frame).write_parquet(path)
        return nw.from_native(session.read.parquet(str(path)))

    try:
        with dividing_in_floats():
            rated = rate_on(
                table(calls), tariffs, owners, table=table, included=included, longest_s=longest_s, explain=True
            )
        out = here / "rated"
        nw.to_native(rated).write.parquet(str(out))
        return pl.read_parquet(out / "*.parquet")
    finally:
        shutil.rmtree(here, ignore_errors=True)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Types every reader of Parquet has: no unsigned numbers, no categories."""
    wider: dict[Any, Any] = {pl.UInt8: pl.Int16, pl.UInt16: pl.Int32, pl.UInt32: pl.Int64, pl.UInt64: pl.Int64,
                             pl.Enum: pl.String, pl.Categorical: pl.String}  # fmt: skip
    kinds = {name: wider.get(kind.base_type(), kind) for name, kind in frame.schema.items()}
    return frame.select([pl.col(name).cast(kind) for name, kind in kinds.items()])
