"""Records the run of a job while it lasts, and when it ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from solosolve.clock import now
from solosolve.errors import StoppedError
from solosolve.storage.job_runs import DONE, FAILED, INTERRUPTED, STOPPED, JobRunRecord


@contextmanager
def recorded_run(job: str, runs: Path, first_failure: Callable[[], tuple[str, str] | None]) -> Iterator[None]:
    """Records that a job runs in the block, and then how that went.

    Args:
        job: The job.
        runs: Folder of the run reports.
        first_failure: The task that failed first, and why; None if none did.
    """
    record = JobRunRecord(job, now(), process=os.getpid())
    record.save(runs)
    outcome = INTERRUPTED
    try:
        yield
        outcome = FAILED if first_failure() else DONE
    except StoppedError:
        outcome = STOPPED
        raise
    finally:
        task, reason = first_failure() or (None, None)
        line = reason and reason.partition("\n")[0]
        replace(record, ended_at=now(), outcome=outcome, failed_task=task, error=line).save(runs)
