from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solosolve.storage.job_runs import (
    DONE,
    FAILED,
    INTERRUPTED,
    KILLED,
    JobRunRecord,
    failed_runs,
    newest_ended_runs,
    newest_runs,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_newest_run_of_each_job_is_read_back(tmp_path: Path) -> None:
    failed = JobRunRecord("retrain", NOW, NOW + timedelta(hours=1), FAILED, "train_model", "ModelError: no rows")
    done = JobRunRecord("medallion", NOW - timedelta(hours=1), NOW, DONE)
    for run in (failed, JobRunRecord("retrain", NOW - timedelta(days=1), NOW, DONE), done):
        run.save(tmp_path)
    assert newest_runs(tmp_path) == (failed, done)
    assert [(run.job, run.task, run.error) for run in failed_runs(newest_runs(tmp_path))] == [
        ("retrain", "train_model", "ModelError: no rows")
    ]


def test_run_that_goes_on_is_running_and_one_without_its_process_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    JobRunRecord("retrain", datetime.now(UTC), process=os.getpid()).save(tmp_path)
    JobRunRecord("medallion", NOW, process=gone.pid).save(tmp_path)
    assert {run.job: run.outcome for run in newest_runs(tmp_path)} == {"retrain": "running", "medallion": KILLED}
    assert [(run.job, run.error) for run in failed_runs(newest_runs(tmp_path))] == [("medallion", "it was killed.")]


def test_process_that_began_after_the_run_only_has_its_number(tmp_path: Path) -> None:
    JobRunRecord("retrain", datetime.now(UTC) - timedelta(days=9), process=os.getpid()).save(tmp_path)
    assert [run.outcome for run in newest_runs(tmp_path)] == [KILLED]


def test_run_that_goes_on_does_not_hide_how_the_one_before_ended(tmp_path: Path) -> None:
    at = datetime.now(UTC)
    failed = JobRunRecord("retrain", at - timedelta(days=1), at, FAILED, "train_model", "ModelError: no rows")
    going_on = JobRunRecord("retrain", at, process=os.getpid())
    first = JobRunRecord("medallion", at, process=os.getpid())
    for run in (JobRunRecord("retrain", at - timedelta(days=2), at, DONE), failed, going_on, first):
        run.save(tmp_path)
    assert newest_ended_runs(tmp_path) == (failed,)
    assert set(newest_runs(tmp_path)) == {going_on, first}


def test_run_that_was_interrupted_has_not_failed() -> None:
    assert failed_runs((JobRunRecord("retrain", NOW, NOW, INTERRUPTED),)) == ()


def test_home_without_runs_has_none(tmp_path: Path) -> None:
    assert newest_runs(tmp_path) == ()


def test_record_that_cannot_be_written_stops_no_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "jobs").touch()
    JobRunRecord("retrain", NOW).save(tmp_path)
    assert "cannot record the run of retrain" in caplog.text
