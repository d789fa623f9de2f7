from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from solosolve.cli.main import cli
from solosolve.errors import BundleError, SettingsError, UsageError

BRANCHES = Path(__file__).parents[2] / "support" / "bundles" / "branches"


@pytest.fixture(autouse=True)
def _in_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BRANCHES)


def output(*words: str) -> str:
    done = CliRunner().invoke(cli, ["bundle", *words])
    assert done.exit_code == 0, done.exception
    return done.output


def test_plan_shows_what_each_task_runs() -> None:
    words = ("plan", "cleanup", "--target", "prod", "--param", "reason=a test")
    assert output(*words) == "cleanup.remove: jobs/remove.py --reason a test\n"


def test_plan_as_json_has_the_environment_of_the_target() -> None:
    (task,) = json.loads(output("plan", "cleanup", "--target", "prod", "--format", "json", "--var", "catalog=mine"))
    assert (task["file"], task["environment"]) == ("jobs/remove.py", {"IMPORTS_CATALOG": "mine"})
    assert task["job_name"] == "cleanup"


def test_graph_draws_a_flowchart() -> None:
    assert output("graph", "cleanup", "--target", "test").startswith(
        'flowchart LR\n  subgraph cleanup["[test] cleanup"]'
    )


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["plan", "--target", "moon"], SettingsError, "target: found 'moon', allowed: test, prod"),
        (["plan", "x", "--target", "prod"], UsageError, "job: found 'x', the bundle has cleanup, imports"),
        (["plan", "--var", "x", "--target", "prod"], UsageError, "--var: found 'x', allowed: NAME=VALUE"),
        (
            ["check", "--var", "x=1"],
            UsageError,
            "--var: found 'x', the bundle has catalog, cluster, runtime, warehouse",
        ),
        (["graph", "x", "--target", "prod"], UsageError, "job: found 'x', the bundle has cleanup, imports"),
    ],
)
def test_bundle_commands_refuse_wrong_arguments(words: list[str], error: type[Exception], message: str) -> None:
    result = CliRunner().invoke(cli, ["bundle", *words])
    assert isinstance(result.exception, error)
    assert str(result.exception).startswith(message)


def test_bundle_commands_need_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.cli.bundle_commands.find_bundle", lambda: None)
    result = CliRunner().invoke(cli, ["bundle", "check"])
    assert isinstance(result.exception, BundleError)
