"""Events from files and from the topic in silver.feedback: each once, the bad ones as dead letters."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from solosolve.clock import virtual_time
from solosolve.errors import CheckpointError, NotAComplaintFileError, NotAFeedbackFileError, UsageError
from solosolve.flows import ingest_feedback, maintain_tables
from solosolve.names import DEAD_LETTERS, FEEDBACK, FEEDBACK_TOPIC, Verdict
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback_events import Recorded
from solosolve.storage.tables import Tables
from solosolve.streaming.feedback_topic import STREAM
from support.brokers import kafka_settings
from support.feedback_events import as_csv, as_json_lines, as_messages, event
from support.topics import empty_topics, send
from support.warehouses import feedback

GIVEN_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EVENTS = [
    event("a", 1),
    event("b", 2, outcome="failure", source="review", reviewer="ann", reason="they, paid"),
    event("c", 3, outcome="unsure"),
    event("b", 2, outcome="withdrawn", source="review"),
]


def query(settings: Settings, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = DeltaReader(settings.warehouse).query(sql).to_pylist()
    return rows


def rows(settings: Settings) -> Counter[tuple[object, ...]]:
    """The multiset of the rows of silver.feedback."""
    return Counter(tuple(row.values()) for row in query(settings, f"select * from {FEEDBACK}"))


def letters(settings: Settings) -> list[tuple[str, bytes]]:
    sql = f"select reason, value from {DEAD_LETTERS} order by topic, partition, offset"
    return [(row["reason"], row["value"]) for row in query(settings, sql)]


def ingest(tables: Tables, source: object, *, recover: bool = False) -> Recorded:
    return ingest_feedback.run(tables.spark, tables.settings, str(source), recover=recover)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def kafka(spark: SparkSession, broker: str, tmp_path: Path) -> Tables:
    """A home, and topics without messages."""
    settings = kafka_settings(tmp_path / "home", broker)
    empty_topics(settings)
    return Tables(spark, settings)


def test_event_becomes_one_row_however_often_and_in_whatever_file_it_is_given(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_json_lines(EVENTS))
    assert ingest(tables, tmp_path / "a.jsonl") == Recorded(4, 0, 0)
    found = rows(tables.settings)
    expected = {
        "feedback_id": "b", "complaint_id": 2, "verdict": "failure", "is_successful_resolution": 0.0,
        "source": "review", "reviewer": "ann", "reason": "they, paid", "given_at": GIVEN_AT,
    }  # fmt: skip
    assert tuple(expected.get(name) for name in SCHEMAS[FEEDBACK].names) in found
    version = tables.version(FEEDBACK)
    assert ingest(tables, tmp_path / "a.jsonl") == Recorded(0, 4, 0)

    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "b.csv").write_text(as_csv(EVENTS), newline="")
    (folder / "c.csv.gz").write_bytes(gzip.compress(as_csv([*EVENTS, event("d", 4)], delimiter=";").encode("utf-16")))
    assert ingest(tables, folder) == Recorded(1, 8, 0)
    assert sum(rows(tables.settings).values()) == 5
    assert tables.version(FEEDBACK) == version + 1
    assert not tables.exists(DEAD_LETTERS)


def test_refused_message_is_one_dead_letter_however_often_its_file_is_given(tables: Tables, file: Path) -> None:
    bad = [event("e", outcome="won"), event("f", 0)]
    file.write_bytes(as_json_lines([event("a"), *bad]) + b"{\n")
    assert ingest(tables, file) == Recorded(1, 0, 3)
    versions = [tables.version(table) for table in (FEEDBACK, DEAD_LETTERS)]
    assert ingest(tables, file) == Recorded(0, 1, 3)
    assert [tables.version(table) for table in (FEEDBACK, DEAD_LETTERS)] == versions
    first, second, third = letters(tables.settings)
    assert first[0] == "outcome: found 'won', expected one of success, failure, unsure, withdrawn"
    assert second[0].startswith("complaint_id: found '0'")
    assert third == ("Input data was truncated", b"{")
    (key,) = query(tables.settings, f"select distinct key, topic from {DEAD_LETTERS}")
    assert key == {"key": str(file).encode(), "topic": "feedback-files"}


def test_same_id_with_other_content_is_a_dead_letter_and_the_first_counts(tables: Tables, tmp_path: Path) -> None:
    for name, events in {
        "1": [event("a"), event("a", 2), event("a"), event("a", reason="x"), event("a", outcome="withdrawn")],
        "2": [event("a", outcome="failure"), event("a", outcome="withdrawn"), event("a", 7, outcome="withdrawn")],
    }.items():
        (tmp_path / f"{name}.jsonl").write_bytes(as_json_lines(events))
    assert ingest(tables, tmp_path / "1.jsonl") == Recorded(2, 1, 2)
    assert ingest(tables, tmp_path / "2.jsonl") == Recorded(0, 1, 2)
    assert {reason for reason, _ in letters(tables.settings)} == {"event_id: 'a' was already given with other content"}
    found = query(tables.settings, f"select complaint_id, verdict from {FEEDBACK} order by verdict")
    assert found == [{"complaint_id": 1, "verdict": "success"}, {"complaint_id": 1, "verdict": "withdrawn"}]


def test_event_may_withdraw_a_verdict_of_the_dashboard(tables: Tables, file: Path) -> None:
    DeltaFeedback(tables.settings).record(feedback("given here"))
    withdrawal = event("given here", 7, outcome="withdrawn", source="review")
    file.write_bytes(as_json_lines([withdrawal, event("given here", 8, source="review")]))
    assert ingest(tables, file) == Recorded(1, 0, 1)
    verdicts = query(tables.settings, f"select verdict from {FEEDBACK} order by verdict")
    assert [row["verdict"] for row in verdicts] == [Verdict.SUCCESS, Verdict.WITHDRAWN]


def test_refused_file_stops_no_other(tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.jsonl").write_bytes(as_json_lines(EVENTS))
    with pytest.raises(NotAFeedbackFileError, match=r"1 of 2 files refused, the others are in:\n  .*a\.csv: not a"):
        ingest(tables, tmp_path / "*.*")
    assert sum(rows(tables.settings).values()) == 4
    with pytest.raises(NotAComplaintFileError, match="found no file to land"):
        ingest(tables, tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="--recover: only for --source kafka"):
        ingest(tables, tmp_path / "b.jsonl", recover=True)


def test_events_are_checked_against_the_time_of_the_run(tables: Tables, file: Path) -> None:
    file.write_bytes(as_json_lines([event("a", given_at="2031-01-02T00:00:00Z")]))
    assert ingest(tables, file) == Recorded(0, 0, 1)
    with virtual_time(datetime(2031, 1, 1, 12, tzinfo=UTC)):
        assert ingest(tables, file) == Recorded(1, 0, 0)
    with virtual_time(datetime(2030, 12, 31, 12, tzinfo=UTC)):
        # What is refused now is a known dead letter, whatever its file has become.
        assert ingest(tables, file) == Recorded(0, 0, 1)
    assert len(letters(tables.settings)) == 1


def test_table_of_an_earlier_release_gains_its_columns_and_keeps_its_rows(tables: Tables, file: Path) -> None:
    former = pa.schema([field for field in SCHEMAS[FEEDBACK] if not field.name.startswith("pick")])
    path = tables.settings.table_folder(FEEDBACK)
    DeltaTable.create(path, former)
    known = {name: value for name, value in feedback("old").as_row().items() if name in former.names}
    write_deltalake(path, pa.Table.from_pylist([known], schema=former), mode="append")
    identity = tables.table_id(FEEDBACK)
    # A dashboard may be the first to write with this release.
    assert DeltaFeedback(tables.settings).record(feedback("new", complaint_id=8, picked_by="audit"))
    file.write_bytes(as_json_lines([event("a")]))
    assert ingest(tables, file) == Recorded(1, 0, 0)
    assert tables.read(FEEDBACK).columns == SCHEMAS[FEEDBACK].names
    assert tables.table_id(FEEDBACK) == identity
    found = query(tables.settings, f"select feedback_id, picked_by from {FEEDBACK} order by feedback_id")
    assert [tuple(row.values()) for row in found] == [("a", None), ("new", "audit"), ("old", None)]


def test_columns_are_added_once_and_by_the_upkeep_too(tables: Tables) -> None:
    former = pa.schema([field for field in SCHEMAS[FEEDBACK] if not field.name.startswith("pick")])
    DeltaTable.create(tables.settings.table_folder(FEEDBACK), former)
    maintain_tables.run(tables.spark, tables.settings)
    version = tables.version(FEEDBACK)
    assert tables.read(FEEDBACK).columns == SCHEMAS[FEEDBACK].names
    assert ingest(tables, "none") == Recorded()
    assert tables.version(FEEDBACK) == version


def test_source_none_makes_the_table(tables: Tables) -> None:
    assert ingest(tables, "none") == Recorded()
    assert tables.read(FEEDBACK).isEmpty()


def test_message_of_the_topic_counts_once(kafka: Tables) -> None:
    assert ingest(kafka, "kafka") == Recorded()
    bad = [(b"1", b"{"), (b"1", None)]
    send(kafka.settings, FEEDBACK_TOPIC, [*as_messages(EVENTS), *as_messages(EVENTS), *bad])
    assert ingest(kafka, "kafka") == Recorded(4, 4, 2)
    assert ingest(kafka, "kafka") == Recorded()
    send(kafka.settings, FEEDBACK_TOPIC, as_messages([*EVENTS, event("d")]))
    assert ingest(kafka, "kafka") == Recorded(1, 4, 0)
    assert sum(rows(kafka.settings).values()) == 5
    assert sorted(reason for reason, _ in letters(kafka.settings)) == [
        "Input data was truncated", "the value is null",
    ]  # fmt: skip


def test_lost_checkpoint_is_refused_and_reading_again_adds_nothing(kafka: Tables) -> None:
    send(kafka.settings, FEEDBACK_TOPIC, [*as_messages(EVENTS), (b"1", b"{"), *as_messages([event("a", 9)])])
    assert ingest(kafka, "kafka") == Recorded(4, 0, 2)
    found, dead = rows(kafka.settings), letters(kafka.settings)
    folder = kafka.checkpoint(STREAM).folder
    shutil.copytree(folder, kafka.settings.home / "copy")
    shutil.rmtree(folder)
    with pytest.raises(CheckpointError, match=rf"is missing: put .*{STREAM} back, or start with --param recover=true"):
        ingest(kafka, "kafka")
    send(kafka.settings, FEEDBACK_TOPIC, as_messages([event("d")]))
    assert ingest(kafka, "kafka", recover=True) == Recorded(1, 4, 2)
    assert sum(rows(kafka.settings).values()) == sum(found.values()) + 1
    assert letters(kafka.settings) == dead

    # The checkpoint that was put back is no longer the one that the table is written from.
    shutil.rmtree(folder)
    shutil.copytree(kafka.settings.home / "copy", folder)
    with pytest.raises(CheckpointError, match="put that one back"):
        ingest(kafka, "kafka")
