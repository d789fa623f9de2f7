from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve import errors
from solosolve.errors import (
    MissingTableError,
    ModelError,
    NoChampionError,
    NotYetError,
    RefusedFilesError,
    SettingsError,
    SolosolveError,
    StoppedError,
    TaskFailedError,
    UnreadableTablesError,
    UsageError,
)
from solosolve.exit_codes import DONE, FAILED, INTERRUPTED, WRONG_USAGE, one_line, run_as_program, run_as_task
from solosolve.names import PREDICTIONS

WORKER_ERROR = """Job aborted due to stage failure: Task 0 in stage 3.0 failed 1 times: Lost task 0.0
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/somewhere/worker.py", line 3, in main
    raise KeyError("x")
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/somewhere/scorer.py", line 9, in score
    raise ModelError("column company: found int64")
solosolve.errors.ModelError: column company: found int64, the model needs string

\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:581)
Caused by: java.lang.IllegalStateException: nothing of interest
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""


def exit_code(main: Callable[[], object]) -> object:
    with pytest.raises(SystemExit) as stopped:
        run_as_program(main)
    return stopped.value.code


def raising(error: BaseException) -> Callable[[], object]:
    def main() -> None:
        raise error

    return main


def test_exit_codes_have_their_documented_values() -> None:
    assert (DONE, FAILED, WRONG_USAGE, INTERRUPTED) == (0, 1, 2, 130)


def test_program_that_succeeds_exits_0_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: "a result") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (SolosolveError("no table"), 1, "no table"),
        (ModelError("no model"), 1, "no model"),
        (TaskFailedError("a.b failed: c\n  resume with: d"), 1, "a.b failed: c\n  resume with: d"),
        (SettingsError("home: found ''"), 2, "home: found ''"),
        (UsageError("engine: found 'x'"), 2, "engine: found 'x'"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (ValueError("boom\nand more"), 1, "ValueError: boom"),
        (OSError(28, "No space left on device"), 1, "OSError: [Errno 28] No space left on device"),
        (RuntimeError(), 1, "RuntimeError: "),
        (RuntimeError(WORKER_ERROR), 1, WORKER_ERROR.splitlines()[11]),
    ],
)
def test_program_that_fails_reports_the_error_on_standard_error(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(raising(error)) == code
    assert capsys.readouterr() == ("", f"solosolve: {message}\n")


def test_every_error_exits_1_or_2_except_a_requested_stop() -> None:
    built = {
        NotYetError: ("x", "make x"),
        MissingTableError: (PREDICTIONS,),
        UnreadableTablesError: ([PREDICTIONS], datetime(2026, 1, 2, tzinfo=UTC)),
        NoChampionError: (),
        RefusedFilesError: (["x"], 2),
    }
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SolosolveError)]
    codes = {SettingsError: 2, UsageError: 2, StoppedError: 0}
    actual = {kind: exit_code(raising(kind(*built.get(kind, ("x",))))) for kind in kinds}
    assert actual == {kind: codes.get(kind, 1) for kind in kinds}


@click.command()
@click.option("--count", type=int)
def command(count: int | None) -> None:
    if count == 0:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--count", "1"], 0, ""),
        (["--help"], 0, ""),
        (["--count", "many"], 2, "'many' is not a valid integer"),
        (["--number", "1"], 2, "--number"),
        (["--count", "0"], 130, "solosolve: interrupted"),
    ],
)
def test_click_command_runs_as_a_program(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(lambda: command.main(args=words, standalone_mode=False)) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_one_line_of_a_solosolve_error_is_its_first_line() -> None:
    assert one_line(ModelError("no model\nmore")) == "no model"
    assert one_line(ModelError()) == ""


def test_one_line_of_another_error_starts_with_its_type() -> None:
    assert one_line(KeyError("x")) == "KeyError: 'x'"


def test_one_line_of_a_worker_error_is_the_last_line_of_its_traceback() -> None:
    expected = "solosolve.errors.ModelError: column company: found int64, the model needs string"
    assert one_line(RuntimeError(WORKER_ERROR)) == expected


def test_one_line_of_a_message_that_only_looks_like_an_error_is_its_first_line() -> None:
    assert one_line(RuntimeError("it went wrong\nValueError: not this")) == "RuntimeError: it went wrong"


def test_one_line_of_an_error_in_a_real_worker_is_its_type_and_message(spark: SparkSession) -> None:
    def fail(batches: object) -> object:
        raise ModelError("column company: found int64")

    failing = spark.range(1).mapInArrow(fail, "id bigint")
    with pytest.raises(PySparkException) as error:
        failing.collect()
    assert one_line(error.value) == "solosolve.errors.ModelError: column company: found int64"


def test_one_line_of_a_query_that_spark_rejects_is_its_first_line(spark: SparkSession) -> None:
    with pytest.raises(PySparkException) as error:
        spark.range(1).select(F.col("company"))
    line = one_line(error.value)
    assert line.startswith("AnalysisException: [UNRESOLVED_COLUMN")
    assert "\n" not in line


def test_one_line_of_a_failure_in_the_jvm_is_its_innermost_cause() -> None:
    message = (
        "An error occurred while calling o64.save.\n: org.apache.spark.SparkException: Job aborted\n"
        "\tat a.b.C.d(C.java:1)\n"
        "Caused by: java.io.IOException: No space left on device\n\tat e.f.G.h(G.java:2)\n"
    )
    assert one_line(RuntimeError(message)) == "java.io.IOException: No space left on device"


@pytest.fixture
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")


@pytest.mark.usefixtures("_platform")
@pytest.mark.parametrize("main", [lambda: None, raising(StoppedError("between two batches"))])
def test_task_on_the_platform_returns_when_it_is_done_or_stopped(main: Callable[[], object]) -> None:
    run_as_task(main)


@pytest.mark.usefixtures("_platform")
@pytest.mark.parametrize("error", [ModelError("no model"), UsageError("x"), ValueError("boom"), click.UsageError("x")])
def test_task_on_the_platform_raises_what_went_wrong(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        run_as_task(raising(error))
    assert caught.value is error


@pytest.mark.parametrize(("main", "code"), [(lambda: None, 0), (raising(ModelError("no model")), 1)])
def test_task_on_one_machine_exits_as_a_program(main: Callable[[], object], code: int) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_as_task(main)
    assert stopped.value.code == code
