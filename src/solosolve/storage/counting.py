"""Counts in the tables, without Spark where tables are folders: a count then takes milliseconds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pyspark.sql import functions as F

from solosolve.names import Table
from solosolve.storage.tables import Tables


def count_rows(tables: Tables, table: Table) -> int:
    """The number of rows; 0 if the table does not exist."""
    if not tables.exists(table):
        return 0
    if not tables.settings.is_local:
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
    if not tables.settings.is_local:
        chosen = tables.read(table).where(F.col(column).isin(*values)).groupBy(column).count()
        return {row[column]: row["count"] for row in chosen.collect()}
    listed = ", ".join(f"'{value}'" for value in values)
    found = _query(tables, f"select {column} as v, count(*) as n from {table} where {column} in ({listed}) group by 1")
    return {row["v"]: row["n"] for row in found}


def distinct_values(tables: Tables, table: Table, column: str) -> set[str]:
    """The distinct values of a text column; none if the table does not exist."""
    if not tables.exists(table):
        return set()
    if not tables.settings.is_local:
        return {row[column] for row in tables.read(table).select(column).distinct().collect()}
    return {row["v"] for row in _query(tables, f"select distinct {column} as v from {table}")}


def _query(tables: Tables, sql: str) -> list[dict[str, Any]]:
    # The platform has no delta-rs.
    from solosolve.storage.delta_reader import DeltaReader

    return DeltaReader(tables.settings.warehouse).query(sql).to_pylist()
