"""The Dash app, put together; what it reads, explains and writes with is given to it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from dash import Dash
from flask import Flask, Response, request

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.search import COLUMNS, REACHED_ROWS, Search, newest_first
from solosolve.dashboard.views.complaint_table import register_complaints
from solosolve.dashboard.views.drawing import Drawing
from solosolve.dashboard.views.filter_bar import register_filters
from solosolve.dashboard.views.layout import page
from solosolve.dashboard.views.overview import register_overview
from solosolve.dashboard.views.panels import PANELS
from solosolve.dashboard.views.review import register_review
from solosolve.dashboard.views.threshold_explorer import register_what_if
from solosolve.dashboard.web.security import Access, refusal, secure
from solosolve.errors import SolosolveError, UsageError
from solosolve.names import PREDICTIONS
from solosolve.safe_csv import write_csv
from solosolve.storage.feedback import FeedbackLog
from solosolve.storage.reader import Reader

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<div>{%config%}{%scripts%}{%renderer%}</div></body>
</html>"""


@dataclass(frozen=True)
class Sources:
    """What the dashboard stands on.

    Attributes:
        reader: Answers SQL over the tables.
        explainer: Says what moved a probability.
        feedback: Takes verdicts.
    """

    reader: Reader
    explainer: Explainer
    feedback: FeedbackLog


def create_app(sources: Sources, access: Access) -> Dash:
    """Puts the app together.

    Args:
        sources: What it stands on.
        access: Who may ask.

    Returns:
        The app; `server` is its WSGI application. The first panels have been drawn, so the first page is fast.
    """
    answers = Answers(sources.reader)
    app = Dash(
        __name__,
        title="Solosolve",
        update_title="",
        assets_folder=str(Path(str(files("solosolve.dashboard.web"))) / "assets"),
        index_string=_PAGE,
        add_log_handler=False,
        enable_mcp=False,
        serve_locally=True,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = page()
    drawing = Drawing(answers)
    register_overview(app, answers, drawing)
    register_filters(app, answers)
    register_what_if(app, answers)
    register_complaints(app, answers, sources.explainer)
    register_review(app, answers, sources.explainer, sources.feedback)
    _add_export(app.server, answers)
    secure(app, access)
    for panel in PANELS:
        drawing.draw(panel, Filters())
    return app


def _add_export(server: Flask, answers: Answers) -> None:
    @server.get("/export.csv")
    def export() -> Response:
        """The newest predictions that a search finds, as CSV that is safe to open."""
        text = request.args.get("search")
        try:
            search = Search.from_text(text) if text else Search(Filters())
            condition = search.condition
            sql = (
                f"select {', '.join(COLUMNS)} from {PREDICTIONS} where {condition.sql} "
                f"order by {newest_first()} limit {REACHED_ROWS}"
            )
            found = answers.reader.query(sql, dict(condition.parameters))
        except UsageError as error:
            return refusal(400, str(error))
        except SolosolveError as error:
            return refusal(503, str(error))
        out = io.StringIO()
        write_csv(found, out)
        headers = {"Content-Disposition": 'attachment; filename="predictions.csv"'}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)
