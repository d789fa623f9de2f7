"""Which complaint column each field of a landed CSV is: the layouts met in the wild."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_records import Record
from solosolve.names import COMPLAINT_COLUMNS, WITHDRAWN_COLUMNS

REQUIRED_COLUMNS = ("date_received", "product", "company", "complaint_id")
"""Columns without which a file is no complaint file: all layouts since 2011 have them."""

_API_NAMES = {
    "complaint_what_happened": "consumer_complaint_narrative",
    "company_response": "company_response_to_consumer",
    "timely": "timely_response",
}
"""Names of the Bureau's search API that are not the CSV's in snake_case."""

_INDEX_COLUMN = re.compile(r"|unnamed_\d+")


@dataclass(frozen=True)
class Layout:
    """The fields of a file, in order.

    Attributes:
        fields: For each field a complaint column, the file's own name for an unknown one, or None for an
            unnamed row number, which is dropped.
    """

    fields: tuple[str | None, ...]

    @property
    def name(self) -> str:
        """What the layout is called in `bronze.landings`."""
        known = {field for field in self.fields if field in COMPLAINT_COLUMNS}
        missing = set(COMPLAINT_COLUMNS) - known
        if not missing:
            return "official 18 columns"
        if missing == set(WITHDRAWN_COLUMNS):
            return "published 16 columns"
        return f"{len(known)} known columns"

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns that go to `_rescued`."""
        return tuple(field for field in self.fields if field is not None and field not in COMPLAINT_COLUMNS)

    def rescued(self, values: Sequence[str]) -> str | None:
        """The unknown columns' values as a JSON object, None where the layout has none."""
        if not self.unknown:
            return None
        return json.dumps(dict(zip(self.unknown, values, strict=True)), ensure_ascii=False)


def find_layout(records: Iterable[Record], where: str) -> tuple[Record, Layout]:
    """Finds the header among a file's first records.

    Args:
        records: The first records.
        where: The file, for the message.

    Returns:
        The first record that names all REQUIRED_COLUMNS, and the layout that it states.

    Raises:
        NotAComplaintFileError: There is none, or it names a column twice; the message has the columns that lack.
    """
    closest: tuple[str | None, ...] = ()
    for record in records:
        fields = tuple(column_of(name) for name in record.fields)
        missing = _missing(fields)
        if not missing:
            _require_unique(fields, where)
            return record, Layout(fields)
        if len(missing) < len(_missing(closest)):
            closest = fields
    raise NotAComplaintFileError(
        f"{where}: no complaint file, its header lacks {', '.join(_missing(closest))}; "
        f"needed are at least {', '.join(REQUIRED_COLUMNS)}"
    )


def _missing(fields: Sequence[str | None]) -> list[str]:
    return [name for name in REQUIRED_COLUMNS if name not in fields]


def _require_unique(fields: Sequence[str | None], where: str) -> None:
    named = [field for field in fields if field is not None]
    repeated = sorted({field for field in named if named.count(field) > 1})
    if repeated:
        raise NotAComplaintFileError(f"{where}: the header names {', '.join(repeated)} more than once")


def column_of(header: str) -> str | None:
    """`Consumer disputed?` and `consumer_disputed` are one column; an unknown column keeps its own name."""
    snake = re.sub(r"[^0-9a-z]+", "_", header.lstrip("\ufeff").lower()).strip("_")
    column = _API_NAMES.get(snake, snake)
    if column in COMPLAINT_COLUMNS:
        return column
    return None if _INDEX_COLUMN.fullmatch(snake) else header.strip()
