"""Panels about what people said of predictions, and about records that were set aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError, Question
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import empty, table
from solosolve.dashboard.views.panels_of_model import THRESHOLD
from solosolve.names import DEAD_LETTERS, QUARANTINE, REJECTED, Table

_SET_ASIDE: tuple[tuple[Table, str, Callable[[Filters], Question]], ...] = (
    (QUARANTINE, "unreadable record", questions.quarantined),
    (REJECTED, "rejected complaint", questions.rejected),
    (DEAD_LETTERS, "dead letter", questions.dead_letters),
)
_REASONS = 12


def on_feedback(answers: Answers, filters: Filters) -> Component:
    """How often verdicts agreed with each version, and its Brier score on them."""
    try:
        rows = answers.ask(questions.feedback(filters)).to_pylist()
    except NotYetError:
        rows = []
    if not rows:
        return empty("No verdicts yet: give some in Review.")
    by_version: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        pair = (row["probability"], row["is_successful_resolution"])
        by_version.setdefault(row["model_version"] or 0, []).append(pair)
    shown = []
    for version, pairs in sorted(by_version.items(), reverse=True):
        hits = sum((probability >= THRESHOLD) == (label == 1.0) for probability, label in pairs)
        brier = sum((probability - label) ** 2 for probability, label in pairs) / len(pairs)
        shown.append((f"v{version}" if version else "unknown", len(pairs), f"{hits / len(pairs):.0%}", f"{brier:.3f}"))
    return table(("version", "verdicts", "agreed", "Brier score"), shown, "Verdicts beside predictions")


def set_aside(answers: Answers, filters: Filters) -> Component:
    """Records that could not be read or used, by reason."""
    shown: list[tuple[Any, ...]] = []
    missing: list[NotYetError] = []
    for name, kind, question in _SET_ASIDE:
        try:
            rows = answers.ask(question(filters)).to_pylist()
        except NotYetError as error:
            missing.append(error)
            continue
        ordered = sorted(rows, key=lambda row: -row["n"])
        shown += [(html.Span(kind, title=str(name)), row["reason"], row["n"]) for row in ordered[:_REASONS]]
        if rest := sum(row["n"] for row in ordered[_REASONS:]):
            shown.append((kind, "other reasons", rest))
    if len(missing) == len(_SET_ASIDE):
        raise missing[0]
    if not shown:
        return empty("Nothing was set aside.")
    return table(("what", "reason", "records"), shown, "Records set aside, by reason")
