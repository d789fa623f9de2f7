"""CSV that is safe to open in a spreadsheet: text that looks like a formula gets a leading apostrophe."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, Protocol

import pyarrow as pa

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BATCH_ROWS = 10_000


class TextWriter(Protocol):
    """Anything that text can be written to."""

    def write(self, text: str, /) -> object:
        """Writes text."""
        ...


def write_csv(table: pa.Table, stream: TextWriter) -> None:
    """Writes a table as RFC 4180 CSV with a header; null is an empty field, and no text is a spreadsheet formula.

    Args:
        table: The table.
        stream: Where the CSV is written.
    """
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(table.column_names)
    writer.writerows([_field(value) for value in row] for row in iterate_rows(table))


def _field(value: Any) -> str:
    if value is None:
        return ""
    converted = to_json_value(value)
    if not isinstance(converted, str):
        return json.dumps(converted, ensure_ascii=False)
    # A spreadsheet would run it as a formula: https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{converted}" if converted.startswith(_FORMULA_STARTS) else converted


def iterate_rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of a table as Python values."""
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def to_json_value(value: Any) -> Any:
    """Converts a value to JSON's types: dates as ISO 8601, timestamps as UTC ending in Z, NaN and infinity as null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list():
            return [to_json_value(item) for item in value]
        case dict():
            return {name: to_json_value(item) for name, item in value.items()}
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
