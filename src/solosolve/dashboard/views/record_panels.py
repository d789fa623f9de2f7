"""Panels on individual records: reviewers' verdicts on predictions, and records that were set aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.champion import threshold_of
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import counted, empty, table
from solosolve.errors import NotYetError
from solosolve.names import DEAD_LETTERS, QUARANTINE, REJECTED, REJECTIONS, Table

_SET_ASIDE: tuple[tuple[Table, str, Callable[[Filters], Question]], ...] = (
    (QUARANTINE, "unreadable record", questions.quarantined),
    (REJECTED, "rejected complaint", questions.rejected),
    (DEAD_LETTERS, "dead letter", questions.dead_letters),
)
_REASONS = 12
"""Reasons listed of each kind; the rest are summed."""


def verdicts(answers: Answers, filters: Filters) -> Component:
    """How often verdicts agreed with each version's predictions."""
    try:
        rows = answers.ask(questions.feedback(filters)).to_pylist()
    except NotYetError:
        rows = []
    if not rows:
        return _no_verdicts(answers, filters)
    by_version: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        pair = (row["probability"], row["is_successful_resolution"])
        by_version.setdefault(row["model_version"] or 0, []).append(pair)
    shown = []
    for version, pairs in sorted(by_version.items(), reverse=True):
        threshold = threshold_of(answers, version)
        hits = sum((probability >= threshold) == (label == 1.0) for probability, label in pairs)
        shown.append((f"v{version}" if version else "unknown", len(pairs), f"{hits / len(pairs):.0%}"))
    return table(("Version", "Verdicts", "Agreed"), shown, "Verdicts compared with predictions")


def _no_verdicts(answers: Answers, filters: Filters) -> Component:
    """Why no verdict is compared: filters hide them, none says what the outcome was, or there are none at all."""
    try:
        given = answers.ask(questions.verdict_count()).column("n")[0].as_py()
    except NotYetError:
        given = 0
    if not given:
        return empty("No verdicts yet. Give one under Review.")
    if not filters.is_empty and answers.ask(questions.feedback(Filters())).num_rows:
        return empty(f"{counted(given, 'verdict')}, but none matches these filters. Clear or widen them.")
    return empty(f"{counted(given, 'verdict')}, but none says success or failure of a complaint with a prediction.")


def set_aside(answers: Answers, filters: Filters) -> Component:
    """Records that could not be read or used, by reason.

    Raises:
        NotYetError: None of the tables with such records exists.
    """
    shown: list[tuple[Any, ...]] = []
    missing: list[NotYetError] = []
    for name, kind, question in _SET_ASIDE:
        try:
            rows = answers.ask(question(filters)).to_pylist()
        except NotYetError as error:
            missing.append(error)
            continue
        ordered = sorted(rows, key=lambda row: -row["n"])
        shown += [(html.Span(kind, title=str(name)), _readable(row["reason"]), row["n"]) for row in ordered[:_REASONS]]
        if rest := sum(row["n"] for row in ordered[_REASONS:]):
            shown.append((kind, "other reasons", rest))
    if len(missing) == len(_SET_ASIDE):
        raise missing[0]
    if not shown:
        return empty("No records were set aside." if filters.is_empty else "No records set aside match these filters.")
    return table(("Kind", "Reason", "Records"), shown, "Records set aside, by reason")


def _readable(reason: str) -> str:
    """A reason, with the names of failed rules in words."""
    return ", ".join(REJECTIONS.get(part, part) for part in reason.split(", "))
