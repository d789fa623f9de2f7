"""Draws the jobs of a bundle as Mermaid flowcharts (mermaid.js.org)."""

from __future__ import annotations

from collections.abc import Iterator

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node
from solosolve.bundle.references import REFERENCE
from solosolve.errors import UsageError

_KINDS = {
    "condition_task": ("{{", "}}"),
    "run_job_task": ("[[", "]]"),
    "for_each_task": ("[/", "/]"),
}
"""The shape of each kind of task; others are boxes."""

_ENTITIES = {ord(letter): f"#{ord(letter)};" for letter in '&"<>{}#'}
"""Letters that mean something to Mermaid, as it writes them in a text."""


def draw_jobs(bundle: ResolvedBundle, names: tuple[str, ...] = ()) -> str:
    """Draws jobs: one subgraph per job, an arrow from each task to those that depend on it.

    Args:
        bundle: The bundle as one target sees it.
        names: The jobs to draw; all when empty.

    Returns:
        The text of one Mermaid flowchart.

    Raises:
        UsageError: There is no such job.
    """
    jobs = bundle.resources("jobs")
    if unknown := [name for name in names if name not in jobs]:
        raise UsageError(f"job: found '{unknown[0]}', the bundle has {', '.join(sorted(jobs)) or 'none'}")
    lines = ["flowchart LR"]
    arrows: list[str] = []
    for key in names or sorted(jobs):
        lines += [f'  subgraph {_id(key)}["{_escaped(jobs[key].text("name", default=key))}"]', "    direction LR"]
        for task in (jobs[key].at("tasks") or jobs[key]).elements:
            lines += _task_lines(key, task)
            arrows += _job_arrows(key, task, names or tuple(jobs))
        lines.append("  end")
    return "\n".join([*lines, *arrows])


def _task_lines(job: str, task: Node) -> Iterator[str]:
    key = task.text("task_key")
    kind = next((name for name in task.entries if name in _KINDS), "")
    opening, closing = _KINDS.get(kind, ("[", "]"))
    yield f'    {_id(job, key)}{opening}"{_escaped(_label(task, kind))}"{closing}'
    run_if = task.text("run_if")
    for each in (task.at("depends_on") or Node([], task.place)).elements:
        words = [word for word in (each.text("outcome"), run_if if run_if != "ALL_SUCCESS" else "") if word]
        arrow = f'-->|"{", ".join(words)}"|' if words else "-->"
        yield f"    {_id(job, each.text('task_key'))} {arrow} {_id(job, key)}"


def _label(task: Node, kind: str) -> str:
    key = task.text("task_key")
    if kind == "condition_task":
        words = [task.text(kind, name) for name in ("left", "op", "right")]
        return f"{key}: {' '.join(words)}"
    if kind == "for_each_task":
        return f"{key}: {task.text(kind, 'task', 'task_key')} for each of {task.text(kind, 'inputs')}"
    return key


def _job_arrows(job: str, task: Node, drawn: tuple[str, ...]) -> Iterator[str]:
    """A dotted arrow from a task to the job that it starts."""
    reference = REFERENCE.fullmatch(task.text("run_job_task", "job_id"))
    started = reference[1].split(".")[2] if reference else ""
    if started in drawn:
        yield f"  {_id(job, task.text('task_key'))} -.-> {_id(started)}"


def _id(*words: str) -> str:
    return "__".join(word.replace("-", "_") for word in words)


def _escaped(text: str) -> str:
    return text.translate(_ENTITIES)
