"""What the monitor measured of a model version: the drift of its features, and its performance window by window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.model.alarms import WindowState, new_alarms


@dataclass(frozen=True)
class FeatureRow:
    """One feature in one window.

    Attributes:
        feature: Its name; `score` for the probability.
        state: ok, drift, too_few or no_reference.
        psi: The population stability index; None if it was not measured.
        p_value: Probability of a change as large as this by chance; None if it was not measured.
        record_count: Complaints in the window.
        alarm_since: Start of the window in which its alarm began; None without an alarm.
    """

    feature: str
    state: str
    psi: float | None
    p_value: float | None
    record_count: int
    alarm_since: datetime | None


@dataclass(frozen=True)
class DriftWindow:
    """One window of a version.

    Attributes:
        start: Its first instant.
        end: The first instant after it.
        features: Those with an alarm first, then by how far they have moved.
    """

    start: datetime
    end: datetime
    features: tuple[FeatureRow, ...]

    @property
    def is_measured(self) -> bool:
        """Whether any feature had enough complaints."""
        return any(each.psi is not None for each in self.features)


def drift_windows(answers: Answers, version: int, filters: Filters) -> list[DriftWindow]:
    """Returns a version's windows in the period that are as long as the newest one, newest first.

    Raises:
        NotYetError: `gold.drift_metrics` does not exist.
    """
    rows = answers.ask(questions.drift_windows(version, filters)).to_pylist()
    if not rows:
        return []
    length = rows[0]["window_end"] - rows[0]["window_start"]
    of_length = [row for row in rows if row["window_end"] - row["window_start"] == length]
    began = _beginnings(of_length)
    windows: dict[datetime, list[FeatureRow]] = {}
    for row in of_length:
        since = began.get((row["feature"], row["window_start"]))
        found = FeatureRow(row["feature"], row["state"], row["psi"], row["p_value"], row["record_count"], since)
        windows.setdefault(row["window_start"], []).append(found)
    return [
        DriftWindow(start, start + length, tuple(sorted(features, key=_by_size)))
        for start, features in sorted(windows.items(), reverse=True)
    ]


def _beginnings(rows: list[dict[str, Any]]) -> dict[tuple[str, datetime], datetime]:
    """The start of the window in which each alarm began, by feature and window."""
    history = [WindowState(**{name: row[name] for name in WindowState.__dataclass_fields__}) for row in rows]
    begun = new_alarms(history)
    since: dict[str, datetime] = {}
    found = {}
    for each in sorted(history, key=lambda each: each.window_start):
        if each in begun:
            since[each.feature] = each.window_start
        if each.is_alarm:
            found[each.feature, each.window_start] = since[each.feature]
    return found


def _by_size(row: FeatureRow) -> tuple[bool, float, str]:
    return row.alarm_since is None, -(row.psi or 0), row.feature


ALL_COMPLAINTS = ("all", "all")
"""The segment that has all complaints, and its one value."""


def performance_windows(
    answers: Answers, version: int, filters: Filters, segment: tuple[str, str] = ALL_COMPLAINTS
) -> list[dict[str, Any]]:
    """Returns a version's windows in the period, newest first.

    Each has `window_start`, `window_end`, `state`, `label_count`, `record_count`, `label_delay_days`, and `metrics`,
    which maps a metric to its row with `value`, `value_low` and `value_high`.

    Args:
        answers: Answers from the tables.
        version: The version.
        filters: The period.
        segment: What divides the complaints, and the part of them.

    Raises:
        NotYetError: `gold.model_performance` does not exist.
    """
    windows: dict[tuple[datetime, datetime], dict[str, Any]] = {}
    for row in answers.ask(questions.performance_by_window(version, filters, *segment)).to_pylist():
        key = (row["window_start"], row["window_end"])
        window = windows.setdefault(key, {**row, "metrics": {}})
        window["metrics"][row["metric"]] = row
    return list(windows.values())


def measured_segments(answers: Answers, version: int) -> list[tuple[str, str]]:
    """Returns the segments that had enough labels in at least one window of a version, all complaints left out.

    Raises:
        NotYetError: `gold.model_performance` does not exist.
    """
    rows = answers.ask(questions.measured_segments(version)).to_pylist()
    return [pair for row in rows if (pair := (row["segment"], row["segment_value"])) != ALL_COMPLAINTS]
