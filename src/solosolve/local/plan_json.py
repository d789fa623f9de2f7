"""A plan as data: for each task what it runs, with which arguments, in which environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from solosolve.local.job_models import Condition
from solosolve.local.planned import Call, ForEachElement, PlannedTask, Started, Work


def plan_as_data(tasks: Sequence[PlannedTask], root: Path) -> list[dict[str, Any]]:
    """Describes planned tasks.

    Args:
        tasks: The tasks in order.
        root: The bundle's folder, to which files are relative.

    Returns:
        One mapping per task that JSON can express; what is known only in a run stays `{{...}}`.
    """
    return [_task(task, root) for task in tasks]


def _task(task: PlannedTask, root: Path) -> dict[str, Any]:
    data: dict[str, Any] = {"job": task.job, "job_name": task.frame.name, "task": task.name} | _work(task, root)
    data["environment"] = dict(sorted(task.environment.items()))
    data["depends_on"] = [each.model_dump(exclude_none=True) for each in task.depends_on]
    data["run_if"] = task.run_if
    data["limits"] = asdict(task.limits) | {"job_timeout_seconds": task.frame.timeout_seconds}
    return data


def _work(task: PlannedTask, root: Path) -> dict[str, Any]:
    work: Work = task.work
    match work:
        case Call():
            return _call(work, root) | {"arguments": list(task.arguments)}
        case Condition():
            return {"kind": "condition_task", "op": work.op, "left": work.left, "right": work.right}
        case Started():
            started: Mapping[str, Any] = {"job": work.job, "job_parameters": dict(work.parameters)}
            return {"kind": "run_job_task", "starts": started}
        case ForEachElement():
            return {"kind": "for_each_task", "inputs": work.inputs, "each": _task(work.task, root)}


def _call(work: Call, root: Path) -> dict[str, Any]:
    if work.file is None:
        return {"kind": "python_wheel_task", "package": work.package, "entry_point": work.entry_point}
    file = work.file.relative_to(root) if work.file.is_relative_to(root) else work.file
    return {"kind": "spark_python_task", "file": file.as_posix()}
