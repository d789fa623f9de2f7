"""Judges by the rules what needs a person: the task `raise_alerts` records it, and the dashboard shows it at once."""

from __future__ import annotations

from datetime import datetime

from solosolve.alerts.history import AlertRow, Settled, settle
from solosolve.alerts.rules import find_alerts
from solosolve.settings import Settings
from solosolve.storage.alert_facts import gather_facts, recorded_alerts
from solosolve.storage.asked_tables import Ask
from solosolve.storage.job_runs import failed_runs, newest_ended_runs


def judge(ask: Ask, settings: Settings, at: datetime) -> tuple[tuple[AlertRow, ...], Settled]:
    """Judges the facts as they are.

    Args:
        ask: Asks the tables.
        settings: The thresholds, and where the runs of jobs are recorded.
        at: The instant for which to judge.

    Returns:
        The rows of `gold.alerts`, and what has become of them.
    """
    facts = gather_facts(ask, settings, failed_runs(newest_ended_runs(settings.runs)), at)
    recorded = recorded_alerts(ask)
    return recorded, settle(recorded, find_alerts(facts, settings), at)
