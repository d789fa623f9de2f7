"""The main job on a small sample: what `solosolve run`, `spark-submit` and a second run write to the tables."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import mlflow
import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from solosolve.local.job_plan import load_bundle
from solosolve.local.report import show_report
from solosolve.local.runner import run_tasks
from solosolve.local.summary import Summary
from solosolve.names import (
    ALERTS,
    DRIFT_METRICS,
    FEEDBACK,
    FILED_COLUMNS,
    MADE_BY,
    MEASURED_LABELS,
    MODEL_PERFORMANCE,
    SHADOW_PREDICTIONS,
)
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from support.builders import settings_in
from support.drills import LONG, QUICK_START
from support.feedback_events import as_json_lines, event

ROOT = Path(__file__).parents[2]
JOBS = ("medallion", "train_model", "request_scores", "score_stream", "score_batch")
RUN_COLUMNS = {
    *("_ingested_at", "landed_at", "requested_at", "scored_at", "trained_at", "event_at"),
    *("training_seconds", "run_id", "feature_model_uri", "evidence"),
    *("checkpoint_id", "source_id", "table_ids", "bound_at", "begun_at"),
    *("ended_at", "batch_seconds", "input_rate", "processed_rate", "latency_p50_seconds", "latency_p99_seconds"),
}
"""Columns that differ from run to run because they say when or by which run a row was written."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("landing") / "sample.csv", rows=4_000, seed=5).path


@pytest.fixture(scope="module")
def run_home(spark: SparkSession, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("run_home"))
    run_main_job(settings, sample)
    return settings


def parameters(sample: Path) -> dict[str, str]:
    return {"medallion.source": str(sample), "available_now": "true"}


def run_main_job(settings: Settings, sample: Path) -> None:
    run_jobs(settings, JOBS, parameters(sample))


def run_jobs(settings: Settings, jobs: Sequence[str], parameters: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLOSOLVE_HOME", str(settings.home))
        patch.setenv("SOLOSOLVE_BOOTSTRAP_ROUNDS", str(settings.bootstrap_rounds))
        tasks = load_bundle(ROOT, "local").plan(jobs, parameters)
        run_tasks(tasks, runs=settings.home / "runs", resume="again", console=Console(file=io.StringIO()))


def multisets(settings: Settings, *, without: frozenset[str] = frozenset()) -> dict[str, Counter[str]]:
    """Returns the rows of each table as a multiset."""
    reader = DeltaReader(settings.warehouse)
    found = {}
    for table in reader.tables():
        rows = reader.query(f"select * from {table}")
        kept = [name for name in rows.column_names if name not in without]
        found[str(table)] = Counter(repr(row) for row in rows.select(kept).to_pylist())
    return found


def test_main_job_fills_every_table_and_loses_no_rows(run_home: Settings) -> None:
    summary = Summary(DeltaReader(run_home.warehouse))
    of_the_loop = {ALERTS, FEEDBACK, DRIFT_METRICS, MEASURED_LABELS, MODEL_PERFORMANCE, SHADOW_PREDICTIONS}
    assert summary.existing == set(MADE_BY) - of_the_loop
    checks = summary.conservation
    assert len(checks) == 5
    assert [check for check in checks if not check.holds] == []
    assert all(check.left > 0 for check in checks)


def test_second_run_of_the_main_job_changes_no_table(run_home: Settings, sample: Path) -> None:
    before = multisets(run_home)
    run_main_job(run_home, sample)
    assert multisets(run_home) == before


def test_loop_with_nothing_new_trains_nothing_and_records_nothing(run_home: Settings, tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    shutil.copytree(run_home.home, settings.home)
    events = settings.home / "outcomes.jsonl"
    events.write_bytes(as_json_lines(event(f"e{number}", 1_000_000 + number) for number in range(20)))
    run_jobs(settings, ["retrain"], {"source": str(events)})
    before = multisets(settings)
    assert len([row for row in before["gold.model_events"] if "retrain_checked" in row]) == 1
    run_jobs(settings, ["retrain"], {"source": str(events)})
    assert multisets(settings) == before
    assert [model.version for model in Registry(settings).versions()] == [1]


def test_registered_model_returns_exactly_the_batch_scores(run_home: Settings) -> None:
    rows = DeltaReader(run_home.warehouse).query(
        f"select p.probability, p.prediction, {', '.join(f's.{name}' for name in FILED_COLUMNS)} "
        "from gold.predictions p join silver.complaints s using (complaint_id) order by complaint_id limit 200"
    )
    frame = rows.to_pandas().assign(date_received=lambda found: found["date_received"].astype(str))
    mlflow.set_tracking_uri(f"sqlite:///{run_home.home / 'mlflow' / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/complaint_resolution@champion")
    actual = model.predict(frame[list(FILED_COLUMNS)])
    assert actual["probability"].tolist() == frame["probability"].tolist()
    assert actual["prediction"].tolist() == frame["prediction"].tolist()


def test_champion_has_a_reference_of_what_it_was_trained_on(run_home: Settings) -> None:
    registry = Registry(run_home)
    reference = registry.reference(registry.champion())
    assert reference is not None
    by_split = DeltaReader(run_home.warehouse).query(
        "select split, count(*) as n, max(date_received) as newest from gold.complaint_features group by 1"
    )
    found = {row["split"]: row for row in by_split.to_pylist()}
    totals = {name: sum(counts.values()) for name, counts in reference.counts.items()}
    assert totals.pop("score") == found["validate"]["n"] + found["test"]["n"]
    assert set(totals.values()) == {found["train"]["n"]}
    assert reference.trained_until == found["test"]["newest"]


def test_report_summarises_the_run(run_home: Settings) -> None:
    text = io.StringIO()
    show_report(run_home, Console(file=text, width=120))
    for words in (
        "4,000",
        "holds",
        "scored from",
        "Newest predictions from the stream",
        "auc",
        "oracle",
        "medallion · ingest_complaints",
        "Next",
    ):
        assert words in text.getvalue()
    assert "BROKEN" not in text.getvalue()


def submit(task: str, home: Path, *words: str, properties: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "spark-submit")]
    command += ["--properties-file", "bundle/spark-defaults.conf"] if properties else []
    environ = os.environ | {
        "SOLOSOLVE_HOME": str(home),
        "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50",
        **QUICK_START,
        # As in an activated environment.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environ.pop("PYSPARK_PYTHON", None)
    return subprocess.run(
        [*command, f"jobs/{task}.py", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not LONG, reason="make faults: a JVM for each task; tests/platform runs all job files in one")
def test_spark_submit_of_each_task_writes_the_same_tables(run_home: Settings, sample: Path, tmp_path: Path) -> None:
    home = tmp_path / "submitted"
    for task in load_bundle(ROOT, "local").plan(JOBS, parameters(sample)):
        done = submit(task.name, home, *task.arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    run_columns = frozenset(RUN_COLUMNS)
    submitted, expected = (multisets(each, without=run_columns) for each in (settings_in(home), run_home))
    assert submitted == expected


def test_spark_submit_without_delta_prints_the_right_command(tmp_path: Path) -> None:
    failed = submit("refine_complaints", tmp_path, properties=False)
    assert failed.returncode == 1
    # spark-submit forwards everything that a Python program prints to its own standard output.
    messages = [line for line in failed.stdout.splitlines() if line.startswith("solosolve: ")]
    assert messages == [
        "solosolve: Delta Lake is not on Spark's classpath; run: "
        "spark-submit --properties-file bundle/spark-defaults.conf jobs/refine_complaints.py"
    ]
