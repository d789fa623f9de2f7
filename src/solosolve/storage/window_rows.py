"""Rows about windows of one model version, as the monitor writes them: each window once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from solosolve.model.alarms import WindowState
from solosolve.model.windows import MonitorWindow
from solosolve.names import DRIFT_METRICS, Table
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.storage.table_facts import measured_windows
from solosolve.storage.tables import Tables


def unmeasured(tables: Tables, table: Table, version: int, windows: Sequence[MonitorWindow]) -> list[MonitorWindow]:
    """The windows from the first one on that a table has no rows of."""
    measured = measured_windows(tables, table, version)
    missing = [number for number, window in enumerate(windows) if (window.start, window.end) not in measured]
    return list(windows[missing[0] :]) if missing else []


def replace_windows(
    tables: Tables, table: Table, version: int, windows: Sequence[MonitorWindow], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Writes all rows of some windows in one commit, in place of any that a table has of them.

    Args:
        tables: The tables.
        table: A table with `model_version`, `window_start` and `window_end`.
        version: The model version.
        windows: The windows.
        rows: Their rows; a column that is missing is null.
    """
    if not windows:
        return
    values = [tuple(row.get(name) for name in SCHEMAS[table].names) for row in rows]
    is_window = " OR ".join(
        f"(window_start = {_literal(each.start)} AND window_end = {_literal(each.end)})" for each in windows
    )
    frame = tables.spark.createDataFrame(values, spark_schema(table))
    tables.overwrite(table, frame.coalesce(1), where=f"model_version = {version} AND ({is_window})")


def drift_history(tables: Tables, version: int, length: timedelta) -> list[WindowState]:
    """All features of a version in all its windows of one length, oldest first."""
    rows = tables.read(DRIFT_METRICS).where(F.col("model_version") == version)
    is_length = has_length(length)
    columns = ("window_start", "feature", "state", "is_alarm")
    found = rows.where(is_length).orderBy("window_start", "feature").select(*columns).toArrow().to_pylist()
    return [WindowState(**row) for row in found]


def has_length(length: timedelta) -> Column:
    """Whether a row is about a window of a length, in whole seconds: one version may be measured in several lengths."""
    return F.col("window_end") == F.col("window_start") + F.make_dt_interval(secs=F.lit(length.total_seconds()))


def _literal(at: datetime) -> str:
    return f"TIMESTAMP '{at.isoformat()}'"
