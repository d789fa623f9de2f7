from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from pyspark.sql import SparkSession

from solosolve.transforms.fingerprints import data_hash

ROWS = [(1, "a", None, [0.5]), (2, None, "b", [0.5, 1.0]), (3, "c", "", [])]
COLUMNS = ["id", "left", "right", "features"]


def hash_of(spark: SparkSession, rows: Sequence[tuple[object, ...]], columns: Sequence[str] = COLUMNS) -> str:
    frame = spark.createDataFrame(list(rows), "id bigint, left string, right string, features array<double>")
    return data_hash(frame, columns)


def test_data_hash_does_not_depend_on_order_or_partitioning(spark: SparkSession) -> None:
    expected = hash_of(spark, ROWS)
    assert re.fullmatch(r"3-[0-9a-f]{32}", expected)
    assert hash_of(spark, ROWS[::-1]) == expected
    frame = spark.createDataFrame(ROWS, "id bigint, left string, right string, features array<double>")
    assert data_hash(frame.repartition(3), COLUMNS) == expected


def test_data_hash_covers_only_the_given_columns(spark: SparkSession) -> None:
    changed = [(number, left, "else", features) for number, left, _, features in ROWS]
    chosen = ["id", "left", "features"]
    assert hash_of(spark, changed, chosen) == hash_of(spark, ROWS, chosen)
    assert hash_of(spark, changed) != hash_of(spark, ROWS)


@pytest.mark.parametrize(
    "changed",
    [
        ROWS[:2],
        [*ROWS, ROWS[0]],
        [*ROWS, *ROWS],
        [(4, *ROWS[0][1:]), *ROWS[1:]],
        [(1, "a", None, [0.25]), *ROWS[1:]],
        [(1, "a", "", [0.5]), *ROWS[1:]],
        [(1, None, "a", [0.5]), *ROWS[1:]],
        [*ROWS[:2], (3, "c", "", None)],
    ],
    ids=["row removed", "row twice", "all twice", "id", "feature", "null to blank", "null moved", "empty list to null"],
)
def test_data_hash_changes_with_every_change_of_the_rows(
    spark: SparkSession, changed: list[tuple[object, ...]]
) -> None:
    assert hash_of(spark, changed) != hash_of(spark, ROWS)


def test_data_hash_of_no_rows_is_zero(spark: SparkSession) -> None:
    assert hash_of(spark, []) == f"0-{0:032x}"
