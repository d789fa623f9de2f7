"""The last run of each job."""

from __future__ import annotations

from solosolve.settings import Settings
from solosolve.storage.job_runs import JobRunRecord, newest_runs


def last_runs(settings: Settings) -> tuple[JobRunRecord, ...] | None:
    """Returns the newest run of each job that has run here, the one that began last first.

    On the platform it returns None: there, the workspace's page Jobs shows them.
    """
    return newest_runs(settings.runs) if settings.is_local else None
