"""Panels about the champion: how good it is, when it was trained, and how it came to be champion."""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.champion import SHOWN_METRICS, Standing, shown_version, standing, tested, trained
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.test_scores import Interval
from solosolve.dashboard.views.elements import confusion_table, empty, graph, instant, number, table, tile, tiles
from solosolve.dashboard.views.figures import calibration_curve, version_timeline
from solosolve.names import MADE_BY, MODEL_METRICS

THRESHOLD = 0.5
"""Probability from which a complaint is predicted to succeed."""


def cards(answers: Answers, filters: Filters) -> Component:
    """Accuracy, precision, F1 and AUC of the champion, with intervals, beside its predecessor's."""
    version = shown_version(answers, filters)
    try:
        champion = standing(answers)
    except NotYetError:
        champion = Standing(version, is_provisional=False, previous=None)
    # A version that is chosen stands beside the champion, the champion beside the one before it.
    other = champion.previous if version == champion.version else champion.version
    now, count = _measured(answers, filters, version)
    before, _ = _measured(answers, filters, other) if other is not None else ({}, 0)
    if not now:
        return empty(f"Version {version} was tested on no complaints of both outcomes here: choose less.")
    shown = [
        tile(label, f"{now[name].value:.3f}", [
            html.Div(f"{now[name].low:.3f} to {now[name].high:.3f}", title="95 % interval"),
            _change(now[name], before.get(name), other),
        ])
        for name, label in SHOWN_METRICS.items() if name in now
    ]  # fmt: skip
    words = f"Version {version}, on {count:,} test complaints, 95 % intervals."
    is_provisional = champion.is_provisional and version == champion.version
    said: Any = [html.Span("provisional", className="badge warn"), f" It does not beat the prior. {words}"]
    return html.Div([tiles(*shown), html.P(said if is_provisional else words, className="note")])


def _measured(answers: Answers, filters: Filters, version: int) -> tuple[dict[str, Interval], int]:
    """Metrics and complaints: as training wrote them, or of the chosen segment from the test scores."""
    if not filters.has_segment:
        found = trained(answers).get(version)
        return (found.metrics, found.test_count) if found else ({}, 0)
    scores = tested(answers, version, filters)
    return (scores.measure(THRESHOLD) if scores.has_both else {}), scores.count


def _change(now: Interval, before: Interval | None, previous: int | None) -> Component:
    if before is None or previous is None:
        return html.Div("nothing to compare with")
    change = now.value - before.value
    mark = "▲" if change > 0 else "▼" if change < 0 else "="
    tone = "better" if change > 0 else "worse" if change < 0 else ""
    return html.Div(f"{mark} {change:+.3f} to version {previous}", className=tone)


def last_training(answers: Answers, filters: Filters) -> Component:
    """When a model was trained last, on how much, for how long."""
    versions = trained(answers)
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


def confusion(answers: Answers, filters: Filters) -> Component:
    """What the champion said of its test complaints against what happened."""
    scores = tested(answers, shown_version(answers, filters), filters)
    if not scores.count:
        return empty("No test complaints of this segment.")
    cells = scores.confusion(THRESHOLD)
    right = f"{cells[0][0] + cells[1][1]:,} of {scores.count:,} said rightly."
    return html.Div([confusion_table(cells), html.P(right, className="note")])


def calibration(answers: Answers, filters: Filters) -> Component:
    """Whether what the champion calls 70 % happens seven times in ten."""
    version = shown_version(answers, filters)
    scores = tested(answers, version, filters)
    if not scores.count:
        return empty("No test complaints of this segment.")
    return graph("calibration", calibration_curve(scores.calibration()), f"calibration of version {version}")


def timeline(answers: Answers, filters: Filters) -> Component:
    """What happened to which version, and when."""
    events = answers.ask(questions.ledger(filters)).to_pylist()
    if not events:
        return empty("No model events in this period.")
    return graph("timeline", version_timeline(events), f"{len(events)} events of the model ledger", 240)


def ledger(answers: Answers, filters: Filters) -> Component:
    """The newest events with their evidence."""
    events = answers.ask(questions.ledger(filters)).to_pylist()
    if not events:
        return empty("No model events in this period.")
    rows = [
        (instant(event["event_at"]), f"v{event['model_version']}", event["event"].replace("_", " "), event["actor"],
         _why(event["evidence"]))
        for event in events[:50]
    ]  # fmt: skip
    return table(("when", "version", "event", "by", "evidence"), rows, "Model ledger")


def _why(evidence: str) -> Component | str:
    """The evidence in a line; all of it when it is opened."""
    try:
        found = json.loads(evidence)
    except ValueError:
        return evidence
    checks = found.get("checks") if isinstance(found, dict) else None
    if isinstance(checks, list):
        failed = [str(check["name"]) for check in checks if not check.get("is_passed")]
        words = f"failed: {', '.join(failed)}" if failed else f"{len(checks)} checks passed"
    else:
        words = ", ".join(f"{name} {value}" for name, value in list(found.items())[:2]) if found else ""
    whole = json.dumps(found, indent=1, ensure_ascii=False)
    return html.Details([html.Summary(words[:90]), html.Pre(whole)])
