"""Panels on the model versions: who is champion, challenger and shadow, and what happened to each version."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.clock import now
from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import TrainedVersion, trained_versions
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.model_roles import ModelRoles, Term, model_roles
from solosolve.dashboard.data.monitored import performance_windows
from solosolve.dashboard.views.elements import counted, empty, filtering, graph, instant, no_rows, number, table
from solosolve.dashboard.views.model_figures import versions_over_time
from solosolve.dashboard.views.picture import Picture
from solosolve.dashboard.views.quality import METRICS, interval_of, value_of
from solosolve.errors import NotYetError
from solosolve.loop_settings import LoopSettings
from solosolve.model.retraining import fall_of_auc
from solosolve.names import CHALLENGER, CHAMPION, MADE_BY, MODEL_EVENTS, MODEL_METRICS, SHADOW
from solosolve.storage.model_events import ModelEvent

ROLLBACK = 'solosolve model rollback --reason "…"'

_LEDGER_ROWS = 50
_SUMMARY_CHARACTERS = 90
_DRAWN_VERSIONS = 15
_RECENT = timedelta(days=28)
"""How long after a promotion the page says how to go back: the length of a window of the monitor."""

_BECAME = {
    ModelEvent.PROMOTED: "promoted by",
    ModelEvent.PROMOTED_PROVISIONAL: "promoted by",
    ModelEvent.PROMOTED_BY_HAND: "promoted by hand, by",
    ModelEvent.ROLLED_BACK: "rolled back to by",
    ModelEvent.TRAINED: "trained by",
    ModelEvent.SHADOWED: "sent into shadow by",
}


def roles(answers: Answers, filters: Filters) -> Component:
    """Who is champion, challenger and shadow now, since when and by whom, and how to go back.

    Raises:
        NotYetError: `gold.model_events` does not exist.
    """
    found = model_roles(answers)
    champion, challenger, shadow = (found.now(role) for role in (CHAMPION, CHALLENGER, SHADOW))
    if champion is None and challenger is None:
        return empty("No model has been trained yet.", MADE_BY[MODEL_EVENTS])
    rows = [
        *_role("Champion", champion, "none yet"),
        *_role("Challenger", challenger, "none", found.verdict_on(challenger.version) if challenger else ""),
        *_role("Shadow", shadow, "none", "scores next to the champion, unseen" if shadow else ""),
    ]
    trained = _trained(answers, champion or challenger)
    return html.Div([html.Dl([*rows, *trained], className="roles"), _rollback_hint(answers, found, champion)])


def _role(name: str, term: Term | None, absent: str, state: str = "") -> list[Component]:
    """A role's name, and who has it."""
    slug = f"role-{name.lower()}"
    if term is None:
        return [html.Dt(name), html.Dd(absent, id=slug)]
    facts: list[Any] = [html.Strong(f"Version {term.version}", className="version")]
    if term.is_provisional:
        facts += [" ", html.Span("provisional", className="badge")]
    said = [
        html.Div(["since ", instant(term.since)]),
        html.Div(f"{_BECAME.get(ModelEvent(term.event), 'by')} {term.actor}"),
    ]
    return [html.Dt(name), html.Dd([html.Div(facts), *said, *([html.Div(state)] if state else [])], id=slug)]


def _trained(answers: Answers, term: Term | None) -> list[Component]:
    """What the champion, or else the challenger, was trained on."""
    try:
        found = trained_versions(answers).get(term.version) if term else None
    except NotYetError:
        found = None
    if found is None or term is None:
        return []
    splits = {"train": "to train", "validate": "to validate", "test": "to test"}
    counts = [
        f"{found.record_counts[split]:,} {words}" for split, words in splits.items() if split in found.record_counts
    ]
    fitted = f"complaints; fitted in {number(found.training_seconds, 1, ' s')}"
    said = f"Version {term.version}: {', '.join(counts)} {fitted}"
    return [html.Dt("Training"), html.Dd([html.Div(instant(found.trained_at)), html.Div(said)], id="role-training")]


def _rollback_hint(answers: Answers, found: ModelRoles, champion: Term | None) -> Component | None:
    """How to go back, if the champion is new or does worse than it did; None if there is no reason to."""
    if champion is None:
        return None
    fallen = _fall(answers, champion.version)
    is_recent = now() - champion.since < _RECENT
    if fallen is None and not is_recent:
        return None
    reason = fallen or f"Version {champion.version} is new."
    if found.fallback is None:
        says = f"{reason} There is no earlier champion to go back to." if fallen else None
        return html.Div(html.P(says), className="hint") if says else None
    return html.Div(
        [
            html.P([f"{reason} To go back to version {found.fallback}: ", html.Code(ROLLBACK)]),
            html.P(
                f"Version {found.fallback} becomes champion again, and a running stream takes it up before its next "
                "batch. Predictions that were made stay. The ledger keeps who did it and why."
            ),
        ],
        className="hint",
        id="rollback-hint",
    )


def _fall(answers: Answers, version: int) -> str | None:
    """That a version's AUC has fallen in its newest measured window, by the rule of retraining; None if not."""
    try:
        windows = performance_windows(answers, version, Filters())
        expected = trained_versions(answers)[version].metrics["auc"].value
    except (NotYetError, KeyError):
        return None
    highs = (window["metrics"]["auc"]["value_high"] for window in windows if "auc" in window["metrics"])
    limits = answers.settings or LoopSettings()
    fallen = fall_of_auc(expected, next(filter(None, highs), None), limits.retrain_auc_fall)
    return fallen and f"Version {version} is worse on the newest labels than on its test split: {fallen}."


def versions(answers: Answers, _: Filters) -> Component:
    """Every version: when it was trained and on what, how it does on its test split, and what became of it.

    Raises:
        NotYetError: `gold.model_events` or `gold.model_metrics` does not exist.
    """
    trained, found = trained_versions(answers), model_roles(answers)
    if not trained:
        return empty("No model has been trained yet.", MADE_BY[MODEL_METRICS])
    rows = [_version_row(version, each, found) for version, each in sorted(trained.items(), reverse=True)]
    metrics = [METRICS[name] for name in ("failure_recall", "review_share", "accuracy", "auc", "log_loss")]
    headings = ("Version", "State", "Trained", "Train / validate / test", *metrics, "Fitted in")
    drawn = sorted({event["model_version"] for event in found.events})[-_DRAWN_VERSIONS:]
    figure = versions_over_time(found.terms, found.events, drawn)
    terms = [
        (f"v{term.version}", term.role, instant(term.since), "now" if term.until is None else instant(term.until))
        for term in found.terms
    ]
    timeline = Picture(
        figure, f"Timeline of {counted(len(drawn), 'version')}", ("Version", "Role", "Since", "Until"), terms
    )
    return html.Div(
        [
            graph("versions", timeline, 90 + 26 * max(len(drawn), 3)),
            table(headings, rows, "Model versions"),
        ]
    )


def _version_row(version: int, trained: TrainedVersion, found: ModelRoles) -> list[Any]:
    counts = " / ".join(f"{count:,}" for count in trained.record_counts.values())
    metrics = [_metric(trained, name) for name in ("failure_recall", "review_share", "accuracy")]
    auc = trained.metrics.get("auc")
    shown_auc = f"{auc.value:.3f} ({interval_of('auc', auc)})" if auc else "–"
    return [
        filtering("model", str(version), f"v{version}"), _state(version, found), instant(trained.trained_at), counts,
        *metrics, shown_auc, _metric(trained, "log_loss"), number(trained.training_seconds, 1, " s"),
    ]  # fmt: skip


def _metric(trained: TrainedVersion, name: str) -> str:
    return value_of(name, trained.metrics[name].value) if name in trained.metrics else "–"


def _state(version: int, found: ModelRoles) -> str:
    for role in (CHAMPION, SHADOW):
        term = found.now(role)
        if term is not None and term.version == version:
            return "champion" if role == CHAMPION else "in shadow"
    was_champion = [term for term in found.terms if term.role == CHAMPION and term.version == version]
    if was_champion:
        return f"champion until {_day(was_champion[-1].until)}"
    return found.verdict_on(version)


def _day(at: datetime | None) -> str:
    return "now" if at is None else f"{at:%Y-%m-%d}"


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
    if not evidence:
        return ""
    details = json.dumps(evidence, indent=1, ensure_ascii=False)
    return html.Details([html.Summary(_summary(evidence)), html.Pre(details)])


def _summary(evidence: Any) -> str:
    checks = evidence.get("checks") if isinstance(evidence, dict) else None
    if isinstance(checks, list):
        failed = [str(check["name"]).replace("_", " ") for check in checks if not check.get("is_passed")]
        return f"failed: {', '.join(failed)}" if failed else f"{counted(len(checks), 'check')} passed"
    if isinstance(evidence, dict) and isinstance(evidence.get("reasons"), list):
        verdict = "due" if evidence.get("is_due") else "not due"
        text = f"{verdict}: {'; '.join(map(str, evidence['reasons']))}"
    elif isinstance(evidence, dict):
        text = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in list(evidence.items())[:2])
    else:
        text = str(evidence)
    return text if len(text) <= _SUMMARY_CHARACTERS else f"{text[: _SUMMARY_CHARACTERS - 1]}…"
