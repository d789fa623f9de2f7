"""Runs the bundle's jobs in this process, in one session, up to the first job that fails."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console

from solosolve.errors import SolosolveError, StoppedError, TaskFailedError, UsageError
from solosolve.local.job_run import Failure, JobRun, reason_of
from solosolve.local.planned import PlannedTask
from solosolve.local.recorder import Recorder
from solosolve.local.run_report import RunReport


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
    recorder = Recorder(runs, console, len(tasks))
    for _, group in groupby(tasks, key=lambda task: task.job):
        job = JobRun(list(group), recorder)
        try:
            job.run()
        except StoppedError as stopped:
            if recorder.begun < len(tasks):
                raise KeyboardInterrupt from stopped
            return recorder.report
        if job.failures:
            raise _as_error(job.failures[0], resume)
    return recorder.report


def from_task(tasks: Sequence[PlannedTask], name: str) -> list[PlannedTask]:
    """Drops the tasks before `name`.

    Raises:
        UsageError: There is no such task.
    """
    names = [task.name for task in tasks]
    if name not in names:
        raise UsageError(f"--from: found '{name}', allowed: {', '.join(names)}")
    return list(tasks[names.index(name) :])


def only_tasks(tasks: Sequence[PlannedTask], chosen: Sequence[str]) -> list[PlannedTask]:
    """Keeps some tasks; those that they depend on count as done.

    Raises:
        UsageError: There is no such task.
    """
    names = [task.name for task in tasks]
    if unknown := [name for name in chosen if name not in names]:
        raise UsageError(f"--only: found '{unknown[0]}', allowed: {', '.join(names)}")
    return [task for task in tasks if task.name in chosen]


def _as_error(failure: Failure, resume: str) -> SolosolveError:
    task, reason = failure.task, reason_of(failure.error)
    error: SolosolveError
    if isinstance(failure.error, click.BadParameter | UsageError):
        # Repeating the command would fail again.
        error = UsageError(f"{task.job}.{task.name}: {reason}")
    else:
        error = TaskFailedError(
            f"{task.job}.{task.name} failed: {reason}\n  once it is fixed, resume with: {resume} --from {task.name}"
        )
    error.__cause__ = failure.error
    return error
