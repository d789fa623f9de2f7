from __future__ import annotations

from pathlib import Path

from solosolve.cli.bundle_commands import bundle_root
from solosolve.local.job_plan import load_bundle
from solosolve.local.live_turn import JOBS, SETTINGS, parameters_of
from solosolve.settings import Settings


def test_turn_runs_jobs_of_the_bundle_with_parameters_that_they_have(tmp_path: Path) -> None:
    given = parameters_of(str(tmp_path / "*.csv"), "kafka", "2026-01-02T03:04:05+00:00")
    tasks = load_bundle(bundle_root(), "local").plan(JOBS, given)
    assert {task.job for task in tasks} == set(JOBS)


def test_settings_of_a_turn_are_settings_of_the_project() -> None:
    Settings.load(environ=SETTINGS)
