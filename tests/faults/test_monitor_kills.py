"""The monitor is killed at random moments; after the next run, its tables are those of a run that nothing disturbed."""

from __future__ import annotations

import random
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from solosolve.names import DRIFT_METRICS, MODEL_PERFORMANCE
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from support.arrivals import FIRST, WINDOW, Arrivals
from support.builders import settings_in
from support.drills import LONG, StreamProcess, program
from support.live import Live

KILLS = 8
WINDOWS = 3
JOB = Path(__file__).parents[2] / "jobs" / "monitor_model.py"
UNTIL = (FIRST + WINDOWS * WINDOW).date().isoformat()


def rows(settings: Settings) -> list[list[dict[str, Any]]]:
    reader = DeltaReader(settings.warehouse)
    tables = [reader.query(f"select * from {table}") for table in (DRIFT_METRICS, MODEL_PERFORMANCE)]
    return [sorted(table.drop_columns("measured_at").to_pylist(), key=str) for table in tables]


def has_begun(job: StreamProcess, settings: Settings) -> None:
    """Waits until the job has created its first table, so that a kill falls between there and the end."""
    log = settings.table_folder(DRIFT_METRICS) / "_delta_log"
    job.wait_until(lambda: log.exists() or job.exit_code is not None, poll_seconds=0.05)


@pytest.mark.skipif(not LONG, reason="make faults: the integration tests stop a run between its two tables")
def test_killed_monitor_is_completed_by_the_next_run(spark: SparkSession, tmp_path: Path) -> None:
    arrivals = Arrivals(spark, settings_in(tmp_path / "home"))
    arrivals.train(5_000)
    arrivals.arrive_often(WINDOWS, 300)
    arrivals.monitor(WINDOWS)
    expected, chance = rows(arrivals.settings), random.Random(3)
    command = [sys.executable, str(JOB), f"--until={UNTIL}"]
    interrupted = 0
    for number in range(KILLS):
        home = tmp_path / str(number)
        shutil.copytree(arrivals.settings.home, home)
        for table in (DRIFT_METRICS, MODEL_PERFORMANCE):
            shutil.rmtree(settings_in(home).table_folder(table))
        live = Live(None, settings_in(home))
        with program(live, command) as job:
            has_begun(job, live.settings)
            time.sleep(chance.uniform(0, 8))
            interrupted += job.exit_code is None
            job.kill()
        with program(live, command) as job:
            assert job.wait() == 0, job.output
        assert rows(live.settings) == expected
    assert interrupted > KILLS / 2
