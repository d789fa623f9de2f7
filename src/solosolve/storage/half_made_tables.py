"""What a process leaves that is killed while Delta makes a table: a log without commits."""

from __future__ import annotations

import shutil

from pyspark.sql import SparkSession

from solosolve.names import Table
from solosolve.settings import Settings
from solosolve.storage.spark import remove_empty_folders


def remove_half_made(spark: SparkSession, settings: Settings, table: Table) -> None:
    """Removes the log of a table that has no commits: Delta would take it for the table, and never make one.

    Args:
        spark: The session, for tables with a URL.
        settings: Locates the table.
        table: The table; hold its write lock.
    """
    log = f"{settings.table_location(table)}/_delta_log"
    if settings.has_table_folders:
        shutil.rmtree(log, ignore_errors=True)
    else:
        # Another machine may be making the table, so only what is empty goes.
        remove_empty_folders(spark, (f"{log}/_staged_commits", log))
