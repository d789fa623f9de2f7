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
    """One feature in the newest window.

    Attributes:
        feature: Its name; `score` for the probability.
        state: ok, drift, too_few or no_reference.
        psi: The population stability index; None if it was not measured.
        p_value: Probability of a change as large as this by chance; None if it was not measured.
        alarm_since: Start of the window in which its alarm began; None without an alarm.
    """

    feature: str
    state: str
    psi: float | None
    p_value: float | None
    alarm_since: datetime | None


@dataclass(frozen=True)
class NewestDrift:
    """The newest window of a version.

    Attributes:
        start: Its first instant.
        end: The first instant after it.
        features: Those with an alarm first, then by how far they have moved.
    """

    start: datetime
    end: datetime
    features: tuple[FeatureRow, ...]


def newest_drift(answers: Answers, version: int, filters: Filters) -> NewestDrift | None:
    """Returns the newest window of a version in the period; None if there is none.

    Raises:
        NotYetError: `gold.drift_metrics` does not exist.
    """
    rows = answers.ask(questions.drift_windows(version, filters)).to_pylist()
    if not rows:
        return None
    start, end = rows[0]["window_start"], rows[0]["window_end"]
    of_length = [row for row in rows if row["window_end"] - row["window_start"] == end - start]
    history = [WindowState(**{name: row[name] for name in WindowState.__dataclass_fields__}) for row in of_length]
    begun: dict[str, datetime] = {}
    for each in sorted(new_alarms(history), key=lambda each: each.window_start):
        begun[each.feature] = each.window_start
    features = [
        FeatureRow(row["feature"], row["state"], row["psi"], row["p_value"],
                   begun.get(row["feature"]) if row["is_alarm"] else None)
        for row in of_length if row["window_start"] == start
    ]  # fmt: skip
    return NewestDrift(
        start, end, tuple(sorted(features, key=lambda each: (each.alarm_since is None, -(each.psi or 0), each.feature)))
    )


def performance_windows(answers: Answers, version: int, filters: Filters) -> list[dict[str, Any]]:
    """Returns a version's windows in the period, newest first.

    Each has `window_start`, `window_end`, `state`, `label_count`, `record_count`, `label_delay_days`, and `metrics`,
    which maps a metric to its row with `value`, `value_low` and `value_high`.

    Raises:
        NotYetError: `gold.model_performance` does not exist.
    """
    windows: dict[tuple[datetime, datetime], dict[str, Any]] = {}
    for row in answers.ask(questions.performance_by_window(version, filters)).to_pylist():
        key = (row["window_start"], row["window_end"])
        window = windows.setdefault(key, {**row, "metrics": {}})
        window["metrics"][row["metric"]] = row
    return list(windows.values())
