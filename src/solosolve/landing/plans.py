"""Plans how a landing file is read, in chunks of whole records, and reads it by that plan."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

import pyarrow as pa

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_layout import Layout, find_layout
from solosolve.landing.csv_records import (
    MAX_BAD_CHARACTERS,
    Record,
    byte_length,
    legible,
    read_record,
    read_records,
    split_lines,
    well_formed_prefix,
)
from solosolve.landing.files import UNREADABLE, LandingFile
from solosolve.landing.parsed_records import to_arrow

BEFORE_HEADER = "comes before the header"

_HEADER_BYTES = 1 << 20
"""The header is searched for in this many bytes."""
_BATCH_RECORDS = 4096
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Limits:
    """The sizes by which a file is cut. The defaults suit real files; tests use small ones.

    Attributes:
        chunk_bytes: How much is read before it is cut into a chunk.
        record_bytes: Longer than any well-formed record.
        bad_characters: Bad text is cut at the first line end after this many characters.
    """

    chunk_bytes: int = 8 << 20
    record_bytes: int = 16 << 20
    bad_characters: int = MAX_BAD_CHARACTERS


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Chunk:
    """Whole records of a file.

    Attributes:
        offset: Where they begin in the unpacked content, in bytes.
        size: Their bytes.
        line: Their first line, counted from 0.
        crc: Their CRC-32.
    """

    offset: int
    size: int
    line: int
    crc: int


@dataclass(frozen=True)
class LandingPlan:
    """What a landing file contains and how to read it.

    Attributes:
        file: The file.
        layout: The meaning of its fields.
        preamble: The lines before its header, as bad records.
        sha256: Hash of the unpacked content, so that a file and an archive of it count as the same content.
        byte_count: Size of the unpacked content.
        parts: The chunks after the header; one task reads one part. A packed file is a single part.
        limits: The sizes it was cut by.
    """

    file: LandingFile
    layout: Layout
    preamble: tuple[Record, ...]
    sha256: str
    byte_count: int
    parts: tuple[tuple[Chunk, ...], ...]
    limits: Limits


def plan_landing(file: LandingFile, limits: Limits = DEFAULT_LIMITS) -> LandingPlan:
    """Reads a file once: finds its header, hashes its content, and cuts it between records.

    Raises:
        NotAComplaintFileError: The file is not a complaint file, or cannot be unpacked.
    """
    try:
        with file.open() as stream:
            head = _read_head(stream.read(_HEADER_BYTES), str(file))
        with file.open() as stream:
            digest = hashlib.sha256(stream.read(head.size))
            chunks = tuple(_cut(stream, head, digest, limits))
    except UNREADABLE as error:
        raise NotAComplaintFileError(f"{file}: cannot be read ({' '.join(str(error).split())})") from error
    parts = tuple((chunk,) for chunk in chunks) if chunks and not file.is_packed else (chunks,)
    byte_count = head.size + sum(chunk.size for chunk in chunks)
    return LandingPlan(file, head.layout, head.preamble, digest.hexdigest(), byte_count, parts, limits)


def read_part(plan: LandingPlan, number: int) -> Iterator[pa.RecordBatch]:
    """Parses one part of a planned file.

    Returns:
        Batches of PARSED_COLUMNS. Values are verbatim; a column that the file does not have is null. The preamble
        comes with part 0.

    Raises:
        OSError: The file has changed since it was planned.
    """
    if number == 0 and plan.preamble:
        yield to_arrow(plan.preamble, plan.layout)
    with plan.file.open() as stream:
        for chunk in plan.parts[number]:
            stream.seek(chunk.offset)
            data = stream.read(chunk.size)
            if zlib.crc32(data) != chunk.crc:
                raise OSError(f"{plan.file} changed while it was being landed; run the task again")
            records = read_records(split_lines(data), len(plan.layout.fields), plan.limits.bad_characters)
            while batch := list(islice(records, _BATCH_RECORDS)):
                yield to_arrow(batch, plan.layout, chunk.line)


@dataclass(frozen=True)
class _Head:
    """The beginning of a file, up to the end of its header."""

    layout: Layout
    preamble: tuple[Record, ...]
    size: int
    line_count: int


def _read_head(content: bytes, where: str) -> _Head:
    if content.startswith(_UTF_16_MARKS):
        raise NotAComplaintFileError(f"{where}: the file is UTF-16; save it as UTF-8")
    lines = split_lines(content)
    records = (record for place in range(len(lines)) if (record := read_record(lines, place)))
    header, layout = find_layout(records, where)
    texts = ((number, legible(text)) for number, text in enumerate(lines[: header.line]))
    preamble = tuple(Record(number, number + 1, [], text, BEFORE_HEADER) for number, text in texts if text.strip())
    return _Head(layout, preamble, byte_length(lines[: header.end]), header.end)


def _cut(stream: IO[bytes] | gzip.GzipFile, head: _Head, digest: hashlib._Hash, limits: Limits) -> Iterator[Chunk]:
    """Cuts the rest of a stream into chunks that end where a record does, and adds it to the hash."""
    data, offset, line = b"", head.size, head.line_count
    while piece := stream.read(limits.chunk_bytes):
        digest.update(piece)
        data += piece
        if size := _whole_records(data, len(head.layout.fields), limits):
            yield Chunk(offset, size, line, zlib.crc32(data[:size]))
            offset, line, data = offset + size, line + _line_count(data[:size]), data[size:]
    if data:
        yield Chunk(offset, len(data), line, zlib.crc32(data))


def _whole_records(data: bytes, field_count: int, limits: Limits) -> int:
    """The size in bytes of the data's whole records; 0 if its first record may continue in data not read yet."""
    size = well_formed_prefix(data)
    if size or len(data) <= limits.record_bytes:
        return size
    # No well-formed record is this long, so the first one is malformed and ends where the reader says. How the reader
    # sees the last bytes may depend on data not read yet, so they are left for the next chunk.
    certain = len(data) - limits.record_bytes
    lines, line = split_lines(data), 0
    for record in read_records(lines, field_count, limits.bad_characters):
        end = size + byte_length(lines[line : record.end])
        if end > certain:
            break
        size, line = end, record.end
    return size


def _line_count(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
