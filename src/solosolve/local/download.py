"""Downloads the published complaints: resumes after an interruption; a file gets its final name only when complete."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import tenacity
from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from solosolve.errors import DownloadError
from solosolve.local.http_transfer import Downloaded, OnProgress, Transfer, TryAgainError

CFPB_URL = "https://files.consumerfinance.gov/ccdb/complaints.csv.zip"

_FRUITLESS_ATTEMPTS = 5
_LONGEST_WAIT_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(30.0, read=60.0)


def download_complaints(
    target: Path, *, url: str = CFPB_URL, on_progress: OnProgress, first_wait_seconds: float = 1.0
) -> Downloaded:
    """Downloads a file to `<target>.part`, and renames it once it is complete.

    An interrupted download resumes, even in a later call, if the server still has the same version of the file
    (RFC 9110, sections 13.1.5 and 14: `If-Range` with the ETag or date kept in `<target>.part.json`). Dropped
    connections and 5xx answers are retried until five attempts in a row bring no new bytes.

    Args:
        target: The file to write; replaces an existing one.
        url: The address of the file.
        on_progress: Called whenever bytes arrive.
        first_wait_seconds: The wait before the first retry; it doubles, up to a minute, until new bytes arrive.

    Returns:
        The file's path, size and SHA-256.

    Raises:
        DownloadError: The file does not exist, stays incomplete or cannot be written, or another process is
            downloading it.
    """
    transfer = Transfer(target, url, on_progress)
    patience = _Patience(transfer, first_wait_seconds)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_retrying),
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
        raise DownloadError(f"{target}: another process is downloading this file; wait until it has finished") from None
    except (httpx.HTTPError, httpx.InvalidURL, TryAgainError) as error:
        raise DownloadError(f"{url}: {str(error) or type(error).__name__}; {transfer.advice()}") from error
    except OSError as error:
        raise DownloadError(f"{error.filename or target}: cannot write this file ({error.strerror})") from error


def download_with_progress(target: Path, url: str, console: Console) -> Downloaded:
    """Does the same as `download_complaints`, with a progress bar on the console."""
    columns = (TextColumn("downloading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("downloading", total=None)
        return download_complaints(
            target, url=url, on_progress=lambda received, total: progress.update(bar, completed=received, total=total)
        )


@dataclass
class _Patience:
    """Counts the attempts in a row that brought no new bytes."""

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


def _is_worth_retrying(error: BaseException) -> bool:
    is_wrong_url = isinstance(error, httpx.UnsupportedProtocol)
    return isinstance(error, httpx.TransportError | TryAgainError) and not is_wrong_url
