from __future__ import annotations

from chispa import assert_df_equality
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from solosolve.names import FILED_COLUMNS, NARRATIVE, PREDICTIONS, REQUESTS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.predictions import build_predictions, with_probability
from support.builders import complaints
from support.predictions import REQUESTED_AT, SCORED_AT, narrative_scoring, prediction

ASKED = StructType([field for field in spark_schema(REQUESTS) if field.name in ("complaint_id", *FILED_COLUMNS)])
SCORING = narrative_scoring()


def position(**overrides: Column) -> dict[str, Column]:
    return {
        "requested_at": F.lit(REQUESTED_AT),
        "scored_at": F.lit(SCORED_AT),
        "source": F.lit("batch"),
        "source_position": F.lit(None).cast("string"),
        "batch_id": F.lit(None).cast("bigint"),
    } | overrides


def test_build_predictions_scores_each_request(spark: SparkSession) -> None:
    requests = complaints(
        spark,
        {"complaint_id": 1, NARRATIVE: "0.5"},
        {"complaint_id": 2, NARRATIVE: "0.49"},
        {"complaint_id": 3, NARRATIVE: "1", "company": "Other"},
        # A complaint that is requested twice is scored twice.
        {"complaint_id": 3, NARRATIVE: "0", "company": "Other"},
    )
    at = {"source_position": F.col("complaint_id").cast("string"), "batch_id": F.lit(4).cast("bigint")}
    other = {"complaint_id": 3, "company": "Other"}
    expected = [
        prediction(complaint_id=1, source_position="1", batch_id=4),
        prediction(complaint_id=2, source_position="2", batch_id=4, probability=0.49, prediction=0.0),
        prediction(**other, source_position="3", batch_id=4, probability=1.0),
        prediction(**other, source_position="3", batch_id=4, probability=0.0, prediction=0.0),
    ]
    actual_df = build_predictions(requests, SCORING, position(**at))
    expected_df = spark.createDataFrame(expected, spark_schema(PREDICTIONS))
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_build_predictions_scores_requests_whose_columns_are_null(spark: SparkSession) -> None:
    requests = spark.createDataFrame([(1, *[None] * len(FILED_COLUMNS))], ASKED)
    nulls = dict.fromkeys(("company", "state", "product", "submitted_via", "date_received"))
    expected_df = spark.createDataFrame([prediction(**nulls)], spark_schema(PREDICTIONS))
    assert_df_equality(build_predictions(requests, SCORING, position()), expected_df, ignore_nullable=True)


def test_build_predictions_of_no_requests_is_an_empty_table(spark: SparkSession) -> None:
    actual_df = build_predictions(spark.createDataFrame([], ASKED), SCORING, position())
    assert_df_equality(actual_df, spark.createDataFrame([], spark_schema(PREDICTIONS)), ignore_nullable=True)


def test_with_probability_changes_no_other_column(spark: SparkSession) -> None:
    given_df = complaints(spark, {NARRATIVE: "0.25", "tags": None})
    expected_df = given_df.withColumn("probability", F.lit(0.25))
    assert_df_equality(with_probability(given_df, SCORING.score), expected_df, ignore_nullable=True)
