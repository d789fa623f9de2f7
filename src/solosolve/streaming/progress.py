"""How a stream is doing: one row a batch in `gold.stream_progress`, the newest ones only."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import QueryProgressEvent

from solosolve.errors import one_line
from solosolve.names import STREAM_PROGRESS
from solosolve.schemas import SCHEMAS
from solosolve.storage.tables import Tables
from solosolve.streaming.progress_listener import ProgressListener
from solosolve.streaming.sources import Source

logger = logging.getLogger("solosolve.stream_progress")

KEPT = timedelta(days=1)
"""Older rows are deleted."""

_FLUSH_SECONDS = 10.0
_TRIM_SECONDS = 3600.0
_LAST_SECONDS = 5.0


@dataclass(frozen=True)
class BatchFacts:
    """What the stream itself knows of a batch.

    Attributes:
        model_version: What scored it.
        request_count: Messages read.
        prediction_count: Those scored.
        dead_letter_count: Those that could not be read.
        latency_p50_seconds: Median of the seconds from request to visible prediction; None without predictions.
        latency_p99_seconds: The 99th percentile.
    """

    model_version: int | None
    request_count: int
    prediction_count: int
    dead_letter_count: int
    latency_p50_seconds: float | None
    latency_p99_seconds: float | None


class ProgressLog(ProgressListener):
    """Joins Spark's figures of each batch with the stream's own, and appends them every few seconds."""

    def __init__(self, tables: Tables, source: Source) -> None:
        """Keeps where to write, and the source, which knows what waits there."""
        self._tables, self._source = tables, source
        self._checkpoint_id = ""
        self._facts: dict[int, BatchFacts] = {}
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._flushed_at = time.monotonic()
        self._trimmed_at = self._flushed_at
        self.totals = [0, 0, 0]
        """Requests, predictions, dead letters of this run."""

    def note(self, batch_id: int, facts: BatchFacts, checkpoint_id: str) -> None:
        """Takes what the stream knows of a batch that is about to finish."""
        with self._lock:
            self._facts[batch_id] = facts
            self._checkpoint_id = checkpoint_id
            counts = (facts.request_count, facts.prediction_count, facts.dead_letter_count)
            self.totals = [total + count for total, count in zip(self.totals, counts, strict=True)]

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802 - Spark's name
        """Takes what Spark says of a finished batch."""
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

    def flush(self) -> None:
        """Appends what has come since the last time, if that is some seconds ago; trims the table now and then."""
        now = time.monotonic()
        if now - self._flushed_at < _FLUSH_SECONDS:
            return
        self._flushed_at = now
        self._write(self._append)
        if now - self._trimmed_at > _TRIM_SECONDS:
            self._trimmed_at = now
            self._write(self._trim, self._compact)

    def close(self) -> None:
        """Appends what is left; waits for the figures of the last batch, which come a little behind it."""
        deadline = time.monotonic() + _LAST_SECONDS
        while self._facts and time.monotonic() < deadline:
            time.sleep(0.05)
        self._write(self._append, self._trim)

    @staticmethod
    def _write(*steps: Callable[[], None]) -> None:
        try:
            for step in steps:
                step()
        except Exception as error:
            # Whoever watches may miss some rows; what is watched goes on.
            logger.warning("%s cannot be written now (%s)", STREAM_PROGRESS, one_line(error))
            logger.debug("not written", exc_info=True)

    def _append(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, []
        if rows:
            frame = self._tables.spark.createDataFrame(rows, SCHEMAS[STREAM_PROGRESS]).coalesce(1)
            self._tables.append(STREAM_PROGRESS, frame)
            logger.info("%s", _told(rows))

    def _compact(self) -> None:
        """One file where there were thousands, and none that nobody reads."""
        table = self._tables.delta(STREAM_PROGRESS)
        with self._tables.writing(STREAM_PROGRESS):
            table.optimize().executeCompaction()
            table.vacuum()

    def _trim(self) -> None:
        if not self._tables.exists(STREAM_PROGRESS):
            return
        table = self._tables.delta(STREAM_PROGRESS)
        with self._tables.writing(STREAM_PROGRESS):
            table.delete(F.col("ended_at") < F.lit(datetime.now(UTC) - KEPT))


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    """What some batches came to, in a line."""
    newest, count = rows[-1], sum(row["request_count"] for row in rows)
    slowest = max((row["latency_p99_seconds"] or 0.0 for row in rows), default=0.0)
    waiting = "" if newest["lag"] is None else f", {newest['lag']:,} behind them"
    return f"{count:,} requests up to batch {newest['batch_id']}, visible within {slowest:.1f} s{waiting}"


def _finite(rate: float) -> float | None:
    return rate if rate == rate and abs(rate) != float("inf") else None
