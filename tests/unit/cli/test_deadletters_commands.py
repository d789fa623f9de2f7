from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from deltalake import write_deltalake

from solosolve.cli.deadletters_commands import deadletters
from solosolve.errors import TableError, UsageError
from solosolve.flows.replay_dead_letters import read_corrected
from solosolve.names import FEEDBACK_TOPIC, REQUESTS_TOPIC

FAILED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOLOSOLVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def corrected(path: Path, content: str | bytes) -> dict[str, bytes]:
    file = path / "corrected"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_corrected(file)


ENTRIES = [
    {"letter_id": "t/0/1/1", "value": {"complaint_id": 1, "company": "\u00e9"}},
    {"letter_id": "t/0/2/1", "value": "{"},
]
AS_READ = {"t/0/1/1": b'{"complaint_id": 1, "company": "\\u00e9"}', "t/0/2/1": b"{"}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ENTRIES),
        json.dumps(ENTRIES, indent=2, ensure_ascii=False),
        "\n \n" + json.dumps(ENTRIES),
        "\n".join(map(json.dumps, ENTRIES)),
        "\r\n\r\n".join(map(json.dumps, ENTRIES)) + "\r\n",
    ],
    ids=["array", "indented", "after blank lines", "lines", "Windows line ends"],
)
def test_corrected_letters_are_read_from_a_json_array_or_json_lines(tmp_path: Path, content: str) -> None:
    assert corrected(tmp_path, content) == AS_READ


@pytest.mark.parametrize("content", ["", "\n", "[]"])
def test_empty_file_holds_no_corrected_letters(tmp_path: Path, content: str) -> None:
    assert corrected(tmp_path, content) == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", b""), ("\u00e9\u2028", "\u00e9\u2028".encode()), (None, b"null"), (5, b"5"), ([1], b"[1]"), ({}, b"{}")],
)
@pytest.mark.parametrize("is_ascii", [True, False])
def test_value_of_a_corrected_letter_is_its_text_or_its_json(
    tmp_path: Path, value: Any, expected: bytes, is_ascii: bool
) -> None:
    line = json.dumps({"letter_id": "a", "value": value}, ensure_ascii=is_ascii)
    assert corrected(tmp_path, line) == corrected(tmp_path, f"[{line}]") == {"a": expected}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"expected a JSON array or JSON lines \(Expecting property name"),
        ("[{]", r"expected a JSON array or JSON lines \(Expecting property name"),
        ("letter_id,value\na,b\n", r"expected a JSON array or JSON lines \(Expecting value"),
        ("\ufeff[]", r"expected a JSON array or JSON lines \(Unexpected UTF-8 BOM"),
        (b"\xff", "expected a JSON array or JSON lines"),
        ("[" * 100_000, "expected a JSON array or JSON lines"),
        ("[1]", ", letter 1: found 1, expected an object with letter_id and value"),
        ("null", ", letter 1: found null, expected an object with letter_id and value"),
        ('{"letter_id": "a", "value": ""}\n{"letter_id": "b"}', r', letter 2: found {"letter_id": "b"}, expected'),
        ('{"letter_id": 1, "value": ""}', r', letter 1: found {"letter_id": 1, "value": ""}, expected'),
        ('{"value": ""}', r', letter 1: found {"value": ""}, expected'),
        ('{"letter_id": "a", "value": "\\ud800"}', ", letter 1: the value is not valid text "),
        ('[{"letter_id": "a", "value": 1}, {"letter_id": "a", "value": 2}]', ", letter 2: a appears twice"),
    ],
)
def test_malformed_file_of_corrected_letters_is_refused_with_the_position(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(UsageError, match=f"corrected:? ?{message}") as refused:
        corrected(tmp_path, content)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < len(str(tmp_path)) + 250


@pytest.mark.parametrize("words", [[], ["--all", "FILE"]], ids=["neither", "both"])
def test_replay_needs_either_a_file_or_all(tmp_path: Path, home: Path, words: list[str]) -> None:
    file = tmp_path / "corrected.json"
    file.write_text("[]")
    shown = CliRunner().invoke(deadletters, ["replay", *(str(file) if word == "FILE" else word for word in words)])
    assert isinstance(shown.exception, UsageError)
    assert str(shown.exception) == "replay: needs either a file with corrected letters or --all"
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["replay", "nowhere.json"], "File 'nowhere.json' does not exist"),
        (["replay", "/"], "File '/' is a directory"),
        (["list", "--limit", "0"], "0 is not in the range x>=1"),
        (["list", "--format", "xml"], "'xml' is not one of 'table', 'csv', 'json'"),
        (["mend"], "No such command 'mend'"),
    ],
)
def test_wrong_arguments_are_refused(home: Path, words: list[str], message: str) -> None:
    shown = CliRunner().invoke(deadletters, words)
    assert (shown.exit_code, message in shown.output) == (2, True)
    assert not home.exists()


def test_replay_of_a_malformed_file_changes_nothing(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "corrected.json"
    file.write_text("[1]")
    shown = CliRunner().invoke(deadletters, ["replay", str(file)])
    assert isinstance(shown.exception, UsageError)
    assert not home.exists()


def test_list_without_a_table_names_the_command_that_creates_it(home: Path) -> None:
    shown = CliRunner().invoke(deadletters, ["list"])
    assert isinstance(shown.exception, TableError)
    assert "run: solosolve run score_stream" in str(shown.exception)


@pytest.fixture
def letters(home: Path) -> list[dict[str, Any]]:
    """Three letters, the newest first, the last of them replayed, and a feedback event that was refused."""
    rows = [
        {"letter_id": "t/0/3/1", "value": b'{"company": "\xc3\xa9"}', "failed_at": FAILED_AT.replace(minute=9)},
        {"letter_id": "t/0/1/1", "value": b"\xff\x00", "failed_at": FAILED_AT},
        {"letter_id": "t/0/2/1", "value": None, "failed_at": FAILED_AT},
    ]
    refused = {"letter_id": "f/0/1/1", "value": b"{}", "failed_at": FAILED_AT, "topic": FEEDBACK_TOPIC}
    table = pa.Table.from_pylist([*({**row, "topic": REQUESTS_TOPIC} for row in rows), refused])
    table = table.append_column("reason", pa.array(["a reason"] * 4))
    write_deltalake(home / "warehouse" / "bronze" / "dead_letters", table)
    # A stream's position may equal a letter's id, but only a replay's position marks the letter as replayed.
    predictions = pa.table({"source": ["replay", "kafka"], "source_position": ["t/0/2/1", "t/0/1/1"]})
    write_deltalake(home / "warehouse" / "gold" / "predictions", predictions)
    texts = ['{"company": "\u00e9"}', "\\xff\0", None]
    instants = ["2026-01-02T03:09:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"]
    return [
        {"letter_id": row["letter_id"], "failed_at": instant, "reason": "a reason", "value": text, "is_replayed": done}
        for row, instant, text, done in zip(rows, instants, texts, [False, False, True], strict=True)
    ]


@pytest.mark.parametrize(
    ("words", "places"), [([], [0, 1]), (["--replayed"], [0, 1, 2]), (["--replayed", "--limit", "1"], [0])]
)
def test_list_shows_the_waiting_letters_newest_first(
    letters: list[dict[str, Any]], words: list[str], places: list[int]
) -> None:
    shown = CliRunner().invoke(deadletters, ["list", "--format", "json", *words])
    assert shown.exit_code == 0, shown.exception
    assert json.loads(shown.stdout) == [letters[place] for place in places]


def test_list_shows_refused_feedback_apart(letters: list[dict[str, Any]]) -> None:
    shown = CliRunner().invoke(deadletters, ["list", "--feedback", "--format", "json"])
    assert [row["letter_id"] for row in json.loads(shown.stdout)] == ["f/0/1/1"]


def test_output_of_list_can_be_given_to_replay(letters: list[dict[str, Any]], tmp_path: Path) -> None:
    shown = CliRunner().invoke(deadletters, ["list", "--format", "json"])
    assert corrected(tmp_path, shown.stdout) == {"t/0/3/1": b'{"company": "\xc3\xa9"}', "t/0/1/1": b"\\xff\0"}


def test_list_prints_a_table_by_default(letters: list[dict[str, Any]]) -> None:
    shown = CliRunner().invoke(deadletters, ["list"])
    assert shown.exit_code == 0, shown.exception
    assert "t/0/3/1" in shown.stdout
    assert "2 rows" in shown.output
