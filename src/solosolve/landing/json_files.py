"""JSON files: one complaint per line, an array of complaints, or what the Bureau's search API returns."""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, Any

import ijson
import msgspec
import pyarrow as pa

from solosolve.landing.boundaries import Limits
from solosolve.landing.csv_files import chunk_contents
from solosolve.landing.csv_layout import Layout, layout_of, require_columns
from solosolve.landing.cutting import Chunk
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import Kind, LandingPlan
from solosolve.landing.raw_messages import read_raw_messages

_BATCH_OBJECTS = 4096
_SPACE = codecs.BOM_UTF8 + b" \t\r\n"
_HEAD_BYTES = 1 << 10
_NO_LAYOUT = Layout(())


def is_json(head: bytes) -> bool:
    """Whether content that begins like this is JSON."""
    return head.lstrip(_SPACE)[:1] in (b"{", b"[")


def plan(file: LandingFile, head: bytes, limits: Limits) -> LandingPlan:
    """Plans a JSON file; a document is one chunk, since only its beginning says what follows.

    Args:
        file: The file.
        head: Its first bytes.
        limits: The sizes to cut it by.

    Raises:
        NotAComplaintFileError: Its first object lacks the required columns, or a document is not valid JSON.
    """
    kind = Kind.JSON_LINES if _has_lines(head) else Kind.JSON
    digest = hashlib.sha256()
    with file.open() as stream:
        chunks = tuple(_line_chunks(stream, digest, limits) if kind is Kind.JSON_LINES else _one_chunk(stream, digest))
    with file.open() as stream:
        objects = _lines_of(stream) if kind is Kind.JSON_LINES else _objects(stream)
        names = list(next(iter(objects), {}))
        require_columns(names, str(file))
        if kind is Kind.JSON:
            # A document may turn out to be invalid until its end has been read.
            for _ in objects:
                pass
    return LandingPlan(
        file=file,
        kind=kind,
        is_packed=file.is_packed(),
        layout=layout_of(names, ",", str(file)),
        asides=(),
        sha256=digest.hexdigest(),
        byte_count=sum(chunk.size for chunk in chunks),
        chunks=chunks,
        limits=limits,
    )


def read_lines(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses one object per line to PARSED_COLUMNS; a line that is not a complaint is a bad record."""
    for chunk, data in chunk_contents(plan, chunks):
        lines = data.split(b"\n")
        numbered = ((number, line) for number, line in enumerate(lines, chunk.line + 1) if line.strip(_SPACE))
        yield from _parsed(numbered)


def read_document(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses the objects of a document to PARSED_COLUMNS; `_source_line` is an object's number, counted from 1."""
    for _ in chunks:
        with plan.file.open() as stream:
            texts = (msgspec.json.encode(each) for each in _objects(stream))
            yield from _parsed(enumerate(texts, 1))


def _parsed(numbered: Iterable[tuple[int, bytes]]) -> Iterator[pa.RecordBatch]:
    rest = iter(numbered)
    while batch := list(islice(rest, _BATCH_OBJECTS)):
        offsets, values = zip(*batch, strict=True)
        messages = {"offset": pa.array(offsets, pa.int64()), "value": pa.array(values, pa.binary())}
        yield read_raw_messages(pa.RecordBatch.from_pydict(messages))


def _has_lines(head: bytes) -> bool:
    """Whether the first line is an object by itself, and not a search API response."""
    first = head.lstrip(_SPACE).split(b"\n", 1)[0]
    try:
        found = msgspec.json.decode(first)
    except msgspec.MsgspecError:
        return False
    return isinstance(found, dict) and "hits" not in found


def _lines_of(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The first line's object."""
    for line in stream:
        if text := line.strip(_SPACE):
            yield msgspec.json.decode(text, type=dict[str, Any])
            return


def _objects(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The complaints of a document, one after another.

    Raises:
        ijson.JSONError: It is not valid JSON.
    """
    head = stream.read(_HEAD_BYTES)
    prefix = "item" if head.lstrip(_SPACE).startswith(b"[") else "hits.hits.item"
    for each in ijson.items(_Unread(head.removeprefix(codecs.BOM_UTF8), stream), prefix, use_float=True):
        yield each.get("_source", each) if isinstance(each, dict) else {}


def _line_chunks(stream: IO[bytes], digest: hashlib._Hash, limits: Limits) -> Iterator[Chunk]:
    """Cuts after line feeds."""
    data, offset, line = b"", 0, 0
    while piece := stream.read(limits.chunk_bytes):
        digest.update(piece)
        data += piece
        if size := data.rfind(b"\n") + 1:
            yield Chunk(offset, size, line, zlib.crc32(data[:size]), _NO_LAYOUT)
            line += data.count(b"\n")
            offset, data = offset + size, data[size:]
    if data:
        yield Chunk(offset, len(data), line, zlib.crc32(data), _NO_LAYOUT)


def _one_chunk(stream: IO[bytes], digest: hashlib._Hash) -> Iterator[Chunk]:
    size = crc = 0
    while piece := stream.read(1 << 20):
        digest.update(piece)
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    yield Chunk(0, size, 0, crc, _NO_LAYOUT)


class _Unread:
    """A stream with its first bytes put back; not every unpacked stream can seek."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        """Reads at most as many bytes; none at the end."""
        if not self._head:
            return self._stream.read(size)
        taken, self._head = self._head[:size], self._head[size:]
        return taken
