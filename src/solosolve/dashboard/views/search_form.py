"""The search form of the Complaints room, kept in sync with the address, and the values that it offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_conditions import WORDS_SEARCHED, fact_values
from solosolve.dashboard.data.search import (
    FACTS,
    Search,
    bound_text,
    merged,
    parse_id,
    parse_words,
    without_search,
    written,
)
from solosolve.dashboard.views.elements import SEARCHABLE, attributes
from solosolve.dashboard.views.routes import COMPLAINTS, room_of
from solosolve.errors import TableError, UsageError

_LABELS = {
    "sub-product": "Sub-product", "issue": "Issue", "sub-issue": "Sub-issue", "zip": "ZIP code", "tag": "Tag",
    "via": "Submitted via", "response": "Company response", "public-response": "Public response",
    "timely": "Timely response", "disputed": "Consumer disputed",
}  # fmt: skip
_YES_OR_NO = ("timely", "disputed")
_TYPED = "zip"
"""Has too many values for a list."""
_LISTS = tuple(name for name in FACTS if name not in (*_YES_OR_NO, _TYPED))
_CONTROLS = ("id", "words", "probability", *FACTS)
_ERRORS = ("id", "words")


def search_form() -> Component:
    """The form; the first callback fills in values and options."""
    more = html.Summary(["More filters", html.Span(id="search-more-count")], id="search-more-title", n_clicks=0)
    words = f"All of them, in any part of the text. Searched in the {WORDS_SEARCHED:,} complaints received last."
    probability = dmc.RangeSlider(
        id="search-probability", min=0, max=1, step=0.05, value=[0, 1], minRange=0, thumbFromLabel="Lowest probability",
        thumbToLabel="Highest probability", marks=[{"value": at, "label": f"{at:.0%}"} for at in (0, 0.5, 1)],
    )  # fmt: skip
    return html.Section(
        [
            dmc.TextInput(
                id="search-id", label="Complaint number", placeholder="Any", debounce=400, className="control",
                inputProps={"maxLength": 40},
            ),
            dmc.TextInput(
                id="search-words", label="Words in the text", placeholder='Any, such as refund "late fee"',
                debounce=400, className="control wide", inputProps={"title": words, "maxLength": 200},
            ),
            html.Div(
                [html.Label("Probability of success", id="search-probability-label"), probability],
                className="control wide probability", role="group",
                **attributes(aria_labelledby="search-probability-label"),
            ),
            dmc.Button("Clear search", id="search-clear", n_clicks=0, variant="default"),
            html.Details(
                [more, html.Div([_control(name) for name in FACTS], className="more")],
                id="search-more", className="more-filters",
            ),
        ],
        className="filters inline",
        **attributes(aria_label="Search"),
    )  # fmt: skip


def _control(name: str) -> Component:
    shared: dict[str, Any] = {
        "id": f"search-{name}", "label": _LABELS[name], "placeholder": "Any", "clearable": True, "className": "control",
    }  # fmt: skip
    if name in _YES_OR_NO:
        return dmc.Select(data=["Yes", "No"], **shared)
    if name == _TYPED:
        return dmc.TagsInput(value=[], acceptValueOnBlur=True, **shared | {"placeholder": "Such as 85001 or 850XX"})
    return dmc.MultiSelect(data=[], value=[], **SEARCHABLE, **shared)


def register_search_form(app: Dash, answers: Answers) -> None:
    """Adds the callback that keeps form and address in sync and offers the values that complaints have."""

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        *(Output(f"search-{name}", "value") for name in _CONTROLS),
        *(Output(f"search-{name}", "error") for name in _ERRORS),
        *(Output(f"search-{name}", "data") for name in _LISTS),
        Output("search-more", "open"),
        Output("search-more-count", "children"),
        Input("url", "search"),
        Input("url", "pathname"),
        Input("search-clear", "n_clicks"),
        *(Input(f"search-{name}", "value") for name in _CONTROLS),
        prevent_initial_call="initial_duplicate",
    )
    def sync(search: object, path: object, _: object, *chosen: object) -> list[Any]:
        cause = ctx.triggered_id
        if cause in (None, "url"):
            if room_of(path) != COMPLAINTS:
                return [no_update] * (1 + len(_CONTROLS) + len(_ERRORS) + len(_LISTS) + 2)
            return [no_update, *controls(answers, search)]
        if cause == "search-clear":
            cleared = without_search(search)
            return [cleared, *controls(answers, cleared)]
        address, *errors = address_of(search, chosen)
        return [address, *([no_update] * len(_CONTROLS)), *errors, *([no_update] * (len(_LISTS) + 2))]

    @app.callback(
        *(Output(f"search-{name}", "data", allow_duplicate=True) for name in _LISTS),
        Input("search-more-title", "n_clicks"),
        *(State(f"search-{name}", "value") for name in _LISTS),
        prevent_initial_call=True,
    )
    def offer(_: object, *chosen: object) -> list[list[str]]:
        # Only now: each list reads a column of all complaints.
        return [_options(answers, name, values) for name, values in zip(_LISTS, chosen, strict=True)]


def address_of(search: object, chosen: Sequence[object]) -> list[Any]:
    """Returns the query string that the values of the controls make, and a message for each of the text boxes.

    The query string is `no_update` if a value is wrong, or if nothing changes.
    """
    values = dict(zip(_CONTROLS, chosen, strict=True))
    errors: dict[str, str | None] = dict.fromkeys(_ERRORS)
    texts: dict[str, object] = {}
    for name, read in (("id", parse_id), ("words", lambda text: written(parse_words(text)))):
        try:
            texts[name] = read(values[name])
        except UsageError as error:
            errors[name] = str(error)
    if any(errors.values()):
        return [no_update, *errors.values()]
    bounds = values["probability"]
    lowest, highest = bounds if _is_range(bounds) else (0, 1)
    wanted = texts | {
        "probability-from": None if lowest == 0 else bound_text(lowest),
        "probability-to": None if highest == 1 else bound_text(highest),
        **{name: values[name] for name in FACTS},
    }
    new = merged(search, wanted)
    try:
        is_same = Search.parse(new).from_start() == Search.parse(search).from_start()
    except UsageError:
        is_same = False
    return [no_update if is_same else new, *errors.values()]


def _is_range(bounds: object) -> TypeGuard[list[float]]:
    return isinstance(bounds, list) and len(bounds) == 2 and all(isinstance(each, int | float) for each in bounds)


def controls(answers: Answers, search: object) -> list[Any]:
    """Returns what shows an address: values, errors, options, that more filters open if any is set, and how many are.

    While none is set, lists keep the options that they got when they were opened.

    An invalid address shows an empty form; the table says what is wrong with it.
    """
    try:
        found = Search.parse(search)
    except UsageError:
        found = Search()
    facts = dict(found.facts)
    values = [
        "" if found.complaint_id is None else str(found.complaint_id),
        written(found.words),
        [found.lowest, found.highest],
        *(_value(name, facts.get(name, ())) for name in FACTS),
    ]
    # A list drops a value that its options lack, so both are sent together.
    options = [_options(answers, name, facts.get(name, ())) if facts else no_update for name in _LISTS]
    # Someone may have opened the filters that are out of sight, and no answer closes them.
    return [*values, None, None, *options, True if facts else no_update, f" ({len(facts)})" if facts else ""]


def _value(name: str, chosen: tuple[str, ...]) -> Any:
    if name in _YES_OR_NO:
        return chosen[0] if chosen else None
    return list(chosen)


def _options(answers: Answers, name: str, chosen: object) -> list[str]:
    kept = [value for value in chosen if isinstance(value, str)] if isinstance(chosen, list | tuple) else []
    try:
        values = fact_values(answers, name)
    except TableError:
        values = []
    return [*(value for value in kept if value not in values), *values]
