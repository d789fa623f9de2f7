"""Parsed records as Arrow: a good record has the complaint's columns, a bad one its text and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from solosolve.landing.csv_layout import Layout
from solosolve.landing.csv_records import Record
from solosolve.names import COMPLAINT_COLUMNS
from solosolve.schemas import PARSED_COLUMNS, PARSED_SCHEMA


def to_arrow(records: Iterable[Record], layout: Layout, first_line: int = 0) -> pa.RecordBatch:
    """Converts records, good ones first.

    Args:
        records: Good and bad records.
        layout: The meaning of their fields.
        first_line: The file's line, counted from 0, that the records count their lines from.

    Returns:
        PARSED_COLUMNS, `_source_line` counted from 1.
    """
    good: list[Record] = []
    bad: list[Record] = []
    for record in records:
        (good if record.reason is None else bad).append(record)
    parsed = _good_to_arrow(good, layout, first_line)
    return pa.concat_batches([parsed, _bad_to_arrow(bad, first_line)]) if bad else parsed


def fields_to_arrow(
    fields: Sequence[pa.Array], lines: NDArray[np.int64], layout: Layout, first_line: int = 0
) -> pa.RecordBatch:
    """Converts good records that are already in columns.

    Args:
        fields: One string array per field.
        lines: The line of each record, counted from 0.
        layout: The meaning of the fields.
        first_line: The file's line that the lines are counted from.

    Returns:
        PARSED_COLUMNS, `_source_line` counted from 1.
    """
    named = dict(zip(layout.fields, fields, strict=True))
    columns = _nulls(len(lines)) | {name: values for name, values in named.items() if name in COMPLAINT_COLUMNS}
    if layout.unknown:
        unknown = [named[name].to_pylist() for name in layout.unknown]
        columns["_rescued"] = pa.array(map(layout.rescued, zip(*unknown, strict=True)), pa.string())
    columns["_source_line"] = pa.array(lines + (first_line + 1), pa.int64())
    return pa.RecordBatch.from_pydict(columns, PARSED_SCHEMA)


def _good_to_arrow(records: list[Record], layout: Layout, first_line: int) -> pa.RecordBatch:
    by_field = list(zip(*(record.fields for record in records), strict=True)) or [()] * len(layout.fields)
    lines = np.array([record.line for record in records], np.int64)
    return fields_to_arrow([pa.array(values, pa.string()) for values in by_field], lines, layout, first_line)


def _bad_to_arrow(records: list[Record], first_line: int) -> pa.RecordBatch:
    columns = _nulls(len(records)) | {
        "_record": pa.array([record.text for record in records], pa.string()),
        "_reason": pa.array([record.reason for record in records], pa.string()),
        "_source_line": pa.array([first_line + record.line + 1 for record in records], pa.int64()),
    }
    return pa.RecordBatch.from_pydict(columns, PARSED_SCHEMA)


def _nulls(count: int) -> dict[str, pa.Array]:
    return {name: pa.nulls(count, pa.string()) for name in PARSED_COLUMNS}
