from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

JOB = Path(__file__).parents[3] / "jobs" / "score_stream.py"


@pytest.mark.parametrize("words", ["banana", "10", "-1 seconds", "1 second ago", "1 fortnight", ""])
def test_trigger_that_is_not_an_interval_is_refused_before_spark_starts(words: str) -> None:
    shown = CliRunner().invoke(runpy.run_path(str(JOB))["command"], ["--trigger", words])
    assert shown.exit_code == 2
    assert f"found '{words}', expected an interval such as '500 milliseconds' or '10 seconds'" in shown.output
