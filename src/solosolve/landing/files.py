"""Landing files: found, opened whatever their packing, hashed, and cut into chunks of whole records."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_layout import Layout, find_layout
from solosolve.landing.csv_records import (
    Record,
    byte_length,
    legible,
    read_record,
    read_records,
    split_lines,
    well_formed_prefix,
)
from solosolve.names import COMPLAINT_COLUMNS

PARSED_COLUMNS = (*COMPLAINT_COLUMNS, "_rescued", "_source_line", "_record", "_reason")
"""Columns of a parsed record: the complaint's where it is good, `_record` and `_reason` where it is not."""

PARSED_DDL = ", ".join(f"{name} {'bigint' if name == '_source_line' else 'string'}" for name in PARSED_COLUMNS)
PARSED_SCHEMA = pa.schema([(name, pa.int64() if name == "_source_line" else pa.string()) for name in PARSED_COLUMNS])

BEFORE_HEADER = "stands before the header"

_SUFFIXES = (".csv", ".gz", ".zip")
_PACKINGS = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b\x08": "gzip"}
"""How packed files begin, whatever they are called."""
_CHUNK_BYTES = 8 << 20
_LONGEST_RECORD_BYTES = 16 << 20
_HEADER_BYTES = 1 << 20
_BATCH_RECORDS = 4096
_UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class LandingFile:
    """A CSV on disk: plain, gzipped, or a member of a zip archive."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def is_packed(self) -> bool:
        """Whether its bytes can only be read from the beginning."""
        return _packing(self.path) is not None

    def open(self) -> IO[bytes] | gzip.GzipFile:
        """Opens the unpacked content."""
        packing = _packing(self.path)
        if packing == "zip":
            archive = zipfile.ZipFile(self.path)
            if self.member is None:
                raise zipfile.BadZipFile("the archive has no CSV in it")
            return archive.open(self.member)
        if packing == "gzip":
            return gzip.GzipFile(self.path)
        return self.path.open("rb")


@dataclass(frozen=True)
class Chunk:
    """Whole records of a file: where they stand in the unpacked content, their first line, and their CRC-32."""

    offset: int
    size: int
    line: int
    crc: int


@dataclass(frozen=True)
class LandingPlan:
    """What a landing file is and how it is read: each part by one task, chunk by chunk.

    Attributes:
        file: The file.
        layout: What its fields are.
        preamble: The lines before its header, as refused records.
        sha256: Hash of the unpacked content, so that a file and its archive are one.
        byte_count: Size of the unpacked content.
        parts: The chunks behind the header; a packed file is one part.
    """

    file: LandingFile
    layout: Layout
    preamble: tuple[Record, ...]
    sha256: str
    byte_count: int
    parts: tuple[tuple[Chunk, ...], ...]


def find_landing_files(source: str) -> list[LandingFile]:
    """Lists the files of a landing source, in order of name.

    Args:
        source: A file, a folder (its CSV, `.gz` and `.zip` files, not those of folders below) or a glob. Of an
            archive every CSV member counts; one that cannot be opened is listed itself, to be refused by name.

    Raises:
        NotAComplaintFileError: There is nothing.
    """
    path = Path(source)
    if path.is_dir():
        paths = [found for found in path.iterdir() if _is_landed(found)]
    elif path.is_file():
        paths = [path]
    else:
        paths = [found for found in map(Path, glob(source, recursive=True)) if found.is_file()]  # noqa: PTH207 - Path.glob takes no absolute one
    files = [file for found in sorted(paths) for file in _members(found)]
    if not files:
        raise NotAComplaintFileError(f"{source}: no complaint file there (a CSV, plain, .gz or .zip)")
    return files


def plan_landing(file: LandingFile) -> LandingPlan:
    """Reads a file once: finds its header, hashes its content, and cuts it between records.

    Raises:
        NotAComplaintFileError: It is no complaint file, or cannot be unpacked.
    """
    try:
        with file.open() as stream:
            head = _read_head(stream.read(_HEADER_BYTES), str(file))
        with file.open() as stream:
            digest = hashlib.sha256(stream.read(head.size))
            chunks = tuple(_cut(stream, head, digest))
    except _UNREADABLE as error:
        raise NotAComplaintFileError(f"{file}: cannot be read ({' '.join(str(error).split())})") from error
    parts = tuple((chunk,) for chunk in chunks) if chunks and not file.is_packed else (chunks,)
    byte_count = head.size + sum(chunk.size for chunk in chunks)
    return LandingPlan(file, head.layout, head.preamble, digest.hexdigest(), byte_count, parts)


def read_part(plan: LandingPlan, number: int) -> Iterator[pa.RecordBatch]:
    """Parses one part of a planned file.

    Returns:
        Batches of PARSED_COLUMNS. A column that the file does not have is null; all other values are the file's, to
        the byte.

    Raises:
        OSError: The file is not what it was when it was planned.
    """
    if number == 0 and plan.preamble:
        yield _to_arrow([], list(plan.preamble), 0, plan.layout)
    with plan.file.open() as stream:
        for chunk in plan.parts[number]:
            stream.seek(chunk.offset)
            data = stream.read(chunk.size)
            if zlib.crc32(data) != chunk.crc:
                raise OSError(f"{plan.file} changed while it was landed; land it again")
            records = read_records(split_lines(data), len(plan.layout.fields))
            while batch := list(islice(records, _BATCH_RECORDS)):
                good = [record for record in batch if record.reason is None]
                bad = [record for record in batch if record.reason is not None]
                yield _to_arrow(good, bad, chunk.line, plan.layout)


def _to_arrow(good: list[Record], bad: list[Record], line: int, layout: Layout) -> pa.RecordBatch:
    count = len(good)
    columns: dict[str, pa.Array] = {name: pa.nulls(count, pa.string()) for name in PARSED_COLUMNS}
    by_field = list(zip(*(record.fields for record in good), strict=True)) or [()] * len(layout.fields)
    for name, values in zip(layout.fields, by_field, strict=True):
        if name in COMPLAINT_COLUMNS:
            columns[name] = pa.array(values, pa.string())
    if layout.unknown:
        unknown = [place for place, name in enumerate(layout.fields) if name in layout.unknown]
        rescued = [layout.rescued([record.fields[place] for place in unknown]) for record in good]
        columns["_rescued"] = pa.array(rescued, pa.string())
    columns["_source_line"] = _lines(good, line)
    parsed = pa.Table.from_pydict(columns, PARSED_SCHEMA)
    if bad:
        nulls = {name: pa.nulls(len(bad), pa.string()) for name in PARSED_COLUMNS}
        texts = {"_record": [record.text for record in bad], "_reason": [record.reason for record in bad]}
        refused = pa.Table.from_pydict({**nulls, **texts, "_source_line": _lines(bad, line)}, PARSED_SCHEMA)
        parsed = pa.concat_tables([parsed, refused])
    return parsed.combine_chunks().to_batches()[0]


def _lines(records: list[Record], line: int) -> pa.Array:
    return pa.array([line + record.line + 1 for record in records], pa.int64())


def _cut(stream: IO[bytes] | gzip.GzipFile, head: _Head, digest: hashlib._Hash) -> Iterator[Chunk]:
    """Cuts the rest of a stream into chunks that end where a record does, and hashes it."""
    data, offset, line = b"", head.size, head.line_count
    while piece := stream.read(_CHUNK_BYTES):
        digest.update(piece)
        data += piece
        if size := _whole_records(data, len(head.layout.fields)):
            yield Chunk(offset, size, line, zlib.crc32(data[:size]))
            offset, line, data = offset + size, line + _line_count(data[:size]), data[size:]
    if data:
        yield Chunk(offset, len(data), line, zlib.crc32(data))


def _whole_records(data: bytes, field_count: int) -> int:
    """The size of the data's whole records; 0 while its first record may go on behind its end."""
    size = well_formed_prefix(data)
    if size or len(data) <= _LONGEST_RECORD_BYTES:
        return size
    # Nothing well-formed is that long: its first record is malformed, and ends where the reader says. What the reader
    # says of the data's last bytes may change with those to come, so they are left.
    certain = len(data) - _LONGEST_RECORD_BYTES
    lines, line = split_lines(data), 0
    for record in read_records(lines, field_count):
        end = size + byte_length(lines[line : record.end])
        if end > certain:
            break
        size, line = end, record.end
    return size


def _line_count(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


@dataclass(frozen=True)
class _Head:
    """A file up to and with its header."""

    layout: Layout
    preamble: tuple[Record, ...]
    size: int
    line_count: int


def _read_head(content: bytes, where: str) -> _Head:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotAComplaintFileError(f"{where}: is UTF-16; save it as UTF-8")
    lines = split_lines(content)
    records = (record for place in range(len(lines)) if (record := read_record(lines, place)))
    header, layout = find_layout(records, where)
    junk = ((number, legible(text)) for number, text in enumerate(lines[: header.line]))
    preamble = tuple(Record(number, number + 1, [], text, BEFORE_HEADER) for number, text in junk if text.strip())
    return _Head(layout, preamble, byte_length(lines[: header.end]), header.end)


def _members(path: Path) -> list[LandingFile]:
    """The CSV members of an archive; a plain file, or one that is to be refused by name, is its own."""
    try:
        if _packing(path) != "zip":
            return [LandingFile(path)]
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if _is_member(name))
    except _UNREADABLE:
        return [LandingFile(path)]
    return [LandingFile(path, name) for name in names] or [LandingFile(path)]


def _is_member(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith("__MACOSX/")


def _is_landed(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(_SUFFIXES) and not path.name.startswith((".", "_"))


def _packing(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(4)
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), None)
