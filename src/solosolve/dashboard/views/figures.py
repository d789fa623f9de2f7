"""Figures of outcomes, probabilities and what a model makes of them; each is a picture that can be read as a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from solosolve.dashboard.views.elements import counted
from solosolve.dashboard.views.picture import (
    MIN_COMPLAINTS,
    NOT_GIVEN,
    Picture,
    blank_figure,
    click,
    interval,
    percent,
    shortened,
    with_names,
)
from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, OUTCOMES, SUCCESS
from solosolve.model.drift import LARGE_DRIFT, MODERATE_DRIFT
from solosolve.model.proportions import wilson_interval

Row = Mapping[str, Any]

_STEPS = 20
"""Bars of the histogram of probabilities."""


def outcomes_by_name(rows: Sequence[Row], column: str, limit: int = 10) -> Picture:
    """Stacked bars of the names with the most predictions.

    Args:
        rows: The column, `prediction` and `n`.
        column: The column that has the names: `company`, `product` or `state`.
        limit: How many names to show.

    Returns:
        The bars. Custom data: the query of the name, and the name.
    """
    totals: dict[str, int] = {}
    for row in rows:
        totals[row[column] or ""] = totals.get(row[column] or "", 0) + row["n"]
    names = sorted(totals, key=lambda name: (-totals[name], name or NOT_GIVEN))[:limit]
    counts = {(row[column] or "", row["prediction"]): row["n"] for row in rows}
    figure = blank_figure(barmode="stack")
    # Plotly draws the last name at the top.
    drawn = names[::-1]
    for outcome, (label, colour) in OUTCOMES.items():
        figure.add_bar(
            y=[name or NOT_GIVEN for name in drawn], x=[counts.get((name, outcome), 0) for name in drawn],
            orientation="h", name=label, marker_color=colour,
            customdata=[[click(**{column: name}), name or NOT_GIVEN] for name in drawn],
            hovertemplate="%{customdata[1]}<br>%{x:,}<extra>" + label + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat="~s", title="predictions")
    shown = [name or NOT_GIVEN for name in drawn]
    figure.update_yaxes(tickvals=shown, ticktext=[shortened(name) for name in shown])
    top = ", ".join(f"{name or NOT_GIVEN} {totals[name]:,}" for name in names[:3])
    return Picture(
        with_names(figure),
        f"{column.capitalize()} with the most predictions: {top}",
        (column.capitalize(), *(label for label, _ in OUTCOMES.values())),
        [(name or NOT_GIVEN, *(counts.get((name, outcome), 0) for outcome in OUTCOMES)) for name in names],
    )


def score_histogram(rows: Sequence[Row], threshold: float) -> Picture:
    """Histogram of probabilities in steps of 0.05, coloured by the predicted outcome.

    Args:
        rows: `bin` (hundredths of probability) and `n`.
        threshold: Probability from which success is predicted.

    Returns:
        The bars. Custom data: no query, and the bar's probabilities.
    """
    counts = [0] * _STEPS
    for row in rows:
        counts[row["bin"] * _STEPS // 100] += row["n"]
    edges = [step / _STEPS for step in range(_STEPS)]
    labels = [f"{edge:.2f} to {edge + 1 / _STEPS:.2f}" for edge in edges]
    figure = blank_figure(bargap=0.06, showlegend=False)
    figure.add_bar(
        x=[edge + 0.5 / _STEPS for edge in edges], y=counts, customdata=[["", label] for label in labels],
        marker_color=[SUCCESS if edge >= threshold else FAILURE for edge in edges],
        hovertemplate="probability %{customdata[1]}<br>%{y:,} predictions<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], tickformat=".1f", title="probability of success")
    figure.update_yaxes(tickformat="~s", title="predictions")
    return Picture(
        figure,
        f"{counted(sum(counts), 'prediction')} by probability of success",
        ("Probability", "Predictions"),
        list(zip(labels, counts, strict=True)),
    )


def calibration_curve(parts: Sequence[tuple[float, float, int]], version: int) -> Picture:
    """Actual success rates against predicted probabilities; those of a perfectly calibrated model lie on the diagonal.

    Args:
        parts: Mean probability, success rate and count of groups of complaints.
        version: The model's version.

    Returns:
        A point with its 95 % interval per group, grey for a group of fewer than MIN_COMPLAINTS. Custom data: no query,
        the group's count and its interval.
    """
    intervals = [wilson_interval(actual * count, count) for _, actual, count in parts]
    colours = [SUCCESS if count >= MIN_COMPLAINTS else NEUTRAL for _, _, count in parts]
    figure = blank_figure(showlegend=False)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": NEUTRAL}, hoverinfo="skip")
    for colour in (SUCCESS, NEUTRAL):
        chosen = [place for place, each in enumerate(colours) if each == colour]
        figure.add_scatter(
            x=[parts[place][0] for place in chosen], y=[parts[place][1] for place in chosen], mode="markers",
            marker={"size": 8, "color": colour},
            error_y={
                "type": "data", "symmetric": False, "color": colour, "thickness": 1.2, "width": 3,
                "array": [intervals[place][1] - parts[place][1] for place in chosen],
                "arrayminus": [parts[place][1] - intervals[place][0] for place in chosen],
            },
            customdata=[["", parts[place][2], interval(*intervals[place])] for place in chosen],
            hovertemplate="predicted %{x:.2f}<br>actual %{y:.2f} (95% interval %{customdata[2]})"
            "<br>%{customdata[1]:,} complaints<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(range=[0, 1], title="mean predicted probability")
    figure.update_yaxes(range=[0, 1], title="actual success rate")
    return Picture(
        figure,
        f"Calibration of version {version}",
        ("Predicted", "Actual", "95% interval", "Complaints"),
        [
            (percent(predicted), percent(actual), interval(*ends), count)
            for (predicted, actual, count), ends in zip(parts, intervals, strict=True)
        ],
    )


def drift_bars(indexes: Mapping[str, float], alarms: Collection[str]) -> Picture:
    """Population stability index by feature, those with an alarm highlighted, and lines at the usual two levels."""
    names = sorted(indexes, key=lambda name: indexes[name])
    labels = [name.replace("_", " ") for name in names]
    figure = blank_figure(showlegend=False)
    figure.add_bar(
        y=labels, x=[indexes[name] for name in names], orientation="h",
        marker_color=[FAILURE if name in alarms else NEUTRAL for name in names],
        customdata=[["", name] for name in names], hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    for limit in (MODERATE_DRIFT, LARGE_DRIFT):
        figure.add_vline(x=limit, line={"dash": "dot", "color": NEUTRAL})
    figure.update_xaxes(title="population stability index", range=[0, max(0.3, *indexes.values(), 0) * 1.1])
    return Picture(
        with_names(figure),
        f"Population stability index of {', '.join(labels[::-1])}. {counted(len(alarms), 'alarm')}",
        ("Feature", "Population stability index", "Alarm"),
        [
            (label, indexes[name], "yes" if name in alarms else "no")
            for name, label in zip(names[::-1], labels[::-1], strict=True)
        ],
    )
