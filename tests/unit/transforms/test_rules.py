from __future__ import annotations

from pyspark.sql import SparkSession

from builders import records
from solosolve.transforms.rules import parsed_date


def test_parsed_date_reads_iso(spark: SparkSession) -> None:
    actual = records(spark, {"date_received": "2016-03-01"}).select(parsed_date("date_received").alias("day"))
    assert [str(row["day"]) for row in actual.collect()] == ["2016-03-01"]
