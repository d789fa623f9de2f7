from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from chispa import assert_df_equality
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.model.scorer import as_raw_complaints
from solosolve.names import DEAD_LETTERS, FILED_COLUMNS, NARRATIVE, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.predictions import Scoring
from solosolve.transforms.scored_messages import (
    Stamp,
    build_dead_letters,
    failure_of_model,
    score_messages,
    select_predictions,
)
from support.live import letter_id, request, scorer
from support.predictions import REQUESTED_AT, SCORED_AT, narrative_scoring, prediction

ARRIVED_AT = datetime(2026, 2, 1, 12, 0, 0, 654321, tzinfo=UTC)
MESSAGES = "topic string, partition int, offset bigint, key binary, value binary, timestamp timestamp"
MAX_BYTES = 10_000
TOO_LONG = b" " * (MAX_BYTES + 1)
SCORING = narrative_scoring()
OF_BATCH = {"source": "kafka", "batch_id": 4}


def message(complaint_id: int, narrative: str, **overrides: Any) -> bytes:
    """The JSON of a request whose narrative is its probability."""
    texts = {
        NARRATIVE: narrative,
        "company": "Acme Bank",
        "date_received": "2016-03-01",
        "requested_at": REQUESTED_AT.isoformat(),
    }
    return json.dumps(request(complaint_id) | texts | overrides).encode()


def messages(spark: SparkSession, *values: bytes | None) -> DataFrame:
    """Messages of one partition, numbered from 0; the number is offset and key."""
    rows = [("a_topic", 1, number, str(number).encode(), value, ARRIVED_AT) for number, value in enumerate(values)]
    return spark.createDataFrame(rows, MESSAGES)


def stamp(batch_id: int | None = 4) -> Stamp:
    return Stamp(SCORED_AT, "kafka", batch_id, lambda batch: batch.column("offset").cast(pa.string()))


def scored(messages_df: DataFrame, scoring: Scoring = SCORING) -> DataFrame:
    return score_messages(messages_df, scoring, stamp(), MAX_BYTES)


def control(narrative: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({NARRATIVE: [narrative]})


def letter(offset: int, place: int, key: bytes | None, value: bytes | None, reason: str) -> tuple[Any, ...]:
    """One row of `bronze.dead_letters`."""
    return (letter_id("a_topic", 1, offset, SCORED_AT, place), "a_topic", 1, offset, key, value, reason, SCORED_AT)


def test_good_messages_become_predictions_and_bad_ones_dead_letters(spark: SparkSession) -> None:
    values = [
        b"{",
        message(1, "0.25"),
        None,
        message(2, "0.5", requested_at=None, state=" NY "),
        message(3, "1", company="N/A"),
        message(4, "0.75"),
        TOO_LONG,
    ]
    expected = [
        prediction(**OF_BATCH, complaint_id=1, source_position="1", probability=0.25, prediction=0.0),
        prediction(**OF_BATCH, complaint_id=2, source_position="3", requested_at=ARRIVED_AT, state="NY"),
        prediction(**OF_BATCH, complaint_id=4, source_position="5", probability=0.75),
    ]
    letters = [
        letter(0, 1, b"0", b"{", "Input data was truncated"),
        letter(2, 1, b"2", None, "the value is null"),
        letter(4, 1, b"4", values[4], "company: found 'N/A', expected a value"),
        letter(6, 1, b"6", TOO_LONG, "the value has 10001 bytes, more than the 10000 allowed"),
    ]
    found = scored(messages(spark, *values).coalesce(1))
    expected_df = spark.createDataFrame(expected, spark_schema(PREDICTIONS))
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)
    letters_df = spark.createDataFrame(letters, spark_schema(DEAD_LETTERS))
    assert_df_equality(build_dead_letters(found), letters_df, ignore_nullable=True, ignore_row_order=True)


def test_scored_message_has_the_columns_of_its_prediction_or_of_its_dead_letter(spark: SparkSession) -> None:
    found = scored(messages(spark, message(1, "0.5"), b"[]"))
    nulls = dict.fromkeys(found.columns)
    good = nulls | dict(zip(SCHEMAS[PREDICTIONS].names, prediction(**OF_BATCH, source_position="0"), strict=True))
    names = ("topic", "partition", "offset", "key", "value", "reason", "failed_at")
    reason = "Expected `object`, got `array`"
    bad = nulls | dict(zip(names, ("a_topic", 1, 1, b"1", b"[]", reason, SCORED_AT), strict=True))
    expected_df = spark.createDataFrame([[row[name] for name in found.columns] for row in (good, bad)], found.schema)
    assert_df_equality(found, expected_df, ignore_row_order=True)


@pytest.mark.parametrize("values", [[], [b"{", None, b"[]"], [b"{"]], ids=["no messages", "all bad", "one bad"])
def test_bad_messages_alone_make_no_predictions(spark: SparkSession, values: list[bytes | None]) -> None:
    found = scored(messages(spark, *values).coalesce(1))
    expected_df = spark.createDataFrame([], spark_schema(PREDICTIONS))
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)
    assert build_dead_letters(found).count() == len(values)


def test_good_messages_alone_make_no_dead_letters(spark: SparkSession) -> None:
    found = scored(messages(spark, message(1, "0.5"), message(2, "0.5")))
    expected_df = spark.createDataFrame([], spark_schema(DEAD_LETTERS))
    assert_df_equality(build_dead_letters(found), expected_df, ignore_nullable=True)
    assert select_predictions(found).count() == 2


def test_dead_letters_of_one_position_are_numbered_by_key_and_value(spark: SparkSession) -> None:
    reason = "Input data was truncated"
    rows = [(3, b"b", b"{"), (3, b"a", b"["), (3, b"a", b""), (3, None, b"{"), (4, b"a", b"{"), (3, b"b", b"{")]
    given = [("a_topic", 1, *row, ARRIVED_AT) for row in rows]
    expected = [
        letter(3, 1, None, b"{", reason),
        letter(3, 2, b"a", b"", reason),
        letter(3, 3, b"a", b"[", "Expected `object`, got `array`"),
        letter(3, 4, b"b", b"{", reason),
        letter(3, 5, b"b", b"{", reason),
        letter(4, 1, b"a", b"{", reason),
    ]
    expected_df = spark.createDataFrame(expected, spark_schema(DEAD_LETTERS))
    for order in (given, given[::-1]):
        found = scored(spark.createDataFrame(order, MESSAGES))
        assert_df_equality(build_dead_letters(found), expected_df, ignore_nullable=True, ignore_row_order=True)


@pytest.mark.parametrize(
    "micros", [-1_000, 0, 253_402_214_400_000_000, 2**62], ids=["before 1970", "1970", "9999", "out of range"]
)
def test_message_with_an_impossible_timestamp_counts_as_arriving_now(spark: SparkSession, micros: int) -> None:
    found = messages(spark, message(1, "0.5", requested_at=None)).withColumn(
        "timestamp", F.timestamp_micros(F.lit(micros))
    )
    expected = prediction(**OF_BATCH, source_position="0", requested_at=SCORED_AT)
    expected_df = spark.createDataFrame([expected], spark_schema(PREDICTIONS))
    assert_df_equality(select_predictions(scored(found)), expected_df, ignore_nullable=True)


@pytest.mark.parametrize("probability", ["1.5", "-0.5", "+nan", "inf"])
def test_model_without_a_control_fails_on_an_invalid_probability(spark: SparkSession, probability: str) -> None:
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, probability))).collect()
    assert failure_of_model(failed.value) == "its result is not a probability from 0 to 1"
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, "many\nmore"))).collect()
    assert "many" in str(failure_of_model(failed.value))
    assert failure_of_model(RuntimeError("cut off")) is None


def test_model_with_a_control_refuses_only_the_messages_it_fails_on(spark: SparkSession) -> None:
    values = [message(1, "0.5"), b"{", message(2, "1.5"), message(3, "0.25"), message(4, "many")]
    with_control = replace(SCORING, control=control("0.5"))
    found = scored(messages(spark, *values).coalesce(1), with_control)
    kept = {row["complaint_id"]: row["probability"] for row in select_predictions(found).collect()}
    assert kept == {1: 0.5, 3: 0.25}
    reasons = {row["offset"]: row["reason"] for row in build_dead_letters(found).collect()}
    assert reasons.keys() == {1, 2, 4}
    assert reasons[2] == "the model cannot score: its result is not a probability from 0 to 1"
    assert reasons[4].startswith("the model cannot score: ")


def test_model_that_fails_on_its_control_fails_as_a_whole(spark: SparkSession) -> None:
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, "1.5")), replace(SCORING, control=control("2.5"))).collect()
    assert failure_of_model(failed.value) == "its result is not a probability from 0 to 1"


def test_message_scored_outside_a_stream_has_no_batch(spark: SparkSession) -> None:
    found = score_messages(messages(spark, message(1, "0.5")), SCORING, stamp(batch_id=None), MAX_BYTES)
    expected_df = spark.createDataFrame([prediction(source="kafka", source_position="0")], spark_schema(PREDICTIONS))
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)


def test_score_does_not_depend_on_the_other_messages(spark: SparkSession) -> None:
    model = scorer(1)
    scoring = replace(SCORING, score=model.score)
    requests = [request(number) for number in range(1, 200)]
    values = [json.dumps(each).encode() for each in requests]
    mixed = [each for value in values for each in (b"{", value, None)]
    mixed_with_bad_ones = select_predictions(scored(messages(spark, *mixed).coalesce(1), scoring)).toArrow()
    in_other_batches = select_predictions(scored(messages(spark, *values).repartition(7), scoring)).toArrow()
    for found in (mixed_with_bad_ones, in_other_batches):
        actual = dict(zip(*(found.column(name).to_pylist() for name in ("complaint_id", "probability")), strict=True))
        assert actual == {
            each["complaint_id"]: float(
                model.score(as_raw_complaints(pa.Table.from_pylist([{name: each[name] for name in FILED_COLUMNS}])))[0]
            )
            for each in requests
        }
