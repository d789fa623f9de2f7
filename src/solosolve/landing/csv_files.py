"""CSV files: planned in chunks of whole records, and read fast where certain, otherwise strictly."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import IO

import pyarrow as pa

from solosolve.landing.boundaries import Limits
from solosolve.landing.csv_records import Record, legible, read_records, split_lines
from solosolve.landing.cutting import Chunk, Cutter
from solosolve.landing.fast_csv import read_fast
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import Kind, LandingPlan
from solosolve.landing.parsed_records import fields_to_arrow, to_arrow

CUT = "has no line end after it, so the file may be cut inside this record; if it is whole, land it with --complete"
ENDLESS = "is part of a line that is longer than any record"

_BATCH_RECORDS = 4096
_SKIPPED_BYTES = 1 << 20


def plan(file: LandingFile, limits: Limits, *, is_complete: bool) -> LandingPlan:
    """Plans a CSV.

    Raises:
        NotAComplaintFileError: It has no header with the complaint columns.
    """
    with file.open() as stream:
        cutter = Cutter(stream, str(file), limits)
        chunks = list(cutter.chunks())
    if is_complete and chunks and chunks[-1].is_cut:
        cutter.digest.update(b"\n")
        chunks[-1] = replace(chunks[-1], is_cut=False)
    return LandingPlan(
        file=file,
        kind=Kind.CSV,
        is_packed=file.is_packed(),
        layout=cutter.first_layout,
        asides=tuple(cutter.asides),
        sha256=cutter.digest.hexdigest(),
        byte_count=cutter.byte_count,
        chunks=tuple(chunks),
        limits=limits,
    )


def read_chunks(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Parses chunks of a CSV to PARSED_COLUMNS."""
    for chunk, data in chunk_contents(plan, chunks):
        yield from _parse(data, chunk, plan.limits)


def chunk_contents(plan: LandingPlan, chunks: Sequence[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
    """Reads the bytes of chunks.

    Raises:
        OSError: The file has changed since it was planned.
    """
    with plan.file.open() as stream:
        position = 0
        for chunk in chunks:
            if not plan.is_packed:
                stream.seek(chunk.offset)
            elif chunk.offset > position:
                _skip(stream, chunk.offset - position)
            data = stream.read(chunk.size)
            position = chunk.offset + chunk.size
            if zlib.crc32(data) != chunk.crc:
                raise OSError(f"{plan.file} changed while it was being landed; run the task again")
            yield chunk, data


def endless_line(data: bytes, chunk: Chunk) -> pa.RecordBatch:
    """A piece of a line that is longer than any record, as one bad record with PARSED_COLUMNS."""
    text = legible(data.decode("utf-8", "surrogateescape"))
    return to_arrow([Record(0, 1, [], text, ENDLESS)], chunk.layout, chunk.line)


def _skip(stream: IO[bytes], size: int) -> None:
    while size and (piece := stream.read(min(size, _SKIPPED_BYTES))):
        size -= len(piece)


def _parse(data: bytes, chunk: Chunk, limits: Limits) -> Iterator[pa.RecordBatch]:
    layout = chunk.layout
    if chunk.is_fragment:
        yield endless_line(data, chunk)
        return
    if not chunk.is_cut and (found := read_fast(data, len(layout.fields), layout.delimiter)) is not None:
        yield fields_to_arrow(*found, layout, chunk.line)
        return
    records = read_records(split_lines(data), len(layout.fields), layout.delimiter, limits.bad_characters)
    if chunk.is_cut:
        records = _with_last_refused(records, data)
    while batch := list(islice(records, _BATCH_RECORDS)):
        yield to_arrow(batch, layout, chunk.line)


def _with_last_refused(records: Iterator[Record], data: bytes) -> Iterator[Record]:
    """Refuses the last record, which no line end follows."""
    last = next(records, None)
    for record in records:
        yield last if last is not None else record
        last = record
    if last is None:
        return
    if last.reason is not None:
        yield last
    else:
        text = legible("".join(split_lines(data)[last.line : last.end]))
        yield Record(last.line, last.end, [], text, CUT)
