"""A machine of a Spark cluster is lost in the middle of a job; no row is lost or doubled."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from solosolve.flows import build_features, ingest_complaints, refine_complaints
from solosolve.local.spark_cluster import SparkCluster
from solosolve.local.table_comparison import compare
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, FEATURES, QUARANTINE, REJECTED
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from support.archives import project_archive
from support.builders import settings_in
from support.drills import LONG, program
from support.live import Live

ROOT = Path(__file__).parents[2]
SECONDS = 600
COMPARED = {
    "refine_complaints": (COMPLAINTS_RAW, QUARANTINE, COMPLAINTS, REJECTED),
    "build_features": (COMPLAINTS, FEATURES),
}
SMALL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
}

logger = logging.getLogger("drills")
pytestmark = pytest.mark.skipif(not LONG, reason="takes minutes: make faults")


def run(task: str, spark: SparkSession, settings: Settings) -> None:
    if task == "refine_complaints":
        refine_complaints.run(spark, settings)
    else:
        build_features.run(spark, settings, "default")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as an archive that executors import from."""
    return project_archive(tmp_path_factory.mktemp("code"))


@pytest.mark.parametrize("task", list(COMPARED))
def test_job_survives_the_loss_of_a_worker(
    task: str, spark: SparkSession, tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, broken = settings_in(tmp_path / "unbroken"), settings_in(tmp_path / "broken")
    sample = write_sample(tmp_path / "sample.csv", rows=20_000, seed=11)
    ingest_complaints.run(spark, unbroken, str(sample.path))
    if task == "build_features":
        refine_complaints.run(spark, unbroken)
    shutil.copytree(unbroken.home, broken.home)
    run(task, spark, unbroken)

    words = [sys.executable, str(ROOT / "jobs" / f"{task}.py")]
    with SparkCluster(tmp_path / "spark") as cluster:
        own = SMALL | {"spark.master": cluster.address, "spark.submit.pyFiles": str(code)}
        properties = tmp_path / "spark.conf"
        text = (ROOT / "bundle" / "spark-cluster.conf").read_text(encoding="utf-8")
        properties.write_text(text + "".join(f"{name} {value}\n" for name, value in own.items()), encoding="utf-8")
        monkeypatch.setenv("SOLOSOLVE_SPARK_PROPERTIES", str(properties))
        with program(Live(None, broken), words) as job:
            # Python processes on a worker mean that it is in the midst of the job's own work.
            job.wait_until(lambda: cluster.busy_worker() is not None, SECONDS, poll_seconds=0.02)
            lost = cluster.busy_worker()
            assert lost is not None
            cluster.kill_worker(lost)
            exit_code = job.wait(SECONDS)
        logger.info("%s: exit code %d after the loss of a worker", task, exit_code)
        if exit_code:
            cluster.start_worker(lost)
            with program(Live(None, broken), words) as job:
                assert job.wait(SECONDS) == 0, job.output
    found = compare(*(DeltaReader(each.warehouse) for each in (unbroken, broken)), COMPARED[task])
    assert [str(each) for each in found if not each.is_equal] == []
    assert all(each.row_count for each in found if each.table != QUARANTINE)
