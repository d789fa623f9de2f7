"""One complaint in full: its words, what was predicted of it, and what moved the prediction."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.views.elements import empty, graph, instant, table
from solosolve.dashboard.views.figures import effect_bars
from solosolve.errors import SolosolveError, TableError
from solosolve.names import COMPLAINTS, FILED_COLUMNS, NARRATIVE, PREDICTIONS, REQUESTS

_SHOWN_EFFECTS = 10


def predictions_of(answers: Answers, complaint_id: int) -> list[dict[str, Any]]:
    """A complaint's predictions, newest first.

    Raises:
        TableError: They cannot be read.
    """
    sql = f"select * from {PREDICTIONS} where complaint_id = :complaint_id order by scored_at desc limit 50"
    found: list[dict[str, Any]] = answers.reader.query(sql, {"complaint_id": complaint_id}).to_pylist()
    return found


def filed(answers: Answers, complaint_id: int) -> dict[str, Any] | None:
    """What was known of a complaint when it was filed; None where no table has it, as of Kafka's requests."""
    existing = set(answers.reader.tables())
    for source, order in ((COMPLAINTS, "complaint_id"), (REQUESTS, "requested_at desc")):
        if source not in existing:
            continue
        columns = ", ".join(FILED_COLUMNS)
        sql = f"select {columns} from {source} where complaint_id = :complaint_id order by {order} limit 1"
        found: list[dict[str, Any]] = answers.reader.query(sql, {"complaint_id": complaint_id}).to_pylist()
        if found:
            return found[0]
    return None


def complaint_details(
    answers: Answers, explainer: Explainer, complaint_id: int, predictions: list[dict[str, Any]] | None = None
) -> Component:
    """Everything about one complaint; its predictions are looked up where they are not given."""
    try:
        predictions = predictions_of(answers, complaint_id) if predictions is None else predictions
        complaint = filed(answers, complaint_id)
    except TableError as error:
        return empty(str(error))
    if not predictions:
        return empty(f"Complaint {complaint_id} has no prediction.")
    newest = predictions[0]
    rows = [
        (instant(row["scored_at"]), row["model_version"], f"{row['probability']:.3f}", row["source"])
        for row in predictions
    ]
    return html.Div(
        [
            html.H3(f"Complaint {complaint_id}"),
            html.P([html.Strong(f"{newest['probability']:.0%}"), " likely to succeed, says version ",
                    str(newest["model_version"])], className="lead"),
            *_filed(complaint),
            html.H4("What moved it"),
            _effects(explainer, complaint, newest),
            html.H4("Predictions"),
            table(("scored", "version", "probability", "source"), rows, f"Predictions of complaint {complaint_id}"),
        ]
    )  # fmt: skip


def _filed(complaint: dict[str, Any] | None) -> list[Component]:
    if complaint is None:
        return [empty("Its text is in no table: it came through Kafka, and only its prediction is kept.")]
    shown = [name for name in FILED_COLUMNS if name != NARRATIVE and complaint[name]]
    facts = [part for name in shown for part in (html.Dt(name.replace("_", " ")), html.Dd(str(complaint[name])))]
    # As text, whatever it holds.
    story = html.Blockquote(complaint[NARRATIVE] or "No narrative.", tabIndex="0", className="narrative")
    return [html.Dl(facts, className="facts"), story]


def _effects(explainer: Explainer, complaint: dict[str, Any] | None, prediction: dict[str, Any]) -> Component:
    if complaint is None:
        return empty("Without its text nothing can be said.")
    try:
        effects = explainer.explain(complaint, prediction["model_version"])
    except SolosolveError as error:
        return empty(str(error))
    named = [(name, effect) for name, effect in effects if not name.startswith("(") and effect]
    if not named:
        return empty("No feature moved it.")
    said = "; ".join(f"{name} {effect:+.2f}" for name, effect in named[:3])
    return graph("effects", effect_bars(named[:_SHOWN_EFFECTS]), f"largest effects: {said}", 280)
