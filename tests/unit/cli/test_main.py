from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner

from solosolve.cli.main import cli
from solosolve.errors import MissingDependencyError, SettingsError, UsageError
from solosolve.settings import Settings


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nope"], "job: found 'nope', the bundle has "),
        (["run", "medallion", "--param", "x"], "--param: found 'x', allowed: NAME=VALUE"),
        (
            ["run", "medallion", "--param", "x=1"],
            "parameter: found 'x', medallion take complete, feature_set, recover, source",
        ),
        (["run", "medallion", "--from", "x"], "--from: found 'x', allowed: ingest_complaints, "),
        (["run", "medallion", "--target", "prod"], "--target: found 'prod', but only 'local' runs here; to deploy, "),
    ],
)
def test_run_refuses_wrong_arguments_before_spark_starts(words: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(message)


def test_every_command_has_help() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_dashboard_that_other_machines_can_reach_needs_a_password(settings: Settings) -> None:
    result = CliRunner(env={"SOLOSOLVE_HOME": str(settings.home)}).invoke(cli, ["dashboard", "--host", "0.0.0.0"])
    assert isinstance(result.exception, SettingsError)
    assert "SOLOSOLVE_DASHBOARD_PASSWORD" in str(result.exception)


def test_dashboard_reports_that_its_port_is_in_use(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner(env={"SOLOSOLVE_HOME": str(settings.home)}).invoke(cli, ["dashboard", "--port", port])
    assert isinstance(result.exception, MissingDependencyError)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in str(result.exception)
