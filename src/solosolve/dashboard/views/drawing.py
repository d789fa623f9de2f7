"""Draws panels, each once a commit and choice, however many browsers look at it."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import not_yet
from solosolve.dashboard.views.panels import Panel
from solosolve.errors import SolosolveError, one_line
from solosolve.names import Table
from solosolve.storage.reader import TableVersion

logger = logging.getLogger("solosolve.dashboard")

_KEPT = 512
"""Drawn panels that are kept; of these the one that was asked for longest ago goes first."""


@dataclass(frozen=True)
class Drawn:
    """A panel as it is now.

    Attributes:
        digest: Equal for equal content: what a browser has already is not sent again.
        content: The component as plain JSON values; None where it could not be drawn.
        error: Why not, in a line.
    """

    digest: str
    content: Any
    error: str = ""


@dataclass
class _Kept:
    """A panel for a choice as it was drawn, and the commits it was drawn from."""

    versions: dict[Table, TableVersion | None] = field(default_factory=dict)
    drawn: Drawn | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Drawing:
    """Draws panels and keeps them until one of their tables has a new commit."""

    def __init__(self, answers: Answers) -> None:
        """Keeps what answers questions."""
        self._answers = answers
        self._kept: LRUCache[tuple[str, Filters], _Kept] = LRUCache(_KEPT)
        self._lock = threading.Lock()

    def draw(self, panel: Panel, filters: Filters) -> Drawn:
        """The panel for a choice, as the tables are now; what cannot be read is said, and logged."""
        kept = self._entry(panel, filters)
        # Of browsers that ask at once one draws, and the others wait for it.
        with kept.lock:
            try:
                versions = self._answers.versions(panel.tables)
                if kept.drawn is None or kept.versions != versions:
                    kept.drawn, kept.versions = _plain(self._draw(panel, filters)), versions
            except Exception as error:
                # One panel's failure is shown, and the others go on.
                logger.warning("panel %s cannot be drawn: %s", panel.name, one_line(error))
                logger.debug("not drawn", exc_info=True)
                words = (
                    str(error) if isinstance(error, SolosolveError) else f"{type(error).__name__}; the log says more"
                )
                return Drawn("", None, f"{panel.title}: {words}")
            return kept.drawn

    def _entry(self, panel: Panel, filters: Filters) -> _Kept:
        with self._lock:
            return self._kept.setdefault((panel.name, filters), _Kept())

    def _draw(self, panel: Panel, filters: Filters) -> Component:
        try:
            return panel.draw(self._answers, filters)
        except NotYetError as error:
            return not_yet(error)


def _plain(component: Component) -> Drawn:
    text = json.dumps(component, cls=PlotlyJSONEncoder)
    return Drawn(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), json.loads(text))
