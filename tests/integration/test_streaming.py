"""The run of a query, whatever its batches do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from solosolve.streaming.query import StreamRun


def test_failure_of_the_batch_that_a_stop_waits_for_is_told(spark: SparkSession, tmp_path: Path) -> None:
    def fail(rows: DataFrame, batch_id: int) -> None:
        running.stop()
        raise RuntimeError("failed behind the stop")

    running = StreamRun(fail)
    writer = spark.readStream.format("rate").load().writeStream.option("checkpointLocation", str(tmp_path))
    with pytest.raises(RuntimeError, match="failed behind the stop"):
        # By then the query has ended by itself.
        running.run(writer, meanwhile=lambda: time.sleep(1))


def test_run_that_was_stopped_before_it_began_runs_no_batch(spark: SparkSession, tmp_path: Path) -> None:
    batches: list[int] = []
    running = StreamRun(lambda rows, batch_id: batches.append(batch_id))
    running.stop()
    running.run(spark.readStream.format("rate").load().writeStream.option("checkpointLocation", str(tmp_path)))
    assert batches == []
