from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solosolve.model.alarms import WindowState, judge_window, new_alarms, window_alpha
from solosolve.model.drift import DriftState, DriftTest

START = datetime(2026, 1, 1, tzinfo=UTC)


def drift_test(p_value: float | None, psi: float = 0.2) -> DriftTest:
    return DriftTest(None if p_value is None else psi, 9.0, 3, p_value, {}, 1_000, 1_000)


def state(number: int, name: str, feature: str = "product") -> WindowState:
    """A feature in the window of a number; `alarm` stands for drift above the level that matters."""
    stored = DriftState.DRIFT.value if name == "alarm" else name
    return WindowState(START + timedelta(days=28 * number), feature, stored, name == "alarm")


def begun(*names: str) -> list[int]:
    """The numbers of the windows whose alarm is new."""
    found = new_alarms([state(number, name) for number, name in enumerate(names)])
    return sorted((each.window_start - START).days // 28 for each in found)


def test_window_alpha_divides_the_budget_among_the_windows_of_a_year() -> None:
    assert window_alpha(0.5, 28) == pytest.approx(0.5 / (365.25 / 28))
    assert window_alpha(5, 365.25) == 0.5


def test_judge_window_steps_down_as_holm_does() -> None:
    tests = {name: drift_test(p) for name, p in {"a": 0.012, "b": 0.6, "c": 0.001, "d": 0.02}.items()}
    found = judge_window(tests, 0.04)
    # The four are compared with 0.04 / 4, 0.04 / 3, 0.04 / 2 and 0.04 / 1, smallest p-value first.
    assert [(each.feature, each.state, each.alpha) for each in found] == [
        ("a", DriftState.DRIFT, pytest.approx(0.04 / 3)),
        ("b", DriftState.OK, pytest.approx(0.04)),
        ("c", DriftState.DRIFT, pytest.approx(0.04 / 4)),
        ("d", DriftState.DRIFT, pytest.approx(0.04 / 2)),
    ]


def test_no_feature_drifts_after_the_first_that_does_not() -> None:
    found = judge_window({"a": drift_test(0.015), "b": drift_test(0.02), "c": drift_test(0.021)}, 0.04)
    assert {each.state for each in found} == {DriftState.OK}
    assert {each.alpha for each in found} == {0.04 / 3}


def test_feature_with_too_few_complaints_takes_no_share_of_alpha() -> None:
    few, measured = judge_window({"few": drift_test(None), "measured": drift_test(0.03)}, 0.04)
    assert (few.state, few.alpha, few.is_alarm) == (DriftState.TOO_FEW, None, False)
    assert (measured.state, measured.alpha) == (DriftState.DRIFT, 0.04)


def test_trifle_that_a_huge_window_detects_is_drift_but_no_alarm() -> None:
    (found,) = judge_window({"a": drift_test(1e-9, psi=0.02)}, 0.04)
    assert (found.state, found.is_alarm) == (DriftState.DRIFT, False)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("ok", "alarm", "alarm", "alarm"), [1]),
        (("alarm", "ok", "alarm"), [0, 2]),
        (("alarm", "too_few", "alarm"), [0]),
        (("alarm", "drift", "alarm"), [0, 2]),
        (("ok", "too_few", "no_reference"), []),
    ],
)
def test_alarm_is_new_once_and_stays_open(names: tuple[str, ...], expected: list[int]) -> None:
    assert begun(*names) == expected


def test_features_open_and_close_their_own_alarms() -> None:
    history = [state(1, "alarm", "state"), state(0, "alarm"), state(1, "alarm"), state(0, "ok", "state")]
    assert new_alarms(history) == {history[0], history[1]}
