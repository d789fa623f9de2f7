"""Parquet files with the complaint columns: each row group is a chunk, and all values become text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.boundaries import Limits
from solosolve.landing.csv_layout import layout_of, require_columns
from solosolve.landing.cutting import Chunk
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import Kind, LandingPlan
from solosolve.landing.packings import seekable
from solosolve.landing.parsed_records import fields_to_arrow

_MAGIC = b"PAR1"
_BATCH_ROWS = 4096


def is_parquet(head: bytes) -> bool:
    """Whether content that begins like this is Parquet."""
    return head.startswith(_MAGIC)


def plan(file: LandingFile, limits: Limits) -> LandingPlan:
    """Plans a Parquet file.

    Raises:
        NotAComplaintFileError: It lacks the required columns, or is packed.
    """
    if file.is_packed():
        raise NotAComplaintFileError(f"{file}: a packed Parquet file; unpack it first")
    with file.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    with pq.ParquetFile(seekable(file.path)) as parquet:
        names = parquet.schema_arrow.names
        require_columns(names, str(file))
        layout = layout_of(names, ",", str(file))
        changed_at = file.path.stat().st_mtime_ns
        chunks, row = [], 0
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            chunks.append(Chunk(number, group.total_byte_size, row, changed_at, layout))
            row += group.num_rows
    size = file.path.stat().st_size
    return LandingPlan(file, Kind.PARQUET, False, layout, (), digest.hexdigest(), size, tuple(chunks), limits)


def read_row_groups(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses row groups to PARSED_COLUMNS; `_source_line` is a row's number, counted from 1.

    Raises:
        OSError: The file has changed since it was planned.
    """
    with pq.ParquetFile(seekable(plan.file.path)) as parquet:
        for chunk in chunks:
            if plan.file.path.stat().st_mtime_ns != chunk.crc:
                raise OSError(f"{plan.file} changed while it was being landed; run the task again")
            row = chunk.line
            for batch in parquet.iter_batches(_BATCH_ROWS, row_groups=[chunk.offset]):
                lines = np.arange(row, row + len(batch))
                yield fields_to_arrow([_as_text(column) for column in batch.columns], lines, plan.layout)
                row += len(batch)


def _as_text(column: pa.Array) -> pa.Array:
    """Values as they would be written: dates in ISO, whole numbers without a decimal point, the rest as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_floating(kind) and pc.all(pc.equal(pc.floor(column), column)).as_py() is not False:
        return column.cast(pa.int64()).cast(pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return pa.array(
            [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()], pa.string()
        )
    return column.cast(pa.string())
