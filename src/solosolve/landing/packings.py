"""Opens files whether plain, packed or UTF-16, and names content that is certainly not a complaint file."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from solosolve.landing.remote import RemotePath

_MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""First bytes of packed files, which identify them whatever their names."""
_HEAD_BYTES = 512
_TAR_PLACE, _TAR = 257, b"ustar"


def packing_of(path: Path | RemotePath) -> str | None:
    """How a file is packed: `zip`, `gzip`, `bzip2`, `xz`, `zstd`, or None if it is plain."""
    with path.open("rb") as stream:
        return _packing(stream.read(_HEAD_BYTES))


def is_packed(path: Path | RemotePath) -> bool:
    """Whether the content can only be read from its beginning, because it is packed or UTF-16."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return _packing(head) is not None or _utf_16(head) is not None


def open_unpacked(path: Path | RemotePath, member: int | None) -> IO[bytes]:
    """Opens the content of a file, unpacked, and as UTF-8 if it is UTF-16.

    Args:
        path: The file.
        member: Which member of a zip archive, None if the file is not an archive.

    Returns:
        A binary stream, to be closed by the caller.
    """
    stream = _unpacked(path, member)
    encoding = _utf_16(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES])
    return stream if encoding is None else cast("IO[bytes]", io.BufferedReader(_AsUtf8(stream, encoding)))


def seekable(path: Path | RemotePath) -> Path | IO[bytes]:
    """What the readers of packed files and of Parquet take: a path, or an open file of a store."""
    return path if isinstance(path, Path) else path.open()


def foreign_kind(head: bytes) -> str | None:
    """What unpacked content is, if it certainly is not CSV: `an HTML page`, `a tar archive`; None otherwise."""
    if not head:
        return "empty"
    if head[_TAR_PLACE:].startswith(_TAR):
        return "a tar archive"
    if packing := _packing(head):
        return f"packed twice: a {packing} file inside"
    text = head[:4096].lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if text.startswith(b"<"):
        return "an XML document"
    if text.startswith(b"%pdf"):
        return "a PDF document"
    return None


def _packing(head: bytes) -> str | None:
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def _unpacked(path: Path | RemotePath, member: int | None) -> Any:
    packing = packing_of(path)
    if packing == "zip":
        archive = zipfile.ZipFile(seekable(path))
        if member is None:
            raise zipfile.BadZipFile("the archive has no member that could be landed")
        return io.BufferedReader(cast("io.RawIOBase", archive.open(archive.infolist()[member])))
    if packing == "gzip":
        return gzip.open(seekable(path), "rb")
    if packing == "bzip2":
        return bz2.BZ2File(seekable(path))
    if packing == "xz":
        return lzma.LZMAFile(seekable(path))
    if packing == "zstd":
        return io.BufferedReader(pa.input_stream(path.open("rb"), compression="zstd"))
    return path.open("rb")


def _utf_16(head: bytes) -> str | None:
    """The encoding of UTF-16 text, with a byte order mark or without one; None if the content is anything else."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[::2], head[1::2]
    # The header of a complaint file is ASCII: in UTF-16, every other byte of it is 0.
    if len(head) >= 8 and not any(odd) and all(even):
        return "utf-16-le"
    if len(head) >= 8 and not any(even) and all(odd):
        return "utf-16-be"
    return None


class _AsUtf8(io.RawIOBase):
    """A stream of UTF-16 text, as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            piece = self._stream.read(1 << 20)
            self._ready = self._decoder.decode(piece, final=not piece).encode()
            if not piece:
                break
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()
