"""Maps the header of a landed CSV to complaint columns, in every layout published so far."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_records import Record
from solosolve.names import COMPLAINT_COLUMNS, WITHDRAWN_COLUMNS

REQUIRED_COLUMNS = ("date_received", "product", "company", "complaint_id")
"""The columns that make a file a complaint file; every layout since 2011 has them."""

_API_NAMES = {
    "complaint_what_happened": "consumer_complaint_narrative",
    "company_response": "company_response_to_consumer",
    "timely": "timely_response",
}
"""Columns that the Bureau's search API names differently from the CSV."""

_INDEX_COLUMN = re.compile(r"|unnamed_\d+")


@dataclass(frozen=True)
class Layout:
    """The fields of a file, in order.

    Attributes:
        fields: The name of each field: a complaint column, the file's own name if the column is unknown, or None for
            an unnamed row number, which is dropped.
    """

    fields: tuple[str | None, ...]

    @property
    def name(self) -> str:
        """The name of the layout in `bronze.landings`."""
        known = {field for field in self.fields if field in COMPLAINT_COLUMNS}
        missing = set(COMPLAINT_COLUMNS) - known
        if not missing:
            return "official 18 columns"
        if missing == set(WITHDRAWN_COLUMNS):
            return "published 16 columns"
        return f"{len(known)} known columns"

    @property
    def unknown(self) -> tuple[str, ...]:
        """The unknown columns, which go to `_rescued`."""
        return tuple(field for field in self.fields if field is not None and field not in COMPLAINT_COLUMNS)

    def rescued(self, values: Sequence[str]) -> str | None:
        """The values of the unknown columns as a JSON object, or None if the layout has no such columns."""
        if not self.unknown:
            return None
        return json.dumps(dict(zip(self.unknown, values, strict=True)), ensure_ascii=False)


def find_layout(records: Iterable[Record], where: str) -> tuple[Record, Layout]:
    """Finds the header among a file's first records.

    Args:
        records: The first records of the file.
        where: The name of the file, for the message.

    Returns:
        The first record that names all REQUIRED_COLUMNS, and its layout.

    Raises:
        NotAComplaintFileError: No record names them all, or the one that does names a column twice.
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
        f"{where}: not a complaint file: the header is missing {', '.join(_missing(closest))}; "
        f"at least {', '.join(REQUIRED_COLUMNS)} are needed"
    )


def _missing(fields: Sequence[str | None]) -> list[str]:
    return [name for name in REQUIRED_COLUMNS if name not in fields]


def _require_unique(fields: Sequence[str | None], where: str) -> None:
    named = [field for field in fields if field is not None]
    repeated = sorted({field for field in named if named.count(field) > 1})
    if repeated:
        raise NotAComplaintFileError(f"{where}: the header names {', '.join(repeated)} more than once")


def column_of(header: str) -> str | None:
    """Returns the complaint column that a header names, in any published spelling.

    `Consumer disputed?` and `consumer_disputed` are the same column.

    Returns:
        The column, the header itself if the column is unknown, or None for an unnamed row number.
    """
    snake = re.sub(r"[^0-9a-z]+", "_", header.lstrip("\ufeff").lower()).strip("_")
    column = _API_NAMES.get(snake, snake)
    if column in COMPLAINT_COLUMNS:
        return column
    return None if _INDEX_COLUMN.fullmatch(snake) else header.strip()
