"""The stream's progress: one row per batch in `gold.stream_progress`, kept for a day."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import (
    JStreamingQueryListener,
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from solosolve.errors import one_line
from solosolve.names import STREAM_PROGRESS
from solosolve.spark_schemas import spark_schema
from solosolve.storage.spark import listener_of_jvm
from solosolve.storage.tables import Tables
from solosolve.streaming.sources import Source

logger = logging.getLogger("solosolve.stream_progress")

KEPT = timedelta(days=1)
"""Older rows are deleted."""

_FLUSH_SECONDS = 10.0
_TRIM_SECONDS = 3600.0
_LAST_BATCH_SECONDS = 5.0


@dataclass(frozen=True)
class BatchFacts:
    """The stream's own figures for a batch.

    Attributes:
        model_version: The version that scored it; None without predictions.
        request_count: Messages read.
        prediction_count: Messages scored.
        dead_letter_count: Messages that cannot be scored.
        latency_p50_seconds: Median of the seconds from a request to its visible prediction; None without predictions.
        latency_p99_seconds: The 99th percentile.
    """

    model_version: int | None
    request_count: int
    prediction_count: int
    dead_letter_count: int
    latency_p50_seconds: float | None
    latency_p99_seconds: float | None


class ProgressLog(StreamingQueryListener):
    """Joins Spark's figures for each batch with the stream's own, and appends them every ten seconds.

    PySpark's own listener asks the JVM for each figure separately: about a hundred calls and a quarter of a second per
    batch, during which the stream waits for the same lock. This one gets them as one JSON text.
    """

    def __init__(self, tables: Tables, source: Source) -> None:
        """Keeps the tables to write to, and the source, which knows the lag."""
        self._tables, self._source = tables, source
        self._checkpoint_id = ""
        self._facts: dict[int, BatchFacts] = {}
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._flushed_at = time.monotonic()
        self._trimmed_at = self._flushed_at
        self.totals = [0, 0, 0]
        """Requests, predictions and dead letters of this run."""

    @property
    def _jlistener(self) -> Any:
        if not hasattr(self, "_jlistenerobj"):
            self._jlistenerobj = listener_of_jvm(_JsonListener(self))
        return self._jlistenerobj

    def note(self, batch_id: int, facts: BatchFacts, checkpoint_id: str) -> None:
        """Takes the stream's facts about a batch that is about to finish."""
        with self._lock:
            self._facts[batch_id] = facts
            self._checkpoint_id = checkpoint_id
            counts = (facts.request_count, facts.prediction_count, facts.dead_letter_count)
            self.totals = [total + count for total, count in zip(self.totals, counts, strict=True)]

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802 - Spark's name
        """Takes Spark's figures for a finished batch."""
        progress = event.progress
        with self._lock:
            facts = self._facts.pop(progress.batchId, None)
            if facts is None:
                return
            self._rows.append(
                {
                    **asdict(facts),
                    "ended_at": datetime.now(UTC),
                    "source": self._source.name,
                    "checkpoint_id": self._checkpoint_id,
                    "batch_id": progress.batchId,
                    "batch_seconds": progress.batchDuration / 1000,
                    "input_rate": _finite(progress.inputRowsPerSecond),
                    "processed_rate": _finite(progress.processedRowsPerSecond),
                    "lag": self._source.lag(progress.sources[0]),
                }
            )

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802 - Spark's name
        """Does nothing."""

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802 - Spark's name
        """Does nothing."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802 - Spark's name
        """Does nothing."""

    def flush(self) -> None:
        """Appends the new rows if ten seconds have passed; deletes old rows hourly."""
        now = time.monotonic()
        if now - self._flushed_at < _FLUSH_SECONDS:
            return
        self._flushed_at = now
        self._try(self._append)
        if now - self._trimmed_at > _TRIM_SECONDS:
            self._trimmed_at = now
            self._try(self._trim, self._compact)

    def close(self) -> None:
        """Waits for the last batch's figures, which arrive shortly after the batch, and appends the remaining rows."""
        deadline = time.monotonic() + _LAST_BATCH_SECONDS
        while self._facts and time.monotonic() < deadline:
            time.sleep(0.05)
        self._try(self._append, self._trim)

    @staticmethod
    def _try(*steps: Callable[[], None]) -> None:
        try:
            for step in steps:
                step()
        except Exception as error:
            # A dashboard can do without some rows; the stream must continue.
            logger.warning("cannot write to %s: %s", STREAM_PROGRESS, one_line(error))
            logger.debug("cannot write", exc_info=True)

    def _append(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, []
        if rows:
            frame = self._tables.spark.createDataFrame(rows, spark_schema(STREAM_PROGRESS)).coalesce(1)
            self._tables.append(STREAM_PROGRESS, frame)
            logger.info("%s", _summary(rows))

    def _compact(self) -> None:
        """Merges thousands of files into one, and deletes those that no reader needs any more."""
        table = self._tables.delta(STREAM_PROGRESS)
        with self._tables.writing(STREAM_PROGRESS):
            table.optimize().executeCompaction()
            table.vacuum()

    def _trim(self) -> None:
        """Deletes the stream's own old rows: another stream's may be all that tells that it has stopped."""
        if not self._tables.exists(STREAM_PROGRESS):
            return
        table = self._tables.delta(STREAM_PROGRESS)
        with self._tables.writing(STREAM_PROGRESS):
            is_old = F.col("ended_at") < F.lit(datetime.now(UTC) - KEPT)
            table.delete(is_old & (F.col("source") == self._source.name))


class _JsonListener(JStreamingQueryListener):
    """Passes Spark's figures on as PySpark reads them from JSON, as it does on Spark Connect."""

    def onQueryProgress(self, jevent: Any) -> None:  # noqa: N802 - Spark's name
        progress = json.loads(jevent.progress().json())
        for source in progress["sources"]:
            for name in ("startOffset", "endOffset", "latestOffset"):
                # PySpark before 4.2 would convert an object with `str`, not to JSON.
                if not isinstance(source.get(name), str):
                    source[name] = json.dumps(source.get(name))
        self.pylistener.onQueryProgress(QueryProgressEvent.fromJson({"progress": progress}))


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """Summarises some batches in one line."""
    newest, count = rows[-1], sum(row["request_count"] for row in rows)
    slowest = max((row["latency_p99_seconds"] or 0.0 for row in rows), default=0.0)
    waiting = "" if newest["lag"] is None else f", {newest['lag']:,} waiting"
    return f"{count:,} requests up to batch {newest['batch_id']}, visible within {slowest:.1f} s{waiting}"


def _finite(rate: float) -> float | None:
    return rate if math.isfinite(rate) else None
