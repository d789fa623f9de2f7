from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from chispa import assert_df_equality
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from builders import complaints, record
from solosolve.names import FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.predictions import Scoring, build_predictions, with_probability

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
