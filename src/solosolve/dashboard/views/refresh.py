"""Keeps the rooms up to date: sends a browser the panels that changed, one banner, and how old the stream is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, html, no_update, set_props

from solosolve.clock import now
from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.checklist import checklist, steps_done
from solosolve.dashboard.views.drawing import PanelCache
from solosolve.dashboard.views.rooms import PANELS, panels_of
from solosolve.dashboard.views.routes import MODEL, room_of
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
        State("newest-batch", "data"),
        State("seen", "data"),
    )
    def refresh(_: object, search: object, path: object, newest: object, seen: object) -> list[Any]:
        shown = seen if isinstance(seen, dict) else {}
        contents, signals = changes_since(answers, cache, search, path, {**shown, "newest": newest})
        for name in signals:
            # Not an output: what takes a signal would wait for the first answer of this callback.
            set_props(name, {"data": now().isoformat()})
        return contents


def changes_since(
    answers: Answers, cache: PanelCache, search: object, path: object, shown: Mapping[Any, Any]
) -> tuple[list[Any], list[str]]:
    """Returns what changed since a browser's last refresh.

    Args:
        answers: What the tables say.
        cache: Draws the panels.
        search: The address's query string.
        path: The address's path.
        shown: What the browser shows: panel name to digest, `banner`, `steps`, `place`, `unreadable`, and `newest`.

    Returns:
        The content of each panel, the banner, the checklist, the end of the newest batch, and the new `seen`, which is
        `shown` without the batch, in this order, with `no_update` for everything that has not changed. Then the
        signals: `model-drawn` if new rows have changed the Model room, and `retry` if what could not be read should be
        tried again.
    """
    known = {name: value for name, value in shown.items() if name != "newest"}
    filters, errors = _filters_of(search)
    of_room = panels_of(room_of(path))
    contents, digests = [], {}
    for panel in PANELS:
        drawn = cache.draw(panel, filters) if panel in of_room else None
        contents.append(no_update if drawn is None or known.get(panel.name) == drawn.digest else drawn.content)
        if drawn is not None:
            errors += [drawn.error] if drawn.error else []
            digests[panel.name] = drawn.digest
    steps, unreadable, newest = steps_done(answers), _unreadable(answers), _newest_batch(answers)
    errors += unreadable
    beside = {"banner": errors, "steps": steps, "place": [path, search], "unreadable": bool(unreadable)}
    seen = {**known, **digests, **beside}
    outputs = [
        *contents,
        [html.P(error) for error in errors] if known.get("banner", []) != errors else no_update,
        checklist(steps) if known.get("steps") != steps else no_update,
        newest if shown.get("newest", 0) != newest else no_update,
        seen if seen != known else no_update,
    ]
    return outputs, _signals(known, seen, digests)


def _signals(known: Mapping[Any, Any], seen: Mapping[str, Any], digests: Mapping[str, str]) -> list[str]:
    path, _ = seen["place"]
    has_new_rows = known.get("place") == seen["place"] and any(
        known.get(name) != digest for name, digest in digests.items()
    )
    signals = ["model-drawn"] if room_of(path) == MODEL and has_new_rows else []
    return [*signals, "retry"] if seen["unreadable"] or known.get("unreadable") else signals


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
        f"Cannot be read since {since:%Y-%m-%d %H:%M} UTC: {names}. Panels that need it show their last state, "
        "with its time, or stay empty. The dashboard's log says why."
    ]


def _newest_batch(answers: Answers) -> str | None:
    """When the stream's newest batch ended; None before the first batch, or if the table cannot be read."""
    try:
        batches = answers.ask(questions.stream_batches(Filters()))
    except TableError:
        return None
    return batches.column("ended_at")[0].as_py().isoformat() if batches.num_rows else None
