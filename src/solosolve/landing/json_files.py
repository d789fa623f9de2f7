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
from solosolve.landing.csv_files import chunk_contents, endless_line
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
    first = _first_line(head)
    names = _names(file, first, limits)
    digest = hashlib.sha256()
    with file.open() as stream:
        chunks = tuple(_one_chunk(stream, digest) if first is None else _line_chunks(stream, digest, limits))
    return LandingPlan(
        file=file,
        kind=Kind.JSON if first is None else Kind.JSON_LINES,
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
        if chunk.is_fragment:
            yield endless_line(data, chunk)
            continue
        lines = data.split(b"\n")
        numbered = ((number, line) for number, line in enumerate(lines, chunk.line + 1) if line.strip(_SPACE))
        yield from _parsed(numbered)


def read_document(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses the objects of a document to PARSED_COLUMNS; `_source_line` is an object's number, counted from 1."""
    for _ in chunks:
        with plan.file.open() as stream:
            texts = (msgspec.json.encode(each) for each in _objects(stream, plan.limits))
            yield from _parsed(enumerate(texts, 1))


def _parsed(numbered: Iterable[tuple[int, bytes]]) -> Iterator[pa.RecordBatch]:
    rest = iter(numbered)
    while batch := list(islice(rest, _BATCH_OBJECTS)):
        offsets, values = zip(*batch, strict=True)
        messages = {"offset": pa.array(offsets, pa.int64()), "value": pa.array(values, pa.binary())}
        yield read_raw_messages(pa.RecordBatch.from_pydict(messages))


def _first_line(head: bytes) -> dict[str, Any] | None:
    """The object in the first line; None if it is not an object by itself, or a search API response."""
    first = head.lstrip(_SPACE).split(b"\n", 1)[0]
    try:
        found = msgspec.json.decode(first)
    except msgspec.MsgspecError:
        return None
    return found if isinstance(found, dict) and "hits" not in found else None


def _names(file: LandingFile, first_line: dict[str, Any] | None, limits: Limits) -> list[str]:
    """The names in the first complaint of a file, which include the required ones."""
    if first_line is not None:
        require_columns(list(first_line), str(file))
        return list(first_line)
    with file.open() as stream:
        objects = _objects(stream, limits)
        names = list(next(objects, {}))
        require_columns(names, str(file))
        # A document may turn out to be invalid until its end has been read.
        for _ in objects:
            pass
    return names


def _objects(stream: IO[bytes], limits: Limits) -> Iterator[dict[str, Any]]:
    """The complaints of a document, one after another.

    Raises:
        ijson.JSONError: It is not valid JSON.
        ValueError: Something in it is longer than any record.
    """
    head = stream.read(_HEAD_BYTES)
    prefix = "item" if head.lstrip(_SPACE).startswith(b"[") else "hits.hits.item"
    source = _Source(head.removeprefix(codecs.BOM_UTF8), stream, limits.record_bytes)
    for each in ijson.items(source, prefix, use_float=True):
        source.unread = limits.record_bytes
        yield each.get("_source", each) if isinstance(each, dict) else {}


def _line_chunks(stream: IO[bytes], digest: hashlib._Hash, limits: Limits) -> Iterator[Chunk]:
    """Cuts after line feeds; a line that is longer than any record is passed on in pieces."""
    places, begun, is_endless = _Places(), bytearray(), False
    while piece := stream.read(limits.chunk_bytes):
        digest.update(piece)
        end = piece.find(b"\n") + 1
        taken = end or len(piece)
        if is_endless or len(begun) + taken > limits.record_bytes:
            line = begun + piece[:taken]
            for start in range(0, len(line), limits.chunk_bytes):
                yield places.chunk(line[start : start + limits.chunk_bytes], is_fragment=True)
            begun, piece, is_endless = bytearray(), piece[taken:], not end
        if size := piece.rfind(b"\n") + 1:
            yield places.chunk(begun + piece[:size])
            begun = bytearray()
        begun += piece[size:]
    if begun:
        yield places.chunk(begun)


def _one_chunk(stream: IO[bytes], digest: hashlib._Hash) -> Iterator[Chunk]:
    size = crc = 0
    while piece := stream.read(1 << 20):
        digest.update(piece)
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    yield Chunk(0, size, 0, crc, _NO_LAYOUT)


class _Places:
    """Where the chunks of a file begin, each after the one before it."""

    def __init__(self) -> None:
        self._offset = self._line = 0

    def chunk(self, data: bytes | bytearray, *, is_fragment: bool = False) -> Chunk:
        """The next chunk, which has this content."""
        chunk = Chunk(self._offset, len(data), self._line, zlib.crc32(data), _NO_LAYOUT, is_fragment)
        self._offset += len(data)
        self._line += data.count(b"\n")
        return chunk


class _Source:
    """A stream with its first bytes put back, since not every unpacked stream can seek.

    Attributes:
        unread: How many more bytes may be read until the next complaint ends, so that each takes bounded memory.
    """

    def __init__(self, head: bytes, stream: IO[bytes], unread: int) -> None:
        self._head, self._stream, self.unread = head, stream, unread

    def read(self, size: int) -> bytes:
        """Reads at most as many bytes; none at the end."""
        if self.unread < 0:
            raise ValueError("an object in it is longer than any record")
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
        else:
            taken = self._stream.read(size)
        self.unread -= len(taken)
        return taken
