"""A strict reader of RFC 4180 records that loses none: it returns a malformed record as text, with the reason.

A record is well-formed if Python's `csv` reads it in strict mode. If not, the bad text extends to the next line that
begins a record with the right number of fields, so a stray quote costs one record and not the thousands that it would
otherwise swallow.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_FIELD_CHARACTERS = 1_048_576
"""Maximum length of a field, in characters; the longest published narrative has about 30,000 characters."""

MAX_BAD_CHARACTERS = 1_048_576
"""Bad text is cut at the first line end after this length, so that garbage takes bounded memory."""

BROKEN_QUOTES = "has a quoted field that is not closed, has text after its closing quote, or is too long"
HAS_NUL = "contains a NUL character"
NOT_UTF8 = "is not UTF-8"

_LINES = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n)|[^\r\n]++")


@dataclass(frozen=True)
class Record:
    """One record: either its fields, or its text and what is wrong with it.

    Attributes:
        line: Its first line, counted from 0.
        end: The line after its last.
        fields: The values of a good record; empty if there is a reason.
        text: The text of a bad record, as in the file; empty if there is no reason.
        reason: What is wrong with the record, None if it is good.
    """

    line: int
    end: int
    fields: list[str]
    text: str = ""
    reason: str | None = None


def well_formed_prefix(data: bytes, delimiter: str = ",") -> int:
    """How many bytes of whole, well-formed records the data begins with; it must begin at the start of a record."""
    found = _records(delimiter.encode()).match(data)
    return found.end() if found else 0


@cache
def _records(delimiter: bytes) -> re.Pattern[bytes]:
    quoted = rb'"[^"]*+(?:""[^"]*+)*+"'
    plain = rb'[^"%b\r\n][^%b\r\n]*+' % (delimiter, delimiter)
    field = rb"(?:%b|%b|)" % (quoted, plain)
    return re.compile(rb"(?:%b(?:%b%b)*+(?:\r\n|\n|\r(?=[^\n])))*+" % (field, delimiter, field))


def split_lines(data: bytes) -> list[str]:
    """Splits after LF, CR and CRLF, which are kept; bytes that are not UTF-8 become surrogates."""
    # io.StringIO would split them as well, but holds four bytes for each character.
    return _LINES.findall(data.decode("utf-8", "surrogateescape"))


def byte_length(lines: list[str]) -> int:
    """How many bytes the lines take in the file."""
    return len("".join(lines).encode("utf-8", "surrogateescape"))


def legible(text: str) -> str:
    """The text with each byte that is not UTF-8 written as a backslash, `x` and two hexadecimal digits."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_records(
    lines: list[str], field_count: int, delimiter: str = ",", max_bad_characters: int = MAX_BAD_CHARACTERS
) -> Iterator[Record]:
    """Reads records, skipping blank lines.

    Args:
        lines: Lines from `split_lines`, beginning at the start of a record. A record that is cut off at the end of the
            lines is malformed.
        field_count: How many fields a good record has.
        delimiter: What separates the fields.
        max_bad_characters: Bad text is cut at the first line end after this many characters.

    Returns:
        All records in order. Together with the blank lines, they cover all the lines given.
    """
    is_clean = not any(map(_unreadable, lines))
    for record in _parse(lines, field_count, delimiter, max_bad_characters):
        reason = record.reason or _wrong_count(record, field_count)
        text = "" if is_clean and reason is None else "".join(lines[record.line : record.end])
        if not is_clean:
            reason = _unreadable(text) or reason
        if reason is None:
            yield record
        else:
            yield Record(record.line, record.end, [], legible(text), reason)


def read_record(lines: list[str], place: int, delimiter: str = ",") -> Record | None:
    """Reads the single record that begins at a line; None if it is malformed."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = _reader(lines, place, delimiter)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    return Record(place, place + reader.line_num, fields)


def _reader(lines: list[str], start: int, delimiter: str) -> Any:
    return csv.reader(map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True)


def _parse(lines: list[str], field_count: int, delimiter: str, max_bad_characters: int) -> Iterator[Record]:
    """Splits lines into records; the reason of a malformed one is BROKEN_QUOTES."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    start = 0
    while start < len(lines):
        first = start
        reader = _reader(lines, first, delimiter)
        try:
            for fields in reader:
                end = first + reader.line_num
                if fields:
                    yield Record(start, end, fields)
                start = end
        except csv.Error:
            end = _next_good_line(lines, start + 1, field_count, delimiter, max_bad_characters)
            yield Record(start, end, [], reason=BROKEN_QUOTES)
            start = end


def _next_good_line(lines: list[str], start: int, field_count: int, delimiter: str, max_bad_characters: int) -> int:
    """Finds the first line, from `start` on, that begins a record with the right number of fields."""
    length = len(lines[start - 1])
    for place in range(start, len(lines)):
        found = read_record(lines, place, delimiter)
        if length > max_bad_characters or (found is not None and len(found.fields) == field_count):
            return place
        length += len(lines[place])
    return len(lines)


def _wrong_count(record: Record, field_count: int) -> str | None:
    found = len(record.fields)
    if found == field_count:
        return None
    return f"has {found} field{'' if found == 1 else 's'}, but the header has {field_count}"


def _unreadable(text: str) -> str | None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return NOT_UTF8
    return HAS_NUL if "\0" in text else None
