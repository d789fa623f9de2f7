"""Runs a streaming query until it ends or is stopped; it stops between two batches."""

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
from solosolve.kafka.frames import lost_messages
from solosolve.streaming.checkpoint_binding import RECOVER

logger = logging.getLogger("solosolve.stream_query")

_POLL_SECONDS = 0.5

BatchFunction = Callable[[DataFrame, int], None]


class _StoppingError(Exception):
    """Refuses a batch that Spark starts after the stream was asked to stop."""


class StreamQuery:
    """A streaming query that never leaves a batch half done: a stop waits until the running one is recorded."""

    def __init__(self, batch: BatchFunction) -> None:
        """Keeps the function that handles a batch."""
        self._batch = batch
        self._stopping = threading.Event()
        self._error: Exception | None = None

    def require_not_stopped(self) -> None:
        """Raises StoppedError if it was stopped: steps that follow a stream need one that ran to its end."""
        if self._stopping.is_set():
            raise StoppedError("stopped between two batches, as requested")

    def stop(self) -> None:
        """Asks the stream to stop; returns at once."""
        self._stopping.set()

    def run(self, writer: DataStreamWriter, *, on_poll: Callable[[], None] | None = None) -> None:
        """Starts the query and waits until it ends, is stopped, or the process gets SIGTERM or SIGINT.

        Args:
            writer: The query, complete except for its batch function.
            on_poll: Called about twice a second, in this thread.

        Raises:
            CheckpointError: Messages were deleted from their topic before the stream read them.
            Exception: Whatever the batch function or the query raised.
        """
        with self._stopped_by_signals():
            query = writer.foreachBatch(self._run_batch).start()
            try:
                while not self._has_ended(query):
                    if on_poll is not None:
                        on_poll()
            except StreamingQueryException as failure:
                self._raise_unless_stopping(failure)
            finally:
                if query.isActive:
                    query.stop()
        if self._error is not None:
            raise _explained(self._error)

    def _run_batch(self, rows: DataFrame, batch_id: int) -> None:
        if self._stopping.is_set():
            # The batch is planned, but nothing of it is written: the next start repeats it.
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
            raise _explained(failure)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop_or_abort(number: int, _: FrameType | None) -> None:
            if self._stopping.is_set():
                raise KeyboardInterrupt
            name = signal.Signals(number).name
            logger.info("%s: stopping after this batch; press Ctrl-C again to stop at once", name)
            self.stop()

        before = {number: signal.signal(number, stop_or_abort) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _explained(error: Exception) -> Exception:
    lost = lost_messages(error)
    if lost is None:
        return error
    return CheckpointError(
        f"messages were deleted from the topic before the stream read them ({lost}): {RECOVER} to continue with the "
        "messages that are left"
    )
