"""Checks what starts a job by itself: cron expressions, time zones, and that nothing starts outside production."""

from __future__ import annotations

import re
import zoneinfo

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node
from solosolve.bundle.presets import TRIGGERS
from solosolve.local.checks.findings import Findings

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("seconds", 0, 59, []),
    ("minutes", 0, 59, []),
    ("hours", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, []),
)
_SPECIAL = {
    "day of month": re.compile(r"\?|L|LW|L-\d{1,2}|\d{1,2}W"),
    "day of week": re.compile(r"\?|L|([1-7]|[A-Z]{3})L|([1-7]|[A-Z]{3})#[1-5]"),
}


def check_triggers(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks the schedules of all jobs, and that they are paused outside production."""
    for key, job in bundle.resources("jobs").items():
        path = f"resources.jobs.{key}"
        if (cron := job.at("schedule", "quartz_cron_expression")) is not None and (
            problem := cron_problem(str(cron.value))
        ):
            findings.add(cron, f"{path}.schedule.quartz_cron_expression: '{cron.value}' ({problem[0]})", problem[1])
        zone = job.at("schedule", "timezone_id")
        if zone is not None and str(zone.value) not in zoneinfo.available_timezones():
            findings.add_name(zone, f"{path}.schedule.timezone_id:", str(zone.value), zoneinfo.available_timezones())
        present = [name for name in TRIGGERS if job.at(name) is not None]
        if len(present) > 1:
            second = job.at(present[1]) or job
            findings.add_at_key(second, f"{path} with {' and '.join(present)}", f"one of {', '.join(TRIGGERS)}")
        if "continuous" in present:
            _check_continuous(job, path, findings)
        for name in present:
            _check_paused(bundle, job.at(name) or job, f"{path}.{name}", findings)
    for key, pipeline in bundle.resources("pipelines").items():
        continuous = pipeline.at("continuous")
        if continuous is not None and pipeline.text("continuous") == "true" and _is_paused_target(bundle):
            found = f"resources.pipelines.{key} runs continuously in target '{bundle.target}'"
            findings.add(continuous, found, "continuous pipelines in production only")


def _check_continuous(job: Node, path: str, findings: Findings) -> None:
    runs = job.at("max_concurrent_runs")
    # What a preset adds has no key; the platform ignores it here.
    if runs is not None and runs.key is not None and job.text("max_concurrent_runs") != "1":
        findings.add(runs, f"{path}.max_concurrent_runs: {runs.value} in a continuous job", "1")
    for task in (job.at("tasks") or job).elements:
        retries = task.at("max_retries")
        if retries is not None and task.text("max_retries") != "0":
            found = f"{path}.{task.text('task_key')}: max_retries in a continuous job"
            findings.add_at_key(retries, found, "no retries: the platform starts the job again by itself")


def _check_paused(bundle: ResolvedBundle, trigger: Node, path: str, findings: Findings) -> None:
    status = trigger.at("pause_status")
    if _is_paused_target(bundle) and trigger.text("pause_status") != "PAUSED":
        found = f"{path}: {'UNPAUSED' if status is None else status.value} in target '{bundle.target}'"
        (findings.add_at_key if status is None else findings.add)(status or trigger, found, "PAUSED outside production")


def _is_paused_target(bundle: ResolvedBundle) -> bool:
    return bundle.mode != "production" and bundle.target != "local"


def cron_problem(expression: str) -> tuple[str, str] | None:
    """Finds what is wrong with a Quartz cron expression.

    Args:
        expression: Six or seven fields: seconds, minutes, hours, day of month, month, day of week, year.

    Returns:
        What is wrong and what is allowed; None if nothing is (quartz-scheduler.org, CronExpression).
    """
    words = expression.upper().split()
    if not 6 <= len(words) <= 7:
        return f"{len(words)} fields", f"six or seven fields: {', '.join(name for name, *_ in _FIELDS)}"
    for word, (name, lowest, highest, names) in zip(words, _FIELDS, strict=False):
        for part in word.split(","):
            if not _is_allowed(part, name, lowest, highest, names):
                return f"{name} '{part}'", f"{lowest}-{highest}, *, ranges such as 1-5, steps such as */5"
    if (words[3] == "?") == (words[5] == "?"):
        return "day of month and day of week", "? in exactly one of the two"
    return None


def _is_allowed(part: str, name: str, lowest: int, highest: int, names: list[str]) -> bool:
    if name in _SPECIAL and _SPECIAL[name].fullmatch(part):
        return True
    base, slash, step = part.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if base == "*":
        return True
    bounds = base.split("-")
    return len(bounds) <= 2 and all(
        bound in names or (bound.isdigit() and lowest <= int(bound) <= highest) for bound in bounds
    )
