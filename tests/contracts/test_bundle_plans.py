"""What runs here is what is deployed: file, arguments and environment of every task, in every target.

With a `databricks` command on PATH, plans are compared with what `databricks bundle validate` resolves. They are always
compared with the reviewed ones in `plans/`; after a change of the bundle, write those again with
`solosolve bundle plan --target TARGET --format json > tests/contracts/plans/TARGET.json`, and review the difference.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solosolve.local.job_plan import load_bundle
from solosolve.local.plan_json import plan_as_data
from support.stand_in_workspace import stand_in_workspace, validated

ROOT = Path(__file__).parents[2]
PLANS = Path(__file__).parent / "plans"
DEPLOYED = ["dev", "staging", "prod"]


def planned(target: str) -> list[dict[str, Any]]:
    bundle = load_bundle(ROOT, target, environ={})
    return plan_as_data(bundle.plan(tuple(sorted(bundle.jobs)), {}), ROOT)


@pytest.mark.parametrize("target", ["local", *DEPLOYED])
def test_plan_is_the_reviewed_one(target: str) -> None:
    assert planned(target) == json.loads((PLANS / f"{target}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def workspace() -> Iterator[str]:
    if shutil.which("databricks") is None:
        pytest.skip("there is no databricks command on PATH to compare with")
    with stand_in_workspace() as host:
        yield host


@pytest.mark.parametrize("target", DEPLOYED)
def test_plan_is_what_the_databricks_cli_resolves(target: str, workspace: str) -> None:
    configuration = validated(ROOT, target, workspace)
    resolved = {
        (key, task["task_key"]): comparable(configuration, job, task)
        for key, job in configuration["resources"]["jobs"].items()
        for task in job["tasks"]
    }
    own = {
        (task["job"], task["task"]): (task["job_name"], task["file"], task["arguments"], task["environment"])
        for task in planned(target)
    }
    assert own == resolved


def comparable(
    configuration: dict[str, Any], job: dict[str, Any], task: dict[str, Any]
) -> tuple[str, str, list[str], dict[str, str]]:
    """A task's job name, file, arguments with the job's defaults filled in, and environment."""
    python = task["spark_python_task"]
    defaults = {parameter["name"]: parameter["default"] for parameter in job.get("parameters", [])}
    clusters = {cluster["job_cluster_key"]: cluster["new_cluster"] for cluster in job.get("job_clusters", [])}
    environment = clusters.get(task.get("job_cluster_key"), {}).get("spark_env_vars", {})
    arguments = [
        re.sub(r"\{\{job\.parameters\.(\w+)\}\}", lambda match: defaults[match[1]], word)
        for word in python.get("parameters", [])
    ]
    file = python["python_file"].removeprefix(configuration["workspace"]["file_path"] + "/")
    return job["name"], file, arguments, environment
