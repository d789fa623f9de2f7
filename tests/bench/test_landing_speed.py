"""Landing a CSV: the project's strict reader beside Spark's own, both into Delta."""

from __future__ import annotations

import shutil
from pathlib import Path

from pyspark.sql import SparkSession

from bench.conftest import median_seconds
from solosolve.flows.ingest_complaints import parse_landing
from solosolve.landing.files import find_landing_files, plan_landing


def test_strict_reader_beside_spark_csv(spark: SparkSession, sample_csv: Path, tmp_path: Path) -> None:
    def strict() -> None:
        (file,) = find_landing_files(str(sample_csv))
        parse_landing(spark, plan_landing(file)).write.format("delta").mode("overwrite").save(str(tmp_path / "strict"))

    def spark_csv() -> None:
        options = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"'}
        frame = spark.read.options(**options).csv(str(sample_csv))
        renamed = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
        renamed.write.format("delta").mode("overwrite").save(str(tmp_path / "spark"))

    ours, theirs = median_seconds(strict), median_seconds(spark_csv)
    size = sample_csv.stat().st_size / 1e6
    print(f"\nlanding {size:.0f} MB to Delta: strict {ours:.1f} s, Spark CSV {theirs:.1f} s: {theirs / ours:.2f} times")
    shutil.rmtree(tmp_path)
