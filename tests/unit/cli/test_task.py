from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from filelock import FileLock

from solosolve.cli.task import flag_option, run_task
from solosolve.errors import BusyError


def test_task_refuses_to_run_twice_at_once_in_one_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOSOLVE_HOME", str(tmp_path))
    (tmp_path / "locks").mkdir()
    with (
        FileLock(tmp_path / "locks" / "refine_complaints.task.lock", is_singleton=False),
        pytest.raises(BusyError, match=f"refine_complaints is running in another process on {tmp_path}: wait "),
    ):
        run_task("refine_complaints", "local", lambda spark, settings: None)


@click.command()
@flag_option("--recover", help="Start over.")
@click.option("--source", default="delta")
def command(recover: bool, source: str) -> None:
    click.echo(f"{recover} {source}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "False delta"),
        (["--recover"], "True delta"),
        (["--recover", "true"], "True delta"),
        (["--recover", "false"], "False delta"),
        (["--recover=true"], "True delta"),
        (["--recover=false"], "False delta"),
        # An option after a bare flag is not the flag's value.
        (["--recover", "--source", "kafka"], "True kafka"),
        (["--source", "kafka", "--recover"], "True kafka"),
    ],
)
def test_flag_may_be_bare_or_have_a_value(words: list[str], expected: str) -> None:
    shown = CliRunner().invoke(command, words)
    assert (shown.exit_code, shown.output) == (0, f"{expected}\n")


@pytest.mark.parametrize("word", ["perhaps", "2", "{{job.parameters.recover}}"])
def test_flag_refuses_other_values(word: str) -> None:
    shown = CliRunner().invoke(command, ["--recover", word])
    assert (shown.exit_code, f"'{word}' is not a valid boolean" in shown.output) == (2, True)


def test_flag_shows_its_default() -> None:
    assert "[default: False]" in CliRunner().invoke(command, ["--help"]).output
