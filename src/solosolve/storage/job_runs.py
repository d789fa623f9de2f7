"""How the runs of each job went on this machine: one small file for each run, below the home."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from solosolve.alerts.facts import FailedRun

logger = logging.getLogger("solosolve.runner")

_CLOCK_SECONDS = 2.0
"""How far off the beginning of a process may be, which is counted from that of the machine, in whole seconds."""

RUNNING, DONE, FAILED, STOPPED, INTERRUPTED, KILLED = "running", "done", "failed", "stopped", "interrupted", "killed"


@dataclass(frozen=True)
class JobRunRecord:
    """One run of a job.

    Attributes:
        job: The job.
        started_at: When it began.
        ended_at: When it ended; None while it runs, and if it was killed.
        outcome: running, done, failed, stopped (a stream that was told to), interrupted (by Ctrl-C) or killed (its
            process is gone, and did not say why).
        failed_task: The first task that failed.
        error: Why, in one line.
        process: The number of its process.
    """

    job: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str = RUNNING
    failed_task: str | None = None
    error: str | None = None
    process: int = 0

    def save(self, runs: Path) -> None:
        """Writes the run's file, in place of the one that it has; a failure is logged, and stops no job.

        Args:
            runs: Folder of the run reports.
        """
        file = runs / "jobs" / self.job / f"{self.started_at:%Y-%m-%dT%H%M%S.%f}.json"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_text(json.dumps(asdict(self), default=datetime.isoformat), encoding="utf-8")
            part.replace(file)
        except OSError as error:
            logger.warning("cannot record the run of %s: %s", self.job, error)


def newest_runs(runs: Path) -> tuple[JobRunRecord, ...]:
    """The newest run of each job, the job that began last first.

    Args:
        runs: Folder of the run reports; it need not exist.
    """
    return _newest_first(next(found, None) for found in _runs_by_job(runs))


def newest_ended_runs(runs: Path) -> tuple[JobRunRecord, ...]:
    """The newest run of each job that has ended, the job that began last first; a run that goes on says nothing yet.

    Args:
        runs: Folder of the run reports; it need not exist.
    """
    return _newest_first(next((run for run in found if run.outcome != RUNNING), None) for found in _runs_by_job(runs))


def failed_runs(found: tuple[JobRunRecord, ...]) -> tuple[FailedRun, ...]:
    """Those runs that failed or were killed."""
    return tuple(
        FailedRun(run.job, run.ended_at or run.started_at, run.failed_task, run.error or "it was killed.")
        for run in found
        if run.outcome in (FAILED, KILLED)
    )


def _runs_by_job(runs: Path) -> Iterator[Iterator[JobRunRecord]]:
    """The runs of each job, the newest first."""
    for folder in (runs / "jobs").glob("*"):
        yield map(_read, sorted(folder.glob("*.json"), reverse=True))


def _newest_first(found: Iterable[JobRunRecord | None]) -> tuple[JobRunRecord, ...]:
    return tuple(sorted((run for run in found if run), key=lambda run: run.started_at, reverse=True))


def _read(file: Path) -> JobRunRecord:
    saved = json.loads(file.read_text(encoding="utf-8"))
    for name in ("started_at", "ended_at"):
        saved[name] = saved[name] and datetime.fromisoformat(saved[name]).astimezone(UTC)
    if saved["outcome"] == RUNNING and not _is_alive(saved["process"], saved["started_at"]):
        saved["outcome"] = KILLED
    return JobRunRecord(**saved)


def _is_alive(process: int, started_at: datetime) -> bool:
    """Whether the process of a run is there; one that began after the run only has its number."""
    # The platform has no such runs, and no psutil.
    import psutil

    try:
        began = psutil.Process(process).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return bool(began <= started_at.timestamp() + _CLOCK_SECONDS)
