"""When drift is an alarm: all features of a window together, window after window.

A stated number of false alarms a year is divided among the year's windows, and a window's share among its features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from solosolve.model.drift import MODERATE_DRIFT, DriftState, DriftTest

_DAYS_PER_YEAR = 365.25
_MAX_ALPHA = 0.5


@dataclass(frozen=True)
class FeatureDrift:
    """One feature of a window, judged together with the window's other features.

    Attributes:
        feature: The feature's name.
        test: Its test.
        state: What the test says at `alpha`.
        alpha: The significance level that Holm's procedure left to this feature; None with too few complaints.
    """

    feature: str
    test: DriftTest
    state: DriftState
    alpha: float | None

    @property
    def is_alarm(self) -> bool:
        """Whether the change is neither chance nor a trifle, which a window with very many complaints also detects."""
        return self.state is DriftState.DRIFT and self.test.psi is not None and self.test.psi > MODERATE_DRIFT


@dataclass(frozen=True)
class WindowState:
    """What is stored of one feature in one window."""

    window_start: datetime
    feature: str
    state: str
    is_alarm: bool


def window_alpha(alarms_per_year: float, window_days: float) -> float:
    """The probability of a false alarm that one window may have.

    Args:
        alarms_per_year: Windows with a false alarm that a year without any change may have on average.
        window_days: Length of a window, in days.

    Returns:
        The budget divided by the number of windows in a year; at most one half.
    """
    return min(alarms_per_year * window_days / _DAYS_PER_YEAR, _MAX_ALPHA)


def judge_window(tests: Mapping[str, DriftTest], alpha: float) -> tuple[FeatureDrift, ...]:
    """Judges all features of a window, with at most the probability `alpha` of any false alarm.

    By Holm's step-down procedure (Scandinavian Journal of Statistics 6, 1979): the smallest of k p-values is compared
    with alpha / k, the next with alpha / (k - 1), and so on up to the first that is larger, whose level is also that of
    all later ones.

    Args:
        tests: Feature to its test.
        alpha: From `window_alpha`.

    Returns:
        One result per feature, in the order of `tests`.
    """
    p_values = {name: test.p_value for name, test in tests.items() if test.p_value is not None}
    levels: dict[str, float] = {}
    level, has_failed = 0.0, False
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        if not has_failed:
            level = alpha / (len(p_values) - place)
            has_failed = p_values[name] > level
        levels[name] = level
    return tuple(
        FeatureDrift(name, test, test.state(levels.get(name, 0.0)), levels.get(name)) for name, test in tests.items()
    )


def new_alarms(history: Iterable[WindowState]) -> frozenset[WindowState]:
    """The alarms that begin: those whose feature had none in the last window that could be measured.

    A change stays in every later window, so its alarm is raised once and then stays open. It closes with the first
    measured window that has no alarm.

    Args:
        history: All features of some windows of one model version, in any order.
    """
    beginning, open_features = [], set()
    for each in sorted(history, key=attrgetter("window_start")):
        if each.is_alarm and each.feature not in open_features:
            beginning.append(each)
        if each.is_alarm:
            open_features.add(each.feature)
        elif each.state in (DriftState.OK, DriftState.DRIFT):
            open_features.discard(each.feature)
    return frozenset(beginning)
