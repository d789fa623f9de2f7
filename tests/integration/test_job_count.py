from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from solosolve.flows import build_features, ingest_complaints, refine_complaints
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings

MOST_JOBS = 35
"""A job of a few rows takes about a tenth of a second however little it does, and a small run consists of them."""


def jobs(spark: SparkSession) -> dict[int, str]:
    """The id of every job of the session so far, and where it was called."""
    store = spark.sparkContext._jsc.sc().statusStore()
    found = store.jobsList(None)
    listed = [found.apply(place) for place in range(found.size())]
    return {job.jobId(): f"{job.name()} {_text(job.description())}" for job in listed}


def _text(option: object) -> str:
    return " ".join(str(option).removeprefix("Some(").removesuffix(")").split())


def test_small_medallion_takes_few_spark_jobs(spark: SparkSession, settings: Settings, tmp_path: Path) -> None:
    source = write_sample(tmp_path / "sample.csv", rows=800, seed=3).path
    newest = max(jobs(spark), default=-1)
    listed = []
    for name, run in {
        "ingest_complaints": lambda: ingest_complaints.run(spark, settings, str(source)),
        "refine_complaints": lambda: refine_complaints.run(spark, settings),
        "build_features": lambda: build_features.run(spark, settings, "default"),
    }.items():
        run()
        new = {number: site for number, site in sorted(jobs(spark).items()) if number > newest}
        newest = max(new, default=newest)
        listed += [f"{name}: {site}" for site in new.values()]
    assert listed
    assert len(listed) <= MOST_JOBS, "\n".join([f"{len(listed)} jobs:", *listed])
