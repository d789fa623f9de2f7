"""The filter bar: its controls, kept in sync with the address, and the values they offer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import SEGMENT_COLUMNS, Filters
from solosolve.dashboard.views.elements import attributes
from solosolve.errors import TableError, UsageError

_DAYS = (("From", "from"), ("To", "to"))
_LISTS = (*SEGMENT_COLUMNS, "model")
_VALUES = [(f"filter-{name}", "value") for name in ("from", "to", *_LISTS)]
_OPTIONS = [(f"filter-{name}", "options") for name in _LISTS]
_COMPANIES = 50
"""Companies offered at once, those with the most predictions first."""


def filter_bar() -> Component:
    """The bar; the first callback fills in values and options."""
    days = [
        _control(
            label,
            name,
            dcc.Input(
                id=f"filter-{name}", type="text", debounce=True, placeholder="YYYY-MM-DD", maxLength=10,
                pattern=r"\d{4}-\d{2}-\d{2}",
            ),
        )
        for label, name in _DAYS
    ]  # fmt: skip
    segments = [
        _control(
            name.capitalize(),
            name,
            dcc.Dropdown(id=f"filter-{name}", multi=True, placeholder=f"Any {name}", options=[], maxHeight=300),
        )
        for name in SEGMENT_COLUMNS
    ]
    return html.Section(
        [
            *days,
            *segments,
            _control("Model version", "model", dcc.Dropdown(id="filter-model", placeholder="Any version", options=[])),
            html.Button("Clear", id="filter-clear", n_clicks=0, type="button"),
            html.P(id="filter-error", className="worse", role="status"),
        ],
        className="filters",
        **attributes(aria_label="Filters"),
    )


def _control(label: str, name: str, element: Component) -> Component:
    return html.Div([html.Label(label, htmlFor=f"filter-{name}"), element], className=f"control {name}")


def register_filters(app: Dash, answers: Answers) -> None:
    """Adds the callbacks that keep bar and address in sync and offer the values that the tables have."""

    @app.callback(
        Output("url", "search"),
        Output("filter-error", "children"),
        *(Output(name, part) for name, part in (*_VALUES, *_OPTIONS)),
        Input("url", "search"),
        Input("filter-clear", "n_clicks"),
        *(Input(name, part) for name, part in _VALUES),
    )
    def sync(search: object, _: object, *chosen: object) -> list[Any]:
        cause = ctx.triggered_id
        if cause == "filter-clear":
            return ["", "", *_control_values(Filters()), *([no_update] * len(_OPTIONS))]
        if cause not in (None, "url"):
            return [*_address(chosen), *([no_update] * (len(_VALUES) + len(_OPTIONS)))]
        return [no_update, "", *_controls(answers, search)]

    @app.callback(
        *(Output(name, part, allow_duplicate=True) for name, part in _OPTIONS),
        Input("clock", "n_intervals"),
        Input("filter-company", "search_value"),
        *(State(name, part) for name, part in (*_VALUES[2:], *_OPTIONS)),
        prevent_initial_call=True,
    )
    def offer(_: object, typed: object, *present: object) -> list[Any]:
        chosen, options = present[: len(_LISTS)], present[len(_LISTS) :]
        offered = [
            options_of(answers, name, value, typed if name == "company" else "")
            for name, value in zip(_LISTS, chosen, strict=True)
        ]
        return [no_update if new == old else new for new, old in zip(offered, options, strict=True)]


def _address(chosen: tuple[object, ...]) -> tuple[Any, str]:
    """The address that the controls' values make, and an error message if they make none."""
    try:
        return search_of(chosen), ""
    except UsageError as error:
        return no_update, str(error)


def _controls(answers: Answers, search: object) -> list[Any]:
    """The values and options that show an address."""
    try:
        filters = Filters.parse(search)
    except UsageError:
        filters = Filters()
    values = _control_values(filters)
    # A dropdown drops a value that its options lack, so both are sent together.
    options = [options_of(answers, name, value) for name, value in zip(_LISTS, values[len(_DAYS) :], strict=True)]
    return [*values, *options]


def _control_values(filters: Filters) -> list[Any]:
    days = [day.isoformat() if day else "" for day in (filters.first_day, filters.last_day)]
    segment = [list(getattr(filters, name)) for name in SEGMENT_COLUMNS]
    return [*days, *segment, str(filters.model_version) if filters.model_version is not None else None]


def search_of(chosen: tuple[object, ...]) -> str:
    """Returns the query string for the values of the controls, in the order of the bar.

    Raises:
        UsageError: A value is not one that a filter can have.
    """
    pairs: list[tuple[str, object]] = []
    for (name, _), value in zip(_VALUES, chosen, strict=True):
        values = value if isinstance(value, list) else [value]
        pairs += [(name.removeprefix("filter-"), each) for each in values if each]
    return Filters.parse(urlencode(pairs)).to_search()


def options_of(answers: Answers, name: str, chosen: object, typed: object = "", limit: int = _COMPANIES) -> list[str]:
    """Returns the options of a dropdown: chosen values that the tables lack, then the values that they have.

    Args:
        answers: Where the values come from.
        name: `product`, `company`, `state` or `model`.
        chosen: The dropdown's value or values.
        typed: What the user typed to find a company.
        limit: Companies to offer.
    """
    kept = [each for each in (chosen if isinstance(chosen, list) else [chosen]) if isinstance(each, str)]
    try:
        found = _versions(answers) if name == "model" else _names(answers, name)
    except TableError:
        found = []
    if name == "company":
        part = typed.casefold() if isinstance(typed, str) else ""
        found = [each for each in found if part in each.casefold()][:limit]
    return [*(each for each in kept if each not in found), *found]


def _versions(answers: Answers) -> list[str]:
    bins = answers.ask(questions.score_distribution(Filters()))
    return [str(number) for number in sorted(set(bins.column("model_version").to_pylist()), reverse=True)]


def _names(answers: Answers, column: str) -> list[str]:
    """A column's values: products and states by name, companies by number of predictions."""
    counts = questions.totals(answers.ask(questions.predictions_by(column, Filters())).to_pylist(), column)
    names = sorted(filter(None, counts))
    return sorted(names, key=lambda name: -counts[name]) if column == "company" else names
