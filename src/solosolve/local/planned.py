"""A task that is ready to run, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from solosolve.local.dynamic_values import fill_parameters
from solosolve.local.job_models import Condition, Dependency, RunIf


@dataclass(frozen=True)
class Call:
    """Python code with command-line arguments: a file, or an entry point of an installed package.

    Attributes:
        parameters: The arguments, in which `{{...}}` may stand.
        file: The file, if it is one.
        package: The package, if it is an entry point.
        entry_point: The entry point's name.
    """

    parameters: tuple[str, ...] = ()
    file: Path | None = None
    package: str = ""
    entry_point: str = ""


@dataclass(frozen=True)
class Started:
    """Another job of the bundle, with its tasks planned.

    Attributes:
        job: Its key.
        parameters: Values for its parameters, in which `{{...}}` may stand.
        tasks: Its tasks in order.
    """

    job: str
    parameters: Mapping[str, str]
    tasks: tuple[PlannedTask, ...]


@dataclass(frozen=True)
class ForEachElement:
    """A task that runs once for each element of a JSON array."""

    inputs: str
    task: PlannedTask


Work = Call | Condition | Started | ForEachElement


@dataclass(frozen=True)
class Limits:
    """How often and how long a task may run.

    Attributes:
        max_retries: How often it is tried again; -1 for no limit.
        retry_interval_seconds: Minimum time between the starts of two tries.
        retry_on_timeout: Whether it is tried again when it took too long.
        timeout_seconds: How long one try may take; 0 for no limit.
    """

    max_retries: int = 0
    retry_interval_seconds: float = 0
    retry_on_timeout: bool = False
    timeout_seconds: int = 0


@dataclass(frozen=True)
class JobFrame:
    """What the tasks of a job share.

    Attributes:
        name: The job's name.
        parameters: The values of its parameters.
        defaults: Their defaults.
        timeout_seconds: How long the job may take; 0 for no limit.
    """

    name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int = 0


@dataclass(frozen=True)
class PlannedTask:
    """A task that is ready to run.

    Attributes:
        job: The key of its job.
        name: Its key.
        work: What it does.
        depends_on: The tasks of its job that it follows.
        run_if: When it runs, given how they went.
        limits: Retries and timeout.
        environment: Environment variables of its cluster.
        frame: What it shares with the job's other tasks.
    """

    job: str
    name: str
    work: Work
    depends_on: tuple[Dependency, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"
    limits: Limits = Limits()
    environment: Mapping[str, str] = field(default_factory=dict)
    frame: JobFrame = JobFrame()

    @property
    def file(self) -> Path | None:
        """Its Python file, if it runs one."""
        return self.work.file if isinstance(self.work, Call) else None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Its command-line arguments with the job's parameters; what is known only in a run stays `{{...}}`."""
        words = self.work.parameters if isinstance(self.work, Call) else ()
        where = f"{self.job}.{self.name}"
        return tuple(fill_parameters(word, self.frame.parameters, where) for word in words)

    def check_parameters(self) -> None:
        """Checks that the job declares every parameter that the task names.

        Raises:
            BundleError: It does not.
        """
        for text in _texts(self.work):
            fill_parameters(text, self.frame.parameters, f"{self.job}.{self.name}")

    def with_parameters(self, parameters: Mapping[str, str]) -> PlannedTask:
        """The task with other values for the job's parameters."""
        work = self.work
        if isinstance(work, ForEachElement):
            work = replace(work, task=work.task.with_parameters(parameters))
        return replace(self, work=work, frame=replace(self.frame, parameters=parameters))


def _texts(work: Work) -> tuple[str, ...]:
    """The texts of a task in which `{{...}}` may stand."""
    match work:
        case Call():
            return work.parameters
        case Condition():
            return work.left, work.right
        case Started():
            return tuple(work.parameters.values())
        case ForEachElement():
            return (work.inputs,)
