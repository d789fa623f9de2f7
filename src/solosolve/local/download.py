"""Fetching of the published complaints: goes on where it stopped, and gives the final name to whole files only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import tenacity
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from solosolve.errors import DownloadError
from solosolve.local.transfer import Downloaded, OnProgress, Transfer, TryAgainError

CFPB_URL = "https://files.consumerfinance.gov/ccdb/complaints.csv.zip"

_FRUITLESS_ATTEMPTS = 5
_LONGEST_WAIT_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(30.0, read=60.0)


def download_complaints(
    target: Path, *, url: str = CFPB_URL, on_progress: OnProgress, first_wait_seconds: float = 1.0
) -> Downloaded:
    """Fetches a file into `<target>.part` and renames it when all of it is there.

    What a broken attempt left is continued, also by a later call, if the server still has the same version
    (RFC 9110, sections 13.1.5 and 14: `If-Range` with the ETag or date kept in `<target>.part.json`). Cut
    connections and 5xx answers are retried until five attempts in a row bring nothing new.

    Args:
        target: The file to write; an older one is replaced.
        url: Where the file is.
        on_progress: Told of every piece that arrives.
        first_wait_seconds: The wait before a retry; it doubles, up to a minute, until more arrives.

    Returns:
        The path, size and SHA-256 of what arrived.

    Raises:
        DownloadError: The file is not there, does not arrive whole, cannot be written, or another process fetches it.
    """
    transfer = Transfer(target, url, on_progress)
    patience = _Patience(transfer, first_wait_seconds)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        after=patience.note_progress,
        stop=patience.is_over,
        wait=patience.seconds_to_wait,
        reraise=True,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(transfer.lock, timeout=0),
            httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client,
        ):
            retrying(transfer.attempt, client)
            return transfer.finish()
    except Timeout:
        raise DownloadError(f"{target} is being fetched by another process; wait for it") from None
    except (httpx.HTTPError, httpx.InvalidURL, TryAgainError) as error:
        raise DownloadError(f"{url}: {str(error) or type(error).__name__}; {transfer.what_is_kept()}") from error
    except OSError as error:
        raise DownloadError(f"{error.filename or target}: cannot be written ({error.strerror})") from error


def download_with_progress(target: Path, url: str, console: Console) -> Downloaded:
    """Fetches a file as `download_complaints` does, with a bar on the console."""
    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("fetching", total=None)
        return download_complaints(
            target, url=url, on_progress=lambda here, total: progress.update(bar, completed=here, total=total)
        )


@dataclass
class _Patience:
    """Counts the attempts in a row that brought no byte further than any before."""

    transfer: Transfer
    first_wait_seconds: float
    furthest: int = 0
    fruitless: int = 0

    def note_progress(self, _: tenacity.RetryCallState) -> None:
        size = self.transfer.size
        self.fruitless = 0 if size > self.furthest else self.fruitless + 1
        self.furthest = max(size, self.furthest)

    def is_over(self, _: tenacity.RetryCallState) -> bool:
        return self.fruitless >= _FRUITLESS_ATTEMPTS

    def seconds_to_wait(self, _: tenacity.RetryCallState) -> float:
        return min(self.first_wait_seconds * 2.0**self.fruitless, _LONGEST_WAIT_SECONDS)


def _may_pass(error: BaseException) -> bool:
    is_wrong_url = isinstance(error, httpx.UnsupportedProtocol)
    return isinstance(error, httpx.TransportError | TryAgainError) and not is_wrong_url
