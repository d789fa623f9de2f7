"""Shows what happens in a run, and saves its report after each task."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from solosolve.local.planned import PlannedTask
from solosolve.local.run_report import RunReport, TaskRun

_STYLES = {"done": "green", "failed": "red", "timed out": "red", "skipped": "yellow", "excluded": "yellow"}


class Recorder:
    """Takes what happens to the tasks of a run.

    Args:
        runs: Folder of the run reports.
        console: The console for progress.
        task_count: How many tasks the run has.
    """

    def __init__(self, runs: Path, console: Console, task_count: int) -> None:
        self.runs, self.console, self.task_count = runs, console, task_count
        self.report = RunReport(datetime.now(UTC).isoformat(timespec="milliseconds"))
        self.begun = 0

    def begin(self, task: PlannedTask) -> None:
        """Announces a task."""
        self.begun += 1
        number = f"[bold]\\[{self.begun}/{self.task_count}][/]"
        self.console.print(f"{number} {task.job} · [cyan]{task.name}[/]", highlight=False)

    def note(self, text: str) -> None:
        """Shows a line about the task that is running."""
        self.console.print(f"      {text}", style="dim", highlight=False, markup=False)

    def end(self, task: PlannedTask, state: str, seconds: float) -> None:
        """Records how a task went, and saves the report."""
        run = TaskRun(task.job, task.name, seconds, state)
        self.report = replace(self.report, tasks=(*self.report.tasks, run))
        self.report.save(self.runs)
        if style := _STYLES.get(state):
            text = f"done in {seconds:.1f} s" if state == "done" else state
            self.console.print(f"      {text}", style=style, highlight=False)

    def spinner(self, task: PlannedTask) -> AbstractContextManager[object]:
        """A spinner and a clock, only on a terminal."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        progress = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        progress.add_task(f"{task.name} is running", total=None)
        return progress

    def inside(self) -> Recorder:
        """A recorder for the tasks of a job that one of the tasks starts."""
        return _Inside(self)


class _Inside(Recorder):
    """Records into the report of the run; its tasks have no number, because they were not counted."""

    def __init__(self, outer: Recorder) -> None:
        super().__init__(outer.runs, outer.console, 0)
        self.outer = outer

    def begin(self, task: PlannedTask) -> None:
        self.console.print(f"      {task.job} · [cyan]{task.name}[/]", highlight=False)

    def end(self, task: PlannedTask, state: str, seconds: float) -> None:
        self.outer.end(task, state, seconds)
