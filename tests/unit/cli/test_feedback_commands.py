from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from solosolve.cli.feedback_commands import feedback
from solosolve.flows import ingest_feedback
from solosolve.storage.feedback_events import Recorded


@pytest.mark.parametrize("name", sorted(feedback.commands))
def test_every_command_has_help(name: str) -> None:
    assert feedback.commands[name].help
    assert CliRunner().invoke(feedback, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("words", [[], ["--file", "a", "--rate", "0"], ["--file", "a", "--limit", "0"]])
def test_produce_refuses_invalid_options(words: list[str]) -> None:
    assert CliRunner().invoke(feedback, ["produce", *words]).exit_code == 2


def test_produce_without_a_file_names_the_option() -> None:
    result = CliRunner().invoke(feedback, ["produce"])
    assert (result.exit_code, "Missing option '--file'" in result.output) == (2, True)


def test_import_runs_the_flow_and_shows_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[str] = []

    def run(spark: object, settings: object, source: str) -> Recorded:
        sources.append(source)
        return Recorded(1_200, 3, 0)

    monkeypatch.setenv("SOLOSOLVE_HOME", str(tmp_path))
    monkeypatch.setattr("solosolve.cli.task.spark_session", lambda settings, name: None)
    monkeypatch.setattr(ingest_feedback, "run", run)
    result = CliRunner().invoke(feedback, ["import", "events.csv"])
    assert result.exit_code == 0, result.output
    assert sources == ["events.csv"]
    assert "1,203 messages: 1,200 new events, 3 known ones, 0 dead letters" in result.output
