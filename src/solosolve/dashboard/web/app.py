"""Assembles the Dash app from its views and the backend that it is given."""

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
from solosolve.dashboard.data.found_predictions import read_export
from solosolve.dashboard.data.references import is_made_up
from solosolve.dashboard.data.review_desk import ReviewRules
from solosolve.dashboard.data.search import Search
from solosolve.dashboard.views.complaint_table import register_complaints
from solosolve.dashboard.views.drawing import PanelCache
from solosolve.dashboard.views.filter_bar import register_filters
from solosolve.dashboard.views.layout import page
from solosolve.dashboard.views.navigation import register_navigation
from solosolve.dashboard.views.performance_explorer import register_performance_explorer
from solosolve.dashboard.views.refresh import register_refresh
from solosolve.dashboard.views.review import register_review
from solosolve.dashboard.views.rooms import PANELS
from solosolve.dashboard.views.since_control import register_since_control
from solosolve.dashboard.views.threshold_explorer import register_threshold_explorer
from solosolve.dashboard.web.access import Access, LoginThrottle
from solosolve.dashboard.web.compression import compress
from solosolve.dashboard.web.scripts import add_scripts, state_lifetimes
from solosolve.dashboard.web.security import current_user, refuse, secure
from solosolve.errors import SolosolveError, UsageError
from solosolve.safe_csv import write_csv
from solosolve.settings import Settings
from solosolve.storage.feedback import FeedbackLog
from solosolve.storage.reader import Reader

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<div>{%config%}{%scripts%}{%renderer%}</div></body>
</html>"""


@dataclass(frozen=True)
class Backend:
    """What the dashboard reads from and writes to.

    Attributes:
        reader: Answers SQL over the tables.
        explainer: Explains predictions.
        feedback: Records verdicts.
        settings: Thresholds, shares, and where the runs of jobs are recorded.
    """

    reader: Reader
    explainer: Explainer
    feedback: FeedbackLog
    settings: Settings


def create_app(backend: Backend, access: Access, throttle: LoginThrottle | None = None) -> Dash:
    """Assembles the app.

    Args:
        backend: What it reads from and writes to.
        access: Who may use it.
        throttle: Limits wrong passwords; None for one with the default limits.

    Returns:
        The app; `server` is its WSGI application. Its panels have been drawn once, so the first page loads quickly.
    """
    answers = Answers(backend.reader, backend.settings)
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
    app.layout = lambda: page(is_made_up=is_made_up(answers))
    cache = PanelCache(answers)
    register_navigation(app)
    register_refresh(app, answers, cache)
    register_filters(app, answers)
    register_since_control(app)
    register_threshold_explorer(app, answers)
    register_performance_explorer(app, answers)
    register_complaints(app, answers, backend.explainer)
    rules = ReviewRules.of(backend.settings)
    register_review(app, answers, backend.explainer, backend.feedback, current_user, rules=rules)
    _add_export(app.server, answers)
    add_scripts(app)
    compress(app.server)
    state_lifetimes(app.server)
    secure(app, access, throttle)
    for panel in PANELS:
        cache.draw(panel, Filters())
    return app


def _add_export(server: Flask, answers: Answers) -> None:
    @server.get("/export.csv")
    def export() -> Response:
        """Sends the predictions that a search finds as CSV that is safe to open in a spreadsheet.

        Its query string is that of the room.
        """
        try:
            found = read_export(answers, Search.parse(request.query_string.decode("utf-8", "replace")))
        except UsageError as error:
            return refuse(400, str(error))
        except SolosolveError as error:
            return refuse(503, str(error))
        out = io.StringIO()
        write_csv(found, out)
        headers = {"Content-Disposition": 'attachment; filename="predictions.csv"'}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)
