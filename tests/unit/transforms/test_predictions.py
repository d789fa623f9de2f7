from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from chispa import assert_df_equality
from pyspark.errors import PythonException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.model.scorer import as_raw_complaints
from solosolve.names import DEAD_LETTERS, FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.predictions import (
    Scoring,
    Stamp,
    build_dead_letters,
    build_predictions,
    failure_of_model,
    score_messages,
    select_predictions,
    with_probability,
)
from support.builders import complaints, record
from support.live import letter_id, request, scorer

REQUESTED_AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
SCORED_AT = datetime(2026, 2, 1, 12, 0, 1, tzinfo=UTC)
REQUESTS = f"complaint_id bigint, {', '.join(f'{name} string' for name in FILED_COLUMNS)}"


@pytest.fixture
def scoring() -> Scoring:
    """A score that is read off the narrative: 0.5 without one."""

    def score(batch: pa.RecordBatch) -> pa.Array:
        return pc.fill_null(pc.cast(batch.column("consumer_complaint_narrative"), pa.float64()), 0.5)

    return Scoring(score, threshold=0.5, model_name="a_model", model_version=7)


def position(**overrides: Column) -> dict[str, Column]:
    return {
        "requested_at": F.lit(REQUESTED_AT),
        "scored_at": F.lit(SCORED_AT),
        "source": F.lit("batch"),
        "source_position": F.lit(None).cast("string"),
        "batch_id": F.lit(None).cast("bigint"),
    } | overrides


def prediction(**overrides: Any) -> list[Any]:
    """One row of `gold.predictions` for a `record` whose probability is 0.5."""
    values = {
        "requested_at": REQUESTED_AT,
        "scored_at": SCORED_AT,
        "probability": 0.5,
        "prediction": 1.0,
        "model_name": "a_model",
        "model_version": 7,
        "source": "batch",
        "source_position": None,
        "batch_id": None,
    }
    row = record() | {"complaint_id": 1} | values | overrides
    return [row[name] for name in SCHEMAS[PREDICTIONS].fieldNames()]


def test_build_predictions_scores_each_request(spark: SparkSession, scoring: Scoring) -> None:
    requests = complaints(
        spark,
        {"complaint_id": 1, "consumer_complaint_narrative": "0.5"},
        {"complaint_id": 2, "consumer_complaint_narrative": "0.49"},
        {"complaint_id": 3, "consumer_complaint_narrative": "1", "company": "Other"},
        # A complaint that is asked about twice is answered twice.
        {"complaint_id": 3, "consumer_complaint_narrative": "0", "company": "Other"},
    )
    at = {"source_position": F.col("complaint_id").cast("string"), "batch_id": F.lit(4).cast("bigint")}
    other = {"complaint_id": 3, "company": "Other"}
    expected = [
        prediction(complaint_id=1, source_position="1", batch_id=4),
        prediction(complaint_id=2, source_position="2", batch_id=4, probability=0.49, prediction=0.0),
        prediction(**other, source_position="3", batch_id=4, probability=1.0),
        prediction(**other, source_position="3", batch_id=4, probability=0.0, prediction=0.0),
    ]
    actual_df = build_predictions(requests, scoring, position(**at))
    expected_df = spark.createDataFrame(expected, SCHEMAS[PREDICTIONS])
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_build_predictions_scores_requests_whose_columns_are_null(spark: SparkSession, scoring: Scoring) -> None:
    requests = spark.createDataFrame([(1, *[None] * len(FILED_COLUMNS))], REQUESTS)
    nothing = dict.fromkeys(("company", "state", "product", "submitted_via"))
    expected_df = spark.createDataFrame([prediction(**nothing)], SCHEMAS[PREDICTIONS])
    assert_df_equality(build_predictions(requests, scoring, position()), expected_df, ignore_nullable=True)


def test_build_predictions_of_no_requests_is_an_empty_table(spark: SparkSession, scoring: Scoring) -> None:
    actual_df = build_predictions(spark.createDataFrame([], REQUESTS), scoring, position())
    assert_df_equality(actual_df, spark.createDataFrame([], SCHEMAS[PREDICTIONS]), ignore_nullable=True)


def test_with_probability_changes_no_other_column(spark: SparkSession, scoring: Scoring) -> None:
    given_df = complaints(spark, {"consumer_complaint_narrative": "0.25", "tags": None})
    expected_df = given_df.withColumn("probability", F.lit(0.25))
    assert_df_equality(with_probability(given_df, scoring.score), expected_df, ignore_nullable=True)


ARRIVED_AT = datetime(2026, 2, 1, 12, 0, 0, 654321, tzinfo=UTC)
MESSAGES = "topic string, partition int, offset bigint, key binary, value binary, timestamp timestamp"
MAX_BYTES = 10_000
TOO_LONG = b" " * (MAX_BYTES + 1)


def message(complaint_id: int, narrative: str, **overrides: Any) -> bytes:
    """A request's JSON; the fixture's model reads its score off the narrative."""
    texts = {
        "consumer_complaint_narrative": narrative,
        "company": "Acme Bank",
        "requested_at": REQUESTED_AT.isoformat(),
    }
    return json.dumps(request(complaint_id) | texts | overrides).encode()


def messages(spark: SparkSession, *values: bytes | None, offsets: Sequence[int] | None = None) -> DataFrame:
    """Messages of one partition, their offsets counted from 0 unless given, each keyed by its place."""
    places = offsets if offsets is not None else range(len(values))
    keys = (str(place).encode() for place in range(len(values)))
    rows = [("a_topic", 1, *row, ARRIVED_AT) for row in zip(places, keys, values, strict=True)]
    return spark.createDataFrame(rows, MESSAGES)


def stamp(batch_id: int | None = 4) -> Stamp:
    return Stamp(SCORED_AT, "kafka", batch_id, lambda batch: batch.column("offset").cast(pa.string()))


def scored(found: DataFrame, scoring: Scoring) -> DataFrame:
    return score_messages(found, scoring, stamp(), MAX_BYTES)


def control(narrative: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"consumer_complaint_narrative": [narrative]})


def letter(offset: int, place: int, key: bytes | None, value: bytes | None, reason: str) -> tuple[Any, ...]:
    """One row of `bronze.dead_letters`."""
    return (letter_id("a_topic", 1, offset, SCORED_AT, place), "a_topic", 1, offset, key, value, reason, SCORED_AT)


def test_good_and_bad_messages_are_predictions_and_dead_letters(spark: SparkSession, scoring: Scoring) -> None:
    values = [
        b"{",
        message(1, "0.25"),
        None,
        message(2, "0.5", requested_at=None, state=" NY "),
        message(3, "1", company="N/A"),
        message(4, "0.75"),
        TOO_LONG,
    ]
    of_batch = {"source": "kafka", "batch_id": 4}
    expected = [
        prediction(**of_batch, complaint_id=1, source_position="1", probability=0.25, prediction=0.0),
        prediction(**of_batch, complaint_id=2, source_position="3", requested_at=ARRIVED_AT, state="NY"),
        prediction(**of_batch, complaint_id=4, source_position="5", probability=0.75),
    ]
    letters = [
        letter(0, 1, b"0", b"{", "Input data was truncated"),
        letter(2, 1, b"2", None, "the value is null"),
        letter(4, 1, b"4", values[4], "company: found 'N/A', expected a value"),
        letter(6, 1, b"6", TOO_LONG, "the value has 10001 bytes, at most 10000 are read"),
    ]
    found = scored(messages(spark, *values).coalesce(1), scoring)
    expected_df = spark.createDataFrame(expected, SCHEMAS[PREDICTIONS])
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)
    letters_df = spark.createDataFrame(letters, SCHEMAS[DEAD_LETTERS])
    assert_df_equality(build_dead_letters(found), letters_df, ignore_nullable=True, ignore_row_order=True)


def test_scored_message_has_its_prediction_or_its_letter_and_nothing_of_the_other(
    spark: SparkSession, scoring: Scoring
) -> None:
    found = scored(messages(spark, message(1, "0.5"), b"[]"), scoring)
    nothing = dict.fromkeys(found.columns)
    good = nothing | dict(
        zip(SCHEMAS[PREDICTIONS].names, prediction(source="kafka", batch_id=4, source_position="0"), strict=True)
    )
    names = ("topic", "partition", "offset", "key", "value", "reason", "failed_at")
    reason = "Expected `object`, got `array`"
    bad = nothing | dict(zip(names, ("a_topic", 1, 1, b"1", b"[]", reason, SCORED_AT), strict=True))
    expected_df = spark.createDataFrame([[row[name] for name in found.columns] for row in (good, bad)], found.schema)
    assert_df_equality(found, expected_df, ignore_row_order=True)


@pytest.mark.parametrize("values", [[], [b"{", None, b"[]"], [b"{"]], ids=["none", "all bad", "one bad"])
def test_no_good_messages_are_no_predictions(spark: SparkSession, scoring: Scoring, values: list[bytes | None]) -> None:
    found = scored(messages(spark, *values).coalesce(1), scoring)
    expected_df = spark.createDataFrame([], SCHEMAS[PREDICTIONS])
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)
    assert build_dead_letters(found).count() == len(values)


def test_no_bad_messages_are_no_dead_letters(spark: SparkSession, scoring: Scoring) -> None:
    found = scored(messages(spark, message(1, "0.5"), message(2, "0.5")), scoring)
    expected_df = spark.createDataFrame([], SCHEMAS[DEAD_LETTERS])
    assert_df_equality(build_dead_letters(found), expected_df, ignore_nullable=True)
    assert select_predictions(found).count() == 2


def test_dead_letters_of_one_position_are_counted_in_an_order_of_their_own(
    spark: SparkSession, scoring: Scoring
) -> None:
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
    expected_df = spark.createDataFrame(expected, SCHEMAS[DEAD_LETTERS])
    for order in (given, given[::-1]):
        found = scored(spark.createDataFrame(order, MESSAGES), scoring)
        assert_df_equality(build_dead_letters(found), expected_df, ignore_nullable=True, ignore_row_order=True)


@pytest.mark.parametrize(
    "micros", [-1_000, 0, 253_402_214_400_000_000, 2**62], ids=["none", "1970", "9999", "none such"]
)
def test_message_of_a_producer_whose_clock_is_wrong_came_now(
    spark: SparkSession, scoring: Scoring, micros: int
) -> None:
    found = messages(spark, message(1, "0.5", requested_at=None)).withColumn(
        "timestamp", F.timestamp_micros(F.lit(micros))
    )
    of_batch = {"source": "kafka", "batch_id": 4, "source_position": "0"}
    expected_df = spark.createDataFrame([prediction(**of_batch, requested_at=SCORED_AT)], SCHEMAS[PREDICTIONS])
    assert_df_equality(select_predictions(scored(found, scoring)), expected_df, ignore_nullable=True)


@pytest.mark.parametrize("probability", ["1.5", "-0.5", "nan", "inf"])
def test_model_that_gives_no_probability_is_said_to_have_failed(
    spark: SparkSession, scoring: Scoring, probability: str
) -> None:
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, probability)), scoring).collect()
    assert failure_of_model(failed.value) == "it gives what is no probability"
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, "many\nmore")), scoring).collect()
    assert "many" in str(failure_of_model(failed.value))
    assert failure_of_model(RuntimeError("cut off")) is None


def test_model_with_a_control_refuses_what_it_fails_on(spark: SparkSession, scoring: Scoring) -> None:
    values = [message(1, "0.5"), b"{", message(2, "1.5"), message(3, "0.25"), message(4, "many")]
    with_control = replace(scoring, control=control("0.5"))
    found = scored(messages(spark, *values).coalesce(1), with_control)
    kept = {row["complaint_id"]: row["probability"] for row in select_predictions(found).collect()}
    assert kept == {1: 0.5, 3: 0.25}
    reasons = {row["offset"]: row["reason"] for row in build_dead_letters(found).collect()}
    assert reasons.keys() == {1, 2, 4}
    assert reasons[2] == "the model cannot score: it gives what is no probability"
    assert reasons[4].startswith("the model cannot score: ")


def test_model_that_fails_on_its_control_refuses_nothing(spark: SparkSession, scoring: Scoring) -> None:
    with pytest.raises(PythonException) as failed:
        scored(messages(spark, message(1, "1.5")), replace(scoring, control=control("2.5"))).collect()
    assert failure_of_model(failed.value) == "it gives what is no probability"


def test_message_without_a_batch_has_none(spark: SparkSession, scoring: Scoring) -> None:
    found = score_messages(messages(spark, message(1, "0.5")), scoring, stamp(batch_id=None), MAX_BYTES)
    expected_df = spark.createDataFrame([prediction(source="kafka", source_position="0")], SCHEMAS[PREDICTIONS])
    assert_df_equality(select_predictions(found), expected_df, ignore_nullable=True)


def test_score_does_not_depend_on_the_messages_beside_it(spark: SparkSession) -> None:
    model = scorer(1)
    scoring = Scoring(model.score, threshold=0.5, model_name="a_model", model_version=7)
    requests = [request(number) for number in range(1, 200)]
    values = [json.dumps(each).encode() for each in requests]
    mixed = [each for value in values for each in (b"{", value, None)]
    together = select_predictions(scored(messages(spark, *mixed).coalesce(1), scoring)).toArrow()
    apart = select_predictions(scored(messages(spark, *values).repartition(7), scoring)).toArrow()
    for found in (together, apart):
        actual = dict(zip(*(found.column(name).to_pylist() for name in ("complaint_id", "probability")), strict=True))
        assert actual == {
            each["complaint_id"]: float(
                model.score(as_raw_complaints(pa.Table.from_pylist([{name: each[name] for name in FILED_COLUMNS}])))[0]
            )
            for each in requests
        }
