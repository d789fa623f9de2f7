"""Keeps the rooms up to date: sends a browser the panels that changed, one banner, and how old the stream is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.checklist import checklist, steps_done
from solosolve.dashboard.views.drawing import PanelCache
from solosolve.dashboard.views.rooms import PANELS, panels_of
from solosolve.dashboard.views.routes import room_of
from solosolve.errors import TableError, UsageError


def register_refresh(app: Dash, answers: Answers, cache: PanelCache) -> None:
    """Adds the callback that keeps the rooms up to date."""

    @app.callback(
        *(Output(f"panel-{panel.name}", "children") for panel in PANELS),
        Output("banner", "children"),
        Output("checklist", "children"),
        Output("newest-batch", "data"),
        Output("seen", "data"),
        Input("clock", "n_intervals"),
        Input("url", "search"),
        Input("url", "pathname"),
        State("seen", "data"),
    )
    def refresh(_: object, search: object, path: object, seen: object) -> list[Any]:
        return changes_since(answers, cache, search, path, seen)


def changes_since(answers: Answers, cache: PanelCache, search: object, path: object, seen: object) -> list[Any]:
    """Returns what changed since a browser's last refresh.

    Args:
        answers: What the tables say.
        cache: Draws the panels.
        search: The address's query string.
        path: The address's path.
        seen: What the browser shows: panel name to digest, and `banner`, `steps` and `newest`.

    Returns:
        The content of each panel, the banner, the checklist, the end of the newest batch and the new `seen`, in this
        order, with `no_update` for everything that has not changed.
    """
    known: Mapping[Any, Any] = seen if isinstance(seen, dict) else {}
    filters, errors = _filters_of(search)
    shown_panels = panels_of(room_of(path))
    contents: list[Any] = [no_update] * len(PANELS)
    digests = {}
    for position, panel in enumerate(PANELS):
        if panel not in shown_panels:
            continue
        drawn = cache.draw(panel, filters)
        if drawn.error:
            errors.append(drawn.error)
        digests[panel.name] = drawn.digest
        if known.get(panel.name) != drawn.digest:
            contents[position] = drawn.content
    newest = _newest_batch(answers)
    steps = steps_done(answers)
    errors += _unreadable(answers)
    now = {**known, **digests, "banner": errors, "steps": steps, "newest": newest}
    return [
        *contents,
        [html.P(error) for error in errors] if known.get("banner", []) != errors else no_update,
        checklist(steps) if known.get("steps") != steps else no_update,
        newest if known.get("newest", 0) != newest else no_update,
        now if now != known else no_update,
    ]


def _filters_of(search: object) -> tuple[Filters, list[str]]:
    """The address's filters, or none and a message if the address is invalid."""
    try:
        return Filters.parse(search), []
    except UsageError as error:
        return Filters(), [f"No filters are applied, because the address has an invalid one: {error}"]


def _unreadable(answers: Answers) -> list[str]:
    """One message for all tables that cannot be read."""
    found = answers.unreadable
    if not found:
        return []
    since = min(found.values())
    names = ", ".join(sorted({str(table) for tables in found for table in tables}))
    return [
        f"Cannot be read since {since:%Y-%m-%d %H:%M} UTC: {names}. What depends on it is shown as it was last, with "
        "the time of that, or not at all. The dashboard's log says why."
    ]


def _newest_batch(answers: Answers) -> str | None:
    """When the stream's newest batch ended; None before the first batch, or if the table cannot be read."""
    try:
        batches = answers.ask(questions.stream_batches(Filters()))
    except TableError:
        return None
    return batches.column("ended_at")[0].as_py().isoformat() if batches.num_rows else None
