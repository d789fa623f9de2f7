from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from solosolve.cli.kafka_commands import kafka
from solosolve.errors import UsageError


@pytest.mark.parametrize("name", sorted(kafka.commands))
def test_every_command_has_help(name: str) -> None:
    assert kafka.commands[name].help
    assert CliRunner().invoke(kafka, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("words", [["--rows", "5"], ["--seed", "0"]])
def test_produce_refuses_a_file_together_with_sample_options(words: list[str]) -> None:
    result = CliRunner().invoke(kafka, ["produce", "--csv", "a.csv", *words])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith("--csv: cannot be combined with --rows or --seed")


@pytest.mark.parametrize("words", [["--rate", "0"], ["--rate", "-1"], ["--limit", "0"], ["--topic", "predictions"]])
def test_produce_refuses_invalid_option_values(words: list[str]) -> None:
    assert CliRunner().invoke(kafka, ["produce", *words]).exit_code == 2


def test_command_line_imports_neither_kafka_nor_spark() -> None:
    code = "import sys, solosolve.cli.main; print({'kafka', 'pyspark', 'psutil', 'rich'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"
