"""A panel of a room, and the cache that draws each panel once per commit and filters."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cachetools import LRUCache
from dash import html
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.checklist import COMMANDS
from solosolve.dashboard.views.elements import empty, not_yet
from solosolve.errors import NotYetError, SolosolveError, UnreadableTablesError, one_line
from solosolve.names import Table
from solosolve.storage.reader import TableVersion
from solosolve.where import command_here

logger = logging.getLogger("solosolve.dashboard")

_CACHE_SIZE = 512
_ON_CHECKLIST = frozenset(map(command_here, COMMANDS))


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        name: Its id in the page.
        title: Its heading.
        description: One line: what the panel shows, and which filters apply to it.
        tables: A new commit of any of these tables redraws the panel.
        draw: Builds the content from answers and filters; raises NotYetError if its tables do not exist.
        width: Columns of the page's twelve-column grid.
        seconds: Time after which the panel is drawn again without a commit, because it shows something of the present;
            None if only commits change it.
    """

    name: str
    title: str
    description: str
    tables: tuple[Table, ...]
    draw: Callable[[Answers, Filters], Component]
    width: int = 4
    seconds: int | None = None


@dataclass(frozen=True)
class DrawnPanel:
    """A panel's content.

    Attributes:
        digest: Hash of the content; a browser that already has it is not sent the content again.
        content: The component as plain JSON values.
        error: One line on what went wrong; empty if the content is that of the tables as they are, or if a table
            cannot be read, which `Answers.unreadable` tells.
    """

    digest: str
    content: Any
    error: str = ""


@dataclass
class _CacheEntry:
    """A drawn panel, the table commits that it was drawn from, and when it was last known to be up to date."""

    versions: dict[Table, TableVersion | None] = field(default_factory=dict)
    drawn: DrawnPanel | None = None
    checked_at: datetime | None = None
    drawn_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_older_than(self, seconds: int) -> bool:
        """Whether the panel was drawn longer ago."""
        return self.drawn_at is not None and (now() - self.drawn_at).total_seconds() >= seconds


class PanelCache:
    """Draws panels for all browsers and keeps each one until one of its tables has a new commit."""

    def __init__(self, answers: Answers, size: int = _CACHE_SIZE) -> None:
        """Starts with nothing drawn.

        Args:
            answers: Where panels get their data.
            size: Drawn panels to keep; the least recently used one is dropped first.
        """
        self._answers = answers
        self._entries: LRUCache[tuple[str, Filters], _CacheEntry] = LRUCache(size)
        self._lock = threading.Lock()

    def draw(self, panel: Panel, filters: Filters) -> DrawnPanel:
        """Returns the panel as the tables are now; if that fails, as it was last, marked stale, or a message."""
        entry = self._entry(panel, filters)
        # When several browsers ask at once, one thread draws and the others wait for its result.
        with entry.lock:
            try:
                versions = self._answers.versions(panel.tables)
                is_old = panel.seconds is not None and entry.is_older_than(panel.seconds)
                if entry.drawn is None or entry.versions != versions or is_old:
                    entry.drawn, entry.versions = _as_json(self._draw(panel, filters)), versions
                    entry.drawn_at = now()
                entry.checked_at = now()
            except UnreadableTablesError:
                return _last_state(entry, "")
            except Exception as error:
                # One broken panel must not take the others down.
                logger.warning("cannot draw the panel %s: %s", panel.name, one_line(error))
                logger.debug("while drawing the panel %s", panel.name, exc_info=True)
                is_own = isinstance(error, SolosolveError)
                reason = str(error) if is_own else f"{type(error).__name__}; see the server's log"
                return _last_state(entry, f"{panel.title}: {reason}")
            return entry.drawn

    def _entry(self, panel: Panel, filters: Filters) -> _CacheEntry:
        with self._lock:
            return self._entries.setdefault((panel.name, filters), _CacheEntry())

    def _draw(self, panel: Panel, filters: Filters) -> Component:
        try:
            return panel.draw(self._answers, filters)
        except NotYetError as error:
            return empty("Nothing to show yet.") if error.command in _ON_CHECKLIST else not_yet(error)


def _last_state(entry: _CacheEntry, error: str) -> DrawnPanel:
    """The panel as it was last drawn for the same filters, marked stale; a message if it never was."""
    if entry.drawn is None or entry.checked_at is None:
        shown: Component = empty("This panel could not be loaded; the message at the top says why.")
    else:
        mark = html.P(f"As of {entry.checked_at:%Y-%m-%d %H:%M:%S} UTC", className="stale-mark")
        shown = html.Div([mark, entry.drawn.content])
    return replace(_as_json(shown), error=error)


def _digest_of(content: Any) -> str:
    """The hash of components."""
    return hashlib.sha1(_text_of(content).encode(), usedforsecurity=False).hexdigest()


def _as_json(component: Component) -> DrawnPanel:
    return DrawnPanel(_digest_of(component), json.loads(_text_of(component)))


def _text_of(content: Any) -> str:
    return json.dumps(content, cls=PlotlyJSONEncoder)
