"""The filter bar: what can be chosen, and that the address says what is."""

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
_OFFERED = 50
"""Companies that a search lists, those with most predictions first."""


def filter_bar() -> Component:
    """The bar; its choices come with the first callback."""
    return html.Section(
        [
            *(
                _control(
                    label,
                    name,
                    dcc.Input(
                        id=f"filter-{name}", type="text", debounce=True, placeholder="YYYY-MM-DD", maxLength=10,
                        pattern=r"\d{4}-\d{2}-\d{2}",
                    ),
                )
                for label, name in _DAYS
            ),
            *(
                _control(
                    name.capitalize(),
                    name,
                    dcc.Dropdown(id=f"filter-{name}", multi=True, placeholder=f"Any {name}", options=[], maxHeight=300),
                )
                for name in SEGMENT_COLUMNS
            ),
            _control("Model version", "model", dcc.Dropdown(id="filter-model", placeholder="All versions", options=[])),
            html.Button("Clear", id="filter-clear", className="quiet", n_clicks=0, type="button"),
            html.P(id="filter-said", className="worse", role="status"),
        ],
        className="filters",
        **attributes(aria_label="Filters"),
    )  # fmt: skip


def _control(label: str, name: str, element: Component) -> Component:
    return html.Div([html.Label(label, htmlFor=f"filter-{name}"), element], className=f"control {name}")


def register_filters(app: Dash, answers: Answers) -> None:
    """Adds the callbacks that tie the bar to the address, and offer what the tables have."""

    @app.callback(
        Output("url", "search"),
        Output("filter-said", "children"),
        *(Output(name, part) for name, part in (*_VALUES, *_OPTIONS)),
        Input("url", "search"),
        Input("filter-clear", "n_clicks"),
        *(Input(name, part) for name, part in _VALUES),
    )
    def tie(search: object, _: object, *chosen: object) -> list[Any]:
        cause = ctx.triggered_id
        same_options = [no_update] * len(_OPTIONS)
        if cause == "filter-clear":
            return ["", "", *_shown(Filters()), *same_options]
        if cause not in (None, "url"):
            try:
                found: Any = _search_of(chosen)
                said = ""
            except UsageError as error:
                found, said = no_update, str(error)
            return [found, said, *([no_update] * len(_VALUES)), *same_options]
        try:
            filters = Filters.parse(search)
        except UsageError:
            filters = Filters()
        # With the values come options that have them: a value that is no option is dropped by the control.
        shown = _shown(filters)
        return [
            no_update,
            "",
            *shown,
            *(_offered(answers, name, shown[2 + place]) for place, name in enumerate(_LISTS)),
        ]

    @app.callback(
        *(Output(name, part, allow_duplicate=True) for name, part in _OPTIONS),
        Input("clock", "n_intervals"),
        Input("filter-company", "search_value"),
        *(State(name, part) for name, part in (*_VALUES[2:], *_OPTIONS)),
        prevent_initial_call=True,
    )
    def offer(_: object, searched: object, *present: object) -> list[Any]:
        chosen, options = present[: len(_LISTS)], present[len(_LISTS) :]
        offered = [
            _offered(answers, name, chosen[place], searched if name == "company" else "")
            for place, name in enumerate(_LISTS)
        ]
        return [no_update if new == old else new for new, old in zip(offered, options, strict=True)]


def _shown(filters: Filters) -> list[Any]:
    """Filters as the controls show them."""
    days = [day.isoformat() if day else "" for day in (filters.first_day, filters.last_day)]
    segment = [list(getattr(filters, name)) for name in SEGMENT_COLUMNS]
    return [*days, *segment, str(filters.model_version) if filters.model_version is not None else None]


def _search_of(chosen: tuple[object, ...]) -> str:
    """The address of what the controls say.

    Raises:
        UsageError: They say nonsense.
    """
    pairs: list[tuple[str, object]] = []
    for (name, _), value in zip(_VALUES, chosen, strict=True):
        values = value if isinstance(value, list) else [value]
        pairs += [(name.removeprefix("filter-"), each) for each in values if each]
    try:
        return Filters.parse(urlencode(pairs)).to_search()
    except TypeError:
        raise UsageError("not what a filter can be") from None


def _offered(answers: Answers, name: str, chosen: object, searched: object = "") -> list[str]:
    """What a list offers: what is chosen in it, and what the tables have."""
    kept = [each for each in (chosen if isinstance(chosen, list) else [chosen]) if isinstance(each, str)]
    try:
        found = _versions(answers) if name == "model" else _names(answers, name)
    except TableError:
        found = []
    if name == "company":
        words = searched.casefold() if isinstance(searched, str) else ""
        found = [each for each in found if words in each.casefold()][:_OFFERED]
    return [*(each for each in kept if each not in found), *found]


def _versions(answers: Answers) -> list[str]:
    bins = answers.ask(questions.score_distribution(Filters()))
    return [str(number) for number in sorted(set(bins.column("model_version").to_pylist()), reverse=True)]


def _names(answers: Answers, column: str) -> list[str]:
    """Values of a column: products and states by name, companies by how many predictions they have."""
    counts = questions.totals(answers.ask(questions.predictions_by(column, Filters())).to_pylist(), column)
    names = sorted(filter(None, counts))
    return sorted(names, key=lambda name: -counts[name]) if column == "company" else names
