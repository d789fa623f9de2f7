"""What is still to be done before the page has something to show: one list instead of an empty state a panel."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.errors import TableError
from solosolve.names import COMPLAINTS, MADE_BY, MODEL_EVENTS, PREDICTIONS, Table
from solosolve.where import command_here

_STEPS: tuple[tuple[Table, str], ...] = (
    (COMPLAINTS, "Land and label complaints"),
    (MODEL_EVENTS, "Train and promote a model"),
    (PREDICTIONS, "Score complaints"),
)

COMMANDS = frozenset(MADE_BY[table] for table, _ in _STEPS)
"""The commands of the steps; a panel that waits for one of them need not name it again."""


def steps_done(answers: Answers) -> list[bool]:
    """Returns which steps have been done, in their order: those whose table exists."""
    return [_exists(answers, table) for table, _ in _STEPS]


def _exists(answers: Answers, table: Table) -> bool:
    try:
        return answers.versions((table,))[table] is not None
    except TableError:
        # A broken table exists; the banner tells of it.
        return True


def checklist(steps: list[bool]) -> Component | None:
    """The steps with the command of each that is still to be done; None when all are done."""
    if all(steps):
        return None
    entries = [_entry(MADE_BY[table], name, is_done=done) for (table, name), done in zip(_STEPS, steps, strict=True)]
    return html.Section([html.H2("To begin"), html.Ol(entries)], className="panel checklist")


def _entry(command: str, name: str, *, is_done: bool) -> Component:
    if is_done:
        return html.Li([name, html.Span(" – done")], className="done")
    shown: list[Any] = [name, ": run ", html.Code(command_here(command))]
    return html.Li(shown)
