from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.names import PREDICTIONS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.bins import CategoryBins, NumberBins
from solosolve.transforms.monitoring import (
    bin_column,
    count_bins,
    count_values,
    select_arrivals,
    select_judged,
    select_scored,
    select_waiting,
)
from support.builders import complaints
from support.predictions import prediction

WINDOW = timedelta(days=28)
START = datetime(1970, 1, 1, tzinfo=UTC) + 730 * WINDOW
END = START + WINDOW
TICK = timedelta(microseconds=1)
CARDS = CategoryBins(name="product", column="product", bin_of={"Credit card": "Card", "Prepaid card": "Card"})
AS_IS = CategoryBins(name="state", column="state", bin_of={}, other=None)
LENGTHS = NumberBins(name="length", column="narrative_length", edges=(100.0, 250.0))


def predictions(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    return spark.createDataFrame([prediction(**row) for row in rows], spark_schema(PREDICTIONS))


def labels(spark: SparkSession, *rows: tuple[int, float, datetime]) -> DataFrame:
    return spark.createDataFrame(list(rows), "complaint_id bigint, label double, label_at timestamp")


def test_count_values_keeps_the_most_frequent_and_the_total(spark: SparkSession) -> None:
    states = ["CA"] * 3 + ["TX", "NY"]
    rows = complaints(spark, *({"complaint_id": number, "state": name} for number, name in enumerate(states)))
    actual_df = count_values(rows, {"state": F.col("state"), "tags": F.col("tags")}, 2)
    expected = [("state", "CA", 3, 5), ("state", "NY", 1, 5), ("tags", None, 5, 5)]
    expected_df = spark.createDataFrame(expected, "feature string, value string, record_count bigint, total bigint")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_count_bins_counts_every_feature(spark: SparkSession) -> None:
    values = [("Credit card", "CA", 99), ("Prepaid card", "TX", 100), ("Mortgage", "CA", 250), ("Card", "CA", 249)]
    rows = complaints(spark, *(
        {"complaint_id": number, "product": product, "state": state, "narrative_length": length}
        for number, (product, state, length) in enumerate(values)
    ))  # fmt: skip
    windows = F.lit(START).alias("window_start")
    actual_df = count_bins(rows.select("*", windows), [CARDS, AS_IS, LENGTHS]).drop("window_start")
    expected = [
        *(("product", "Card", 2), ("product", "Other", 2), ("state", "CA", 3), ("state", "TX", 1)),
        *(("length", "0", 1), ("length", "1", 2), ("length", "2", 1)),
    ]
    expected_df = spark.createDataFrame(expected, "feature string, value string, record_count bigint")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


@pytest.mark.parametrize("bins", [CARDS, AS_IS, LENGTHS], ids=lambda bins: bins.name)
def test_bins_are_the_same_with_and_without_spark(spark: SparkSession, bins: CategoryBins | NumberBins) -> None:
    products = [None, "Credit card", "Prepaid card", "Mortgage", "Other"]
    rows = [(product, product, 50 * number) for number, product in enumerate(products, 1)]
    frame = spark.createDataFrame(rows, "product string, state string, narrative_length int")
    found = frame.select(F.col(bins.column).alias("value"), bin_column(bins).alias("bin")).collect()
    assert [row["bin"] for row in found] == [bins.bin(row["value"]) for row in found]


def test_select_scored_takes_each_complaint_once_per_window_by_its_first_score(spark: SparkSession) -> None:
    rows = predictions(
        spark,
        {"complaint_id": 1, "scored_at": START, "probability": 0.9},
        {"complaint_id": 1, "scored_at": START + TICK, "probability": 0.1},
        {"complaint_id": 2, "scored_at": END - TICK, "probability": 0.2},
        {"complaint_id": 1, "scored_at": END, "probability": 0.4},
        {"complaint_id": 3, "scored_at": END + WINDOW},
        {"complaint_id": 4, "scored_at": START - TICK},
        {"complaint_id": 5, "scored_at": START, "model_version": 6},
        # Asked for earlier, scored now.
        {"complaint_id": 6, "scored_at": START, "requested_at": START - timedelta(days=9), "probability": 0.3},
    )
    columns = ("window_start", "complaint_id", "probability")
    actual_df = select_scored(rows, 7, START, END + WINDOW, WINDOW).select(*columns)
    expected = [(START, 1, 0.9), (START, 2, 0.2), (START, 6, 0.3), (END, 1, 0.4)]
    expected_df = spark.createDataFrame(expected, "window_start timestamp, complaint_id bigint, probability double")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_select_arrivals_leaves_out_what_the_model_was_trained_on(spark: SparkSession) -> None:
    rows = [(START, 1, 0.1), (START, 2, 0.2), (START, 9, 0.9)]
    scored = spark.createDataFrame(rows, "window_start timestamp, complaint_id bigint, probability double")
    known = complaints(
        spark,
        {"complaint_id": 1, "date_received": date(2016, 12, 31)},
        {"complaint_id": 2, "date_received": date(2017, 1, 1)},
        {"complaint_id": 3, "date_received": date(2017, 1, 1)},
    )
    actual_df = select_arrivals(scored, known, date(2016, 12, 31)).select("complaint_id", "probability", "state")
    expected_df = spark.createDataFrame([(2, 0.2, "CA")], "complaint_id bigint, probability double, state string")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


LONG_AGO = START - timedelta(days=100)
LABEL_AT = START + timedelta(days=1)


def scored_in_every_way(spark: SparkSession) -> DataFrame:
    """Version 7 scored 1 twice, 2 and 3 long ago, 4 after its label came, 6 after the period; version 6 scored 5."""
    return predictions(
        spark,
        {"complaint_id": 1, "scored_at": LONG_AGO, "probability": 0.9},
        {"complaint_id": 1, "scored_at": START, "probability": 0.1},
        *({"complaint_id": number, "scored_at": LONG_AGO, "probability": 0.9} for number in (2, 3)),
        {"complaint_id": 4, "scored_at": START + timedelta(days=2)},
        {"complaint_id": 5, "scored_at": LONG_AGO, "model_version": 6},
        {"complaint_id": 6, "scored_at": END},
    )


def ids(spark: SparkSession, *numbers: int) -> DataFrame:
    return spark.createDataFrame([(number,) for number in numbers], "complaint_id bigint")


def test_select_judged_takes_labels_that_are_younger_than_the_score_and_have_not_counted(spark: SparkSession) -> None:
    known = labels(
        spark, (1, 0.0, LABEL_AT), (2, 1.0, START - timedelta(days=1)), (3, 1.0, LABEL_AT),
        (4, 1.0, LABEL_AT), (5, 1.0, LABEL_AT),
        (6, 1.0, END + TICK), (9, 1.0, LABEL_AT),
    )  # fmt: skip
    actual_df = select_judged(scored_in_every_way(spark), known, ids(spark, 3), 7, END)
    expected_df = spark.createDataFrame(
        [
            (1, 0.0, LABEL_AT, 101.0, 0.9, "Mortgage", "CA", "Acme Bank"),
            (2, 1.0, START - timedelta(days=1), 99.0, 0.9, "Mortgage", "CA", "Acme Bank"),
        ],
        "complaint_id bigint, label double, label_at timestamp, label_delay_days double, probability double, "
        "product string, state string, company string",
    )
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_select_waiting_takes_what_a_random_pick_may_stand_for(spark: SparkSession) -> None:
    known = labels(spark, (1, 0.0, LABEL_AT), (4, 1.0, LABEL_AT))
    actual_df = select_waiting(scored_in_every_way(spark), known, ids(spark, 3), 7, END)
    assert_df_equality(actual_df, ids(spark, 1, 2), ignore_nullable=True, ignore_row_order=True)
