"""Dynamic value references: `{{...}}` in a job's parameters, replaced when a task starts.

The names follow the platform's page on dynamic value references (docs.databricks.com/jobs/dynamic-value-references).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from solosolve.bundle.nodes import one_of
from solosolve.errors import BundleError

DYNAMIC = re.compile(r"\{\{\s*([A-Za-z_][\w`.$@ -]*?)\s*\}\}")
_KNOWN = ("job", "task", "tasks", "input", "workspace")
_ELSEWHERE = ("secrets", "backfill")

RESULT_STATES = {
    "done": "success",
    "failed": "failed",
    "timed out": "timedout",
    "excluded": "excluded",
    "skipped": "upstream_failed",
}
"""How the platform calls the states of a task run."""


def job_id(key: str) -> int:
    """A number that stands for the ID of a job; the same in every run."""
    return zlib.crc32(key.encode())


@dataclass
class JobFacts:
    """What is known of a running job.

    Attributes:
        key: The job's key in the bundle.
        name: Its name.
        run_id: A number for this run.
        started_at: When it started, in UTC.
        parameters: The job parameters' values.
        trigger: What started it.
        states: How each task that has ended went.
        values: The task values of each task.
        run_ids: The number of each task's run.
        attempts: How often each task was tried.
    """

    key: str
    name: str
    run_id: int
    started_at: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    trigger: str = "one_time"
    states: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_ids: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskFacts:
    """What is known of a task that starts.

    Attributes:
        name: Its key.
        attempt: 1 for the first try.
        input: The element of an iteration of a for-each task, if it is one.
        has_input: Whether it is one.
    """

    name: str
    attempt: int = 1
    input: Any = None
    has_input: bool = False


def fill(text: str, job: JobFacts, task: TaskFacts) -> str:
    """Replaces the dynamic value references of a text, once: what a value contains stays as it is.

    Raises:
        BundleError: A reference of a known kind names something that does not exist, or that only the platform knows.
    """

    def value_of(match: re.Match[str]) -> str:
        words = [word.strip("`") for word in match[1].split(".")]
        if words[0] in _KNOWN:
            return _as_text(_value(match[0], words, job, task))
        if words[0] in _ELSEWHERE:
            raise BundleError(f"{job.key}.{task.name}: found {match[0]}, which only the platform knows")
        # The platform, too, passes what it does not know as it is.
        return match[0]

    return DYNAMIC.sub(value_of, text)


def fill_parameters(text: str, parameters: Mapping[str, str], where: str) -> str:
    """Replaces only `{{job.parameters.x}}`, which is known before the job starts.

    Raises:
        BundleError: The job declares no such parameter.
    """

    def value_of(match: re.Match[str]) -> str:
        if not match[1].startswith("job.parameters."):
            return match[0]
        return _parameter(match[1].removeprefix("job.parameters.").strip("`"), parameters, where)

    return DYNAMIC.sub(value_of, text)


def _parameter(name: str, parameters: Mapping[str, str], where: str) -> str:
    if name not in parameters:
        known = ", ".join(parameters) or "none"
        raise BundleError(f"{where}: found job.parameters.{name}, the job declares {known}")
    return parameters[name]


def _value(found: str, words: list[str], job: JobFacts, task: TaskFacts) -> Any:
    where = f"{job.key}.{task.name}"
    match words:
        case ["job", "parameters", *name]:
            return _parameter(".".join(name), job.parameters, where)
        case ["job", "start_time", unit]:
            return _instant(where, found, unit, job.started_at)
        case ["job", name] | ["job", "trigger", name]:
            values = {"id": job_id(job.key), "name": job.name, "run_id": job.run_id, "repair_count": 0}
            values = values if len(words) == 2 else {"type": job.trigger}
            return _one(where, found, name, values)
        case ["task", name]:
            run_id = job.run_ids.get(task.name, job.run_id)
            return _one(where, found, name, {"name": task.name, "run_id": run_id, "execution_count": task.attempt})
        case ["tasks", name, *rest]:
            return _of_task(where, found, name, rest, job)
        case ["input", *keys] if task.has_input:
            return _inside(where, found, task.input, keys)
        case ["input", *_]:
            raise BundleError(f"{where}: found {found} outside a for_each_task")
    raise BundleError(f"{where}: found {found}, which only the platform knows")


def _of_task(where: str, found: str, name: str, rest: list[str], job: JobFacts) -> Any:
    if name not in job.states:
        raise BundleError(f"{where}: found {found}, but '{name}' has not run before it; {_ran(job)}")
    match rest:
        case ["values", key, *keys]:
            return _inside(where, found, _one(where, found, key, job.values.get(name, {})), keys)
        case ["result_state"]:
            return RESULT_STATES[job.states[name]]
        case ["run_id"]:
            return job.run_ids.get(name, 0)
        case ["execution_count"]:
            return job.attempts.get(name, 0)
        case ["error_code"]:
            return "" if job.states[name] == "done" else "RunExecutionError"
    raise BundleError(
        f"{where}: found {found}, allowed: values.<key>, result_state, run_id, execution_count, error_code"
    )


def _ran(job: JobFacts) -> str:
    return f"these have: {', '.join(job.states) or 'none'}"


def _inside(where: str, found: str, value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = _one(where, found, key, value if isinstance(value, dict) else {})
    return value


def _one(where: str, found: str, name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise BundleError(f"{where}: found {found}, allowed in place of '{name}': {one_of(name, values)}")
    return values[name]


def _instant(where: str, found: str, unit: str, instant: datetime) -> Any:
    units: dict[str, Any] = {
        "iso_date": instant.date().isoformat(),
        "iso_datetime": instant.replace(tzinfo=None).isoformat(timespec="seconds"),
        "timestamp_ms": int(instant.timestamp() * 1000),
        "year": instant.year,
        "month": instant.month,
        "day": instant.day,
        "hour": instant.hour,
        "minute": instant.minute,
        "second": instant.second,
        "iso_weekday": instant.isoweekday(),
        "is_weekday": instant.isoweekday() < 6,
    }
    return _one(where, found, unit, units)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
