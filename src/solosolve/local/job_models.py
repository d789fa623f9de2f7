"""Jobs as they can run here: which fields count, which only concern the platform, and which are refused."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solosolve.bundle.nodes import Node, one_of
from solosolve.errors import BundleError

RunIf = Literal["ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"]
"""When a task runs, given how the tasks before it went."""

ConditionOp = Literal[
    "EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"
]
"""The comparisons of a condition task."""

KINDS = ("spark_python_task", "python_wheel_task", "condition_task", "run_job_task", "for_each_task")
"""The kinds of tasks that run here."""

_REFUSED = ("git_source", "disabled")
"""Fields that would change what runs, and cannot be honoured here."""

_Platform = Any
"""The type of a field that concerns only the platform: where a task runs, who hears of it, how it starts."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class PythonFile(_Model):
    """A `spark_python_task`."""

    python_file: str
    parameters: tuple[str, ...] = ()
    source: Literal["WORKSPACE"] = "WORKSPACE"


class WheelEntry(_Model):
    """A `python_wheel_task`."""

    package_name: str
    entry_point: str
    parameters: tuple[str, ...] = ()
    named_parameters: dict[str, str] = {}


class Condition(_Model):
    """A `condition_task`."""

    op: ConditionOp
    left: str
    right: str


class RunJob(_Model):
    """A `run_job_task`."""

    job_id: str
    job_parameters: dict[str, str] = {}


class Dependency(_Model):
    """An entry of `depends_on`."""

    task_key: str
    outcome: Literal["true", "false"] | None = None


class Cluster(BaseModel):
    """The part of a cluster that counts here."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    spark_env_vars: dict[str, str] = {}


class JobCluster(_Model):
    """An entry of `job_clusters`."""

    job_cluster_key: str
    new_cluster: Cluster = Cluster()


class Task(_Model):
    """One task of a job."""

    task_key: str
    depends_on: tuple[Dependency, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"
    max_retries: int = Field(default=0, ge=-1)
    min_retry_interval_millis: int = Field(default=0, ge=0)
    retry_on_timeout: bool = False
    timeout_seconds: int = Field(default=0, ge=0)
    job_cluster_key: str | None = None
    new_cluster: Cluster | None = None
    spark_python_task: PythonFile | None = None
    python_wheel_task: WheelEntry | None = None
    condition_task: Condition | None = None
    run_job_task: RunJob | None = None
    for_each_task: ForEach | None = None

    description: _Platform = None
    libraries: _Platform = None
    environment_key: _Platform = None
    existing_cluster_id: _Platform = None
    email_notifications: _Platform = None
    webhook_notifications: _Platform = None
    notification_settings: _Platform = None
    health: _Platform = None
    compute: _Platform = None
    disable_auto_optimization: _Platform = None


class ForEach(_Model):
    """A `for_each_task`; iterations run one after another, whatever the concurrency."""

    inputs: str
    task: Task
    concurrency: int = Field(default=1, ge=1)


class Parameter(_Model):
    """A job parameter and its default."""

    name: str
    default: str


class Job(_Model):
    """A job of the bundle."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    tasks: tuple[Task, ...] = Field(min_length=1)
    job_clusters: tuple[JobCluster, ...] = ()
    timeout_seconds: int = Field(default=0, ge=0)

    description: _Platform = None
    tags: _Platform = None
    max_concurrent_runs: _Platform = None
    queue: _Platform = None
    schedule: _Platform = None
    continuous: _Platform = None
    trigger: _Platform = None
    environments: _Platform = None
    email_notifications: _Platform = None
    webhook_notifications: _Platform = None
    notification_settings: _Platform = None
    health: _Platform = None
    permissions: _Platform = None
    run_as: _Platform = None
    edit_mode: _Platform = None
    format: _Platform = None
    performance_target: _Platform = None
    budget_policy_id: _Platform = None
    lifecycle: _Platform = None


def job_of(key: str, node: Node) -> Job:
    """Reads a resolved job.

    Args:
        key: Its key below `resources.jobs`.
        node: Its resolved YAML.

    Raises:
        BundleError: It has a field that does not exist, that cannot be honoured here, or that has a wrong value; the
            message gives the file and the line.
    """
    try:
        job = Job.model_validate(node.plain())
    except ValidationError as error:
        raise _explained(key, node, error) from None
    for position, task in enumerate(job.tasks):
        _check_kind(key, node.at("tasks", position) or node, task)
    return job


def _check_kind(key: str, node: Node, task: Task) -> None:
    kinds = [kind for kind in KINDS if getattr(task, kind) is not None]
    if len(kinds) != 1:
        place = f"{node.place.file.name}:{node.place.line}"
        found = " and ".join(kinds) or "no kind of task"
        raise BundleError(f"{place}: {key}.{task.task_key}: found {found}, allowed: one of {', '.join(KINDS)}")
    if task.for_each_task is not None:
        _check_kind(key, node.at("for_each_task", "task") or node, task.for_each_task.task)


def _explained(key: str, node: Node, error: ValidationError) -> BundleError:
    first = error.errors()[0]
    path = [step for step in first["loc"] if isinstance(step, str | int)]
    found = node
    for step in path:
        below = found.entries.get(step) if isinstance(step, str) else found.at(step)
        found = found if below is None else below
    name, place = str(path[-1]) if path else key, found.key or found.place
    where = f"{place.file.name}:{place.line}: {'.'.join([key, *map(str, path)])}"
    if first["type"] != "extra_forbidden":
        return BundleError(f"{where}: found {first['input']!r}, {first['msg']}")
    if name.endswith("_task") or name in _REFUSED:
        return BundleError(f"{where}: found {name}, which cannot run here, allowed: {', '.join(KINDS)}")
    return BundleError(f"{where}: found the unknown field '{name}', allowed: {one_of(name, _fields_at(path))}")


def _fields_at(path: list[str | int]) -> list[str]:
    """The fields of the mapping in which the last step of a path is."""
    model: Any = Job
    models = {"tasks": Task, "task": Task, "depends_on": Dependency, "parameters": Parameter} | {
        "job_clusters": JobCluster, "spark_python_task": PythonFile, "python_wheel_task": WheelEntry
    } | {"condition_task": Condition, "run_job_task": RunJob, "for_each_task": ForEach}  # fmt: skip
    for step in path[:-1]:
        model = models.get(step, model) if isinstance(step, str) else model
    return list(model.model_fields)
