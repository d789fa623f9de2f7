"""Files in object stores and HDFS, named by URL, with the few methods of a path that landing needs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType

from solosolve.errors import NotAComplaintFileError

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_SCHEMES = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3"),
    **{name: name for name in ("abfs", "abfss", "gs", "hdfs")},
}
"""The schemes that Spark reads, and Arrow's names for them."""
_WILD = re.compile(r"[*?\[]")
_WILDCARD = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|[^*?\[]+|\[")
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class RemoteStat:
    """What `Path.stat` says of a file, as far as landing asks."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, order=True)
class RemotePath:
    """A file or folder in a store.

    Tasks on other machines open it by its URL alone, so each machine needs the credentials of the store.

    Attributes:
        url: Such as `s3a://bucket/folder/file.csv`.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rstrip("/").rpartition("/")[2]

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """Opens the file to read it from anywhere."""
        system, path = _located(self.url)
        # Readers of packed files ask for small pieces; each would be a request.
        return io.BufferedReader(cast("io.RawIOBase", system.open_input_file(path)), _BUFFER_BYTES)

    def stat(self) -> RemoteStat:
        """Its size and time.

        Raises:
            FileNotFoundError: There is no such file.
        """
        info = self._info()
        if info.type == FileType.NotFound:
            raise FileNotFoundError(self.url)
        return RemoteStat(int(info.size or 0), int(info.mtime_ns or 0))

    def is_file(self) -> bool:
        """Whether it exists and is not a folder."""
        return self._info().type == FileType.File

    def is_dir(self) -> bool:
        """Whether it is a folder; in an object store, whether files have names that begin with it."""
        return self._info().type == FileType.Directory

    def iterdir(self, *, recursive: bool = False) -> Iterator[tuple[RemotePath, bool]]:
        """The files and folders in a folder, and whether each is a file."""
        system, path = _located(self.url.rstrip("/"))
        for info in system.get_file_info(FileSelector(path, recursive=recursive)):
            below = info.path[len(path) :].lstrip("/")
            yield RemotePath(f"{self.url.rstrip('/')}/{below}"), info.type == FileType.File

    def _info(self) -> FileInfo:
        system, path = _located(self.url)
        return system.get_file_info(path.rstrip("/"))


def is_url(source: str) -> bool:
    """Whether a source is a URL rather than a path."""
    return _URL.match(source) is not None


def matching(url: str) -> list[RemotePath]:
    """The files whose URLs match a glob; `**` stands for any number of folders."""
    fixed = url[: found.start()] if (found := _WILD.search(url)) else url
    folder = RemotePath(fixed[: fixed.rfind("/") + 1])
    if found is None or not folder.is_dir():
        return []
    pattern = re.compile("".join(map(_as_pattern, _WILDCARD.findall(url))), re.DOTALL)
    return [path for path, is_file in folder.iterdir(recursive=True) if is_file and pattern.fullmatch(path.url)]


def _as_pattern(part: str) -> str:
    if part.startswith("[") and len(part) > 1:
        return part.replace("[!", "[^")
    return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))


def _located(url: str) -> tuple[FileSystem, str]:
    """Arrow's file system for a URL, and the path in it.

    Raises:
        NotAComplaintFileError: Landing cannot read from such a URL.
    """
    match = _URL.match(url)
    scheme = _SCHEMES.get(match["scheme"].lower()) if match else None
    if match is None or scheme is None:
        raise NotAComplaintFileError(
            f"{url}: this is a URL; download the file first, then give its path, or a URL of {', '.join(_SCHEMES)}"
        )
    store, _, path = match["rest"].partition("/")
    system, root = _system(f"{scheme}://{store}")
    return system, f"{root.rstrip('/')}/{path}"


@lru_cache(maxsize=16)
def _system(root: str) -> tuple[FileSystem, str]:
    try:
        system, path = FileSystem.from_uri(root)
    except (OSError, ValueError, ImportError) as error:
        raise NotAComplaintFileError(f"{root}: cannot be reached ({error})") from error
    return system, path
