"""A listener to the batches of a streaming query that costs the query little."""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql.streaming.listener import (
    JStreamingQueryListener,
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from solosolve.storage.spark import listener_of_jvm


class ProgressListener(StreamingQueryListener):
    """A listener to progress alone; subclasses say what `onQueryProgress` does.

    PySpark asks the JVM for each figure by itself, about a hundred calls and a quarter of a second a batch, in which
    the stream waits for the same lock. Here all comes as one JSON text. On Spark Connect it is PySpark's own way.
    """

    @property
    def _jlistener(self) -> Any:
        if not hasattr(self, "_jlistenerobj"):
            self._jlistenerobj = listener_of_jvm(_AsJson(self))
        return self._jlistenerobj

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802 - Spark's name
        """Not used."""

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802 - Spark's name
        """Not used."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802 - Spark's name
        """Not used."""


class _AsJson(JStreamingQueryListener):
    def onQueryProgress(self, jevent: Any) -> None:  # noqa: N802 - Spark's name
        progress = json.loads(jevent.progress().json())
        for source in progress["sources"]:
            for name in ("startOffset", "endOffset", "latestOffset"):
                # PySpark before 4.2 would make Python's text of an object, not JSON.
                if not isinstance(source.get(name), str):
                    source[name] = json.dumps(source.get(name))
        self.pylistener.onQueryProgress(QueryProgressEvent.fromJson({"progress": progress}))
