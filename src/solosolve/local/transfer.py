"""One resumable HTTP transfer: what is kept of a file, and the attempt to fetch the rest of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from solosolve.errors import DownloadError

_WORTH_RETRYING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are here and, where the server says it, the bytes that there are."""


@dataclass(frozen=True)
class Downloaded:
    """A file that arrived whole."""

    path: Path
    byte_count: int
    sha256: str


class TryAgainError(Exception):
    """A failure that may pass."""


@dataclass(frozen=True)
class _Version:
    """Which version of which file the part is a piece of."""

    url: str
    validator: str | None

    @classmethod
    def of(cls, url: str, response: httpx.Response) -> _Version:
        etag = response.headers.get("ETag")
        # If-Range takes no weak ETag: two files that are not equal byte for byte may share it.
        is_strong = etag is not None and not etag.startswith("W/")
        return cls(url, etag if is_strong else response.headers.get("Last-Modified"))


@dataclass(frozen=True)
class Transfer:
    """A file on its way: `<target>.part`, and beside it `<target>.part.json` with the version that it is a piece of."""

    target: Path
    url: str
    on_progress: OnProgress

    @property
    def part(self) -> Path:
        """What has arrived."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def sidecar(self) -> Path:
        """Which version of the file the part is of."""
        return self.target.with_name(f"{self.target.name}.part.json")

    @property
    def lock(self) -> Path:
        """Held by the one process that fetches the file."""
        return self.target.with_name(f"{self.target.name}.part.lock")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.part.stat().st_size if self.part.exists() else 0

    def attempt(self, client: httpx.Client) -> None:
        """Fetches what is missing; returns when the part is whole.

        Raises:
            TryAgainError: The server failed, or sent less than it said.
            httpx.HTTPError: The connection failed.
            DownloadError: The file is not there, or the disk cannot hold it.
        """
        headers = {"Accept-Encoding": "identity"}
        kept = self._kept_version()
        if kept is None or kept.validator is None:
            self.discard()
        elif self.size:
            headers |= {"Range": f"bytes={self.size}-", "If-Range": kept.validator}
        with client.stream("GET", self.url, headers=headers) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
                self._check_that_part_is_all(response)
                return
            _require_success(response, is_range="Range" in headers)
            if response.status_code == HTTPStatus.PARTIAL_CONTENT and kept is not None:
                self._receive(response, kept, self._total_of_same_version(response, kept))
            else:
                self.discard()
                self._receive(response, _Version.of(self.url, response), _length(response))

    def finish(self) -> Downloaded:
        """Gives the whole part its final name."""
        with self.part.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        byte_count = self.size
        self.part.replace(self.target)
        self.sidecar.unlink(missing_ok=True)
        self.lock.unlink(missing_ok=True)
        return Downloaded(self.target, byte_count, sha256)

    def what_is_kept(self) -> str:
        """What a person should know after a failure."""
        again = "run the command again"
        return f"{self.size:,} bytes are kept in {self.part}; {again} to go on" if self.size else f"{again} later"

    def discard(self) -> None:
        """Forgets what has arrived."""
        self.part.unlink(missing_ok=True)
        self.sidecar.unlink(missing_ok=True)

    def _receive(self, response: httpx.Response, version: _Version, total: int | None) -> None:
        here = self.size
        self._require_space(total, here)
        self.sidecar.write_text(json.dumps(asdict(version)), encoding="utf-8")
        self.on_progress(here, total)
        with self.part.open("ab") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                here += len(chunk)
                self.on_progress(here, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and here != total:
            raise TryAgainError(f"{here:,} of {total:,} bytes arrived")

    def _kept_version(self) -> _Version | None:
        if not self.sidecar.exists():
            return None
        try:
            kept = _Version(**json.loads(self.sidecar.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            return None
        return kept if kept.url == self.url else None

    def _total_of_same_version(self, response: httpx.Response, kept: _Version) -> int:
        """Checks that a 206 answer goes on where the part ends, in the version that the part is of."""
        found = response.headers.get("Content-Range", "")
        parsed = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", found)
        # An answer to If-Range may leave out the date.
        is_same = _Version.of(self.url, response).validator in (None, kept.validator)
        if parsed is None or int(parsed[1]) != self.size or not is_same:
            self.discard()
            raise TryAgainError(f"the server answered with another piece or version ('{found}')")
        return int(parsed[2])

    def _check_that_part_is_all(self, response: httpx.Response) -> None:
        """An earlier call may have stopped between the last byte and the renaming."""
        if response.headers.get("Content-Range") != f"bytes */{self.size}":
            self.discard()
            raise TryAgainError("what was kept is longer than the file")

    def _require_space(self, total: int | None, here: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if total is not None and total - here > free:
            raise DownloadError(
                f"{self.target.parent}: {total - here:,} bytes are to come, {free:,} are free; make room"
            )


def _require_success(response: httpx.Response, *, is_range: bool) -> None:
    status = response.status_code
    # A piece that nobody asked for would pass for the whole.
    if status == HTTPStatus.OK or (status == HTTPStatus.PARTIAL_CONTENT and is_range):
        return
    found = f"the server answered {status} {response.reason_phrase}".rstrip()
    if status in _WORTH_RETRYING or response.is_server_error:
        raise TryAgainError(found)
    raise DownloadError(f"{response.url}: {found}; is the address right?")


def _length(response: httpx.Response) -> int | None:
    """The bytes to come; None where their end is marked instead (chunked)."""
    if "Content-Length" in response.headers:
        return int(response.headers["Content-Length"])
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    raise DownloadError(f"{response.url}: the server does not say how long the file is, so a cut could not be noticed")
