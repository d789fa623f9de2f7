"""What a laptop runs of the bundle: each job's tasks in order, with what each of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from solosolve.bundle import ResolvedBundle, resolve_bundle
from solosolve.bundle.nodes import Node
from solosolve.errors import BundleError, UsageError
from solosolve.local.job_models import Condition, Dependency, Job, RunJob, Task, job_of
from solosolve.local.planned import Call, ForEachElement, JobFrame, Limits, PlannedTask, Started, Work

_JOB_ID = re.compile(r"\$\{resources\.jobs\.([\w-]+)\.id\}")


@dataclass(frozen=True)
class Bundle:
    """The jobs of one target."""

    resolved: ResolvedBundle

    @property
    def target(self) -> str:
        """The target's name."""
        return self.resolved.target

    @property
    def jobs(self) -> Mapping[str, Node]:
        """The jobs by their key, variables filled in."""
        return self.resolved.resources("jobs")

    def plan(self, job_names: tuple[str, ...], parameters: Mapping[str, str]) -> list[PlannedTask]:
        """Puts the tasks of some jobs in order.

        Args:
            job_names: Jobs, in the order in which they run.
            parameters: Job parameters by name. `name` goes to every job that declares it, `job.name` to that job only.

        Returns:
            The tasks, each after those that it depends on.

        Raises:
            UsageError: An unknown job or parameter.
            BundleError: A job has something that cannot run here, a task depends on one that does not exist, tasks form
                a cycle, or a file is missing.
        """
        jobs = {name: self._job(name) for name in job_names}
        by_job = {name: [parameter.name for parameter in job.parameters] for name, job in jobs.items()}
        qualified = {f"{job}.{name}" for job, names in by_job.items() for name in names}
        declared = qualified | {name for names in by_job.values() for name in names}
        if unknown := sorted(set(parameters) - declared):
            raise UsageError(
                f"parameter: found '{unknown[0]}', {' and '.join(job_names)} take "
                f"{', '.join(sorted(declared - qualified)) or 'none'}"
            )
        return [task for name, job in jobs.items() for task in self._plan_job(name, job, parameters, (name,))]

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise UsageError(f"job: found '{name}', the bundle has {', '.join(sorted(self.jobs)) or 'none'}")
        return job_of(name, self.jobs[name])

    def _plan_job(
        self, name: str, job: Job, parameters: Mapping[str, str], trail: tuple[str, ...]
    ) -> Iterator[PlannedTask]:
        defaults = {parameter.name: parameter.default for parameter in job.parameters}
        given = {key: parameters.get(f"{name}.{key}", parameters.get(key, value)) for key, value in defaults.items()}
        frame = JobFrame(job.name, given, defaults, job.timeout_seconds)
        environments = {cluster.job_cluster_key: cluster.new_cluster.spark_env_vars for cluster in job.job_clusters}
        nodes = {node.text("task_key"): node for node in (self.jobs[name].at("tasks") or self.jobs[name]).elements}
        for task in _in_order(name, job.tasks):
            yield self._plan_task(name, task, nodes[task.task_key], frame, environments, trail)

    def _plan_task(
        self,
        job: str,
        task: Task,
        node: Node,
        frame: JobFrame,
        environments: Mapping[str, Mapping[str, str]],
        trail: tuple[str, ...],
    ) -> PlannedTask:
        where = f"{job}.{task.task_key}"
        work: Work | None = self._call(where, task, node) or task.condition_task
        if task.run_job_task is not None:
            work = self._started(where, task.run_job_task, trail)
        if task.for_each_task is not None:
            each, below = task.for_each_task, node.at("for_each_task", "task") or node
            element = self._plan_task(job, each.task, below, frame, environments, trail)
            work = ForEachElement(each.inputs, element)
        if work is None:
            raise BundleError(f"{where}: found no kind of task")
        if task.job_cluster_key is not None and task.job_cluster_key not in environments:
            known = ", ".join(environments) or "none"
            raise BundleError(f"{where}: job_cluster_key: found '{task.job_cluster_key}', the job has {known}")
        own = task.new_cluster.spark_env_vars if task.new_cluster else {}
        environment = environments.get(task.job_cluster_key or "", own)
        limits = Limits(
            task.max_retries, task.min_retry_interval_millis / 1000, task.retry_on_timeout, task.timeout_seconds
        )
        planned = PlannedTask(job, task.task_key, work, task.depends_on, task.run_if, limits, dict(environment), frame)
        planned.check_parameters()
        return planned

    def _call(self, where: str, task: Task, node: Node) -> Call | None:
        if (python := task.spark_python_task) is not None:
            written = node.at("spark_python_task", "python_file") or node
            file = (written.place.file.parent / python.python_file).resolve()
            if not file.is_file():
                raise BundleError(f"{where}: python_file {python.python_file} does not exist")
            return Call(python.parameters, file=file)
        if (wheel := task.python_wheel_task) is not None:
            named = tuple(f"--{key}={value}" for key, value in wheel.named_parameters.items())
            return Call(wheel.parameters + named, package=wheel.package_name, entry_point=wheel.entry_point)
        return None

    def _started(self, where: str, started: RunJob, trail: tuple[str, ...]) -> Started:
        match = _JOB_ID.fullmatch(started.job_id)
        if match is None or match[1] not in self.jobs:
            known = ", ".join(f"${{resources.jobs.{key}.id}}" for key in sorted(self.jobs))
            raise BundleError(
                f"{where}: job_id: found {started.job_id}, which is not a job of this bundle; it has {known}"
            )
        key = match[1]
        if key in trail:
            raise BundleError(f"{where}: jobs start each other in a cycle: {' -> '.join((*trail, key))}")
        job = self._job(key)
        declared = {parameter.name for parameter in job.parameters}
        if unknown := sorted(set(started.job_parameters) - declared):
            raise BundleError(
                f"{where}: job_parameters: found '{unknown[0]}', {key} takes {', '.join(sorted(declared))}"
            )
        return Started(key, dict(started.job_parameters), tuple(self._plan_job(key, job, {}, (*trail, key))))


def load_bundle(
    root: Path,
    target: str,
    *,
    variables: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Bundle:
    """Reads the bundle as one target sees it.

    Args:
        root: The folder that holds `databricks.yml`.
        target: `local`, or a target that can be deployed.
        variables: Values for variables, as `--var` gives them.
        environ: Environment variables; those of the process when None.

    Returns:
        The jobs, variables resolved.

    Raises:
        BundleError: The YAML is broken, a name is used twice, or a variable is unknown.
        SettingsError: There is no such target.
    """
    return Bundle(resolve_bundle(root, target, variables=variables, environ=environ))


def _in_order(job: str, tasks: tuple[Task, ...]) -> list[Task]:
    by_key = {task.task_key: task for task in tasks}
    if len(by_key) < len(tasks):
        raise BundleError(f"{job}: two tasks share a task_key; found {', '.join(task.task_key for task in tasks)}")
    for task in tasks:
        for before in task.depends_on:
            _check_dependency(job, task, before, by_key)
    graph = TopologicalSorter({task.task_key: [before.task_key for before in task.depends_on] for task in tasks})
    try:
        return [by_key[key] for key in graph.static_order()]
    except CycleError as error:
        raise BundleError(f"{job}: tasks depend on each other in a cycle: {' -> '.join(error.args[1])}") from None


def _check_dependency(job: str, task: Task, before: Dependency, by_key: Mapping[str, Task]) -> None:
    if before.task_key not in by_key:
        raise BundleError(f"{job}.{task.task_key}: depends on '{before.task_key}', the job has {', '.join(by_key)}")
    is_condition = isinstance(by_key[before.task_key].condition_task, Condition)
    if before.outcome is not None and not is_condition:
        found = f"depends on the outcome of '{before.task_key}'"
        raise BundleError(f"{job}.{task.task_key}: {found}, which is not a condition_task")
