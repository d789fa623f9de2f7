"""Decides whether a task runs, given how the tasks before it went.

The rules are those of the platform's page on task dependencies (docs.databricks.com/jobs/run-if).
"""

from __future__ import annotations

from collections.abc import Mapping

from solosolve.local.job_models import Condition, ConditionOp, Dependency, RunIf

FAILED_STATES = ("failed", "timed out", "skipped")


def state_without_running(
    depends_on: tuple[Dependency, ...], run_if: RunIf, states: Mapping[str, str], outcomes: Mapping[str, str]
) -> str | None:
    """Finds the state of a task that does not run.

    Args:
        depends_on: The tasks before it; one that is not in `states` was left out of the run, and counts as done.
        run_if: The task's condition.
        states: The states of the tasks that have ended.
        outcomes: The outcomes of the condition tasks among them.

    Returns:
        `skipped` or `excluded`; None if the task runs.
    """
    ended = [_state_for(each, states, outcomes) for each in depends_on]
    if not ended:
        return None
    if all(state == "excluded" for state in ended):
        return "excluded"
    is_other_branch = any(
        each.outcome is not None and states.get(each.task_key) == "done" and state == "excluded"
        for each, state in zip(depends_on, ended, strict=True)
    )
    failures = sum(state in FAILED_STATES for state in ended)
    successes = sum(state in ("done", "excluded") for state in ended)
    if run_if == "ALL_SUCCESS" and not failures and is_other_branch:
        return "excluded"
    is_met = {
        "ALL_SUCCESS": failures == 0,
        "NONE_FAILED": failures == 0,
        "ALL_DONE": True,
        "AT_LEAST_ONE_SUCCESS": successes > 0,
        "ALL_FAILED": failures == len(ended),
        "AT_LEAST_ONE_FAILED": failures > 0,
    }[run_if]
    if is_met:
        return None
    return "excluded" if run_if in ("ALL_FAILED", "AT_LEAST_ONE_FAILED") else "skipped"


def _state_for(dependency: Dependency, states: Mapping[str, str], outcomes: Mapping[str, str]) -> str:
    """The state of a dependency; the branch of a condition that was not taken counts as excluded."""
    state = states.get(dependency.task_key, "done")
    is_taken = outcomes.get(dependency.task_key, dependency.outcome) == dependency.outcome
    return "excluded" if state == "done" and dependency.outcome is not None and not is_taken else state


def outcome_of(condition: Condition, left: str, right: str) -> bool:
    """Compares the operands of a condition: as text for equality, as numbers for order.

    Raises:
        ValueError: An operand of an order is not a number.
    """
    op: ConditionOp = condition.op
    if op == "EQUAL_TO":
        return left == right
    if op == "NOT_EQUAL":
        return left != right
    numbers = float(left), float(right)
    return {
        "GREATER_THAN": numbers[0] > numbers[1],
        "GREATER_THAN_OR_EQUAL": numbers[0] >= numbers[1],
        "LESS_THAN": numbers[0] < numbers[1],
        "LESS_THAN_OR_EQUAL": numbers[0] <= numbers[1],
    }[op]
