"""The raw topic in bronze: the same complaints as from a file, each message once."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from solosolve.errors import CheckpointError
from solosolve.flows import ingest_complaints, refine_complaints
from solosolve.local.produce import encode_message, read_complaints
from solosolve.names import (
    COMPLAINT_COLUMNS,
    COMPLAINTS,
    COMPLAINTS_RAW,
    LANDINGS,
    QUARANTINE,
    RAW_TOPIC,
    REJECTED,
)
from solosolve.samples.writer import write_sample
from solosolve.storage.landed import Landed
from solosolve.storage.tables import Tables
from solosolve.streaming.raw_topic import STREAM
from support.brokers import kafka_settings
from support.builders import landing_csv, record
from support.interruptions import cut_off_before_quarantine
from support.topics import empty_topics, read, send

PROVENANCE = ("_source_file", "_source_sha256", "_source_line", "_ingested_at")
BAD: dict[bytes | None, bytes | None] = {
    b"no json": b"{",
    b"no object": b"[1]",
    b"bytes": b'{"company": "\xff"}',
    b"no value": None,
    b"nothing": b"{}",
    b"nested": b'{"company": {"name": "A"}}',
}
REASONS = {
    "{": "Input data was truncated",
    "[1]": "Expected `object`, got `array`",
    '{"company": "\\xff"}': "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    "": "the value is null",
    "{}": "is missing date_received, product, company, complaint_id",
    '{"company": {"name": "A"}}': 'company: found {"name": "A"}, expected text or a number',
}


@pytest.fixture
def kafka(spark: SparkSession, broker: str, tmp_path: Path) -> Tables:
    """A home, and topics without messages."""
    settings = kafka_settings(tmp_path / "home", broker)
    empty_topics(settings)
    return Tables(spark, settings)


def land(tables: Tables, source: str = "kafka", *, recover: bool = False) -> list[Landed]:
    return ingest_complaints.run(tables.spark, tables.settings, source, recover=recover)


def put(tables: Tables, *complaint_ids: int) -> None:
    """Sends complaints to the raw topic."""
    rows = ({name: record(complaint_id=str(each))[name] for name in COMPLAINT_COLUMNS} for each in complaint_ids)
    send(tables.settings, RAW_TOPIC, map(encode_message, rows))


def landed_ids(tables: Tables) -> Counter[str]:
    """The multiset of complaints in bronze."""
    return Counter(row["complaint_id"] for row in tables.read(COMPLAINTS_RAW).select("complaint_id").collect())


def assert_conserved(tables: Tables) -> None:
    """Each message is in bronze or in quarantine, once, and the landings add up to them."""
    counts = [tables.read(table).count() for table in (COMPLAINTS_RAW, QUARANTINE)]
    landings = tables.read(LANDINGS).groupBy().sum("record_count", "bronze_count", "quarantine_count").collect()[0]
    assert tuple(landings) == (sum(counts), *counts)
    found = tables.read(COMPLAINTS_RAW).select("_source_file", "_source_line")
    found = found.union(tables.read(QUARANTINE).select("_source_file", "_source_line"))
    assert Counter(tuple(row) for row in found.collect()) == Counter(
        (f"{RAW_TOPIC}/{message.partition}", message.offset) for message in read(tables.settings, RAW_TOPIC)
    )


def cut_off_after_bronze(tables: Tables, patch: pytest.MonkeyPatch, **options: Any) -> None:
    """Lands messages, a bad one among them, and fails once the bronze rows are written."""
    with cut_off_before_quarantine(patch):
        land(tables, **options)


def test_topic_and_file_with_the_same_complaints_become_the_same_silver(kafka: Tables, tmp_path: Path) -> None:
    csv = write_sample(tmp_path / "sample.csv", rows=400, seed=3).path
    odd = {
        "complaint_id": "90000001",
        "consumer_complaint_narrative": 'They said "no",\nand\r\nhung up. \u00e9\U0001f600 \\n',
        "tags": "N/A",
        "state": " CA ",
        "zip_code": "0501",
    }
    newer = odd | {"company": "Renamed Bank", "consumer_disputed": ""}
    rejected = {"complaint_id": "no number", "date_received": "03/04/2016"}
    (tmp_path / "odd.csv").write_text(landing_csv(odd, newer, rejected), newline="")
    other = Tables(kafka.spark, kafka_settings(tmp_path / "other", kafka.settings.kafka_bootstrap))
    for path in (csv, tmp_path / "odd.csv"):
        land(other, str(path))
        send(kafka.settings, RAW_TOPIC, map(encode_message, read_complaints(path, RAW_TOPIC)))
    (landed,) = land(kafka)
    sent = read(kafka.settings, RAW_TOPIC)
    assert (landed.source_file, landed.layout) == (RAW_TOPIC, "messages")
    assert landed.byte_count == sum(len(message.value or b"") for message in sent)
    assert_conserved(kafka)
    for tables in (other, kafka):
        refine_complaints.run(tables.spark, tables.settings)
    for table in (COMPLAINTS, REJECTED):
        actual_df, expected_df = (each.read(table).drop(*PROVENANCE) for each in (kafka, other))
        assert expected_df.count() > 0
        assert_df_equality(actual_df, expected_df, ignore_row_order=True)


def test_message_is_landed_once_and_a_bad_one_is_quarantined_with_its_reason(kafka: Tables) -> None:
    assert land(kafka) == []
    put(kafka, 1, 2, 3)
    send(kafka.settings, RAW_TOPIC, BAD.items())
    (landed,) = land(kafka)
    assert (landed.record_count, landed.bronze_count, landed.quarantine_count) == (9, 3, 6)
    bad = kafka.read(QUARANTINE).collect()
    assert {row["_record"]: row["_reason"] for row in bad} == REASONS
    assert {row["_source_sha256"] for row in bad} == {landed.source_sha256}
    assert_conserved(kafka)

    put(kafka, 4, 1)
    (later,) = land(kafka)
    assert (later.record_count, later.bronze_count) == (2, 2)
    assert landed_ids(kafka) == Counter(["1", "2", "3", "4", "1"])
    assert_conserved(kafka)


def test_interrupted_batch_is_completed_without_duplicates(kafka: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    put(kafka, 1, 2, 3)
    send(kafka.settings, RAW_TOPIC, BAD.items())
    cut_off_after_bronze(kafka, monkeypatch)
    assert landed_ids(kafka) == Counter(["1", "2", "3"])
    assert kafka.read(LANDINGS).isEmpty()
    put(kafka, 4)
    assert [each.bronze_count for each in land(kafka)] == [3, 1]
    assert landed_ids(kafka) == Counter(["1", "2", "3", "4"])
    assert_conserved(kafka)

    # Interrupted later: only the last batch's landing and its commit are missing.
    newest = max((kafka.checkpoint(STREAM).folder / "commits").glob("[0-9]*"), key=lambda file: int(file.name))
    newest.unlink()
    kafka.delta(LANDINGS).delete("record_count = 1")
    assert [each.bronze_count for each in land(kafka)] == [1]
    assert_conserved(kafka)


def test_missing_checkpoint_is_refused_and_recovered_by_position(
    kafka: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, 1, 2)
    send(kafka.settings, RAW_TOPIC, BAD.items())
    cut_off_after_bronze(kafka, monkeypatch)
    shutil.rmtree(kafka.checkpoint(STREAM).folder)
    put(kafka, 3, 1)
    send(kafka.settings, RAW_TOPIC, [(None, json.dumps({"company": "A"}).encode())])
    with pytest.raises(CheckpointError, match=rf"is missing: put .*{STREAM} back, or start with --param recover=true"):
        land(kafka)
    assert landed_ids(kafka) == Counter(["1", "2"])

    # The recovery is interrupted, too, and resumes. The landing that was interrupted before it is accounted for.
    cut_off_after_bronze(kafka, monkeypatch, recover=True)
    (landed,) = land(kafka)
    assert (landed.record_count, landed.bronze_count, landed.quarantine_count) == (9, 2, 7)
    assert landed_ids(kafka) == Counter(["1", "2", "3", "1"])
    assert kafka.read(LANDINGS).count() == 2
    assert_conserved(kafka)


def test_older_copy_of_a_checkpoint_is_refused_before_a_message_is_lost(kafka: Tables) -> None:
    folder = kafka.checkpoint(STREAM).folder
    put(kafka, 1)
    land(kafka)
    shutil.copytree(folder, kafka.settings.home / "copy")
    put(kafka, 2)
    land(kafka)
    shutil.rmtree(folder)
    shutil.copytree(kafka.settings.home / "copy", folder)
    put(kafka, 3)
    with pytest.raises(CheckpointError, match=r"is an older copy .* already has batch 1: it was renamed to"):
        land(kafka)
    land(kafka, recover=True)
    assert landed_ids(kafka) == Counter(["1", "2", "3"])
    assert_conserved(kafka)
