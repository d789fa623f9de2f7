"""Parquet files that are written for a table and are not in it yet."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from solosolve.names import Table
from solosolve.schemas import SCHEMAS
from solosolve.table_properties import statistics_columns

_ROW_GROUP_BYTES = 16 << 20
_UNIQUE = ("complaint_id", "consumer_complaint_narrative", "_source_line", "_record", "_rescued")
"""Columns whose values hardly repeat, so that a dictionary of them would only cost time."""


class StagedFile(msgspec.Struct, frozen=True):
    """A Parquet file that no table contains yet.

    Attributes:
        table: The table's name in full.
        path: Where it is.
        size: Its size in bytes.
        row_count: Its rows.
        minimum, maximum: The extreme values of the columns that queries filter by.
    """

    table: str
    path: str
    size: int
    row_count: int
    minimum: dict[str, Any]
    maximum: dict[str, Any]


class StagedFileWriter:
    """Writes one Parquet file for a table, in row groups of bounded size."""

    def __init__(self, table: Table, folder: str) -> None:
        """Creates no file until there are rows.

        Args:
            table: The table that the file is for.
            folder: The folder of the file, which exists.
        """
        self._table, self._schema = table, SCHEMAS[table]
        self._path = os.path.join(folder, f"part-{uuid.uuid4()}.zstd.parquet")  # noqa: PTH118 - may be a URL
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._row_count = 0
        self._minimum: dict[str, Any] = {}
        self._maximum: dict[str, Any] = {}

    def write(self, rows: pa.RecordBatch) -> None:
        """Adds rows with the table's columns."""
        if not len(rows):
            return
        self._pending.append(rows)
        self._pending_bytes += rows.nbytes
        if self._pending_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> StagedFile | None:
        """Completes the file; None if no row was written."""
        self._flush()
        if self._writer is None:
            return None
        self._writer.close()
        size = Path(self._path).stat().st_size
        return StagedFile(
            str(self._table), self._path, size, self._row_count, _as_json(self._minimum), _as_json(self._maximum)
        )

    def discard(self) -> None:
        """Deletes what was written."""
        if self._writer is not None:
            self._writer.close()
            Path(self._path).unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._pending:
            return
        rows = pa.Table.from_batches(self._pending).cast(self._schema)
        self._pending, self._pending_bytes = [], 0
        if self._writer is None:
            repeated = [_leaf(field) for field in self._schema if field.name not in _UNIQUE]
            self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd", use_dictionary=repeated)
        self._writer.write_table(rows, row_group_size=len(rows))
        self._row_count += len(rows)
        for name in statistics_columns(self._table):
            found = pc.min_max(rows.column(name)).as_py()
            if found["min"] is not None:
                self._minimum[name] = min(self._minimum.get(name, found["min"]), found["min"])
                self._maximum[name] = max(self._maximum.get(name, found["max"]), found["max"])


def _leaf(field: pa.Field) -> str:
    """The path of a column's values in Parquet."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as Delta's statistics have them: dates in ISO, times in UTC to the millisecond."""
    return {name: _json_value(value) for name, value in values.items()}


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return value.isoformat() if isinstance(value, date) else value
