from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask, Response, send_from_directory
from flask.testing import FlaskClient

from solosolve.dashboard.web.compression import MIN_BYTES, compress

LONG = "words " * MIN_BYTES
GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("assets")
    (folder / "page.js").write_text(LONG, encoding="utf-8")
    server = Flask(__name__)
    compress(server)
    server.add_url_rule("/assets/<name>", "assets", lambda name: send_from_directory(folder, name))
    server.add_url_rule("/json", "json", lambda: Response(f'"{LONG}"', mimetype="application/json"))
    server.add_url_rule("/short", "short", lambda: Response("short", mimetype="text/plain"))
    server.add_url_rule("/image", "image", lambda: Response(bytes(9_000), mimetype="image/png"))
    server.add_url_rule("/stream", "stream", lambda: Response(pieces(), mimetype="text/csv"))
    server.add_url_rule("/failed", "failed", lambda: Response(LONG, status=500, mimetype="text/plain"))
    return server.test_client()


def pieces() -> Iterator[str]:
    yield LONG
    yield LONG


@pytest.mark.parametrize(("path", "text"), [("/json", f'"{LONG}"'), ("/assets/page.js", LONG)])
def test_text_is_compressed_for_a_browser_that_accepts_it(client: FlaskClient, path: str, text: str) -> None:
    answer = client.get(path, headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(answer.data).decode() == text
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(text) / 10


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br"])
@pytest.mark.parametrize("path", ["/json", "/assets/page.js"])
def test_text_stays_as_it_is_for_other_browsers_and_caches_know_it(
    client: FlaskClient, path: str, accepted: str
) -> None:
    answer = client.get(path, headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert LONG in answer.text


@pytest.mark.parametrize("path", ["/short", "/image", "/failed"])
def test_small_binary_and_failed_answers_are_not_compressed(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


def test_stream_is_passed_on_piece_by_piece(client: FlaskClient) -> None:
    answer = client.get("/stream", headers=GZIP, buffered=False)
    assert "Content-Encoding" not in answer.headers
    assert answer.is_streamed
    assert list(answer.response) == [LONG.encode()] * 2


def test_part_of_a_file_is_sent_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/assets/page.js", headers=GZIP | {"Range": "bytes=0-4"})
    assert (answer.status_code, answer.data) == (206, b"words")
    assert "Content-Encoding" not in answer.headers


def test_unchanged_file_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get("/assets/page.js", headers=GZIP).headers["ETag"]
    assert tag.startswith("W/")
    answer = client.get("/assets/page.js", headers=GZIP | {"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")


def test_head_has_the_length_of_the_compressed_answer(client: FlaskClient) -> None:
    head, answer = (call("/json", headers=GZIP).headers for call in (client.head, client.get))
    assert head["Content-Encoding"] == "gzip"
    assert head["Content-Length"] == answer["Content-Length"]
