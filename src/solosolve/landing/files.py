"""Finds landing files, and opens them whether plain, gzipped or zipped."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import IO

from solosolve.errors import NotAComplaintFileError

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError)
"""What opening or reading a damaged, encrypted or unsupported archive raises."""

_SUFFIXES = (".csv", ".gz", ".zip")
_PACKINGS = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b\x08": "gzip"}
"""First bytes of packed files, which identify them whatever their names."""


@dataclass(frozen=True)
class LandingFile:
    """A CSV on disk: plain, gzipped, or a member of a zip archive."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    @property
    def is_packed(self) -> bool:
        """Whether its content can only be read from the beginning."""
        return _packing(self.path) is not None

    def open(self) -> IO[bytes] | gzip.GzipFile:
        """Opens the unpacked content.

        Returns:
            A binary stream, to be closed by the caller.

        Raises:
            OSError: The file cannot be read.
            zipfile.BadZipFile: The archive is damaged or contains no CSV.
            KeyError: The archive has no such member.
            RuntimeError: The member is encrypted.
            NotImplementedError: The member is compressed by an unsupported method.
        """
        packing = _packing(self.path)
        if packing == "zip":
            archive = zipfile.ZipFile(self.path)
            if self.member is None:
                raise zipfile.BadZipFile("the archive contains no CSV")
            return archive.open(self.member)
        if packing == "gzip":
            return gzip.GzipFile(self.path)
        return self.path.open("rb")


def find_landing_files(source: str) -> list[LandingFile]:
    """Lists the files of a landing source, in order of name.

    Args:
        source: A file, a folder or a glob. In a folder, its CSV, `.gz` and `.zip` files count, but not those in
            subfolders. In an archive, every CSV member counts; an archive that cannot be opened is listed itself, so
            that the error names it.

    Raises:
        NotAComplaintFileError: There are no such files.
    """
    path = Path(source)
    if path.is_dir():
        paths = [found for found in path.iterdir() if _is_landed(found)]
    elif path.is_file():
        paths = [path]
    else:
        paths = [found for found in map(Path, glob(source, recursive=True)) if found.is_file()]  # noqa: PTH207 - Path.glob refuses absolute patterns
    files = [file for found in sorted(paths) for file in _members(found)]
    if not files:
        raise NotAComplaintFileError(f"{source}: no CSV found; give a CSV, .gz or .zip file, a folder or a glob")
    return files


def _members(path: Path) -> list[LandingFile]:
    """The CSV members of an archive; otherwise the file itself."""
    try:
        if _packing(path) != "zip":
            return [LandingFile(path)]
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if _is_member(name))
    except UNREADABLE:
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
