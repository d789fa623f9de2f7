"""Panels on the champion: its metrics, its training and the history that led to it."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import (
    SHOWN_METRICS,
    current_champion,
    scores_on_test_split,
    selected_version,
    threshold_of,
    trained_versions,
)
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import (
    confusion_table,
    counted,
    empty,
    graph,
    instant,
    no_rows,
    number,
    table,
    tile,
    tiles,
)
from solosolve.dashboard.views.figures import calibration_curve
from solosolve.dashboard.views.time_figures import version_timeline
from solosolve.errors import NotYetError
from solosolve.model.evaluation import Estimate
from solosolve.names import MADE_BY, MODEL_EVENTS, MODEL_METRICS, TEST_SCORES
from solosolve.storage.champions import CurrentChampion

_LEDGER_ROWS = 50
_SUMMARY_CHARACTERS = 90


def champion_metrics(answers: Answers, filters: Filters) -> Component:
    """Accuracy, precision, F1 and AUC with intervals, next to the version they are compared with.

    The champion is compared with its predecessor, and any other selected version with the champion.

    Raises:
        NotYetError: The filters name no version and there is no champion, or no version has been trained or tested.
    """
    version = selected_version(answers, filters)
    try:
        champion = current_champion(answers)
    except NotYetError:
        champion = CurrentChampion(version, is_provisional=False, previous=None)
    other = champion.previous if version == champion.version else champion.version
    current, count = _measured(answers, filters, version)
    baseline, _ = _measured(answers, filters, other) if other is not None else ({}, 0)
    if not current:
        return _not_measured(version, filters)
    shown = [
        tile(label, f"{current[name].value:.3f}", [
            html.Div(f"{current[name].low:.3f} to {current[name].high:.3f}", title="95% interval"),
            _change(current[name], baseline.get(name), other),
        ])
        for name, label in SHOWN_METRICS.items() if name in current
    ]  # fmt: skip
    note: list[Any] = [f"Version {version}, measured on {counted(count, 'test complaint')}, with 95% intervals."]
    if champion.is_provisional and version == champion.version:
        badge = html.Span("provisional", className="badge")
        note = [badge, " It does not beat the overall success rate. ", *note]
    return html.Div([tiles(*shown), html.P(note, className="note")])


def _measured(answers: Answers, filters: Filters, version: int) -> tuple[dict[str, Estimate], int]:
    """Metrics and the number of complaints: as training recorded them, or for a segment from the test scores."""
    if not filters.has_segment:
        found = trained_versions(answers).get(version)
        return (found.metrics, found.test_count) if found else ({}, 0)
    scores = scores_on_test_split(answers, version, filters)
    return (scores.measure(threshold_of(answers, version)) if scores.has_both else {}), scores.count


def _not_measured(version: int, filters: Filters) -> Component:
    if filters.has_segment:
        reason = "the selected segment does not have test complaints of both outcomes. Select a wider segment."
    else:
        reason = "its training recorded no metrics. Select another version."
    return empty(f"Version {version} cannot be measured: {reason}")


def _change(current: Estimate, baseline: Estimate | None, other: int | None) -> Component:
    if baseline is None or other is None:
        return html.Div("no version to compare with")
    change = current.value - baseline.value
    mark = "▲" if change > 0 else "▼" if change < 0 else "="
    tone = "better" if change > 0 else "worse" if change < 0 else ""
    return html.Div(f"{mark} {change:+.3f} vs version {other}", className=tone)


def last_training(answers: Answers, filters: Filters) -> Component:
    """When the newest version was trained, on how many records, and how long it took.

    Raises:
        NotYetError: No model has been trained.
    """
    versions = trained_versions(answers)
    if not versions:
        return empty("No model has been trained yet.", MADE_BY[MODEL_METRICS])
    version, newest = next(iter(versions.items()))
    facts: dict[str, Any] = {
        "Version": str(version),
        "Trained": instant(newest.trained_at),
        "Records": number(newest.record_count),
        "Duration": number(newest.training_seconds, 1, " s"),
    }
    return html.Dl([part for name, fact in facts.items() for part in (html.Dt(name), html.Dd(fact))], className="facts")


def confusion_matrix(answers: Answers, filters: Filters) -> Component:
    """Actual and predicted outcomes of the test complaints.

    Raises:
        NotYetError: The filters name no version and there is no champion, or no version has been tested.
    """
    version = selected_version(answers, filters)
    scores = scores_on_test_split(answers, version, filters)
    if not scores.count:
        return no_rows("test complaints", filters, TEST_SCORES)
    threshold = threshold_of(answers, version)
    cells = scores.confusion(threshold)
    (found, missed), (misjudged, _) = cells
    note = (
        f"Below {threshold:g}, version {version} predicts a failure: reading those {found + misjudged:,} of "
        f"{scores.count:,} complaints finds {found:,} of {found + missed:,} failures."
    )
    return html.Div([confusion_table(cells), html.P(note, className="note")])


def calibration(answers: Answers, filters: Filters) -> Component:
    """Whether a predicted 70% comes true seven times in ten.

    Raises:
        NotYetError: The filters name no version and there is no champion, or no version has been tested.
    """
    version = selected_version(answers, filters)
    scores = scores_on_test_split(answers, version, filters)
    if not scores.count:
        return no_rows("test complaints", filters, TEST_SCORES)
    return graph("calibration", calibration_curve(scores.calibration(), version))


def version_history(answers: Answers, filters: Filters) -> Component:
    """What happened to each version, and when.

    Raises:
        NotYetError: `gold.model_events` does not exist.
    """
    events = answers.ask(questions.model_events(filters)).to_pylist()
    if not events:
        return no_rows("model events", filters.without_segment(), MODEL_EVENTS)
    return graph("timeline", version_timeline(events), 240)


def ledger(answers: Answers, filters: Filters) -> Component:
    """The newest events with their evidence.

    Raises:
        NotYetError: `gold.model_events` does not exist.
    """
    events = answers.ask(questions.model_events(filters)).to_pylist()
    if not events:
        return no_rows("model events", filters.without_segment(), MODEL_EVENTS)
    rows = [
        (instant(event["event_at"]), f"v{event['model_version']}", event["event"].replace("_", " "), event["actor"],
         _evidence(event["evidence"]))
        for event in events[:_LEDGER_ROWS]
    ]  # fmt: skip
    return table(("Time", "Version", "Event", "Actor", "Evidence"), rows, "Model ledger")


def _evidence(text: str) -> Component | str:
    """A one-line summary of an event's evidence that expands to all of it."""
    try:
        evidence = json.loads(text)
    except ValueError:
        return text
    checks = evidence.get("checks") if isinstance(evidence, dict) else None
    if isinstance(checks, list):
        failed = [str(check["name"]) for check in checks if not check.get("is_passed")]
        summary = f"failed: {', '.join(failed)}" if failed else f"{counted(len(checks), 'check')} passed"
    else:
        summary = ", ".join(f"{name} {value}" for name, value in list(evidence.items())[:2]) if evidence else ""
    details = json.dumps(evidence, indent=1, ensure_ascii=False)
    return html.Details([html.Summary(summary[:_SUMMARY_CHARACTERS]), html.Pre(details)])
