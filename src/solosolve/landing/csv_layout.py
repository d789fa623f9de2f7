"""Maps the header of a landed CSV to complaint columns, in every layout published so far."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_records import Record, legible, read_record
from solosolve.names import COMPLAINT_COLUMNS, WITHDRAWN_COLUMNS

REQUIRED_COLUMNS = ("date_received", "product", "company", "complaint_id")
"""The columns that make a file a complaint file; every layout since 2011 has them."""

_OTHER_NAMES = {
    # The Bureau's search API.
    "complaintwhathappened": "consumer_complaint_narrative",
    "companyresponse": "company_response_to_consumer",
    "timely": "timely_response",
    # Copies of its files.
    "complaint": "consumer_complaint_narrative",
    "consumercomplaint": "consumer_complaint_narrative",
    "complaintnarrative": "consumer_complaint_narrative",
    "narrative": "consumer_complaint_narrative",
    "zip": "zip_code",
}
_COLUMN_OF = {name.replace("_", ""): name for name in COMPLAINT_COLUMNS} | _OTHER_NAMES
"""Names without separators, in lower case, and the columns that they stand for."""

_INDEX_COLUMN = re.compile(r"|unnamed\d+")
_DELIMITERS = {",": "", ";": ", separated by ';'", "\t": ", separated by tabs", "|": ", separated by '|'"}


@dataclass(frozen=True)
class Layout:
    """The fields of a file, in order.

    Attributes:
        fields: The name of each field: a complaint column, the file's own name if the column is unknown, or None for
            an unnamed row number, which is dropped.
        delimiter: The character between the fields.
    """

    fields: tuple[str | None, ...]
    delimiter: str = ","

    @property
    def name(self) -> str:
        """The name of the layout in `bronze.landings`."""
        known = {field for field in self.fields if field in COMPLAINT_COLUMNS}
        missing = set(COMPLAINT_COLUMNS) - known
        if not missing:
            columns = "official 18 columns"
        elif missing == set(WITHDRAWN_COLUMNS):
            columns = "published 16 columns"
        else:
            columns = f"{len(known)} known columns"
        return columns + _DELIMITERS[self.delimiter]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The unknown columns, which go to `_rescued`."""
        return tuple(field for field in self.fields if field is not None and field not in COMPLAINT_COLUMNS)

    def rescued(self, values: Sequence[str]) -> str | None:
        """The values of the unknown columns as a JSON object, or None if the layout has no such columns."""
        if not self.unknown:
            return None
        return json.dumps(dict(zip(self.unknown, values, strict=True)), ensure_ascii=False)


def find_layout(lines: list[str], where: str) -> tuple[Record, Layout]:
    """Finds the header among a file's first lines.

    Args:
        lines: The first lines of the file.
        where: The name of the file, for the message.

    Returns:
        The first record that names all REQUIRED_COLUMNS, and its layout.

    Raises:
        NotAComplaintFileError: No record names them all, or the one that does names a column twice.
    """
    closest: list[str] = list(REQUIRED_COLUMNS)
    for place in range(len(lines)):
        for delimiter in _DELIMITERS:
            record = read_record(lines, place, delimiter)
            if record is None:
                continue
            missing = _missing([column_of(name) for name in record.fields])
            if not missing:
                return record, layout_of(record.fields, delimiter, where)
            closest = min(closest, missing, key=len)
    raise _missing_error(closest, where)


def require_columns(names: Sequence[str], where: str) -> None:
    """Raises NotAComplaintFileError unless the names include all REQUIRED_COLUMNS."""
    if missing := _missing([column_of(name) for name in names]):
        raise _missing_error(missing, where)


def is_header(fields: Sequence[str]) -> bool:
    """Whether a record names all REQUIRED_COLUMNS."""
    return not _missing([column_of(name) for name in fields])


def layout_of(header: Sequence[str], delimiter: str, where: str) -> Layout:
    """The layout that a header describes.

    Raises:
        NotAComplaintFileError: The header names a column twice.
    """
    fields = tuple(column_of(legible(name)) for name in header)
    times = Counter(field for field in fields if field is not None)
    repeated = sorted(field for field, count in times.items() if count > 1)
    if repeated:
        raise NotAComplaintFileError(f"{where}: the header names {', '.join(repeated)} more than once")
    return Layout(fields, delimiter)


@lru_cache(maxsize=4096)
def is_column_name(text: str) -> bool:
    """Whether a text is the name of a complaint column."""
    return column_of(text) in COMPLAINT_COLUMNS


def _missing_error(missing: Sequence[str], where: str) -> NotAComplaintFileError:
    return NotAComplaintFileError(
        f"{where}: not a complaint file: the header is missing {', '.join(missing)}; "
        f"at least {', '.join(REQUIRED_COLUMNS)} are needed"
    )


def _missing(fields: Sequence[str | None]) -> list[str]:
    return [name for name in REQUIRED_COLUMNS if name not in fields]


def column_of(header: str) -> str | None:
    """Returns the complaint column that a header names, in any published spelling.

    Case and separators do not matter: `Consumer disputed?` and `consumerdisputed` are the same column.

    Returns:
        The column, the header itself if the column is unknown, or None for an unnamed row number.
    """
    letters = re.sub(r"[^0-9a-z]+", "", header.lower())
    if column := _COLUMN_OF.get(letters):
        return column
    return None if _INDEX_COLUMN.fullmatch(letters) else header.lstrip("\ufeff").strip()
