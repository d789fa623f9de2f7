"""Small questions to the tables, answered without Spark where tables are folders: in milliseconds, not seconds."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.errors import MissingTableError
from solosolve.names import COMPLAINTS, FEEDBACK, LABEL, Table
from solosolve.spark_schemas import spark_schema
from solosolve.storage.reader import Value, with_values
from solosolve.storage.tables import Tables

_TEXT_OR_TABLE = re.compile(r"'[^']*'|\b(?:bronze|silver|gold)\.\w+")


def read_or_empty(tables: Tables, table: Table) -> DataFrame:
    """Reads the newest version of a table; no rows if it does not exist."""
    if tables.exists(table):
        return tables.read(table)
    return tables.spark.createDataFrame([], spark_schema(table))


def ask(
    tables: Tables, sql: str, named: Collection[Table], values: Mapping[str, Value], **_: tuple[str, ...]
) -> pa.Table:
    """Answers a statement that both DataFusion and Spark accept.

    Args:
        tables: The tables.
        sql: The statement; a table is `<layer>.<table>`, a parameter `:name`.
        named: The tables that it names.
        values: A value for each parameter.

    Returns:
        All rows, with time zones in instants.

    Raises:
        MissingTableError: A table does not exist.
    """
    for table in named:
        tables.require(table)
    if tables.settings.has_table_folders:
        return _answer(tables, sql, values)
    places = {str(table): tables.identifier(table) for table in named}
    return tables.spark.sql(with_values(with_places(sql, places), values)).toArrow()


def with_places(sql: str, places: Mapping[str, str]) -> str:
    """Writes where each table is in place of its name; texts in the statement, and other tables, stay.

    Args:
        sql: The statement; a table is `<layer>.<table>`.
        places: Table to its place.
    """
    return _TEXT_OR_TABLE.sub(lambda found: places.get(found[0], found[0]), sql)


def count_rows(tables: Tables, table: Table) -> int:
    """The number of rows; 0 if the table does not exist."""
    if not tables.exists(table):
        return 0
    if not tables.settings.has_table_folders:
        return tables.read(table).count()
    return int(_query(tables, f"select count(*) as n from {table}")[0]["n"])


def count_by(tables: Tables, table: Table, column: str, values: Collection[str]) -> dict[str, int]:
    """The number of rows with each of some values; a value without rows, or a table that does not exist, has none.

    Args:
        tables: The tables.
        table: The table.
        column: A text column.
        values: The values, hexadecimal digests.
    """
    if not tables.exists(table) or not values:
        return {}
    if not tables.settings.has_table_folders:
        chosen = tables.read(table).where(F.col(column).isin(*values)).groupBy(column).count()
        return {row[column]: row["count"] for row in chosen.collect()}
    listed = ", ".join(f"'{value}'" for value in values)
    found = _query(tables, f"select {column} as v, count(*) as n from {table} where {column} in ({listed}) group by 1")
    return {row["v"]: row["n"] for row in found}


def count_each(tables: Tables, table: Table, column: str) -> dict[str, int]:
    """The number of rows with each value of a text column; none if the table does not exist."""
    if not tables.exists(table):
        return {}
    if not tables.settings.has_table_folders:
        return {row[column]: row["count"] for row in tables.read(table).groupBy(column).count().collect()}
    found = _query(tables, f"select {column} as v, count(*) as n from {table} group by 1")
    return {row["v"]: row["n"] for row in found}


def distinct_values(tables: Tables, table: Table, column: str) -> set[str]:
    """The distinct values of a text column; none if the table does not exist."""
    if not tables.exists(table):
        return set()
    if not tables.settings.has_table_folders:
        return {row[column] for row in tables.read(table).select(column).distinct().collect()}
    return {row["v"] for row in _query(tables, f"select distinct {column} as v from {table}")}


def rows_where(tables: Tables, table: Table, column: str, value: str | int) -> list[dict[str, Any]]:
    """The rows of a small table with a value in a column, with instants in UTC; none if the table does not exist."""
    if not tables.exists(table):
        return []
    if not tables.settings.has_table_folders:
        # Arrow keeps the time zone of an instant; a row of Spark has the machine's.
        found: list[dict[str, Any]] = tables.read(table).where(F.col(column) == F.lit(value)).toArrow().to_pylist()
        return found
    return _query(tables, f"select * from {table} where {column} = :value", {"value": value})


def complaints_labelled_since(tables: Tables, instant: datetime) -> int:
    """The number of complaints whose label has come since an instant: from feedback, or with what was published."""
    new = {COMPLAINTS: "_ingested_at", FEEDBACK: "given_at"}
    if not tables.settings.has_table_folders:
        frames = [
            read_or_empty(tables, table)
            .where(F.col(LABEL).isNotNull() & (F.col(column) > F.lit(instant)))
            .select("complaint_id")
            for table, column in new.items()
        ]
        return frames[0].unionByName(frames[1]).distinct().count()
    parts = [
        f"select complaint_id from {table} where {LABEL} is not null and {column} > :instant"
        for table, column in new.items()
        if tables.exists(table)
    ]
    sql = f"select count(distinct complaint_id) as n from ({' union all '.join(parts)}) as labelled"
    return int(_query(tables, sql, {"instant": instant})[0]["n"]) if parts else 0


def measured_windows(tables: Tables, table: Table, version: int) -> set[tuple[datetime, datetime]]:
    """The starts and ends of the windows of a model version; none if the table does not exist."""
    if not tables.exists(table):
        return set()
    if not tables.settings.has_table_folders:
        of_version = tables.read(table).where(F.col("model_version") == version)
        # Arrow keeps the time zone of an instant; a row of Spark has the machine's.
        found = of_version.select("window_start", "window_end").distinct().toArrow().to_pylist()
    else:
        found = _query(tables, f"select distinct window_start, window_end from {table} where model_version = {version}")
    return {(row["window_start"], row["window_end"]) for row in found}


def first_scored_at(tables: Tables, table: Table, version: int) -> datetime | None:
    """When a model version scored its first complaint, in a table of predictions; None if it has scored none."""
    if not tables.settings.has_table_folders:
        of_version = tables.read(table).where(F.col("model_version") == version)
        found = of_version.agg(F.min("scored_at").alias("at")).toArrow().to_pylist()
    else:
        tables.require(table)
        found = _query(tables, f"select min(scored_at) as at from {table} where model_version = {version}")
    at: datetime | None = found[0]["at"]
    return at


def newest_version(tables: Tables, table: Table) -> tuple[str, int]:
    """The id that Delta gave an existing table, and the number of its newest commit."""
    if not tables.settings.has_table_folders:
        return tables.table_id(table), tables.version(table)
    from solosolve.storage.delta_reader import DeltaReader

    found = DeltaReader(tables.settings.warehouse).version(table)
    if found is None:
        raise MissingTableError(table)
    return found.table_id, found.number


def properties(tables: Tables, table: Table) -> dict[str, str]:
    """The properties of an existing table."""
    if not tables.settings.has_table_folders:
        found: dict[str, str] = tables.delta(table).detail().select("properties").collect()[0]["properties"]
        return found
    from deltalake import DeltaTable

    return dict(DeltaTable(os.fspath(tables.settings.table_folder(table))).metadata().configuration)


def _query(tables: Tables, sql: str, values: Mapping[str, Value] | None = None) -> list[dict[str, Any]]:
    return _answer(tables, sql, values or {}).to_pylist()


def _answer(tables: Tables, sql: str, values: Mapping[str, Value]) -> pa.Table:
    # The platform has no delta-rs.
    from solosolve.storage.delta_reader import DeltaReader

    return DeltaReader(tables.settings.warehouse).query(sql, values)
