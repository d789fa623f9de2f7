from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from solosolve.errors import NotAFeedbackFileError
from solosolve.landing import feedback_files
from solosolve.landing.feedback_files import FileRecord, read_feedback_file
from solosolve.landing.files import LandingFile
from support.feedback_events import as_csv, as_json_lines, event

EVENTS = [event("a", 1), event("b", 2, outcome="failure", reason='They said "no",\nand\u00e9')]
HEADER = ("Event ID", "COMPLAINT-ID", "Outcome", "is successful resolution", "Source", "Reviewer", "Reason", "Given at")


def read(path: Path, content: bytes) -> list[FileRecord]:
    path.write_bytes(content)
    return list(read_feedback_file(LandingFile.of(path))[1])


def objects(records: list[FileRecord]) -> list[dict[str, object]]:
    assert [each.reason for each in records] == [None] * len(records)
    found = [json.loads(each.value) for each in records]
    return [{name: value for name, value in each.items() if value != ""} for each in found]


def as_texts(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [each | {"complaint_id": str(each["complaint_id"])} for each in events]


def test_json_lines_are_passed_on_as_they_are(tmp_path: Path) -> None:
    records = read(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + as_json_lines(EVENTS) + b"\n{broken\n{}")
    assert [(each.line, each.reason) for each in records] == [(1, None), (2, None), (4, None), (5, None)]
    assert objects(records[:2]) == EVENTS
    assert records[2].value == b"{broken"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_may_have_any_delimiter_and_spelling_of_its_header(tmp_path: Path, delimiter: str, end: str) -> None:
    text = as_csv(EVENTS, HEADER, delimiter, end)
    assert objects(read(tmp_path / "a.csv", text.encode())) == as_texts(EVENTS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_may_have_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    assert objects(read(tmp_path / "a.csv", as_csv(EVENTS).encode(encoding))) == as_texts(EVENTS)


def test_packed_file_is_unpacked(tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.csv.gz", tmp_path / "a.csv"
    packed.write_bytes(gzip.compress(as_csv(EVENTS).encode()))
    plain.write_text(as_csv(EVENTS), newline="")
    (first, records), (second, _) = (read_feedback_file(LandingFile.of(path)) for path in (packed, plain))
    assert first == second
    assert objects(list(records)) == as_texts(EVENTS)


def test_bad_record_costs_no_other(tmp_path: Path) -> None:
    lines = as_csv([event(name) for name in "abcd"]).split("\r\n")
    lines[2] = 'b,"2'
    lines[3] = "c,3"
    text = "\r\n".join([*lines[:4], "\udcff" + lines[4], ""])
    records = read(tmp_path / "a.csv", text.encode("utf-8", "surrogateescape"))
    assert [(each.line, each.reason) for each in records] == [
        (2, None),
        (3, "has a quoted field that is not closed, has text after its closing quote, or is too long"),
        (5, "is not UTF-8"),
    ]
    assert records[2].value.startswith(b"\\xffd,")


def test_last_record_of_a_csv_needs_a_line_end(tmp_path: Path) -> None:
    records = read(tmp_path / "a.csv", as_csv(EVENTS).strip().encode())
    assert [each.reason for each in records] == [None, "has no line end: the file may be cut off here"]
    # The number of a complaint would be a valid one without its last digit.
    assert b'"complaint_id":"2"' in records[1].value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a feedback file: it is empty"),
        (b"<html>", "not a feedback file: it is an HTML page"),
        (b"[{}]", "found a JSON array, expected one object per line"),
        (b"a,b\n1,2\n", "the header is missing event_id, complaint_id, source, given_at"),
        (b"event_id,complaint_id,outcome\n", "the header is missing source, given_at"),
        (b"event_id,complaint_id,source,given_at,Event-Id\n", "the header names event_id more than once"),
        (b"\x1f\x8b\x08 broken", "cannot be read"),
    ],
)  # fmt: skip
def test_other_file_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(NotAFeedbackFileError, match=reason):
        read(tmp_path / "a.csv", content)


def test_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_files, "MAX_FILE_BYTES", 1 << 20)
    with pytest.raises(NotAFeedbackFileError, match="has more than 1 MiB unpacked; divide it"):
        read(tmp_path / "a.jsonl", b"{}\n" * (1 << 19))
