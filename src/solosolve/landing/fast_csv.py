"""The fast reader: parses text that is certainly well-formed with Arrow, and leaves all other text to the strict one.

The check is sound, not complete: text that it passes is read alike by both readers, and text that the strict reader
would also accept may fail it, such as a quote inside a field that is not quoted.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from solosolve.landing.csv_records import MAX_FIELD_CHARACTERS

_QUOTE, _LF, _CR = b'"\n\r'


@dataclass(frozen=True)
class Scan:
    """Where the records of a well-formed text are.

    Attributes:
        size: Bytes of the text's whole records; what follows them was not looked at.
        starts: Where each record begins, blank lines left out.
        lines: The line on which each of them begins, counted from 0.
    """

    size: int
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]


def scan(data: bytes, delimiter: str = ",") -> Scan | None:
    """Finds the records of a text that begins at the start of a record.

    A text passes if each of its quotes opens a field, closes one, or is one of two that stand for a quote, and if it
    has neither NUL characters nor carriage returns without a line feed.

    Returns:
        The whole records, perhaps none; None if the text does not pass.
    """
    codes = np.frombuffer(data, np.uint8)
    if b"\0" in data or data.startswith(codecs.BOM_UTF8) or (b"\r" in data and _has_lone_return(codes)):
        return None
    feeds = np.flatnonzero(codes == _LF)
    if not len(feeds):
        # Part of a long line, whose quotes would take eight bytes each.
        return Scan(0, np.empty(0, np.int64), np.empty(0, np.int64))
    quotes = np.flatnonzero(codes == _QUOTE)
    is_end = np.searchsorted(quotes, feeds) % 2 == 0
    ends = feeds[is_end]
    if not len(ends):
        return Scan(0, np.empty(0, np.int64), np.empty(0, np.int64))
    size = int(ends[-1]) + 1
    quotes = quotes[: np.searchsorted(quotes, size)]
    opening, closing = quotes[::2], quotes[1::2]
    # The byte before the first opening quote may not exist; index -1 is then the last byte, so it is left out.
    inner = opening[1:] if len(opening) and opening[0] == 0 else opening
    if not _each_in(codes[inner - 1], delimiter) or not _each_in(codes[closing + 1], delimiter):
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    lines = np.concatenate(([0], np.flatnonzero(is_end)[:-1] + 1))
    length = ends - starts
    is_blank = (length == 0) | ((length == 1) & (codes[starts] == _CR))
    return Scan(size, starts[~is_blank], lines[~is_blank])


def read_fast(data: bytes, field_count: int, delimiter: str = ",") -> tuple[list[pa.Array], NDArray[np.int64]] | None:
    """Reads whole records.

    Args:
        data: UTF-8 text that begins at the start of a record.
        field_count: How many fields each record has.
        delimiter: What separates the fields.

    Returns:
        One string array per field, and the first line of each record, counted from 0. None if the text is not
        certainly well-formed to its end, or if a record has another number of fields.
    """
    found = scan(data, delimiter)
    if found is None or found.size != len(data):
        return None
    names = [str(number) for number in range(field_count)]
    try:
        table = csv.read_csv(
            pa.py_buffer(data),
            csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    is_counted_alike = len(table) == len(found.lines)
    is_short = all((pc.max(pc.binary_length(column)).as_py() or 0) <= MAX_FIELD_CHARACTERS for column in columns)
    return (columns, found.lines) if is_counted_alike and is_short else None


def _has_lone_return(codes: NDArray[np.uint8]) -> bool:
    returns = np.flatnonzero(codes == _CR)
    return bool(returns[-1] == len(codes) - 1 or (codes[returns + 1] != _LF).any())


def _each_in(codes: NDArray[np.uint8], delimiter: str) -> bool:
    """Whether each byte may stand next to a quote."""
    is_allowed = np.zeros(256, np.bool_)
    is_allowed[[_QUOTE, _LF, _CR, ord(delimiter)]] = True
    return bool(is_allowed[codes].all())
