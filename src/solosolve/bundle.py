"""The bundle as a laptop reads it: databricks.yml, its includes, one target's variables, and the jobs they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solosolve.errors import BundleError, UsageError
from solosolve.settings import bundle_variables

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.]+)\}")
_PARAMETER = re.compile(r"\{\{\s*job\.parameters\.([A-Za-z0-9_]+)\s*\}\}")


class _Model(BaseModel):
    # The platform's own settings (clusters, libraries, schedules) are read by the platform only.
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
    spark_python_task: PythonTask


class Parameter(_Model):
    """A job parameter and its default."""

    name: str
    default: str


class JobResource(_Model):
    """A job as its resource file says it."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[Task, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PlannedTask:
    """A task that is ready to run: its file and the words of its command line."""

    job: str
    name: str
    file: Path
    arguments: tuple[str, ...]


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
            parameters: Job parameters by name; each goes to the jobs that declare it, or as `job.name` to that job
                alone.

        Returns:
            The tasks, each behind those that it depends on.

        Raises:
            UsageError: An unknown job or parameter.
            BundleError: A dependency that is no task, a cycle, or a missing file.
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
        return PlannedTask(job, task.task_key, file, arguments)


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
    variables = {f"var.{name}": str(value) for name, value in bundle_variables(root, target).items()}
    main_file = root / "databricks.yml"
    main = _read(main_file)
    name_of_bundle = str(_below(main, main_file, "bundle").get("name", ""))
    variables |= {"bundle.name": name_of_bundle, "bundle.target": target}
    jobs: dict[str, JobResource] = {}
    folders: dict[str, Path] = {}
    for pattern in main.get("include") or []:
        for file in sorted(root.glob(pattern)):
            for name, resource in _below(_read(file), file, "resources", "jobs").items():
                if name in jobs:
                    raise BundleError(f"{file.name}: job '{name}' is defined twice")
                jobs[name] = _job(file, _resolved(resource, variables, file))
                folders[name] = file.parent
    return Bundle(target, jobs, folders)


def _in_order(job: str, tasks: tuple[Task, ...]) -> list[Task]:
    by_key = {task.task_key: task for task in tasks}
    if len(by_key) < len(tasks):
        raise BundleError(f"{job}: two tasks have one task_key; found {', '.join(task.task_key for task in tasks)}")
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
        raise BundleError(f"{job}: its tasks wait for one another: {' -> '.join(error.args[1])}") from None


def _job(file: Path, resource: Any) -> JobResource:
    try:
        return JobResource.model_validate(resource)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleError(f"{file.name}: {place}: found {first['input']!r}, {first['msg']}") from None


def _resolved(value: Any, variables: Mapping[str, str], file: Path) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(inner, variables, file) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, variables, file) for inner in value]
    if not isinstance(value, str):
        return value

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise BundleError(f"{file.name}: found ${{{match[1]}}}, known are {', '.join(sorted(variables))}")
        return variables[match[1]]

    return _REFERENCE.sub(value_of, value)


def _below(content: dict[str, Any], path: Path, *keys: str) -> dict[str, Any]:
    """The mapping below some keys, empty where there is none."""
    found: Any = content
    for key in keys:
        found = found.get(key) or {}
        if not isinstance(found, dict):
            raise BundleError(f"{path.name}: {key}: found {found!r}, expected a mapping")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BundleError(f"{path.name}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise BundleError(f"{path.name}: found {content!r}, expected a mapping")
    return content
