"""Runs a streaming query until it ends or is told to stop, which it does between two batches."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from solosolve.errors import CheckpointError, StoppedError
from solosolve.kafka.client import lost_messages

logger = logging.getLogger("solosolve.streaming")

RECOVER = "start with --param recover=true (spark-submit: --recover)"
"""What a refusal tells its reader to do."""

_POLL_SECONDS = 0.5

Batch = Callable[[DataFrame, int], None]


class _StoppingError(Exception):
    """Refuses a batch that would begin after the stream was told to stop."""


class StreamRun:
    """A streaming query whose batches are whole: a stop waits for the running one to be finished and recorded."""

    def __init__(self, batch: Batch) -> None:
        """Keeps what a batch does."""
        self._batch = batch
        self._stopping = threading.Event()
        self._error: Exception | None = None

    def require_not_stopped(self) -> None:
        """Raises StoppedError where it was: what comes behind a stream is not for one that has not ended by itself."""
        if self._stopping.is_set():
            raise StoppedError("stopped behind a whole batch")

    def stop(self) -> None:
        """Asks the stream to stop; returns at once."""
        self._stopping.set()

    def run(self, writer: DataStreamWriter, *, meanwhile: Callable[[], None] | None = None) -> None:
        """Starts the query and waits until it ends, is stopped, or the process gets SIGTERM or SIGINT.

        Args:
            writer: The query, ready but for its batches.
            meanwhile: Called about twice a second, in this thread.

        Raises:
            CheckpointError: Messages that had not been read are gone from their topic.
            Exception: What the batch raised, or the query itself.
        """
        with self._stopped_by_signals():
            query = writer.foreachBatch(self._run_batch).start()
            try:
                while not self._has_ended(query):
                    if meanwhile is not None:
                        meanwhile()
            except StreamingQueryException as failure:
                self._raise_unless_stopping(failure)
            finally:
                if query.isActive:
                    query.stop()
        if self._error is not None:
            raise self._explained(self._error)

    def _run_batch(self, rows: DataFrame, batch_id: int) -> None:
        if self._stopping.is_set():
            # The batch is planned, and nothing of it is written: the next start repeats it.
            raise _StoppingError
        try:
            self._batch(rows, batch_id)
        except Exception as error:
            self._error = error
            raise

    def _has_ended(self, query: StreamingQuery) -> bool:
        if self._stopping.is_set() and not query.status["isTriggerActive"]:
            query.stop()
            return True
        return bool(query.awaitTermination(_POLL_SECONDS))  # type: ignore[arg-type]

    def _raise_unless_stopping(self, failure: StreamingQueryException) -> None:
        if self._error is None and not self._stopping.is_set():
            raise self._explained(failure)

    @staticmethod
    def _explained(error: Exception) -> Exception:
        lost = lost_messages(error)
        if lost is None:
            return error
        return CheckpointError(
            f"messages that had not been read are gone from the topic ({lost}): {RECOVER}, which goes on with those "
            "that are there"
        )

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask(number: int, _: FrameType | None) -> None:
            if self._stopping.is_set():
                raise KeyboardInterrupt  # asked twice
            logger.info("%s: stopping behind the current batch", signal.Signals(number).name)
            self.stop()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
