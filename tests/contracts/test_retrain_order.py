"""The job `retrain` raises its alerts last, whatever has become of its other tasks, and hides no failure by that."""

from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.local.job_plan import load_bundle
from solosolve.local.run_if import FAILED_STATES, state_without_running

TASKS = load_bundle(Path(__file__).parents[2], "local", environ={}).plan(("retrain",), {})
LEAVES = {task.name for task in TASKS} - {each.task_key for task in TASKS for each in task.depends_on}


def states_when(failing: str | None, *, is_due: bool) -> dict[str, str]:
    """The state of every task if one fails where it runs."""
    states: dict[str, str] = {}
    outcomes = {"is_due": str(is_due).lower(), "has_succeeded": "true"}
    for task in TASKS:
        state = state_without_running(task.depends_on, task.run_if, states, outcomes)
        states[task.name] = state or ("failed" if task.name == failing else "done")
    return states


def test_alerts_are_raised_last() -> None:
    assert TASKS[-1].name == "raise_alerts"


@pytest.mark.parametrize("is_due", [True, False])
def test_run_without_a_failure_has_none(is_due: bool) -> None:
    states = states_when(None, is_due=is_due)
    assert set(states.values()) <= {"done", "excluded"}
    assert {states[leaf] for leaf in LEAVES} == {"done"}
    assert states["promote_model"] == ("done" if is_due else "excluded")


@pytest.mark.parametrize(
    "failing", ["monitor_model", "check_retrain", "train_model", "validate_model", "promote_model"]
)
def test_failure_is_told_of_and_fails_the_run(failing: str) -> None:
    states = states_when(failing, is_due=True)
    assert states["raise_alerts"] == "done"
    assert any(states[leaf] in FAILED_STATES for leaf in LEAVES)
