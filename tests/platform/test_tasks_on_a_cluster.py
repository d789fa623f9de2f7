"""Every task as a cluster of the platform runs it, on the Spark of its runtime and on the newest.

Stand-ins: Spark's own session catalog for Unity Catalog (three-part names all the same), a SQLite registry for the
platform's, and a folder for the volume of checkpoints.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from solosolve.samples.writer import write_sample
from support.drills import LONG

logger = logging.getLogger("drills")

ROOT = Path(__file__).parents[2]
SCHEMAS = {layer: f"dev_ann_{layer}" for layer in ("bronze", "silver", "gold")}
SECOND_VERSION = (("train_model", "--engine", "gbt"), ("validate_model",), ("promote_model",))
SPARK_4_0 = ROOT / ".venv" / "spark-4.0"
"""PySpark and Delta of the platform's long-term runtime; `make test` installs them."""


def versions() -> list[object]:
    missing = pytest.mark.skipif(not SPARK_4_0.is_dir(), reason=f"{SPARK_4_0} is missing: run make test")
    newest = pytest.mark.skipif(not LONG, reason="make faults: all other tests run on it")
    return [
        pytest.param(None, id="spark-4.2", marks=newest),
        pytest.param(SPARK_4_0, id="spark-4.0", marks=missing),
    ]


def run(tmp_path: Path, packages: Path | None, *tasks: tuple[str, ...]) -> str:
    """Runs job files one after another; returns what went wrong."""
    plan = {
        "warehouse": str(tmp_path / "warehouse"),
        "schemas": list(SCHEMAS.values()),
        "tasks": [
            {"file": str(ROOT / "jobs" / f"{name}.py"), "arguments": ["--target", "dev", *arguments]}
            for name, *arguments in tasks
        ],
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    source = [str(packages)] if packages else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLOSOLVE_", "SPARK_"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([*source, str(ROOT / "src")]),
        "DATABRICKS_RUNTIME_VERSION": "17.3",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "SOLOSOLVE_REGISTRY_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "SOLOSOLVE_CATALOG": "spark_catalog",
        "SOLOSOLVE_CHECKPOINTS": str(tmp_path / "checkpoints"),
        "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50",
        **{f"SOLOSOLVE_{layer.upper()}_SCHEMA": name for layer, name in SCHEMAS.items()},
    }
    words = [sys.executable, str(ROOT / "tests" / "support" / "cluster_run.py"), str(path)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"task"')]
    assert len(lines) == len(tasks), done.stderr[-5000:]
    logger.info("%s", ", ".join(f"{line['task']} {line['seconds']:.0f} s" for line in lines))
    return "\n".join(f"{line['task']}: {line['error']}" for line in lines if line["error"])


@pytest.mark.parametrize("packages", versions())
def test_every_task_runs_on_a_cluster(tmp_path: Path, packages: Path | None) -> None:
    sample = write_sample(tmp_path / "sample.csv", rows=4_000 if LONG else 2_000, seed=3)
    feedback = tmp_path / "feedback.jsonl"
    feedback.write_text(
        '{"event_id": "a", "complaint_id": 1, "outcome": "success", "source": "event", '
        '"given_at": "2018-01-01T00:00:00+00:00"}\n',
        encoding="utf-8",
    )
    tasks: list[tuple[str, ...]] = [
        ("ingest_complaints", "--source", str(sample.path)),
        ("refine_complaints",),
        ("build_features",),
        ("train_model",),
        ("validate_model",),
        ("promote_model",),
        *(SECOND_VERSION if LONG else ()),
        ("request_scores", "--at-most", "50"),
        ("score_stream", "--available-now"),
        ("score_complaints",),
        ("ingest_feedback", "--source", str(feedback)),
        ("monitor_model",),
        ("raise_alerts",),
        ("check_retrain", "--force"),
        ("move_champion", "--version", "2" if LONG else "1", "--reason", "a test"),
        ("replay_dead_letters",),
        ("maintain_tables",),
    ]
    assert {name for name, *_ in tasks} == {file.stem for file in (ROOT / "jobs").glob("*.py")}
    if found := run(tmp_path, packages, *tasks):
        pytest.fail(found)
