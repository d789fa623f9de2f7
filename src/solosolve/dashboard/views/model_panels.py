"""Panels on a version's quality on its test split: its cards and its calibration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import (
    MeasuredVersion,
    current_champion,
    measure_version,
    scores_on_test_split,
    selected_version,
)
from solosolve.dashboard.data.counted_scores import CalibrationBand
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.references import oracle_metrics, prior_metrics
from solosolve.dashboard.views.elements import counted, empty, graph, no_rows, tiles
from solosolve.dashboard.views.figures import calibration_curve
from solosolve.dashboard.views.picture import MIN_COMPLAINTS
from solosolve.dashboard.views.quality import (
    METRICS,
    as_table,
    change_between,
    interval_of,
    metric_tile,
    value_of,
    work_sentence,
)
from solosolve.errors import NotYetError
from solosolve.names import TEST_SCORES
from solosolve.storage.champions import CurrentChampion

_TILES = tuple(METRICS)[:6]

_HELD_AGAINST = {
    "failure_recall": ("oracle",),
    "accuracy": ("prior", "oracle"),
    "auc": ("prior", "oracle"),
    "log_loss": ("prior", "oracle"),
}
"""Metrics whose tiles show references; the table has all."""


def version_cards(answers: Answers, filters: Filters) -> Component:
    """What the version finds for how much reading, and its metrics next to the prior, the oracle and another version.

    The champion is compared with its predecessor, and any other selected version with the champion.

    Raises:
        NotYetError: The filters name no version and there is no champion, or no version has been trained or tested.
    """
    version = selected_version(answers, filters)
    try:
        champion = current_champion(answers)
    except NotYetError:
        champion = CurrentChampion(version, is_provisional=False, previous=None)
    measured = measure_version(answers, version, filters)
    if not measured.estimates:
        return _not_measured(version, filters)
    other_version = champion.previous if version == champion.version else champion.version
    other = measure_version(answers, other_version, filters) if other_version is not None else None
    references = {"prior": prior_metrics(answers, measured), "oracle": oracle_metrics(answers, measured, filters)}
    is_provisional = champion.is_provisional and version == champion.version
    work = html.P(work_sentence(measured), className="work", id="card-work")
    return html.Div(
        [
            *([work] if measured.scores.count else []),
            tiles(*(_tile(metric, measured, references, other) for metric in _TILES if metric in measured.estimates)),
            html.P(_note(measured, other, references, is_provisional=is_provisional), className="note"),
            as_table(*_table(measured, other, references), f"Metrics of version {version}"),
        ]
    )


def _tile(
    metric: str, measured: MeasuredVersion, references: dict[str, dict[str, float]], other: MeasuredVersion | None
) -> Component:
    shown = {name: references[name][metric] for name in _HELD_AGAINST.get(metric, ()) if metric in references[name]}
    estimate, baseline = measured.estimates[metric], other.estimates.get(metric) if other else None
    change = change_between(metric, estimate, baseline, other.version) if other and baseline else None
    return metric_tile("card", metric, estimate, shown, change)


def _note(
    measured: MeasuredVersion, other: MeasuredVersion | None, references: dict[str, dict[str, float]],
    *, is_provisional: bool,
) -> list[Any]:  # fmt: skip
    note: list[Any] = []
    if is_provisional:
        note += [html.Span("provisional", className="badge"), " It does not beat the overall success rate. "]
    note.append(
        f"Version {measured.version}, measured on {counted(measured.scores.count, 'test complaint')} with 95% "
        f"intervals. Below {measured.threshold:g}, it predicts a failure. "
    )
    if references["prior"]:
        note.append("Prior: always predicts the commoner outcome, at the success rate of the training split. ")
    if references["oracle"]:
        note.append("Oracle: knows the true probabilities that these made-up outcomes were drawn from. ")
    if other is not None and other.estimates:
        note.append(f"Version {other.version}: on its own {counted(other.scores.count, 'test complaint')}.")
    return note


def _table(
    measured: MeasuredVersion, other: MeasuredVersion | None, references: dict[str, dict[str, float]]
) -> tuple[list[str], list[list[str]]]:
    """Headings and rows with every metric, and everything it is held against."""
    known = {name: values for name, values in references.items() if values}
    others = {f"Version {other.version}": other.estimates} if other and other.estimates else {}
    headings = [
        "Metric",
        f"Version {measured.version}",
        "95% interval",
        *(name.capitalize() for name in known),
        *others,
    ]
    rows = []
    for metric, label in METRICS.items():
        if metric in measured.estimates:
            estimate = measured.estimates[metric]
            references_of = [_or_dash(metric, values.get(metric)) for values in known.values()]
            found = [each[metric].value if metric in each else None for each in others.values()]
            held = [*references_of, *(_or_dash(metric, value) for value in found)]
            rows.append([label, value_of(metric, estimate.value), interval_of(metric, estimate), *held])
    return headings, rows


def _or_dash(metric: str, value: float | None) -> str:
    return "–" if value is None else value_of(metric, value)


def _not_measured(version: int, filters: Filters) -> Component:
    if filters.has_segment:
        reason = "the selected segment does not have test complaints of both outcomes. Select a wider segment."
    else:
        reason = "its training recorded no metrics. Select another version."
    return empty(f"Version {version} cannot be measured: {reason}")


def calibration(answers: Answers, filters: Filters) -> Component:
    """Whether a predicted 70% comes true seven times in ten.

    Raises:
        NotYetError: The filters name no version and there is no champion, or no version has been tested.
    """
    version = selected_version(answers, filters)
    bands = scores_on_test_split(answers, version, filters).calibration()
    if not bands:
        return no_rows("test complaints", filters, TEST_SCORES)
    largest = max(bands, key=lambda band: band.count)
    points = [(band.mean_probability, band.success_rate, band.count) for band in bands]
    rows = [(_span(band), f"{band.mean_probability:.1%}", f"{band.success_rate:.1%}", band.count) for band in bands]
    headings = ("Given", "Mean given", "Succeeded", "Complaints")
    few = sum(band.count < MIN_COMPLAINTS for band in bands)
    return html.Div(
        [
            html.P(_in_words(largest), className="work", id="calibration-work"),
            graph("calibration", replace(calibration_curve(points, version), headings=headings, rows=rows), 300),
            html.P(
                f"{counted(few, 'band')} with fewer than {MIN_COMPLAINTS} complaints may be off by chance.",
                className="note",
            )
            if few
            else None,
        ]
    )


def _span(band: CalibrationBand) -> str:
    return f"{100 * band.low:.0f}–{100 * band.high:.0f}%"


def _in_words(band: CalibrationBand) -> str:
    return f"Of complaints given {_span(band)}, {band.success_rate:.0%} succeeded (n = {band.count:,})."
