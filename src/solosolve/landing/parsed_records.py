"""Parsed records as Arrow: a good record has the complaint's columns, a bad one its text and the reason."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from solosolve.landing.csv_layout import Layout
from solosolve.landing.csv_records import Record
from solosolve.names import COMPLAINT_COLUMNS

PARSED_COLUMNS = (*COMPLAINT_COLUMNS, "_rescued", "_source_line", "_record", "_reason")
"""The columns of a parsed record, null where they do not apply.

A good record has the complaint's columns and `_rescued`, a bad one `_record` and `_reason`; both have `_source_line`.
"""

PARSED_SCHEMA = pa.schema([(name, pa.int64() if name == "_source_line" else pa.string()) for name in PARSED_COLUMNS])
PARSED_DDL = ", ".join(f"{name} {'bigint' if name == '_source_line' else 'string'}" for name in PARSED_COLUMNS)


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
    if bad:
        parsed = pa.concat_tables([parsed, _bad_to_arrow(bad, first_line)])
    return parsed.combine_chunks().to_batches()[0]


def _good_to_arrow(records: list[Record], layout: Layout, first_line: int) -> pa.Table:
    columns = _nulls(len(records))
    by_field = list(zip(*(record.fields for record in records), strict=True)) or [()] * len(layout.fields)
    for name, values in zip(layout.fields, by_field, strict=True):
        if name in COMPLAINT_COLUMNS:
            columns[name] = pa.array(values, pa.string())
    if layout.unknown:
        unknown = [place for place, name in enumerate(layout.fields) if name in layout.unknown]
        rescued = [layout.rescued([record.fields[place] for place in unknown]) for record in records]
        columns["_rescued"] = pa.array(rescued, pa.string())
    columns["_source_line"] = _source_lines(records, first_line)
    return pa.Table.from_pydict(columns, PARSED_SCHEMA)


def _bad_to_arrow(records: list[Record], first_line: int) -> pa.Table:
    columns = _nulls(len(records)) | {
        "_record": pa.array([record.text for record in records], pa.string()),
        "_reason": pa.array([record.reason for record in records], pa.string()),
        "_source_line": _source_lines(records, first_line),
    }
    return pa.Table.from_pydict(columns, PARSED_SCHEMA)


def _nulls(count: int) -> dict[str, pa.Array]:
    return {name: pa.nulls(count, pa.string()) for name in PARSED_COLUMNS}


def _source_lines(records: list[Record], first_line: int) -> pa.Array:
    return pa.array([first_line + record.line + 1 for record in records], pa.int64())
