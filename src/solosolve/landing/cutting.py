"""The first pass over a landing file: finds its header, hashes it, and cuts it between records."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.boundaries import DEFAULT_LIMITS, HEADER_BYTES, Limits, line_count, line_end, whole_records
from solosolve.landing.csv_layout import Layout, find_layout
from solosolve.landing.csv_records import byte_length, legible, split_lines

BEFORE_HEADER = "comes before the header"
REPEATED_HEADER = "repeats the header"


@dataclass(frozen=True)
class Chunk:
    """Whole records of a file.

    Attributes:
        offset: Where they begin in the unpacked content, in bytes.
        size: Their length in bytes.
        line: The line on which they begin, counted from 0.
        crc: CRC-32 of their bytes.
        layout: The meaning of their fields.
        is_fragment: Whether it is part of a line that is longer than any record.
        is_cut: Whether the file ends here without a line end.
    """

    offset: int
    size: int
    line: int
    crc: int
    layout: Layout
    is_fragment: bool = False
    is_cut: bool = False


@dataclass(frozen=True)
class Aside:
    """A line that is not a record: one before the header, or a header again."""

    line: int
    text: str
    reason: str


class Cutter:
    """Cuts one stream; its attributes are complete once `chunks` has been consumed.

    Attributes:
        first_layout: The layout of the file's first header.
        asides: The lines that are not records.
        digest: SHA-256 of the content.
        byte_count: Size of the content.
    """

    def __init__(self, stream: IO[bytes], where: str, limits: Limits = DEFAULT_LIMITS) -> None:
        """Reads the header.

        Args:
            stream: The unpacked content, at its beginning.
            where: The name of the file, for messages.
            limits: The sizes to cut by.

        Raises:
            NotAComplaintFileError: The file has no header with the complaint columns in its first HEADER_BYTES.
        """
        self._stream, self._where, self._limits = stream, where, limits
        self.digest, self.byte_count = hashlib.sha256(), 0
        self.asides: list[Aside] = []
        head = self._stream.read(HEADER_BYTES)
        is_whole = len(head) < HEADER_BYTES
        if not is_whole and line_end(head) is None:
            raise NotAComplaintFileError(
                f"{where}: not a complaint file: its first line is longer than {HEADER_BYTES:,} bytes"
            )
        lines = split_lines(head)
        if not is_whole and not lines[-1].endswith(("\n", "\r")):
            # What is cut off cannot be told from a header with fewer columns.
            lines.pop()
        header, self.first_layout = find_layout(lines, where)
        for number, text in enumerate(lines[: header.line]):
            if text.strip():
                self.asides.append(Aside(number, legible(text), BEFORE_HEADER))
        self._layout = self.first_layout
        self._offset, self._line = byte_length(lines[: header.end]), header.end
        self._data = head[self._offset :]
        self.digest.update(head)
        self.byte_count = len(head)

    def chunks(self) -> Iterator[Chunk]:
        """Reads the rest of the stream.

        Returns:
            The chunks in order; together with the header and the asides they cover the content.
        """
        yield from self._whole()
        is_in_fragment = False
        for piece in self._pieces():
            self._data += piece
            if not is_in_fragment:
                yield from self._whole()
            if is_in_fragment or self._has_endless_line():
                # No record has a line this long. It is passed on in pieces, so that it takes bounded memory.
                is_in_fragment = yield from self._fragment()
        if self._data:
            is_cut = not is_in_fragment and not self._data.endswith((b"\n", b"\r"))
            yield self._chunk(len(self._data), is_fragment=is_in_fragment, is_cut=is_cut)

    def _pieces(self) -> Iterator[bytes]:
        """Reads on, while another thread hashes what was read."""
        with ThreadPoolExecutor(1) as thread:
            hashed = thread.submit(self.digest.update, b"")
            while piece := self._stream.read(self._limits.chunk_bytes):
                hashed.result()
                hashed = thread.submit(self.digest.update, piece)
                self.byte_count += len(piece)
                yield piece
            hashed.result()

    def _whole(self) -> Iterator[Chunk]:
        """Cuts off the data's whole records, at each header among them."""
        while True:
            size, header = whole_records(self._data, self._layout, self._limits, self._where)
            if header is None:
                if size:
                    yield self._chunk(size)
                return
            if header.start:
                yield self._chunk(header.start)
            text = self._data[: header.end - header.start]
            self.asides.append(Aside(self._line, legible(text.decode("utf-8", "surrogateescape")), REPEATED_HEADER))
            self._skip(len(text))
            self._layout = header.layout

    def _has_endless_line(self) -> bool:
        end = line_end(self._data)
        return (len(self._data) if end is None else end) > self._limits.record_bytes

    def _fragment(self) -> Generator[Chunk, None, bool]:
        """Cuts off an endless line as far as it goes; returns whether it may go on."""
        end = line_end(self._data)
        # A carriage return at the end of the data may be half of a line end.
        size = len(self._data) - self._data.endswith(b"\r") if end is None else end
        while size > 0:
            piece = min(size, self._limits.chunk_bytes)
            yield self._chunk(piece, is_fragment=True)
            size -= piece
        return end is None

    def _chunk(self, size: int, *, is_fragment: bool = False, is_cut: bool = False) -> Chunk:
        data = self._data[:size]
        chunk = Chunk(self._offset, size, self._line, zlib.crc32(data), self._layout, is_fragment, is_cut)
        self._skip(size)
        return chunk

    def _skip(self, size: int) -> None:
        self._line += line_count(self._data[:size])
        self._data = self._data[size:]
        self._offset += size
