"""What a laptop runs of the bundle: each job's tasks in order, with the arguments of their command lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solosolve.bundle import declared_jobs
from solosolve.errors import BundleError, UsageError

_PARAMETER = re.compile(r"\{\{\s*job\.parameters\.([A-Za-z0-9_]+)\s*\}\}")

RunIf = Literal["ALL_SUCCESS", "ALL_DONE"]
"""The `run_if` values supported here."""


class _Model(BaseModel):
    # Only the platform reads its own settings: clusters, libraries, schedules.
    model_config = ConfigDict(frozen=True, extra="ignore")


class PythonTask(_Model):
    """A `spark_python_task`."""

    python_file: str
    parameters: tuple[str, ...] = ()


class Dependency(_Model):
    """An entry of `depends_on`."""

    task_key: str


class Task(_Model):
    """One task of a job."""

    task_key: str
    depends_on: tuple[Dependency, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"
    spark_python_task: PythonTask


class Parameter(_Model):
    """A job parameter and its default."""

    name: str
    default: str


class JobResource(_Model):
    """A job, as its resource file declares it."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[Task, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PlannedTask:
    """A task that is ready to run: its file and its command-line arguments.

    Attributes:
        job: Its job.
        name: Its key.
        file: Its Python file.
        arguments: Its command-line arguments.
        depends_on: The tasks of its job that it follows.
        run_if: Whether it runs if one of them failed (`ALL_DONE`) or not (`ALL_SUCCESS`).
    """

    job: str
    name: str
    file: Path
    arguments: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"


@dataclass(frozen=True)
class Bundle:
    """The jobs of one target."""

    target: str
    jobs: Mapping[str, JobResource]
    folders: Mapping[str, Path]

    def plan(self, job_names: tuple[str, ...], parameters: Mapping[str, str]) -> list[PlannedTask]:
        """Puts the tasks of some jobs in order.

        Args:
            job_names: Jobs, in the order in which they run.
            parameters: Job parameters by name. `name` goes to every job that declares it, `job.name` to that job only.

        Returns:
            The tasks, each after those that it depends on.

        Raises:
            UsageError: An unknown job or parameter.
            BundleError: A task depends on one that does not exist, tasks form a cycle, or a file is missing.
        """
        for name in job_names:
            if name not in self.jobs:
                raise UsageError(f"job: found '{name}', the bundle has {', '.join(sorted(self.jobs))}")
        by_job = {name: [parameter.name for parameter in self.jobs[name].parameters] for name in job_names}
        qualified = {f"{job}.{name}" for job, names in by_job.items() for name in names}
        declared = qualified | {name for names in by_job.values() for name in names}
        if unknown := sorted(set(parameters) - declared):
            raise UsageError(
                f"parameter: found '{unknown[0]}', {' and '.join(job_names)} take "
                f"{', '.join(sorted(declared - qualified)) or 'none'}"
            )
        return [task for name in job_names for task in self._plan_job(name, parameters)]

    def _plan_job(self, name: str, parameters: Mapping[str, str]) -> list[PlannedTask]:
        job = self.jobs[name]
        values = {
            parameter.name: parameters.get(
                f"{name}.{parameter.name}", parameters.get(parameter.name, parameter.default)
            )
            for parameter in job.parameters
        }
        return [self._plan_task(name, task, values) for task in _in_order(name, job.tasks)]

    def _plan_task(self, job: str, task: Task, values: Mapping[str, str]) -> PlannedTask:
        file = (self.folders[job] / task.spark_python_task.python_file).resolve()
        if not file.is_file():
            raise BundleError(f"{job}.{task.task_key}: python_file {task.spark_python_task.python_file} does not exist")

        def value_of(match: re.Match[str]) -> str:
            if match[1] not in values:
                raise BundleError(
                    f"{job}.{task.task_key}: found job.parameters.{match[1]}, "
                    f"the job declares {', '.join(values) or 'none'}"
                )
            return values[match[1]]

        arguments = tuple(_PARAMETER.sub(value_of, word) for word in task.spark_python_task.parameters)
        before = tuple(each.task_key for each in task.depends_on)
        return PlannedTask(job, task.task_key, file, arguments, before, task.run_if)


def load_bundle(root: Path, target: str) -> Bundle:
    """Reads the bundle as one target sees it.

    Args:
        root: The folder that holds `databricks.yml`.
        target: A target of `bundle/targets.yml`.

    Returns:
        The jobs, variables resolved.

    Raises:
        BundleError: The YAML is broken, a name is used twice, or a variable is unknown.
        SettingsError: There is no such target.
    """
    jobs: dict[str, JobResource] = {}
    folders: dict[str, Path] = {}
    for job in declared_jobs(root, target):
        jobs[job.name] = _job(job.file, job.content)
        folders[job.name] = job.file.parent
    return Bundle(target, jobs, folders)


def _in_order(job: str, tasks: tuple[Task, ...]) -> list[Task]:
    by_key = {task.task_key: task for task in tasks}
    if len(by_key) < len(tasks):
        raise BundleError(f"{job}: two tasks share a task_key; found {', '.join(task.task_key for task in tasks)}")
    for task in tasks:
        for before in task.depends_on:
            if before.task_key not in by_key:
                raise BundleError(
                    f"{job}.{task.task_key}: depends on '{before.task_key}', the job has {', '.join(by_key)}"
                )
    graph = TopologicalSorter({task.task_key: [before.task_key for before in task.depends_on] for task in tasks})
    try:
        return [by_key[key] for key in graph.static_order()]
    except CycleError as error:
        raise BundleError(f"{job}: tasks depend on each other in a cycle: {' -> '.join(error.args[1])}") from None


def _job(file: Path, resource: Any) -> JobResource:
    try:
        return JobResource.model_validate(resource)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleError(f"{file.name}: {place}: found {first['input']!r}, {first['msg']}") from None
