"""How alerts open, last and close: the rows of `gold.alerts`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from solosolve.alerts.rules import Alert, Severity


@dataclass(frozen=True)
class AlertRow:
    """A row of `gold.alerts`; an alert and `opened_at` identify it."""

    alert: str
    opened_at: datetime
    closed_at: datetime | None
    severity: str
    evidence: str
    what_to_do: str

    @property
    def summary(self) -> str:
        """The evidence in one sentence."""
        return str(json.loads(self.evidence)["summary"])


@dataclass(frozen=True)
class Settled:
    """What has become of the alerts.

    Attributes:
        open: The rows that are open now, the most severe first, then the newest.
        changed: The rows that opened, changed or closed.
    """

    open: tuple[AlertRow, ...]
    changed: tuple[AlertRow, ...]


def settle(recorded: Iterable[AlertRow], found: Iterable[Alert], at: datetime) -> Settled:
    """Compares the alerts that are open with those that were found.

    An alert that lasts keeps the row in which it opened, with the newest evidence.

    Args:
        recorded: The rows of `gold.alerts`.
        found: The alerts now.
        at: The present instant, at which those that were not found close.
    """
    before = {row.alert: row for row in recorded if row.closed_at is None}
    now = [_row(alert, before.get(alert.name)) for alert in found]
    lasting = {row.alert for row in now}
    closed = [replace(row, closed_at=at) for name, row in before.items() if name not in lasting]
    changed = [row for row in now if row != before.get(row.alert)]
    severities = list(Severity)
    by_urgency = sorted(now, key=lambda row: (severities.index(Severity(row.severity)), -row.opened_at.timestamp()))
    return Settled(tuple(by_urgency), (*changed, *closed))


def _row(alert: Alert, recorded: AlertRow | None) -> AlertRow:
    opened_at = alert.since if recorded is None else recorded.opened_at
    return AlertRow(alert.name, opened_at, None, alert.severity.value, alert.evidence, alert.what_to_do)
