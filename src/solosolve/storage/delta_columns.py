"""Columns that a Delta table of the local target lacks, added without a JVM."""

from __future__ import annotations

import pyarrow as pa
from deltalake import DeltaTable, Schema


def add_columns(table: DeltaTable, schema: pa.Schema) -> None:
    """Adds the columns that the schema has gained since an earlier release made the table; its rows have nulls there.

    Hold the table's lock. A table that has all columns stays unchanged.
    """
    present = {field.name for field in table.schema().fields}
    if missing := [field for field in Schema.from_arrow(schema).fields if field.name not in present]:
        table.alter.add_columns(missing)
