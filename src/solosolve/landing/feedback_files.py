"""Reads files of feedback events: JSON lines as they are, and each record of a CSV as a JSON object."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from solosolve.errors import NotAFeedbackFileError
from solosolve.landing.csv_records import Record, legible, read_record, read_records, split_lines
from solosolve.landing.feedback_events import EVENT_FIELDS
from solosolve.landing.files import LandingFile
from solosolve.landing.packings import foreign_kind

MAX_FILE_BYTES = 128 << 20
"""The size of the largest file, unpacked; more events fit in several files, or in the topic."""

_REQUIRED = ("event_id", "complaint_id", "source", "given_at")
_DELIMITERS = (",", ";", "\t", "|")
_FIELD_OF = {name.replace("_", ""): name for name in EVENT_FIELDS}
_CUT_OFF = "has no line end: the file may be cut off here"


@dataclass(frozen=True)
class FileRecord:
    """One record of a file.

    Attributes:
        line: Its first line, counted from 1.
        value: The event as JSON, or the record's bytes if it cannot be read.
        reason: Why it cannot be read, None if it can.
    """

    line: int
    value: bytes
    reason: str | None = None


def read_feedback_file(file: LandingFile) -> tuple[bytes, Iterator[FileRecord]]:
    """Reads a file of events, plain or packed, in UTF-8 or UTF-16.

    Args:
        file: JSON with one object per line, or CSV with a header that names EVENT_FIELDS in any case and with any
            separators (`Event ID`), divided by commas, semicolons, tabs or bars.

    Returns:
        The content, unpacked and as UTF-8, and its records. A record without a line end at the end of a CSV has a
        reason, because the file may have been cut off there.

    Raises:
        NotAFeedbackFileError: The file is something else, too large, or cannot be read to its end.
    """
    try:
        with file.open() as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except Exception as error:
        # Whatever a damaged file makes a library raise, it concerns this file alone.
        reason = legible(" ".join(str(error).split())) or type(error).__name__
        raise NotAFeedbackFileError(f"{file}: cannot be read ({reason})") from error
    if len(data) > MAX_FILE_BYTES:
        raise NotAFeedbackFileError(f"{file}: has more than {MAX_FILE_BYTES >> 20} MiB unpacked; divide it")
    if (kind := foreign_kind(data[:4096])) is not None:
        raise NotAFeedbackFileError(f"{file}: not a feedback file: it is {kind}")
    content = data.removeprefix(codecs.BOM_UTF8)
    begun = content.lstrip()[:1]
    if begun == b"[":
        raise NotAFeedbackFileError(f"{file}: found a JSON array, expected one object per line")
    return content, _json_lines(content) if begun == b"{" else _csv_records(content, file)


def _json_lines(content: bytes) -> Iterator[FileRecord]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if value := line.strip():
            yield FileRecord(number, value)


def _csv_records(content: bytes, file: LandingFile) -> Iterator[FileRecord]:
    """The records after the header, which is checked before the first of them is asked for."""
    lines = split_lines(content)
    header, delimiter = _header(lines, file)
    names = [_field_of(name) for name in header.fields]
    return _records(lines, header.end, names, delimiter)


def _records(lines: list[str], start: int, names: Sequence[str], delimiter: str) -> Iterator[FileRecord]:
    rest = lines[start:]
    is_cut_off = bool(rest) and not rest[-1].endswith(("\n", "\r"))
    for record in read_records(rest, len(names), delimiter):
        line = start + record.line + 1
        if record.reason is not None:
            yield FileRecord(line, record.text.encode(), record.reason)
            continue
        value = msgspec.json.encode(dict(zip(names, record.fields, strict=True)))
        yield FileRecord(line, value, _CUT_OFF if is_cut_off and record.end == len(rest) else None)


def _header(lines: list[str], file: LandingFile) -> tuple[Record, str]:
    closest: Sequence[str] = _REQUIRED
    for delimiter in _DELIMITERS:
        record = read_record(lines, 0, delimiter) if lines else None
        if record is None:
            continue
        names = [_field_of(name) for name in record.fields]
        missing = [name for name in _REQUIRED if name not in names]
        if not missing:
            known = [name for name in names if name in EVENT_FIELDS]
            if repeated := sorted({name for name in known if known.count(name) > 1}):
                raise NotAFeedbackFileError(f"{file}: the header names {', '.join(repeated)} more than once")
            return record, delimiter
        closest = min(closest, missing, key=len)
    raise NotAFeedbackFileError(f"{file}: not a feedback file: the header is missing {', '.join(closest)}")


def _field_of(header: str) -> str:
    """The field that a header names; the header itself for any other."""
    return _FIELD_OF.get(re.sub(r"[^0-9a-z]+", "", header.lower()), legible(header))
