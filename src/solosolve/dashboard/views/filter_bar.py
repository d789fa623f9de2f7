"""The filter bar: its controls, kept in sync with the address, and the values they offer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from solosolve.clock import now
from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import FILTER_NAMES, SEGMENT_COLUMNS, Filters
from solosolve.dashboard.data.query_string import pairs_of, query_string
from solosolve.dashboard.views.elements import SEARCHABLE, attributes
from solosolve.errors import TableError, UsageError

_PERIODS = ("scored", "received")
_LISTS = (*SEGMENT_COLUMNS, "model")
_VALUES = [(f"filter-{name}", "value") for name in (*_PERIODS, *_LISTS)]
_UNTIL = [(f"filter-{name}", "placeholder") for name in _PERIODS]
"""Shown in place of a period that only has an end; the control itself shows periods from their first day on."""
_OPTIONS = [(f"filter-{name}", "data") for name in _LISTS]
_ANY_DAY = "Any day"
_COMPANIES = 50
"""Companies offered at once, those with the most predictions first."""

_OF_OTHER_ROWS = ("page", "complaint")

_PRESETS = {"Today": 0, "Last 7 days": 6, "Last 30 days": 29, "Last 12 months": 364}
"""Periods on offer, and how many days before today they begin."""


def filter_bar() -> Component:
    """The bar; the first callback fills in values and options."""
    return html.Section(
        [
            _period("scored", "Scored", "When the prediction was made, in UTC"),
            _period("received", "Received", "When the complaint was received"),
            *(
                dmc.MultiSelect(
                    id=f"filter-{name}", label=name.capitalize(), placeholder=f"Any {name}", data=[], value=[],
                    clearable=True, className=f"control {name}", maxDropdownHeight=300, hidePickedOptions=True,
                    **SEARCHABLE,
                )
                for name in SEGMENT_COLUMNS
            ),
            dmc.Select(
                id="filter-model", label="Model version", placeholder="Any version", data=[], clearable=True,
                className="control model",
            ),
            dmc.Button("Clear", id="filter-clear", n_clicks=0, variant="default"),
            html.P(id="filter-error", className="worse", role="status"),
        ],
        className="filters",
        **attributes(aria_label="Filters"),
    )  # fmt: skip


def _period(name: str, label: str, description: str) -> Component:
    """A range of days; `placeholder` and `title` say what they are days of."""
    today = now().date()
    presets = [
        {"label": text, "value": [(today - timedelta(days=days)).isoformat(), today.isoformat()]}
        for text, days in _PRESETS.items()
    ]
    return dmc.DatePickerInput(
        id=f"filter-{name}", label=label, placeholder=_ANY_DAY, type="range", valueFormat="YYYY-MM-DD",
        clearable=True, allowSingleDateInRange=True, presets=presets, className=f"control period {name}",
        inputProps={"title": description}, maxDate=(today + timedelta(days=1)).isoformat(),
    )  # fmt: skip


def register_filters(app: Dash, answers: Answers) -> None:
    """Adds the callbacks that keep bar and address in sync and offer the values that the tables have."""

    @app.callback(
        # A duplicate like every other one: what takes the query string waits for no answer of this callback.
        Output("url", "search", allow_duplicate=True),
        Output("filter-error", "children"),
        *(Output(name, part) for name, part in (*_VALUES, *_UNTIL, *_OPTIONS)),
        Input("url", "search"),
        Input("filter-clear", "n_clicks"),
        *(Input(name, part) for name, part in _VALUES),
        prevent_initial_call="initial_duplicate",
    )
    def sync(search: object, _: object, *chosen: object) -> list[Any]:
        cause = ctx.triggered_id
        if cause in (None, "url"):
            return [no_update, "", *_controls(answers, search)]
        if cause == "filter-clear":
            return [with_filters(search, Filters()), "", *_control_values(Filters()), *([no_update] * len(_OPTIONS))]
        return [*_address(search, chosen), *([no_update] * (len(_VALUES) + len(_UNTIL) + len(_OPTIONS)))]

    @app.callback(
        *(Output(name, part, allow_duplicate=True) for name, part in _OPTIONS),
        Input("clock", "n_intervals"),
        Input("filter-company", "searchValue"),
        *(State(name, part) for name, part in (*_VALUES[len(_PERIODS) :], *_OPTIONS)),
        prevent_initial_call=True,
    )
    def offer(_: object, typed: object, *present: object) -> list[Any]:
        chosen, options = present[: len(_LISTS)], present[len(_LISTS) :]
        offered = [
            options_of(answers, name, value, typed if name == "company" else "")
            for name, value in zip(_LISTS, chosen, strict=True)
        ]
        return [no_update if new == old else new for new, old in zip(offered, options, strict=True)]


def with_filters(search: object, filters: Filters) -> str:
    """Returns a query string with other filters.

    What a room keeps in it stays, except which page of a table and which complaint were chosen among other rows.
    """
    kept = [(name, value) for name, value in pairs_of(search) if name not in (*FILTER_NAMES, *_OF_OTHER_ROWS)]
    return query_string([*pairs_of(filters.to_search()), *kept])


def _address(search: object, chosen: tuple[object, ...]) -> tuple[Any, str]:
    """The address that the controls' values make, and an error message if they make none."""
    try:
        filters = filters_of(chosen)
    except UsageError as error:
        return no_update, str(error)
    new = with_filters(search, filters)
    return (no_update if new == (search or "") else new), ""


def _controls(answers: Answers, search: object) -> list[Any]:
    """The values and options that show an address."""
    try:
        filters = Filters.parse(search)
    except UsageError:
        filters = Filters()
    values = _control_values(filters)
    chosen = values[len(_PERIODS) : len(_VALUES)]
    # A list drops a value that its options lack, so both are sent together.
    options = [options_of(answers, name, value) for name, value in zip(_LISTS, chosen, strict=True)]
    return [*values, *options]


def _control_values(filters: Filters) -> list[Any]:
    """The values of all controls, and then the placeholders of the periods."""
    periods = ((filters.first_day, filters.last_day), (filters.first_received, filters.last_received))
    days = [[day.isoformat() if day else None for day in period] for period in periods]
    segment = [list(getattr(filters, name)) for name in SEGMENT_COLUMNS]
    version = str(filters.model_version) if filters.model_version is not None else None
    until = [f"until {last}" if last and not first else _ANY_DAY for first, last in days]
    return [*days, *segment, version, *until]


def filters_of(chosen: tuple[object, ...]) -> Filters:
    """Returns the filters for the values of the controls, in the order of the bar.

    Raises:
        UsageError: A value is not one that a filter can have.
    """
    pairs: list[tuple[str, object]] = []
    for (name, _), value in zip(_VALUES, chosen, strict=True):
        short = name.removeprefix("filter-")
        if short in _PERIODS:
            days = value if isinstance(value, list) and len(value) == 2 else [None, None]
            names = ("from", "to") if short == "scored" else ("received-from", "received-to")
            pairs += [(each, day) for each, day in zip(names, days, strict=True) if day]
        else:
            pairs += [(short, each) for each in (value if isinstance(value, list) else [value]) if each]
    return Filters.parse(urlencode(pairs))


def options_of(answers: Answers, name: str, chosen: object, typed: object = "", limit: int = _COMPANIES) -> list[str]:
    """Returns the options of a list: chosen values that the tables lack, then the values that they have.

    Args:
        answers: Where the values come from.
        name: `product`, `company`, `state` or `model`.
        chosen: The list's value or values.
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
