"""Landing a CSV in Delta with all checks, compared with Spark's own CSV source and with DuckDB, which check nothing."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import duckdb
from pyspark.sql import SparkSession

from bench.conftest import median_seconds
from bench.figures import Figures
from solosolve.flows import ingest_complaints
from solosolve.settings import Settings
from support.builders import landing_csv

SMALL_FILES, RECORDS_EACH = 2_000, 5


def test_speed_of_landing_compared_with_spark_csv_and_duckdb(
    spark: SparkSession, million_csv: Path, tmp_path: Path, figures: Figures
) -> None:
    homes = iter(range(100))

    def land() -> None:
        settings = Settings.load(environ={"SOLOSOLVE_HOME": str(tmp_path / f"home{next(homes)}")})
        ingest_complaints.run(spark, settings, str(million_csv))

    def land_with_spark() -> None:
        options = {"header": "true", "multiLine": "true", "quote": '"', "escape": '"'}
        frame = spark.read.options(**options).csv(str(million_csv))
        # Delta accepts no column names with spaces.
        renamed = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
        renamed.write.format("delta").mode("overwrite").save(str(tmp_path / "spark"))

    def land_with_duckdb() -> None:
        duckdb.execute(
            f"copy (select * from read_csv('{million_csv}', all_varchar = true)) to '{tmp_path}/duckdb.parquet' "
            "(format parquet)"
        )

    ours, spark_csv, duck = (median_seconds(work, rounds=5) for work in (land, land_with_spark, land_with_duckdb))
    size = million_csv.stat().st_size / 1e6
    print(
        f"\nlanding {size:.0f} MB: {ours:.1f} s with all checks; Spark's CSV source to Delta {spark_csv:.1f} s "
        f"({spark_csv / ours:.2f} times as fast as it), DuckDB to Parquet {duck:.1f} s ({duck / ours:.2f} times)"
    )
    what, figure = f"landing {size:.0f} MB with all checks", f"{ours:.1f} s"
    figures.add(
        what, figure, f"Spark's CSV source to Delta: {spark_csv:.1f} s", spark_csv / ours, "at least 1.5 times as fast"
    )
    figures.add(what, figure, f"DuckDB to Parquet: {duck:.1f} s", duck / ours, "at least 0.4 times as fast")
    shutil.rmtree(tmp_path)


def test_time_to_land_a_folder_of_small_files(
    spark: SparkSession, settings: Settings, tmp_path: Path, figures: Figures
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    for number in range(SMALL_FILES):
        ids = range(RECORDS_EACH * number + 1, RECORDS_EACH * (number + 1) + 1)
        (folder / f"{number:04}.csv").write_text(landing_csv(*({"complaint_id": str(each)} for each in ids)))
    started = time.perf_counter()
    landed = ingest_complaints.run(spark, settings, str(folder))
    seconds = time.perf_counter() - started
    assert sum(each.bronze_count for each in landed) == SMALL_FILES * RECORDS_EACH
    print(f"\nlanding {SMALL_FILES:,} files of {RECORDS_EACH} records: {seconds:.0f} s")
    figures.add(f"landing {SMALL_FILES:,} files of {RECORDS_EACH} records", f"{seconds:.0f} s", wanted="at most 60 s")
