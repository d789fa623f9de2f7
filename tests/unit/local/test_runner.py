from __future__ import annotations

import io
import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import pytest
from rich.console import Console

from solosolve.errors import BundleError, ModelError, TaskFailedError, UsageError
from solosolve.local.job_models import Dependency, RunIf
from solosolve.local.planned import Call, PlannedTask
from solosolve.local.run_report import RunReport, TaskRun
from solosolve.local.runner import from_task, run_tasks
from solosolve.storage.job_runs import newest_runs

LOGS_ITS_ARGUMENTS = """
    with open("{log}", "a") as file:
        file.write("{name} " + " ".join(argv) + "\\n")
"""


class Run:
    """Writes task files into a folder, runs them, and shows what they did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.log = folder / "log"
        self.progress = io.StringIO()

    def task(
        self,
        name: str,
        *arguments: str,
        body: str = "pass",
        imports: str = "",
        after: str = "",
        run_if: RunIf = "ALL_SUCCESS",
    ) -> PlannedTask:
        file = self.folder / f"{name}.py"
        logs = LOGS_ITS_ARGUMENTS.format(log=self.log, name=name)
        file.write_text(f"{imports}\ndef main(argv):{logs}    {body}\n")
        depends_on = tuple(Dependency(task_key=each) for each in after.split())
        return PlannedTask("tiny", name, Call(arguments, file=file), depends_on, run_if)

    def run(self, *tasks: PlannedTask, resume: str = "solosolve run tiny") -> RunReport:
        console = Console(file=self.progress, width=100)
        return run_tasks(tasks, runs=self.runs, resume=resume, console=console)

    @property
    def done(self) -> list[str]:
        return [line.strip() for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def saved_states(self) -> list[tuple[str, str]]:
        latest = RunReport.latest(self.runs)
        return [(task.task, task.state) for task in latest.tasks] if latest else []


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_run_tasks_runs_them_in_order_with_their_arguments(run: Run) -> None:
    run.run(run.task("b", "--x", "1"), run.task("a"), run.task("c", "--y"))
    assert run.done == ["b --x 1", "a", "c --y"]


def test_run_tasks_reports_each_task(run: Run) -> None:
    report = run.run(run.task("a"), run.task("b"))
    assert [(task.job, task.task, task.state) for task in report.tasks] == [
        ("tiny", "a", "done"),
        ("tiny", "b", "done"),
    ]
    assert all(task.seconds >= 0 for task in report.tasks)
    assert datetime.fromisoformat(report.started_at).utcoffset() is not None


def test_run_tasks_shows_progress(run: Run) -> None:
    run.run(run.task("a"), run.task("b"))
    lines = [line.strip() for line in run.progress.getvalue().splitlines()]
    assert [line for line in lines if line.startswith("[")] == ["[1/2] tiny · a", "[2/2] tiny · b"]
    assert len([line for line in lines if line.startswith("done in ")]) == 2


def test_run_tasks_of_nothing_reports_nothing(run: Run) -> None:
    assert run.run().tasks == ()


FAILS = "raise ValueError('boom')"


def test_run_tasks_skips_what_needs_a_failed_task(run: Run) -> None:
    tasks = [
        run.task("a"),
        run.task("b", body=FAILS, after="a"),
        run.task("c", after="b"),
        run.task("d", after="c"),
        run.task("e", after="a"),
        run.task("f", after="b e", run_if="ALL_DONE"),
        run.task("g", after="f"),
    ]
    with pytest.raises(TaskFailedError, match=r"^tiny\.b failed: ValueError: boom\n"):
        run.run(*tasks)
    assert run.done == ["a", "b", "e", "f", "g"]
    states = {"a": "done", "b": "failed", "c": "skipped", "d": "skipped", "e": "done", "f": "done", "g": "done"}
    assert dict(run.saved_states) == states


def test_run_tasks_runs_no_job_after_one_that_failed(run: Run) -> None:
    other = replace(run.task("c"), job="later")
    with pytest.raises(TaskFailedError):
        run.run(run.task("a", body=FAILS), run.task("b"), other)
    assert run.done == ["a", "b"]


def test_run_tasks_shows_all_lines_of_a_refusal(run: Run) -> None:
    imports = "from solosolve.errors import RefusedFilesError"
    failing = run.task("a", imports=imports, body="raise RefusedFilesError(['x.csv: empty', 'y.csv: cut'], 3)")
    with pytest.raises(TaskFailedError) as error:
        run.run(failing)
    assert str(error.value).splitlines() == [
        "tiny.a failed: 2 of 3 files refused, the others have been landed:",
        "  x.csv: empty",
        "  y.csv: cut",
        "  once it is fixed, resume with: solosolve run tiny --from a",
    ]


def test_run_tasks_names_the_failed_task_the_reason_and_how_to_resume(run: Run) -> None:
    with pytest.raises(TaskFailedError) as error:
        run.run(run.task("a", body="raise ValueError('boom')"), resume="solosolve run tiny --param source=x")
    assert str(error.value).splitlines() == [
        "tiny.a failed: ValueError: boom",
        "  once it is fixed, resume with: solosolve run tiny --param source=x --from a",
    ]


def test_run_tasks_reports_a_solosolve_error_without_its_type(run: Run) -> None:
    failing = run.task("a", imports="from solosolve.errors import ModelError", body="raise ModelError('no model')")
    with pytest.raises(TaskFailedError, match=r"^tiny\.a failed: no model\n") as error:
        run.run(failing)
    assert isinstance(error.value.__cause__, ModelError)


def test_run_tasks_reports_what_click_says_about_an_unknown_option(run: Run) -> None:
    body = "command.main(args=argv, standalone_mode=False)"
    imports = "import click\n@click.command\n@click.option('--source', required=True)\ndef command(source): pass"
    wrong = run.task("a", "--sauce", "x", imports=imports, body=body)
    with pytest.raises(TaskFailedError, match=r"^tiny\.a failed: No such option.*--sauce") as error:
        run.run(wrong)
    assert isinstance(error.value.__cause__, click.ClickException)


def test_run_tasks_reports_an_invalid_option_value_as_wrong_usage(run: Run) -> None:
    body = "command.main(args=argv, standalone_mode=False)"
    imports = "import click\n@click.command\n@click.option('--rows', type=int)\ndef command(rows): pass"
    with pytest.raises(UsageError, match=r"^tiny\.a: Invalid value for '--rows': 'x' is not a valid integer\.$"):
        run.run(run.task("a", "--rows", "x", imports=imports, body=body))


@pytest.mark.parametrize("content", ["def main(argv:", "import nothing_of_that_name", "", "1 / 0"])
def test_run_tasks_fails_a_task_whose_file_cannot_be_loaded(run: Run, content: str) -> None:
    task = run.task("a")
    task.file.write_text(content)
    with pytest.raises(TaskFailedError, match=r"^tiny\.a failed: \w+Error: "):
        run.run(task)
    assert run.saved_states == [("a", "failed")]


def test_run_tasks_fails_a_task_whose_file_is_not_python(run: Run) -> None:
    file = run.folder / "a.txt"
    file.write_text("words")
    with pytest.raises(TaskFailedError, match=r"^tiny\.a failed: tiny\.a: a\.txt is not a Python file") as error:
        run.run(PlannedTask("tiny", "a", Call(file=file)))
    assert isinstance(error.value.__cause__, BundleError)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, click.Abort])
def test_run_tasks_lets_an_interrupt_through(run: Run, interrupt: type[BaseException]) -> None:
    raises = f"raise {interrupt.__name__}"
    imports = "from click import Abort"
    with pytest.raises(interrupt):
        run.run(run.task("a"), run.task("b", imports=imports, body=raises), run.task("c"))
    assert run.done == ["a", "b"]
    assert run.saved_states == [("a", "done"), ("b", "interrupted")]


def test_run_tasks_does_not_take_an_interrupt_inside_a_command_for_a_failure(run: Run) -> None:
    imports = "import click\n@click.command\ndef command(): raise KeyboardInterrupt"
    with pytest.raises(click.Abort):
        run.run(run.task("a", imports=imports, body="command.main(args=argv, standalone_mode=False)"))


def test_run_tasks_saves_the_report_of_a_successful_run(run: Run) -> None:
    report = run.run(run.task("a"), run.task("b"))
    assert RunReport.latest(run.runs) == report
    assert run.saved_states == [("a", "done"), ("b", "done")]


def test_run_tasks_saves_the_report_of_a_failed_run(run: Run) -> None:
    with pytest.raises(TaskFailedError):
        run.run(run.task("a"), run.task("b", body=FAILS, after="a"), run.task("c", after="b"))
    assert run.saved_states == [("a", "done"), ("b", "failed"), ("c", "skipped")]


def test_run_tasks_saves_the_report_after_each_task(run: Run) -> None:
    reads = f"import shutil; shutil.copy('{run.runs}/latest.json', '{run.folder}/seen.json')"
    run.run(run.task("a"), run.task("b", body=reads))
    assert [task["task"] for task in json.loads((run.folder / "seen.json").read_text())["tasks"]] == ["a"]


def test_run_report_keeps_one_file_per_run_and_a_copy_of_the_latest(run: Run) -> None:
    first = RunReport("2026-01-01T00:00:00.000+00:00", (TaskRun("tiny", "a", 1.0, "done"),))
    second = RunReport("2026-01-02T00:00:00.000+00:00", (TaskRun("tiny", "a", 2.0, "failed"),))
    first.save(run.runs)
    second.save(run.runs)
    assert RunReport.latest(run.runs) == second
    assert sorted(path.name for path in run.runs.iterdir()) == [
        "2026-01-01T000000.000+0000.json",
        "2026-01-02T000000.000+0000.json",
        "latest.json",
    ]


def test_run_of_each_job_is_recorded_with_how_it_ended(run: Run) -> None:
    other = replace(run.task("c", body=FAILS), job="later")
    with pytest.raises(TaskFailedError):
        run.run(run.task("a"), other)
    found = {each.job: (each.outcome, each.failed_task, each.error) for each in newest_runs(run.runs)}
    assert found == {"tiny": ("done", None, None), "later": ("failed", "c", "ValueError: boom")}
    assert all(each.ended_at and each.started_at <= each.ended_at for each in newest_runs(run.runs))


@pytest.mark.parametrize(("body", "outcome"), [("raise KeyboardInterrupt", "interrupted"), ("os._exit(9)", "killed")])
def test_run_that_is_cut_off_is_recorded_as_such(run: Run, body: str, outcome: str) -> None:
    child = os.fork()
    if child == 0:
        with suppress(KeyboardInterrupt):
            run.run(run.task("a", body=body, imports="import os"))
        os._exit(0)
    os.waitpid(child, 0)
    assert [(each.job, each.outcome, each.failed_task) for each in newest_runs(run.runs)] == [("tiny", outcome, None)]


def test_latest_run_report_is_none_before_the_first_run(run: Run) -> None:
    assert RunReport.latest(run.runs) is None


def test_from_task_skips_the_tasks_before_it(run: Run) -> None:
    tasks = [run.task("a"), run.task("b"), run.task("c")]
    assert [[task.name for task in from_task(tasks, name)] for name in "abc"] == [["a", "b", "c"], ["b", "c"], ["c"]]
    run.run(*from_task(tasks, "b"))
    assert run.done == ["b", "c"]


def test_from_task_refuses_an_unknown_task(run: Run) -> None:
    with pytest.raises(UsageError, match="--from: found 'z', allowed: a, b"):
        from_task([run.task("a"), run.task("b")], "z")


STOPS = "raise StoppedError('stopped')"
IMPORTS = "from solosolve.errors import StoppedError"


def test_stopped_task_does_not_count_as_failed(run: Run) -> None:
    report = run.run(run.task("a"), run.task("stream", body=STOPS, imports=IMPORTS))
    assert [(task.task, task.state) for task in report.tasks] == [("a", "done"), ("stream", "stopped")]
    assert run.saved_states == [("a", "done"), ("stream", "stopped")]


def test_no_task_runs_after_a_stopped_one(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run.run(run.task("stream", body=STOPS, imports=IMPORTS), run.task("b"))
    assert run.done == ["stream"]
    assert run.saved_states == [("stream", "stopped")]
