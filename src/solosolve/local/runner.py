"""Runs the bundle's jobs in this process, in one session, up to the first job that fails."""

from __future__ import annotations

import importlib.util
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from solosolve.errors import BundleError, SolosolveError, StoppedError, TaskFailedError, UsageError, one_line
from solosolve.local.job_plan import PlannedTask

logger = logging.getLogger("solosolve.runner")

Main = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class TaskRun:
    """How one task went."""

    job: str
    task: str
    seconds: float
    state: str


@dataclass(frozen=True)
class RunReport:
    """How a run went."""

    started_at: str
    tasks: tuple[TaskRun, ...] = ()

    def save(self, runs: Path) -> None:
        """Writes `<started_at>.json` and `latest.json` into the folder."""
        runs.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1)
        (runs / f"{self.started_at.replace(':', '')}.json").write_text(text, encoding="utf-8")
        part = runs / ".latest.json.part"
        part.write_text(text, encoding="utf-8")
        part.replace(runs / "latest.json")

    @classmethod
    def latest(cls, runs: Path) -> RunReport | None:
        """Reads the newest report; None before the first run."""
        path = runs / "latest.json"
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        return cls(saved["started_at"], tuple(TaskRun(**task) for task in saved["tasks"]))


def run_tasks(tasks: Sequence[PlannedTask], *, runs: Path, resume: str, console: Console) -> RunReport:
    """Runs planned tasks one after another, as the platform runs a job: a failed task stops those that need it.

    Args:
        tasks: What to run, in order.
        runs: Folder of the run reports.
        resume: The command that repeats this run, to which `--from TASK` is added for the failed task.
        console: The console for progress.

    Returns:
        The report, which is saved after each task.

    Raises:
        TaskFailedError: A task failed; the message names it, the reason, and how to resume. Later jobs do not run.
        UsageError: A task does not accept its parameters.
        KeyboardInterrupt: A task was stopped, and others were to follow.
    """
    report = RunReport(datetime.now(UTC).isoformat(timespec="milliseconds"))
    failure: SolosolveError | None = None
    for number, task in enumerate(tasks, start=1):
        if failure is not None and task.job != report.tasks[-1].job:
            break
        started = time.perf_counter()
        console.print(f"[bold]\\[{number}/{len(tasks)}][/] {task.job} · [cyan]{task.name}[/]", highlight=False)
        if not _is_due(task, report):
            report = _save(report, task, started, runs, "skipped")
            console.print("      skipped", style="yellow", highlight=False)
            continue
        try:
            _run(task, console)
        except (KeyboardInterrupt, click.Abort):
            # Click turns an interrupt inside a task into Abort. Neither means that the task is broken.
            _save(report, task, started, runs, "interrupted")
            raise
        except StoppedError as stopped:
            report = _save(report, task, started, runs, "stopped")
            if number < len(tasks):
                raise KeyboardInterrupt from stopped
            return report
        except Exception as error:
            logger.debug("%s failed", task.name, exc_info=not isinstance(error, SolosolveError | click.ClickException))
            report = _save(report, task, started, runs, "failed")
            failure = failure or _failure(task, resume, error)
            console.print("      failed", style="red", highlight=False)
            continue
        report = _save(report, task, started, runs, "done")
        console.print(f"      done in {report.tasks[-1].seconds:.1f} s", style="green", highlight=False)
    if failure is not None:
        raise failure
    return report


def _run(task: PlannedTask, console: Console) -> None:
    with _progress(task, console):
        _load(task)(task.arguments)


def _is_due(task: PlannedTask, report: RunReport) -> bool:
    """Whether its dependencies ended as `run_if` requires; tasks skipped by --from count as done."""
    states = {run.task: run.state for run in report.tasks if run.job == task.job}
    return task.run_if == "ALL_DONE" or all(states.get(name, "done") == "done" for name in task.depends_on)


def from_task(tasks: Sequence[PlannedTask], name: str) -> list[PlannedTask]:
    """Drops the tasks before `name`.

    Raises:
        UsageError: There is no such task.
    """
    names = [task.name for task in tasks]
    if name not in names:
        raise UsageError(f"--from: found '{name}', allowed: {', '.join(names)}")
    return list(tasks[names.index(name) :])


def _progress(task: PlannedTask, console: Console) -> Progress:
    """A spinner and a clock, only on a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    progress.add_task(f"{task.name} is running", total=None)
    return progress


def _load(task: PlannedTask) -> Main:
    spec = importlib.util.spec_from_file_location(f"solosolve_job_{task.name}", task.file)
    if spec is None or spec.loader is None:
        raise BundleError(f"{task.job}.{task.name}: {task.file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Main = module.main
    return main


def _save(report: RunReport, task: PlannedTask, started: float, runs: Path, state: str) -> RunReport:
    seconds = time.perf_counter() - started
    longer = replace(report, tasks=(*report.tasks, TaskRun(task.job, task.name, seconds, state)))
    longer.save(runs)
    return longer


def _failure(task: PlannedTask, resume: str, error: Exception) -> SolosolveError:
    if isinstance(error, click.ClickException):
        reason = error.format_message()
    else:
        reason = str(error) if isinstance(error, SolosolveError) else one_line(error)
    failure: SolosolveError
    if isinstance(error, click.BadParameter | UsageError):
        # Repeating the command would fail again.
        failure = UsageError(f"{task.job}.{task.name}: {reason}")
    else:
        failure = TaskFailedError(
            f"{task.job}.{task.name} failed: {reason}\n  once it is fixed, resume with: {resume} --from {task.name}"
        )
    failure.__cause__ = error
    return failure
