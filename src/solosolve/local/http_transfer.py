"""One resumable HTTP transfer: the bytes received so far, and an attempt to fetch the rest."""

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
"""Called with the bytes received so far and the size of the file, None if the server does not state it."""


@dataclass(frozen=True)
class Downloaded:
    """A complete file."""

    path: Path
    byte_count: int
    sha256: str


class TryAgainError(Exception):
    """A failure that may be temporary."""


@dataclass(frozen=True)
class _Version:
    """The version of the file that the part belongs to."""

    url: str
    validator: str | None

    @classmethod
    def of(cls, url: str, response: httpx.Response) -> _Version:
        etag = response.headers.get("ETag")
        # If-Range forbids weak ETags: files that differ in some bytes may share one.
        is_strong = etag is not None and not etag.startswith("W/")
        return cls(url, etag if is_strong else response.headers.get("Last-Modified"))


@dataclass(frozen=True)
class Transfer:
    """An unfinished file: `<target>.part`, and next to it `<target>.part.json`, which says which version it is."""

    target: Path
    url: str
    on_progress: OnProgress

    @property
    def part(self) -> Path:
        """The bytes received so far."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def sidecar(self) -> Path:
        """The URL and version of the part."""
        return self.target.with_name(f"{self.target.name}.part.json")

    @property
    def lock(self) -> Path:
        """Held by the one process that downloads the file."""
        return self.target.with_name(f"{self.target.name}.part.lock")

    @property
    def size(self) -> int:
        """The number of bytes received so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def attempt(self, client: httpx.Client) -> None:
        """Fetches the missing bytes; returns once the part is complete.

        Raises:
            TryAgainError: The server failed, or sent fewer bytes than it announced.
            httpx.HTTPError: The connection failed.
            DownloadError: The file does not exist, or the disk is too full for it.
        """
        headers = {"Accept-Encoding": "identity"}
        kept = self._kept_version()
        if kept is None or kept.validator is None:
            self.discard()
        elif self.size:
            headers |= {"Range": f"bytes={self.size}-", "If-Range": kept.validator}
        with client.stream("GET", self.url, headers=headers) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
                self._check_part_is_complete(response)
                return
            _require_success(response, is_range="Range" in headers)
            if response.status_code == HTTPStatus.PARTIAL_CONTENT and kept is not None:
                self._receive(response, kept, self._total_of_same_version(response, kept))
            else:
                self.discard()
                self._receive(response, _Version.of(self.url, response), _length(response))

    def finish(self) -> Downloaded:
        """Renames the complete part to its target."""
        with self.part.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        byte_count = self.size
        self.part.replace(self.target)
        self.sidecar.unlink(missing_ok=True)
        self.lock.unlink(missing_ok=True)
        return Downloaded(self.target, byte_count, sha256)

    def advice(self) -> str:
        """What to do after a failure."""
        if not self.size:
            return "run the command again later"
        return f"{self.size:,} bytes are kept in {self.part}; run the command again to resume"

    def discard(self) -> None:
        """Deletes the bytes received so far."""
        self.part.unlink(missing_ok=True)
        self.sidecar.unlink(missing_ok=True)

    def _receive(self, response: httpx.Response, version: _Version, total: int | None) -> None:
        received = self.size
        self._require_space(total, received)
        self.sidecar.write_text(json.dumps(asdict(version)), encoding="utf-8")
        self.on_progress(received, total)
        with self.part.open("ab") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                received += len(chunk)
                self.on_progress(received, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and received != total:
            raise TryAgainError(f"received {received:,} of {total:,} bytes")

    def _kept_version(self) -> _Version | None:
        if not self.sidecar.exists():
            return None
        try:
            kept = _Version(**json.loads(self.sidecar.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            return None
        return kept if kept.url == self.url else None

    def _total_of_same_version(self, response: httpx.Response, kept: _Version) -> int:
        """Checks that a 206 answer continues the part, in the same version; returns the size of the whole file."""
        found = response.headers.get("Content-Range", "")
        parsed = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", found)
        # An answer to If-Range may omit the date.
        is_same = _Version.of(self.url, response).validator in (None, kept.validator)
        if parsed is None or int(parsed[1]) != self.size or not is_same:
            self.discard()
            raise TryAgainError(f"the server sent another range or version than requested (Content-Range: '{found}')")
        return int(parsed[2])

    def _check_part_is_complete(self, response: httpx.Response) -> None:
        """Accepts a complete part: an earlier call may have stopped between the last byte and the renaming."""
        if response.headers.get("Content-Range") != f"bytes */{self.size}":
            self.discard()
            raise TryAgainError("the part kept from an earlier attempt is longer than the file on the server")

    def _require_space(self, total: int | None, received: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if total is not None and total - received > free:
            raise DownloadError(
                f"{self.target.parent}: {total - received:,} bytes needed, but only {free:,} free; free up disk space"
            )


def _require_success(response: httpx.Response, *, is_range: bool) -> None:
    status = response.status_code
    # An unrequested range would be mistaken for the whole file.
    if status == HTTPStatus.OK or (status == HTTPStatus.PARTIAL_CONTENT and is_range):
        return
    found = f"the server answered {status} {response.reason_phrase}".rstrip()
    if status in _WORTH_RETRYING or response.is_server_error:
        raise TryAgainError(found)
    raise DownloadError(f"{response.url}: {found}; check the address")


def _length(response: httpx.Response) -> int | None:
    """The announced length of the body; None for a chunked body, which marks its own end."""
    if "Content-Length" in response.headers:
        return int(response.headers["Content-Length"])
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    raise DownloadError(
        f"{response.url}: the server does not state the file's size, so a truncated download would go unnoticed"
    )
