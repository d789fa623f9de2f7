"""The review room's keys: what they do, the list of them, and what of the room runs in the browser alone."""

from __future__ import annotations

from collections.abc import Callable

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, html
from dash.development.base_component import Component

from solosolve.dashboard.data.verdicts import REASONS
from solosolve.dashboard.views.elements import attributes

_KEYS = (
    ("S", "Success"),
    ("F", "Failure"),
    ("U", "Unsure"),
    (f"1 to {len(REASONS)}", "Choose a reason"),
    ("N", "Next complaint, without a verdict"),
    ("Z", "Undo your newest verdict"),
    ("Esc", "Leave the note"),
    ("?", "This list"),
)


def key_list() -> Component:
    """The dialog that lists the keys and can turn them off."""
    rows = [html.Tr([html.Th(html.Kbd(key), scope="row"), html.Td(what)]) for key, what in _KEYS]
    return html.Dialog(
        [
            html.H3("Keys", id="review-key-title"),
            html.Table(html.Tbody(rows), className="keys"),
            dmc.Switch(
                id="review-keys-on",
                label="Keys are on",
                description="Turn them off if you dictate or type with an aid.",
                checked=True,
                persistence=True,
                persistence_type="local",
            ),
            html.Button("Close", id="review-keys-close", n_clicks=0, type="button"),
        ],
        id="review-key-list",
        **attributes(aria_labelledby="review-key-title"),
    )


def register_review_keys(app: Dash) -> None:
    """Adds the callbacks that run in the browser (`assets/review.js`)."""

    def in_browser(name: str, *parts: Input | Output | State, **options: bool) -> None:
        add: Callable[..., None] = app.clientside_callback
        add(ClientsideFunction("review", name), *parts, **options)

    reason, note = Input("review-reason", "value"), Input("review-note", "value")
    entry = {"type": "queue", "complaint": ALL}
    in_browser("openKeys", Input("review-keys", "n_clicks"), prevent_initial_call=True)
    in_browser("closeKeys", Input("review-keys-close", "n_clicks"), prevent_initial_call=True)
    in_browser(
        "loadDraft",
        Output("review-reason", "value"),
        Output("review-note", "value"),
        Input("review-shown", "data"),
        prevent_initial_call=True,
    )
    in_browser("saveDraft", reason, note, State("review-shown", "data"), prevent_initial_call=True)
    in_browser("settleDraft", Input("review-done", "data"), prevent_initial_call=True)
    in_browser("markOpen", Output(entry, "aria-current"), Input("review-item", "data"), Input(entry, "id"))
    in_browser("keepFocus", Input("queue", "children"), Input("recent-verdicts", "children"), prevent_initial_call=True)
