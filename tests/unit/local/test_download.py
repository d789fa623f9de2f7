from __future__ import annotations

import hashlib
import io
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock
from rich.console import Console

from solosolve.errors import DownloadError
from solosolve.local.download import Downloaded, download_complaints, download_with_progress

CONTENT = random.Random(1).randbytes(300_000)
OTHER_CONTENT = random.Random(2).randbytes(310_000)
DATE = "Sun, 01 Mar 2026 10:00:00 GMT"


@dataclass
class Publisher:
    """What the server publishes and how it misbehaves; each response uses up one entry of `statuses` and of `cuts`."""

    content: bytes = CONTENT
    etag: str | None = '"one"'
    last_modified: str | None = DATE
    has_ranges: bool = True
    obeys_if_range: bool = True
    is_chunked: bool = False
    states_length: bool = True
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for headers in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        publisher = self.publisher
        publisher.requests.append({name.lower(): value for name, value in self.headers.items()})
        self.close_connection = True
        if publisher.statuses and (status := publisher.statuses.pop(0)) != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = self._start()
        if start is not None and start >= len(publisher.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(publisher.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(start)

    def _start(self) -> int | None:
        condition = self.headers.get("If-Range")
        is_same = condition in (None, self.publisher.etag, self.publisher.last_modified)
        if not self.publisher.has_ranges or "Range" not in self.headers:
            return None
        if not is_same and self.publisher.obeys_if_range:
            return None
        return int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))

    def _send(self, start: int | None) -> None:
        publisher = self.publisher
        body = publisher.content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            total = len(publisher.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if publisher.etag:
            self.send_header("ETag", publisher.etag)
        if publisher.last_modified:
            self.send_header("Last-Modified", publisher.last_modified)
        if publisher.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif publisher.states_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        is_cut = bool(publisher.cuts)
        sent = body[: publisher.cuts.pop(0)] if is_cut else body
        if publisher.is_chunked:
            sent = b"%x\r\n%b\r\n" % (len(sent), sent) + (b"" if is_cut else b"0\r\n\r\n")
        self.wfile.write(sent)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    published = Publisher()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"publisher": published}))
    published.url = f"http://127.0.0.1:{server.server_port}/complaints.csv.zip"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield published
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "landing" / "complaints.csv.zip"


def fetch(publisher: Publisher, target: Path, progress: list[tuple[int, int | None]] | None = None) -> Downloaded:
    seen = [] if progress is None else progress
    return download_complaints(
        target, url=publisher.url, on_progress=lambda *received: seen.append(received), first_wait_seconds=0.001
    )


def leave_a_part(publisher: Publisher, target: Path, size: int) -> None:
    """Lets a download fail after `size` bytes, which are kept."""
    publisher.cuts, publisher.statuses = [size], [200, *[500] * 20]
    with pytest.raises(DownloadError, match=f"{size:,} bytes are kept"):
        fetch(publisher, target)
    assert part(target).read_bytes() == publisher.content[:size]
    publisher.statuses.clear()
    publisher.requests.clear()


def part(target: Path) -> Path:
    return target.with_name("complaints.csv.zip.part")


def assert_whole(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_download_returns_the_path_size_and_hash(publisher: Publisher, target: Path) -> None:
    expected = Downloaded(target, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert fetch(publisher, target) == expected
    assert_whole(target)


def test_download_requests_the_file_without_content_encoding(publisher: Publisher, target: Path) -> None:
    fetch(publisher, target)
    assert publisher.requests[0]["accept-encoding"] == "identity"


def test_download_reports_progress_up_to_the_total(publisher: Publisher, target: Path) -> None:
    progress: list[tuple[int, int | None]] = []
    publisher.cuts = [100_000]
    fetch(publisher, target, progress)
    assert [received for received, _ in progress] == sorted(received for received, _ in progress)
    assert {total for _, total in progress} == {len(CONTENT)}
    assert (100_000, len(CONTENT)) in progress
    assert progress[-1] == (len(CONTENT), len(CONTENT))


def test_download_resumes_after_each_dropped_connection(publisher: Publisher, target: Path) -> None:
    publisher.cuts = [20_000] * 10
    fetch(publisher, target)
    assert_whole(target)
    assert publisher.ranges == [None, *(f"bytes={20_000 * cut}-" for cut in range(1, 11))]
    assert publisher.requests[1]["if-range"] == '"one"'


def test_download_resumes_in_a_later_call(publisher: Publisher, target: Path) -> None:
    leave_a_part(publisher, target, 70_000)
    assert not target.exists()
    fetch(publisher, target)
    assert_whole(target)
    assert publisher.ranges == ["bytes=70000-"]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_download_without_a_strong_etag_resumes_by_the_date(
    publisher: Publisher, target: Path, etag: str | None
) -> None:
    publisher.etag = etag
    publisher.cuts = [70_000]
    fetch(publisher, target)
    assert_whole(target)
    assert (publisher.ranges[1], publisher.requests[1]["if-range"]) == ("bytes=70000-", DATE)


def test_download_restarts_if_the_server_sends_neither_etag_nor_date(publisher: Publisher, target: Path) -> None:
    publisher.etag = publisher.last_modified = None
    publisher.cuts = [70_000]
    fetch(publisher, target)
    assert_whole(target)
    assert publisher.ranges == [None, None]


def test_download_restarts_if_the_server_ignores_ranges(publisher: Publisher, target: Path) -> None:
    publisher.has_ranges = False
    publisher.cuts = [70_000]
    fetch(publisher, target)
    assert_whole(target)


@pytest.mark.parametrize("obeys_if_range", [True, False])
@pytest.mark.parametrize("content", [OTHER_CONTENT, OTHER_CONTENT[:60_000]], ids=["longer", "shorter"])
def test_download_never_mixes_two_versions(
    publisher: Publisher, target: Path, content: bytes, obeys_if_range: bool
) -> None:
    leave_a_part(publisher, target, 70_000)
    publisher.content, publisher.etag, publisher.obeys_if_range = content, '"two"', obeys_if_range
    assert fetch(publisher, target).sha256 == hashlib.sha256(content).hexdigest()
    assert_whole(target, content)


def test_download_finishes_a_part_that_was_already_complete(publisher: Publisher, target: Path) -> None:
    leave_a_part(publisher, target, 70_000)
    part(target).write_bytes(CONTENT)
    assert fetch(publisher, target).byte_count == len(CONTENT)
    assert_whole(target)
    assert publisher.ranges == [f"bytes={len(CONTENT)}-"]


def test_download_ignores_a_part_from_another_address(publisher: Publisher, target: Path) -> None:
    leave_a_part(publisher, target, 70_000)
    publisher.url += "?other"
    fetch(publisher, target)
    assert_whole(target)
    assert publisher.ranges == [None]


@pytest.mark.parametrize("sidecar", ["", "{", "[]", '{"url": 1}'])
def test_download_ignores_a_part_of_unknown_origin(publisher: Publisher, target: Path, sidecar: str) -> None:
    leave_a_part(publisher, target, 70_000)
    target.with_name("complaints.csv.zip.part.json").write_text(sidecar)
    fetch(publisher, target)
    assert_whole(target)
    assert publisher.ranges == [None]


def test_download_replaces_an_older_file(publisher: Publisher, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    fetch(publisher, target)
    assert_whole(target)


def test_download_keeps_an_older_file_when_it_fails(publisher: Publisher, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    leave_a_part(publisher, target, 70_000)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
def test_download_retries_after_a_temporary_failure(publisher: Publisher, target: Path, status: int) -> None:
    publisher.statuses = [status, status]
    fetch(publisher, target)
    assert_whole(target)
    assert len(publisher.requests) == 3


@pytest.mark.parametrize("status", [404, 403, 410, 206])
def test_download_reports_a_wrong_address_without_a_retry(publisher: Publisher, target: Path, status: int) -> None:
    publisher.statuses = [status]
    with pytest.raises(DownloadError, match=f"{publisher.url}: the server answered {status}"):
        fetch(publisher, target)
    assert len(publisher.requests) == 1
    assert not target.exists()


def test_download_gives_up_when_no_more_bytes_arrive(publisher: Publisher, target: Path) -> None:
    publisher.cuts = [50_000, *[0] * 100]
    with pytest.raises(DownloadError, match=r"50,000 bytes are kept in .*part; run the command again to resume"):
        fetch(publisher, target)
    assert not target.exists()
    assert len(publisher.requests) == 6


def test_download_gives_up_on_a_server_that_is_down(target: Path) -> None:
    with pytest.raises(DownloadError, match="run the command again later"):
        fetch(Publisher(url="http://127.0.0.1:9/complaints.csv.zip"), target)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "complaints.csv.zip", "http://[::1/x"])
def test_download_refuses_an_invalid_address(target: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="run the command again later"):
        download_complaints(target, url=url, on_progress=lambda *_: None, first_wait_seconds=60)


def test_download_accepts_a_chunked_answer_only_if_it_is_complete(publisher: Publisher, target: Path) -> None:
    publisher.is_chunked = True
    publisher.cuts = [50_000, 60_000]
    publisher.has_ranges = False
    fetch(publisher, target)
    assert_whole(target)
    assert len(publisher.requests) == 3


def test_download_refuses_an_answer_without_a_length(publisher: Publisher, target: Path) -> None:
    publisher.states_length = False
    with pytest.raises(DownloadError, match="does not state the file's size"):
        fetch(publisher, target)
    assert not target.exists()


def test_download_refuses_a_target_that_cannot_be_written(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DownloadError, match=r"file.*cannot write this file"):
        fetch(publisher, tmp_path / "file" / "complaints.csv.zip")


def test_download_refuses_to_run_in_two_processes(publisher: Publisher, target: Path) -> None:
    target.parent.mkdir()
    with (
        FileLock(f"{part(target)}.lock", is_singleton=False),
        pytest.raises(DownloadError, match="another process is downloading this file"),
    ):
        fetch(publisher, target)
    assert publisher.requests == []


class Endless(bytes):
    """Content that claims a size no disk can hold."""

    claimed: int

    def __new__(cls, claimed: int) -> Endless:
        content = super().__new__(cls, CONTENT)
        content.claimed = claimed
        return content

    def __len__(self) -> int:
        return self.claimed


def test_download_too_big_for_the_disk_is_refused_before_it_starts(publisher: Publisher, target: Path) -> None:
    leave_a_part(publisher, target, 70_000)
    publisher.content = Endless(10**18)
    with pytest.raises(DownloadError, match=r"bytes needed, but only .* free; free up disk space"):
        fetch(publisher, target)


def test_download_with_progress_shows_a_bar_and_returns_the_file(publisher: Publisher, target: Path) -> None:
    stream = io.StringIO()
    fetched = download_with_progress(target, publisher.url, Console(file=stream, force_terminal=True))
    assert fetched.byte_count == len(CONTENT)
    assert "downloading" in stream.getvalue()
