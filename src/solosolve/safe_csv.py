"""CSV that is safe to open: texts that a spreadsheet would take for a formula stand behind an apostrophe."""

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


class TextOut(Protocol):
    """Where text goes."""

    def write(self, text: str, /) -> object:
        """Takes text."""
        ...


def write_csv(table: pa.Table, stream: TextOut) -> None:
    """Writes RFC 4180 CSV: a line of names, null as an empty field, no text that a spreadsheet would calculate."""
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(table.column_names)
    writer.writerows([_field(value) for value in row] for row in rows_of(table))


def _field(value: Any) -> str:
    if value is None:
        return ""
    plain = as_plain(value)
    if not isinstance(plain, str):
        return json.dumps(plain, ensure_ascii=False)
    # Spreadsheets would calculate it (https://owasp.org/www-community/attacks/CSV_Injection).
    return f"'{plain}" if plain.startswith(_FORMULA_STARTS) else plain


def rows_of(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, as Python values."""
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def as_plain(value: Any) -> Any:
    """The value in JSON's types: ISO 8601 dates, UTC instants ending in Z, and null for NaN, which JSON lacks."""
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
            return [as_plain(item) for item in value]
        case dict():
            return {name: as_plain(item) for name, item in value.items()}
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)
