"""Landing a CSV: the project's strict reader compared with Spark's own, both into Delta."""

from __future__ import annotations

import shutil
from pathlib import Path

from pyspark.sql import SparkSession

from bench.conftest import median_seconds
from solosolve.flows.ingest_complaints import parse_landing
from solosolve.landing.files import find_landing_files
from solosolve.landing.plans import plan_landing


def test_speed_of_the_strict_reader_compared_with_spark_csv(
    spark: SparkSession, sample_csv: Path, tmp_path: Path
) -> None:
    def land_strictly() -> None:
        (file,) = find_landing_files(str(sample_csv))
        parse_landing(spark, plan_landing(file)).write.format("delta").mode("overwrite").save(str(tmp_path / "strict"))

    def land_with_spark() -> None:
        options = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"'}
        frame = spark.read.options(**options).csv(str(sample_csv))
        # Delta accepts no column names with spaces.
        renamed = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
        renamed.write.format("delta").mode("overwrite").save(str(tmp_path / "spark"))

    ours, theirs = median_seconds(land_strictly), median_seconds(land_with_spark)
    size = sample_csv.stat().st_size / 1e6
    print(
        f"\nlanding {size:.0f} MB in Delta: strict reader {ours:.1f} s, Spark CSV {theirs:.1f} s; "
        f"the strict reader is {theirs / ours:.2f} times as fast"
    )
    shutil.rmtree(tmp_path)
