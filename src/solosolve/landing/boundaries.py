"""Finds record ends and repeated headers in the data read so far."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solosolve.landing.csv_layout import Layout, is_column_name, is_header, layout_of
from solosolve.landing.csv_records import (
    MAX_BAD_CHARACTERS,
    byte_length,
    read_record,
    read_records,
    split_lines,
    well_formed_prefix,
)
from solosolve.landing.fast_csv import scan

HEADER_BYTES = 1 << 20
"""The header is searched for in this many bytes, and ends within them."""
_FIRST_NAME = re.compile(rb'(?:\xef\xbb\xbf)?(?:"?"?[,;\t])?"?([A-Za-z][A-Za-z _?.-]{0,60})')
_LF, _CR = b"\n\r"
_LINE_END = re.compile(rb"\n|\r\n|\r(?=[^\n])")
_MAY_BEGIN_HEADER = np.isin(np.arange(256), list(b'"\xef,;\t' + string.ascii_letters.encode()))
"""By code: whether a header's line can begin with this byte; most records begin with a digit."""


@dataclass(frozen=True)
class Limits:
    """The sizes by which a file is cut. The defaults suit real files; tests use small ones.

    Attributes:
        chunk_bytes: How much is read before it is cut into a chunk.
        record_bytes: Longer than any well-formed record. No more than this and a chunk are held to find a record end.
        bad_characters: Bad text is cut at the first line end after this many characters.
    """

    chunk_bytes: int = 1 << 20
    record_bytes: int = 4 << 20
    bad_characters: int = MAX_BAD_CHARACTERS


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Header:
    """A header in the middle of a file: where it begins and ends in the data, and what the fields after it mean."""

    start: int
    end: int
    layout: Layout


def whole_records(data: bytes, layout: Layout, limits: Limits, where: str) -> tuple[int, Header | None]:
    """The size in bytes of the data's whole records, and the first header among them.

    The size is 0 if the first record may continue in data not read yet.
    """
    found = scan(data, layout.delimiter)
    # Without a whole record, a quote was opened and not closed yet, perhaps never.
    if found is not None and (found.size or len(data) <= limits.record_bytes):
        return found.size, _find_header(data, found.starts, layout, where)
    size = well_formed_prefix(data, layout.delimiter)
    if size:
        return size, _find_header(data, _line_starts(data[:size]), layout, where)
    if len(data) <= limits.record_bytes:
        return 0, None
    # No well-formed record is this long, so the first one is malformed and ends where the reader says. How the reader
    # sees the last bytes may depend on data not read yet, so they are left for the next chunk.
    certain = len(data) - limits.record_bytes
    lines, line = split_lines(data), 0
    for record in read_records(lines, len(layout.fields), layout.delimiter, limits.bad_characters):
        end = size + byte_length(lines[line : record.end])
        if end > certain:
            break
        size, line = end, record.end
    return size, None


def _find_header(data: bytes, starts: NDArray[np.int64], layout: Layout, where: str) -> Header | None:
    """Finds the first of the places that begins a record that names the required columns."""
    for start in starts[_MAY_BEGIN_HEADER[np.frombuffer(data, np.uint8)[starts]]]:
        first = _FIRST_NAME.match(data, start)
        if first is None or not is_column_name(first[1].decode()):
            continue
        if well_formed_prefix(data[:start], layout.delimiter) != start:
            continue
        lines = split_lines(data[start : start + HEADER_BYTES])
        found = read_record(lines, 0, layout.delimiter)
        if found is not None and is_header(found.fields):
            end = int(start) + byte_length(lines[: found.end])
            if not data.endswith((b"\n", b"\r"), 0, end):
                # The record is longer than a header can be.
                continue
            return Header(int(start), end, layout_of(found.fields, layout.delimiter, where))
    return None


def _line_starts(data: bytes) -> NDArray[np.int64]:
    codes = np.frombuffer(data, np.uint8)
    return np.concatenate(([0], np.flatnonzero((codes[:-1] == _LF) | (codes[:-1] == _CR)) + 1))


def line_end(data: bytes) -> int | None:
    """Where the first line ends; None if the line may continue beyond the data."""
    found = _LINE_END.search(data)
    return found.end() if found else None


def line_count(data: bytes) -> int:
    """How many lines end in the data."""
    feeds = int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LF))
    return feeds + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else feeds
