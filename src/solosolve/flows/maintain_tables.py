"""Keeps the tables fast and small: merges small files, and deletes files and commits that nothing needs any more."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.errors import TableError
from solosolve.names import COMPLAINTS_RAW, DELTA_SOURCE, FEEDBACK, MADE_BY, REQUESTS, SCORE_STREAM_PREFIX, Table
from solosolve.settings import Settings
from solosolve.storage.adoption import STAGED
from solosolve.storage.migrations import add_columns
from solosolve.storage.tables import Tables
from solosolve.storage.upkeep import compact, oldest_commit_at, vacuum
from solosolve.streaming.kept_requests import KEPT_NOTE

logger = logging.getLogger("solosolve.maintain_tables")

RETENTION_HOURS = 168
"""A week: Delta's default for files that a table no longer has."""

_READ_BY = {COMPLAINTS_RAW: "refine_complaints", REQUESTS: f"{SCORE_STREAM_PREFIX}{DELTA_SOURCE}"}
"""The streams that read each table commit by commit, and so need the files that its commits named."""


@dataclass(frozen=True)
class Maintained:
    """What was done to one table.

    Attributes:
        table: The table.
        merged_count: Small files that were merged.
        file_count: Files that took their place.
    """

    table: Table
    merged_count: int
    file_count: int


def run(spark: SparkSession, settings: Settings, retention_hours: int = RETENTION_HOURS) -> list[Maintained]:
    """Runs OPTIMIZE and VACUUM on every table; creates `silver.feedback`, which a dashboard writes without Spark.

    It may run beside a stream and a dashboard: no commit changes a row, and files stay for `retention_hours` after
    they have left a table. Locally each table is locked for the time of its OPTIMIZE, and writers wait.

    Args:
        spark: The session.
        settings: Locates the tables.
        retention_hours: Hours for which a file that a table no longer has can still be read: by time travel, by a
            query that is running, by a stream that has been stopped.

    Returns:
        One value per table.

    Raises:
        TableError: A stream has been stopped for longer than that, and would miss files; no table is changed. Or
            another process has held a write lock for ten minutes.
    """
    tables = Tables(spark, settings)
    tables.create(FEEDBACK)
    add_columns(tables, FEEDBACK)
    if not settings.is_local and settings.dashboard_principal:
        name, principal = settings.table_name(FEEDBACK), settings.dashboard_principal
        spark.sql(f"GRANT SELECT, MODIFY ON TABLE {name} TO `{principal}`")
    existing = [table for table in MADE_BY if tables.exists(table)]
    needed = {table for table in existing if table in _READ_BY and _has_unread_files(tables, table, retention_hours)}
    done = [_maintain(tables, table, retention_hours, deletes=table not in needed) for table in existing]
    _delete_abandoned(tables, retention_hours)
    merged = sum(each.merged_count for each in done)
    logger.info("%d tables: %d small files merged", len(done), merged)
    return done


def _has_unread_files(tables: Tables, table: Table, retention_hours: int) -> bool:
    """Whether the table's stream will still pass over files that are older than the retention.

    Those of kept requests hold nothing for it, but it cannot start without them.

    Raises:
        TableError: It has not read other commits that are as old.
    """
    stream = _READ_BY[table]
    needed = tables.checkpoint(stream).needed_delta_version()
    if needed is None:
        return False
    oldest = now() - timedelta(hours=retention_hours)
    waiting = oldest_commit_at(tables, table, needed, ignored_note=KEPT_NOTE)
    if waiting is not None and waiting < oldest:
        raise TableError(
            f"{table}: stream {stream} has not read commit {needed} of {waiting:%Y-%m-%d %H:%M} UTC, which is older "
            f"than {retention_hours} hours: start the stream first, or keep more with --retention-hours"
        )
    passed_over = oldest_commit_at(tables, table, needed)
    if passed_over is None or passed_over >= oldest:
        return False
    logger.warning("%s: no files are deleted until stream %s, which has stopped, is started again", table, stream)
    return True


def _maintain(tables: Tables, table: Table, retention_hours: int, *, deletes: bool) -> Maintained:
    done = Maintained(table, *compact(tables, table))
    if deletes:
        vacuum(tables, table, retention_hours)
    if done.merged_count:
        logger.info("%s: %d small files became %d", table, done.merged_count, done.file_count)
    return done


def _delete_abandoned(tables: Tables, retention_hours: int) -> None:
    """Deletes staged files that no commit took over; locally they lie in the table's folder, and VACUUM does it."""
    oldest = time.time() - retention_hours * 3600
    for file in tables.checkpoint(STAGED).folder.glob("*"):
        if file.stat().st_mtime >= oldest:
            continue
        if file.is_dir():
            shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)
