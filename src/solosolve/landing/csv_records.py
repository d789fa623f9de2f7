"""A strict reader of RFC 4180 records that loses none: a malformed one is given back as text with the reason.

Well-formed is what Python's `csv` reads in strict mode. Where it refuses, the bad text extends to the next line on
which a record with the right number of fields begins, so one stray quote costs its own record and not the thousands
that it would swallow.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_FIELD_CHARACTERS = 4_194_304
"""The longest field that is read; the longest published narrative has some 30,000 characters."""

MAX_BAD_CHARACTERS = 1_048_576
"""Bad text is cut at the first line end behind this length, so that garbage needs bounded memory."""

BROKEN_QUOTES = "a quoted field is not closed, has text behind its closing quote, or is too long"
HAS_NUL = "contains a NUL character"
NOT_UTF8 = "is not UTF-8"

_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'
_PLAIN = rb'[^",\r\n][^,\r\n]*+'
_FIELD = rb"(?:" + _QUOTED + rb"|" + _PLAIN + rb"|)"
_RECORDS = re.compile(rb"(?:" + _FIELD + rb"(?:," + _FIELD + rb")*+(?:\r\n|\n|\r(?=[^\n])))*+")


@dataclass(frozen=True)
class Record:
    """One record: its fields, or its text and why it has none.

    Attributes:
        line: The line on which it begins, from 0.
        end: The line behind its last.
        fields: The texts; empty when there is a reason.
        text: The record as it stands in the file; empty unless there is a reason.
        reason: What is wrong with it, None when nothing is.
    """

    line: int
    end: int
    fields: list[str]
    text: str = ""
    reason: str | None = None


def well_formed_prefix(data: bytes) -> int:
    """How many bytes of whole, well-formed records the data begins with; data must begin at a record's start."""
    found = _RECORDS.match(data)
    return found.end() if found else 0


def split_lines(data: bytes) -> list[str]:
    """Splits at LF, CR and CRLF, which stay; bytes that are no UTF-8 become surrogates."""
    return list(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""))


def byte_length(lines: list[str]) -> int:
    """How many bytes the lines were."""
    return len("".join(lines).encode("utf-8", "surrogateescape"))


def legible(text: str) -> str:
    """The text with bytes that are no UTF-8 written as a backslash, `x` and two hexadecimal digits."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_records(lines: list[str], field_count: int) -> Iterator[Record]:
    """Reads records, blank lines passed over.

    Args:
        lines: Lines of `split_lines`, from a record's start on. A record that they do not end is malformed.
        field_count: How many fields a record has.

    Returns:
        All records in order. Their lines together, with the blank ones, are the given lines.
    """
    is_clean = not any(map(_unreadable, lines))
    for record in _parse(lines, field_count):
        reason = record.reason or _wrong_count(record, field_count)
        text = "" if is_clean and reason is None else "".join(lines[record.line : record.end])
        if not is_clean:
            reason = _unreadable(text) or reason
        if reason is None:
            yield record
        else:
            yield Record(record.line, record.end, [], legible(text), reason)


def read_record(lines: list[str], place: int) -> Record | None:
    """Reads the one record that begins at a line, None where it is malformed."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = csv.reader(map(lines.__getitem__, range(place, len(lines))), strict=True)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    return Record(place, place + reader.line_num, fields)


def _parse(lines: list[str], field_count: int) -> Iterator[Record]:
    """Splits lines into records; a malformed one has BROKEN_QUOTES for its reason."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    start = 0
    while start < len(lines):
        first = start
        reader = csv.reader(map(lines.__getitem__, range(first, len(lines))), strict=True)
        try:
            for fields in reader:
                end = first + reader.line_num
                if fields:
                    yield Record(start, end, fields)
                start = end
        except csv.Error:
            end = _next_good_line(lines, start + 1, field_count)
            yield Record(start, end, [], reason=BROKEN_QUOTES)
            start = end


def _next_good_line(lines: list[str], start: int, field_count: int) -> int:
    """The first line from `start` on at which a record with the right number of fields begins."""
    length = len(lines[start - 1])
    for place in range(start, len(lines)):
        found = read_record(lines, place)
        if length > MAX_BAD_CHARACTERS or (found is not None and len(found.fields) == field_count):
            return place
        length += len(lines[place])
    return len(lines)


def _wrong_count(record: Record, field_count: int) -> str | None:
    found = len(record.fields)
    return None if found == field_count else f"has {found} fields, the header has {field_count}"


def _unreadable(text: str) -> str | None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return NOT_UTF8
    return HAS_NUL if "\0" in text else None
