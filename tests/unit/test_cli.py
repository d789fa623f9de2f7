from __future__ import annotations

import pytest
from click.testing import CliRunner

from solosolve.cli import cli
from solosolve.errors import UsageError


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nope"], "job: found 'nope', the bundle has "),
        (["run", "medallion", "--param", "x"], "--param: found 'x', allowed: NAME=VALUE"),
        (["run", "medallion", "--param", "x=1"], "parameter: found 'x', medallion take feature_set, recover, source"),
        (["run", "medallion", "--from", "x"], "--from: found 'x', allowed: ingest_complaints, "),
        (["run", "medallion", "--target", "prod"], "--target: found 'prod', only 'local' runs here: "),
    ],
)
def test_run_refuses_wrong_words_before_spark_starts(words: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(message)


def test_every_command_has_help() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
