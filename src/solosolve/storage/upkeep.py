"""Delta's own upkeep of a table: merging small files, and deleting those that it no longer has."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import functions as F

from solosolve.names import Table
from solosolve.storage.spark import task_slots
from solosolve.storage.tables import Tables

_UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "ADD COLUMNS", "ADD COLUMN")
"""Operations that add no row; delta-rs calls the last what Spark calls the one before."""


def compact(tables: Tables, table: Table) -> tuple[int, int]:
    """Merges small files into large ones (OPTIMIZE); no row changes.

    Returns:
        How many files were merged, and into how many.

    Raises:
        TableError: Another process has held the write lock for ten minutes.
    """
    with tables.writing(table):
        metrics = tables.delta(table).optimize().executeCompaction().select("metrics.*").collect()[0]
    return int(metrics["numFilesRemoved"]), int(metrics["numFilesAdded"])


def vacuum(tables: Tables, table: Table, retention_hours: int) -> None:
    """Deletes the files that the table has not had for some hours.

    Raises:
        TableError: Another process has held the write lock for ten minutes.
    """
    session = tables.spark.newSession()
    # Delta refuses less than a week, because of files that a writer has not committed yet. Here writers hold the lock.
    session.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    # Delta lists the table's folder in as many tasks: ten thousand by default, which take minutes on a small cluster.
    session.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", str(4 * task_slots(tables.spark)))
    with tables.writing(table):
        Tables(session, tables.settings).delta(table).vacuum(retention_hours)


def oldest_commit_at(tables: Tables, table: Table, version: int, ignored_note: str | None = None) -> datetime | None:
    """When the oldest commit from a version on was made, apart from those that add no row; None if there is none.

    Args:
        tables: The tables.
        table: The table.
        version: The first commit that counts.
        ignored_note: The `userMetadata` of commits that do not count.
    """
    is_later = (F.col("version") >= version) & ~F.col("operation").isin(*_UPKEEP)
    history = tables.delta(table).history().where(is_later)
    if ignored_note is not None:
        history = history.where(~F.col("userMetadata").eqNullSafe(ignored_note))
    found = history.agg(F.min("timestamp").alias("at")).collect()[0]["at"]
    return None if found is None else found.astimezone(UTC)
