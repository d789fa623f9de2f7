"""The map: one tile per state, all of the same size, at roughly the state's place in the country."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from solosolve.dashboard.views.picture import (
    MIN_COMPLAINTS,
    Picture,
    blank_figure,
    click,
    interval,
    percent,
)
from solosolve.model.proportions import wilson_interval

Row = Mapping[str, Any]

# The grid that NPR published in 2015 (Danny DeBelius, "Let's Tesselate: Hexagons For Tile Grid Maps").
_GRID = """
AK .. .. .. .. .. .. .. .. .. .. ME
.. .. .. .. .. .. .. .. .. VT NH ..
.. WA ID MT ND MN IL WI MI NY RI MA
.. OR NV WY SD IA IN OH PA NJ CT ..
.. CA UT CO NE MO KY WV VA MD DE ..
.. .. AZ NM KS AR TN NC SC DC .. ..
.. .. .. .. OK LA MS AL GA .. .. ..
HI .. .. .. TX .. .. .. .. FL .. ..
""".strip().splitlines()

PLACES = {
    state: (column, row) for row, line in enumerate(_GRID) for column, state in enumerate(line.split()) if state != ".."
}
"""State to its column, from the west, and its row, from the north."""

MAPPED_STATES = frozenset(PLACES)
"""The states on the map, and the District of Columbia."""

_LOW, _HIGH = 0.5, 1.0
_SCALE = ("#dcebf7", "#c5dcef", "#a9cbe6", "#89b7db", "#6aa2cf", "#4e8cc1", "#3775ae", "#265f98", "#184a80", "#0c3565")
"""One hue, so that a low rate does not look like failure: a step for every five points from 50 % to 100 %. Most states
lie between 70 % and 90 %, because the threshold flags about a fifth of all complaints; lower rates share the first
step."""

_STEPS = len(_SCALE)

_FEW = "#b3bac4"
_DARK_TEXT, _LIGHT_TEXT = "#16202c", "#ffffff"
_FIRST_LIGHT_TEXT = 0.8
_GAP = 0.06


def success_by_state(rows: Sequence[Row]) -> Picture:
    """Map of the share of each state's complaints that is predicted to succeed.

    Args:
        rows: `state`, `prediction` and `n`; states that are not on the map are left out.

    Returns:
        The map. States with fewer than MIN_COMPLAINTS complaints are grey, and have their numbers all the same. Custom
        data: the click's query, the state, its complaints, its share and the share's interval.
    """
    counts = {state: [0, 0] for state in PLACES}
    for row in rows:
        if row["state"] in counts:
            counts[row["state"]][0] += row["n"]
            counts[row["state"]][1] += row["n"] if row["prediction"] == 1.0 else 0
    enough = [state for state in sorted(PLACES) if counts[state][0] >= MIN_COMPLAINTS]
    few = [state for state in sorted(PLACES) if counts[state][0] < MIN_COMPLAINTS]
    shares = [counts[state][1] / counts[state][0] for state in enough]
    figure = blank_figure(barmode="overlay", margin={"l": 4, "r": 4, "t": 28, "b": 4})
    figure.add_bar(
        **_tiles(enough, counts), name="predicted to succeed", showlegend=False,
        marker={"color": [colour_of(share) for share in shares]},
    )  # fmt: skip
    figure.add_bar(
        **_tiles(few, counts), name=f"fewer than {MIN_COMPLAINTS} complaints", showlegend=bool(few),
        marker={"color": _FEW},
    )  # fmt: skip
    light = {state for state, share in zip(enough, shares, strict=True) if share >= _FIRST_LIGHT_TEXT}
    figure.add_scatter(**_names([*enough, *few], light))
    figure.add_scatter(x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip", marker=_colour_bar())
    figure.update_xaxes(visible=False, range=[-0.6, 11.6])
    figure.update_yaxes(visible=False, range=[7.6, -0.6], scaleanchor="x", constrain="domain")
    return Picture(
        figure,
        _in_words(dict(zip(enough, shares, strict=True)), len(few)),
        ("State", "Complaints", "Predicted to succeed", "95% interval"),
        [_table_row(state, *counts[state]) for state in sorted(PLACES) if counts[state][0]],
    )


def colour_of(share: float) -> str:
    """Returns the colour of a share from 0 to 1."""
    step = int((share - _LOW) / (_HIGH - _LOW) * _STEPS)
    return _SCALE[min(max(step, 0), _STEPS - 1)]


def _tiles(states: Sequence[str], counts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Bars that fill their cells of the grid. Unlike markers, they grow and shrink with the page."""
    return {
        "x": [PLACES[state][0] for state in states],
        "base": [PLACES[state][1] - 0.5 + _GAP / 2 for state in states],
        "y": [1 - _GAP] * len(states),
        "width": 1 - _GAP,
        "customdata": [[click(state=state), *_shown(state, *counts[state])] for state in states],
        "hovertemplate": "%{customdata[1]}: %{customdata[2]:,} complaints<br>%{customdata[3]}<extra></extra>",
    }


def _names(states: Sequence[str], light: Collection[str]) -> dict[str, Any]:
    """The names of states, in the middle of their tiles; texts of bars would each be measured, which takes long."""
    return {
        "x": [PLACES[state][0] for state in states],
        "y": [PLACES[state][1] for state in states],
        "text": states,
        "mode": "text",
        "textfont": {"color": [_LIGHT_TEXT if state in light else _DARK_TEXT for state in states]},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _shown(state: str, count: int, hits: int) -> tuple[str, int, str]:
    if not count:
        return state, 0, "no prediction"
    low, high = wilson_interval(hits, count)
    return state, count, f"{percent(hits / count)} predicted to succeed (95% interval {interval(low, high)})"


def _table_row(state: str, count: int, hits: int) -> tuple[Any, ...]:
    return state, count, percent(hits / count), interval(*wilson_interval(hits, count))


def _colour_bar() -> dict[str, Any]:
    """The marker of a trace without points, which draws the bar: Plotly warns of tiles that have numbers as colours."""
    edges = [[(step + side) / _STEPS, colour] for step, colour in enumerate(_SCALE) for side in (0, 1)]
    bar = {
        "orientation": "h", "x": 0.5, "y": -0.02, "yanchor": "top", "len": 0.7, "thickness": 10, "outlinewidth": 0,
        "tickvals": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0], "ticktext": ["≤ 50%", "60%", "70%", "80%", "90%", "100%"],
    }  # fmt: skip
    return {"color": [_LOW], "cmin": _LOW, "cmax": _HIGH, "colorscale": edges, "showscale": True, "colorbar": bar}


def _in_words(shares: Mapping[str, float], few: int) -> str:
    said = (
        f"Share of each state's complaints that is predicted to succeed. {few} states have fewer than {MIN_COMPLAINTS}."
    )
    if not shares:
        return said
    lowest, highest = min(shares, key=lambda state: shares[state]), max(shares, key=lambda state: shares[state])
    return f"{said} Lowest: {lowest} {percent(shares[lowest])}, highest: {highest} {percent(shares[highest])}."
