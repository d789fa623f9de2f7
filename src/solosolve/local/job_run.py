"""Runs the tasks of one job in order, by the rules by which the platform runs them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from solosolve.errors import BundleError, SolosolveError, StoppedError, UsageError, one_line
from solosolve.local.dynamic_values import JobFacts, TaskFacts, fill
from solosolve.local.job_models import Condition
from solosolve.local.job_record import recorded_run
from solosolve.local.planned import Call, ForEachElement, PlannedTask, Started
from solosolve.local.recorder import Recorder
from solosolve.local.run_if import FAILED_STATES, outcome_of, state_without_running
from solosolve.local.task_call import TaskTimeoutError, call, environment, time_limit
from solosolve.task_values import recorded_task_values

logger = logging.getLogger("solosolve.runner")

_POINTLESS = (BundleError, UsageError, click.UsageError)
"""Errors that trying again would repeat."""

_PASSED_ON = (StoppedError, click.Abort)
"""Click turns an interrupt inside a task into Abort. Neither means that the task is broken."""


@dataclass(frozen=True)
class Failure:
    """A task that failed, and why."""

    task: PlannedTask
    error: Exception


def reason_of(error: Exception) -> str:
    """Why a task failed, in the words of the error."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    return str(error) if isinstance(error, SolosolveError) else one_line(error)


class JobRun:
    """One run of a job.

    Args:
        tasks: The job's tasks in order.
        recorder: Takes what happens.
        deadline: When the job that started this one must have ended, as `time.monotonic`; None for never.
        trigger: What started it.
    """

    def __init__(
        self,
        tasks: Sequence[PlannedTask],
        recorder: Recorder,
        *,
        deadline: float | None = None,
        trigger: str = "one_time",
    ) -> None:
        self.tasks, self.recorder = tasks, recorder
        self.outcomes: dict[str, str] = {}
        self.failures: list[Failure] = []
        frame, now = tasks[0].frame, datetime.now(UTC)
        self.facts = JobFacts(tasks[0].job, frame.name, int(now.timestamp() * 1000), now, trigger=trigger)
        self.facts.parameters = {
            key: self._parameter(key, value, frame.defaults) for key, value in frame.parameters.items()
        }
        self.deadline = _earlier(deadline, frame.timeout_seconds)

    def _parameter(self, name: str, value: str, defaults: Mapping[str, str]) -> str:
        # A default may hold references to the job; what a user gives is taken as it is.
        return fill(value, self.facts, TaskFacts(name)) if value == defaults.get(name) else value

    def run(self) -> None:
        """Runs the tasks and records how that went; `failures` then has those that failed.

        Raises:
            KeyboardInterrupt: A task was interrupted.
            StoppedError: A task stopped on request.
        """
        with recorded_run(self.facts.key, self.recorder.runs, self._first_failure):
            self._run_all()

    def _first_failure(self) -> tuple[str, str] | None:
        return (self.failures[0].task.name, reason_of(self.failures[0].error)) if self.failures else None

    def _run_all(self) -> None:
        for number, task in enumerate(self.tasks, start=1):
            self.facts.run_ids[task.name] = self.facts.run_id + number
            self.recorder.begin(task)
            started = time.perf_counter()
            state = state_without_running(task.depends_on, task.run_if, self.facts.states, self.outcomes)
            try:
                state = state or self._run(task)
            except (KeyboardInterrupt, click.Abort):
                self.recorder.end(task, "interrupted", time.perf_counter() - started)
                raise
            except StoppedError:
                self.recorder.end(task, "stopped", time.perf_counter() - started)
                raise
            self.facts.states[task.name] = state
            self.recorder.end(task, state, time.perf_counter() - started)

    @property
    def has_failed(self) -> bool:
        """Whether the platform calls the run failed: a task that no other depends on did not succeed."""
        needed = {each.task_key for task in self.tasks for each in task.depends_on}
        return any(self.facts.states.get(task.name) in FAILED_STATES for task in self.tasks if task.name not in needed)

    def _run(self, task: PlannedTask) -> str:
        with recorded_task_values() as values:
            try:
                self._try(task, self.deadline)
            except TaskTimeoutError as error:
                self.failures.append(Failure(task, error))
                return "timed out"
            except _PASSED_ON:
                raise
            except Exception as error:
                is_known = isinstance(error, SolosolveError | click.ClickException)
                logger.debug("%s failed", task.name, exc_info=not is_known)
                self.failures.append(Failure(task, error))
                return "failed"
        self.facts.values[task.name] = values
        return "done"

    def _try(
        self, task: PlannedTask, deadline: float | None, element: Any = None, *, has_element: bool = False
    ) -> None:
        """Runs a task, again if it fails and may be tried again."""
        attempt = 1
        while True:
            self.facts.attempts[task.name] = attempt
            started = time.monotonic()
            try:
                self._do(
                    task,
                    TaskFacts(task.name, attempt, element, has_element),
                    _earlier(deadline, task.limits.timeout_seconds),
                )
                return
            except _PASSED_ON:
                raise
            except Exception as error:
                if not _is_tried_again(task, attempt, error) or _is_over(deadline):
                    raise
                self.recorder.note(f"try {attempt} failed ({reason_of(error).splitlines()[0]}); trying again")
            time.sleep(max(0.0, task.limits.retry_interval_seconds - (time.monotonic() - started)))
            attempt += 1

    def _do(self, task: PlannedTask, facts: TaskFacts, deadline: float | None) -> None:
        where = f"{task.job}.{task.name}"
        match task.work:
            case Call() as work:
                arguments = [fill(word, self.facts, facts) for word in work.parameters]
                limit = None if deadline is None else deadline - time.monotonic()
                with (
                    environment(task.environment, where),
                    self.recorder.spinner(task),
                    time_limit(limit, where),
                ):
                    call(work, arguments, where)
            case Condition() as work:
                self._compare(work, facts, where)
            case Started() as work:
                self._start(work, facts, deadline)
            case ForEachElement() as work:
                self._repeat(work, facts, where, deadline)

    def _compare(self, condition: Condition, facts: TaskFacts, where: str) -> None:
        left, right = fill(condition.left, self.facts, facts), fill(condition.right, self.facts, facts)
        try:
            is_met = outcome_of(condition, left, right)
        except ValueError:
            found = f"found '{left}' and '{right}'"
            raise BundleError(f"{where}: {condition.op} compares numbers, {found}") from None
        self.outcomes[facts.name] = "true" if is_met else "false"
        self.recorder.note(f"{left} {condition.op} {right}: {self.outcomes[facts.name]}")

    def _start(self, work: Started, facts: TaskFacts, deadline: float | None) -> None:
        given = {key: fill(value, self.facts, facts) for key, value in work.parameters.items()}
        tasks = [task.with_parameters({**task.frame.parameters, **given}) for task in work.tasks]
        started = JobRun(tasks, self.recorder.inside(), deadline=deadline, trigger="run_job_task")
        started.run()
        if started.has_failed:
            first = started.failures[0]
            raise SolosolveError(f"job {work.job} failed: {first.task.name}: {reason_of(first.error)}") from first.error

    def _repeat(self, work: ForEachElement, facts: TaskFacts, where: str, deadline: float | None) -> None:
        text = fill(work.inputs, self.facts, facts)
        try:
            elements = json.loads(text)
        except ValueError:
            elements = None
        if not isinstance(elements, list):
            raise BundleError(f"{where}: inputs: found {text!r}, expected a JSON array")
        failed: list[tuple[Any, Exception]] = []
        for element in elements:
            self.recorder.note(f"{work.task.name}: {json.dumps(element)}")
            try:
                with recorded_task_values():
                    self._try(work.task, deadline, element, has_element=True)
            except _PASSED_ON:
                raise
            except Exception as error:
                logger.debug("%s failed for %r", work.task.name, element, exc_info=True)
                failed.append((element, error))
        if failed:
            first, cause = failed[0]
            found = f"{len(failed)} of {len(elements)} iterations failed; {json.dumps(first)}: {reason_of(cause)}"
            raise SolosolveError(found) from cause


def _earlier(deadline: float | None, seconds: int) -> float | None:
    """The earlier of a deadline and one some seconds from now; 0 seconds is no limit."""
    if not seconds:
        return deadline
    own = time.monotonic() + seconds
    return own if deadline is None else min(own, deadline)


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _is_tried_again(task: PlannedTask, attempt: int, error: Exception) -> bool:
    limits = task.limits
    if isinstance(error, _POINTLESS) or (isinstance(error, TaskTimeoutError) and not limits.retry_on_timeout):
        return False
    return limits.max_retries < 0 or attempt <= limits.max_retries
