from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from solosolve.streaming.binding_store import Period, is_within

HOURS = [datetime(2026, 1, 2, hour, tzinfo=UTC) for hour in range(6)]


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ([], []),
        ([Period(HOURS[2], None)], [2, 3, 4, 5]),
        ([Period(HOURS[1], HOURS[3])], [1, 2]),
        ([Period(HOURS[0], HOURS[1]), Period(HOURS[4], None)], [0, 4, 5]),
    ],
    ids=["none", "one that lasts", "one that ended", "two"],
)
def test_instant_is_within_a_period_from_its_start_until_before_its_end(
    spark: SparkSession, periods: list[Period], expected: list[int]
) -> None:
    rows = [*enumerate(HOURS), (-1, None)]
    frame = spark.createDataFrame(rows, "hour int, scored_at timestamp")
    found = frame.where(is_within(periods, "scored_at")).collect()
    assert [row["hour"] for row in found] == expected
