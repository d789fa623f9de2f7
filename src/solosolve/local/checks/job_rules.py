"""Checks how the parts of a job fit together: tasks, dependencies, clusters, references, limits of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node
from solosolve.local.checks.findings import Findings
from solosolve.local.dynamic_values import DYNAMIC

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_WITHOUT_COMPUTE = ("condition_task", "run_job_task", "for_each_task")
_COMPUTE = ("job_cluster_key", "existing_cluster_id", "new_cluster", "environment_key")
_NEEDS_COMPUTE = ("spark_python_task", "python_wheel_task", "spark_jar_task", "spark_submit_task")
_JOB_VALUES = {"id", "name", "run_id", "repair_count", "start_time", "parameters", "trigger"}
_TASK_VALUES = {"name", "run_id", "execution_count", "notebook_path"}
_LATER_VALUES = {"values", "result_state", "run_id", "error_code", "execution_count", "notebook_path", "output"}


def check_jobs(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks every job of one target."""
    for key, job in bundle.resources("jobs").items():
        path = f"resources.jobs.{key}"
        keys = ("tasks", "task_key"), ("job_clusters", "job_cluster_key"), ("parameters", "name")
        for field, name in (*keys, ("environments", "environment_key")):
            _check_unique(job, path, field, name, findings)
        tasks = {task.text("task_key"): task for task in (job.at("tasks") or job).elements if task.is_mapping}
        if not tasks:
            findings.add_at_key(job, f"{path} without tasks", "at least one task")
        _check_dependencies(path, tasks, findings)
        declared = {name: _names(job, field, name) for field, name in (*keys, ("environments", "environment_key"))}
        for task in tasks.values():
            _check_task(path, task, declared, findings)
            where = f"{path}.{task.text('task_key')}"
            _check_references(where, task, _tasks_before(task, tasks), declared["name"], findings)
        for parameter in (job.at("parameters") or Node([], job.place)).elements:
            _check_references(f"{path}.{parameter.text('name')}", parameter, set(), [], findings)
        used = {found.text("job_cluster_key") for _, found in job.walk() if found.is_mapping and found.at("task_key")}
        for cluster in (job.at("job_clusters") or job).elements:
            if (name := cluster.text("job_cluster_key")) and name not in used:
                findings.add(cluster, f"{path}: the job cluster '{name}', which no task uses", "clusters that are used")


def _names(job: Node, field: str, key: str) -> list[str]:
    return [each.text(key) for each in (job.at(field) or Node([], job.place)).elements]


def _check_unique(job: Node, path: str, field: str, key: str, findings: Findings) -> None:
    seen: dict[str, Node] = {}
    for element in (job.at(field) or Node([], job.place)).elements:
        name, node = element.text(key), element.at(key)
        if node is not None and name in seen:
            found = f"{path}.{field}: {key} '{name}' again (first on line {seen[name].place.line})"
            findings.add(node, found, f"each {key} once")
        elif node is not None:
            seen[name] = node


def _check_dependencies(path: str, tasks: Mapping[str, Node], findings: Findings) -> None:
    graph: dict[str, list[str]] = {}
    for key, task in tasks.items():
        graph[key] = []
        for each in (task.at("depends_on") or Node([], task.place)).elements:
            before = each.at("task_key")
            if before is None:
                continue
            if str(before.value) not in tasks:
                findings.add_name(before, f"{path}.{key}: depends_on", str(before.value), tasks)
                continue
            graph[key].append(str(before.value))
            _check_outcome(f"{path}.{key}", task, each, tasks[str(before.value)], findings)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1]
        found = f"{path}: tasks that depend on each other in a cycle: {' -> '.join(cycle)}"
        findings.add(tasks[min(cycle)], found, "an order in which each task follows those that it depends on")


def _check_outcome(path: str, task: Node, each: Node, before: Node, findings: Findings) -> None:
    outcome = each.at("outcome")
    is_condition = before.at("condition_task") is not None
    if outcome is not None and not is_condition:
        found = f"{path}: outcome of '{before.text('task_key')}', which is not a condition_task"
        findings.add_at_key(outcome, found, "an outcome only of a condition_task")
    elif outcome is not None and each.text("outcome") not in ("true", "false"):
        findings.add(outcome, f"{path}: outcome '{outcome.value}'", '"true" or "false"')
    elif outcome is None and is_condition and task.text("run_if", default="ALL_SUCCESS") == "ALL_SUCCESS":
        found = f"{path}: depends on the condition '{before.text('task_key')}' without an outcome"
        findings.add(each, found, 'outcome: "true" or "false"')


def _check_task(path: str, task: Node, declared: Mapping[str, list[str]], findings: Findings) -> None:
    key, where = task.text("task_key"), f"{path}.{task.text('task_key')}"
    if (written := task.at("task_key")) is not None and not _KEY.fullmatch(key):
        findings.add(written, f"{path}: task_key '{key}'", "1 to 100 letters, digits, - and _")
    kinds = [name for name in task.entries if name.endswith("_task") and task.at(name) is not None]
    if len(kinds) != 1:
        findings.add(task, f"{where} with {' and '.join(kinds) or 'nothing to run'}", "exactly one kind of task")
    for name in ("job_cluster_key", "environment_key"):
        if (node := task.at(name)) is not None and str(node.value) not in declared[name]:
            findings.add_name(node, f"{where}: {name}", str(node.value), declared[name])
    compute = [name for name in _COMPUTE if task.at(name) is not None]
    if kinds and kinds[0] in _WITHOUT_COMPUTE and compute:
        findings.add_at_key(
            task.at(compute[0]) or task, f"{where}: {compute[0]} in a {kinds[0]}", "no compute of its own"
        )
    if kinds and kinds[0] in _NEEDS_COMPUTE and len(compute) != 1:
        findings.add(task, f"{where} with {' and '.join(compute) or 'no compute'}", f"one of {', '.join(_COMPUTE)}")
    for name, lowest in (("max_retries", -1), ("timeout_seconds", 0), ("min_retry_interval_millis", 0)):
        node = task.at(name)
        if node is not None and isinstance(node.value, int) and node.value < lowest:
            findings.add(node, f"{where}.{name}: {node.value}", f"{lowest} or more")
    if (inner := task.at("for_each_task", "task")) is not None:
        if inner.at("for_each_task") is not None:
            findings.add(inner, f"{where}: a for_each_task inside a for_each_task", "another kind of task")
        _check_task(f"{path}.{key}", inner, declared, findings)


def _check_references(where: str, task: Node, before: set[str], parameters: list[str], findings: Findings) -> None:
    for steps, node in task.walk():
        if not isinstance(node.value, str):
            continue
        for match in DYNAMIC.finditer(node.value):
            words = [word.strip("`") for word in match[1].split(".")]
            what = f"{where}: {match[0]}, where"
            if words[:2] == ["job", "parameters"] and len(words) > 2:
                if ".".join(words[2:]) not in parameters:
                    findings.add_name(node, f"{what} the job has no parameter", ".".join(words[2:]), parameters)
            elif words[0] == "tasks" and len(words) > 2:
                if words[1] not in before:
                    findings.add_name(node, f"{what} this task does not follow", words[1], before)
                elif words[2] not in _LATER_VALUES:
                    findings.add_name(node, f"{what} a task has no", words[2], _LATER_VALUES)
            elif words[0] in ("job", "task") and len(words) > 1:
                known = _JOB_VALUES if words[0] == "job" else _TASK_VALUES
                if words[1] not in known:
                    findings.add_name(node, f"{what} a {words[0]} has no", words[1], known)
            elif words[0] == "input" and steps[:2] != ("for_each_task", "task"):
                findings.add(node, f"{where}: {match[0]} outside the task of a for_each_task", "input inside it only")


def _tasks_before(task: Node, tasks: Mapping[str, Node]) -> set[str]:
    """The tasks that have ended when a task starts."""
    found: set[str] = set()
    waiting = list(_dependencies(task))
    while waiting:
        name = waiting.pop()
        if name in tasks and name not in found:
            found.add(name)
            waiting.extend(_dependencies(tasks[name]))
    return found


def _dependencies(task: Node) -> Iterator[str]:
    for each in (task.at("depends_on") or Node([], task.place)).elements:
        yield each.text("task_key")
