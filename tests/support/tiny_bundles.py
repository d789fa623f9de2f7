"""Writes small bundles into a folder, and runs their jobs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from rich.console import Console

from solosolve.local.job_plan import load_bundle
from solosolve.local.planned import PlannedTask
from solosolve.local.run_report import RunReport
from solosolve.local.runner import run_tasks

MAIN = "bundle: {name: tiny}\ninclude: [resources/*.yml]\ntargets: {local: {}, prod: {}}\n"
LOGGING_TASK = """
import os
from pathlib import Path
from solosolve.task_values import set_task_value

def log(text):
    with (Path(__file__).parent.parent / "log").open("a") as file:
        file.write(text + "\\n")

def main(argv):
    log(" ".join([Path(__file__).stem, *argv]))
"""


class TinyBundle:
    """A bundle in a folder, whose task files log the arguments that they are called with."""

    def __init__(self, root: Path, main: str = MAIN) -> None:
        self.root = root
        self.shown = io.StringIO()
        for folder in ("bundle", "resources", "jobs"):
            (root / folder).mkdir(exist_ok=True)
        self.write("databricks.yml", main)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    def job(self, name: str, body: str) -> None:
        """Writes a job resource; `body` is its YAML below the name line."""
        lines = "".join(f"      {line}\n" for line in dedent(body).strip().splitlines())
        head = f"resources:\n  jobs:\n    {name}:\n"
        self.write(f"resources/{name}.job.yml", head + f"      name: tiny_{name}\n" + lines)

    def task_file(self, name: str, body: str = "pass") -> None:
        """Writes a task file that logs its arguments and then does something."""
        self.write(f"jobs/{name}.py", LOGGING_TASK + f"    {body}\n")

    def plan(self, *jobs: str, parameters: Mapping[str, str] | None = None, **variables: str) -> list[PlannedTask]:
        return load_bundle(self.root, "local", variables=variables, environ={}).plan(jobs, parameters or {})

    def run(self, *jobs: str, **parameters: str) -> RunReport:
        return self.run_tasks(self.plan(*jobs, parameters=parameters))

    def run_tasks(self, tasks: list[PlannedTask]) -> RunReport:
        console = Console(file=self.shown, width=200)
        return run_tasks(tasks, runs=self.root / "runs", resume="again", console=console)

    @property
    def log(self) -> list[str]:
        file = self.root / "log"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def states(self) -> dict[str, str]:
        latest = RunReport.latest(self.root / "runs")
        return {task.task: task.state for task in latest.tasks} if latest else {}
