from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from solosolve.errors import NotAComplaintFileError, UsageError
from solosolve.local.produce import encode_message, produce, read_complaints, spaced
from solosolve.names import COMPLAINT_COLUMNS, FILED_COLUMNS, PREDICTIONS_TOPIC, RAW_TOPIC, REQUESTS_TOPIC
from solosolve.settings import Settings
from support.builders import API_HEADER, landing_csv, record


def written(path: Path, content: str) -> Path:
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def request(**overrides: Any) -> dict[str, Any]:
    """The request for a complaint of `builders.record`."""
    values = {"complaint_id": 1, **{name: record()[name] or None for name in FILED_COLUMNS}}
    return values | overrides


def test_raw_messages_have_all_columns_verbatim(tmp_path: Path) -> None:
    rows = [{"complaint_id": " 07", "tags": "N/A"}, {"complaint_id": "", "sub_issue": " \t"}]
    path = written(tmp_path / "a.csv", landing_csv(*rows))
    expected = [{name: record(**row)[name] for name in COMPLAINT_COLUMNS} for row in rows]
    assert list(read_complaints(path, RAW_TOPIC)) == expected


def test_requests_have_the_columns_known_when_a_complaint_is_filed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv.gz", landing_csv({"date_received": "03/01/16"}, header=API_HEADER))
    assert list(read_complaints(path, REQUESTS_TOPIC)) == [request(date_received="03/01/16")]


@pytest.mark.parametrize("blank", ["", " ", "\t \r\n", "\u00a0", "\u200b"], ids=repr)
def test_requests_have_null_for_blank_values(tmp_path: Path, blank: str) -> None:
    path = written(tmp_path / "a.csv", landing_csv({"tags": blank, "company": blank, "complaint_id": blank}))
    assert list(read_complaints(path, REQUESTS_TOPIC)) == [request(tags=None, company=None, complaint_id=None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3184567", 3184567),
        (" 07 ", 7),
        ("0", "0"),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, "9" * 19),
        ("-1", "-1"),
        ("1.0", "1.0"),
        ("1e3", "1e3"),
        ("\u0661", "\u0661"),
        ("abc", "abc"),
    ],
)
def test_requests_have_the_id_as_a_number_if_it_is_valid(tmp_path: Path, text: str, expected: int | str) -> None:
    path = written(tmp_path / "a.csv", landing_csv({"complaint_id": text}))
    (found,) = read_complaints(path, REQUESTS_TOPIC)
    assert (type(found["complaint_id"]), found["complaint_id"]) == (type(expected), expected)


def test_missing_columns_are_null_and_unknown_columns_are_dropped(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", "Note,Date received,Product,Company,Complaint ID\nx,2016-03-01,Mortgage,Acme,5\n"
    )
    assert list(read_complaints(path, RAW_TOPIC)) == [
        dict.fromkeys(COMPLAINT_COLUMNS)
        | {"date_received": "2016-03-01", "product": "Mortgage", "company": "Acme", "complaint_id": "5"}
    ]


def test_unreadable_records_are_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    header, *lines = landing_csv({"complaint_id": "1"}, {"complaint_id": "2"}).splitlines(keepends=True)
    path = written(tmp_path / "a.csv", "".join([header, "cut,off\n", *lines, '"open\n']))
    with caplog.at_level(logging.WARNING, logger="solosolve"):
        assert [each["complaint_id"] for each in read_complaints(path, REQUESTS_TOPIC)] == [1, 2]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"skipped 2 unreadable records, the first: {path}, line 2: ")


def test_reading_that_stops_early_logs_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    complaints = read_complaints(written(tmp_path / "a.csv", landing_csv({}, {})), RAW_TOPIC)
    next(complaints)
    complaints.close()  # type: ignore[attr-defined]
    assert caplog.messages == []


def test_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, complaint_id in (("b.csv", "2"), ("a.csv", "1")):
        written(tmp_path / name, landing_csv({"complaint_id": complaint_id}))
    assert [each["complaint_id"] for each in read_complaints(tmp_path, RAW_TOPIC)] == ["1", "2"]


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAComplaintFileError, match="found no file to land"):
        list(read_complaints(tmp_path / "a.csv", RAW_TOPIC))


def test_topic_that_takes_no_complaints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=f"topic: found '{PREDICTIONS_TOPIC}', but complaints go to one of: {RAW_TOPIC}, "
    ):
        read_complaints(tmp_path, PREDICTIONS_TOPIC)


@pytest.mark.parametrize(
    ("complaint_id", "key"), [(7, b"7"), ("07", b"07"), (" \u00fc", b" \xc3\xbc"), (None, None)], ids=repr
)
def test_message_is_keyed_by_the_complaint_id(complaint_id: int | str | None, key: bytes | None) -> None:
    assert encode_message({"complaint_id": complaint_id})[0] == key


def test_message_is_compact_json_in_utf8() -> None:
    row = {"complaint_id": 7, "company": 'Caf\u00e9 \U0001f600 "&" \\', "tags": None}
    _, value = encode_message(row)
    assert value == '{"complaint_id":7,"company":"Caf\u00e9 \U0001f600 \\"&\\" \\\\","tags":null}'.encode()
    assert json.loads(value) == row


class FakeClock:
    """A clock that advances when the sender sleeps or is delayed."""

    def __init__(self) -> None:
        self.now = 100.0
        self.times: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def spaced(self, delays: dict[int, float]) -> list[float]:
        """Returns the send times of ten requests due every tenth of a second, some of which delay the sender."""
        started = self.now
        for number, _ in enumerate(spaced(iter([{}] * 10), 0.1, lambda: self.now, self.sleep)):
            self.times.append(round(self.now - started, 6))
            self.now += delays.get(number, 0)
        return self.times


def test_spaced_requests_are_evenly_apart() -> None:
    assert FakeClock().spaced({}) == [round(0.1 * number, 6) for number in range(10)]


def test_spaced_requests_catch_up_on_a_short_delay() -> None:
    assert FakeClock().spaced({3: 0.14})[3:7] == [0.3, 0.44, 0.5, 0.6]


def test_spaced_requests_do_not_burst_after_a_long_delay() -> None:
    times = FakeClock().spaced({3: 2.0})
    assert times[4] == 2.3
    assert min(late - early for early, late in pairwise(times)) > 0.04
    assert times[9] == pytest.approx(2.25 + 0.5)


@pytest.mark.parametrize("rate", [None, 1000.0])
def test_produce_sends_every_request_and_returns_their_number(rate: float | None) -> None:
    sent: list[tuple[bytes | None, bytes]] = []

    def send(settings: Settings, topic: str, messages: Iterable[tuple[bytes | None, bytes]], progress: Any) -> int:
        assert (settings, topic, progress) == (Settings(), "t", None)
        sent.extend(messages)
        return len(sent)

    made = produce(Settings(), "t", iter([request(complaint_id=number) for number in range(20)]), rate, send=send)
    assert (made.topic, made.message_count) == ("t", 20)
    assert sent == [encode_message(request(complaint_id=number)) for number in range(20)]
    assert made.seconds >= (0 if rate is None else 19 / rate)
