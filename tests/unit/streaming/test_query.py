from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException

from solosolve.errors import CheckpointError, StoppedError
from solosolve.streaming.checkpoint_binding import RECOVER
from solosolve.streaming.query import StreamQuery

LOST = (
    "Some data may have been lost. If you don't want your streaming query to fail on such cases, set the source option "
    "failOnDataLoss to false. Reason: Partition requests-0's offset was changed from 21 to 20."
)
Step = Callable[[], None]


@dataclass
class FakeQuery:
    """A query of Spark that runs a step at each poll and ends after the last, or with the first error."""

    steps: Iterator[Step]
    is_trigger_active: bool = False
    isActive: bool = True  # noqa: N815 - Spark's name

    @property
    def status(self) -> dict[str, bool]:
        return {"isTriggerActive": self.is_trigger_active}

    def awaitTermination(self, seconds: float) -> bool:  # noqa: N802 - Spark's name
        step = next(self.steps, None)
        if step is None:
            self.isActive = False
            return True
        try:
            step()
        except StreamingQueryException:
            self.isActive = False
            raise
        except Exception as error:  # noqa: BLE001 - what crosses the JVM is Spark's own error
            self.isActive = False
            raise StreamingQueryException(f"[STREAM_FAILED] {error}") from None
        return False

    def stop(self) -> None:
        self.isActive = False


@dataclass
class Spark:
    """A writer of Spark with the batches that its query runs, and what they did."""

    batches: Sequence[int] = (0, 1, 2)
    done: list[int] = field(default_factory=list)
    query: FakeQuery | None = None
    is_trigger_active: bool = False
    failure: Exception | None = None
    _function: Callable[[Any, int], None] = lambda rows, batch_id: None

    def foreachBatch(self, function: Callable[[Any, int], None]) -> Spark:  # noqa: N802 - Spark's name
        self._function = function
        return self

    def start(self) -> FakeQuery:
        self.query = FakeQuery(self._steps(), self.is_trigger_active)
        return self.query

    def _steps(self) -> Iterator[Step]:
        for batch_id in self.batches:
            yield lambda batch_id=batch_id: self._function(None, batch_id)  # type: ignore[misc]
        if self.failure is not None:
            yield self._fail

    def _fail(self) -> None:
        assert self.failure is not None
        raise self.failure


def noting(spark: Spark) -> StreamQuery:
    return StreamQuery(lambda rows, batch_id: spark.done.append(batch_id))


def run(query: StreamQuery, spark: Spark, on_poll: Step | None = None) -> None:
    query.run(spark, on_poll=on_poll)  # type: ignore[arg-type]
    assert spark.query is not None
    assert not spark.query.isActive


def test_query_runs_its_batches_until_it_ends() -> None:
    spark, polls = Spark(), []
    query = noting(spark)
    run(query, spark, lambda: polls.append(len(spark.done)))
    query.require_not_stopped()
    assert (spark.done, polls) == ([0, 1, 2], [1, 2, 3])


def test_error_of_a_batch_is_raised_as_the_batch_raised_it() -> None:
    def fail(rows: Any, batch_id: int) -> None:
        raise KeyError("company")

    with pytest.raises(KeyError, match="company"):
        run(StreamQuery(fail), Spark())


def test_error_of_the_query_itself_is_raised() -> None:
    spark = Spark(failure=StreamingQueryException("the source is gone"))
    with pytest.raises(StreamingQueryException, match="the source is gone"):
        run(noting(spark), spark)
    assert spark.done == [0, 1, 2]


def test_error_of_the_caller_stops_the_query() -> None:
    spark = Spark()

    def fail() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(noting(spark), spark, fail)
    assert spark.query is not None
    assert not spark.query.isActive


@pytest.mark.parametrize("where", ["query", "batch"])
def test_lost_messages_are_refused_with_the_way_out(where: str) -> None:
    def fail(rows: Any, batch_id: int) -> None:
        raise RuntimeError(LOST)

    spark = Spark(batches=(), failure=StreamingQueryException(LOST)) if where == "query" else Spark()
    words = "were deleted from the topic before the stream read them (Partition requests-0's offset was changed"
    with pytest.raises(CheckpointError) as refusal:
        run(StreamQuery(fail), spark)
    assert words in str(refusal.value)
    assert RECOVER in str(refusal.value)
    assert "failOnDataLoss" not in str(refusal.value)


def test_query_that_was_stopped_before_its_start_runs_no_batch() -> None:
    spark = Spark()
    query = noting(spark)
    query.stop()
    run(query, spark)
    assert spark.done == []


def test_stop_ends_an_idle_query_before_its_next_batch() -> None:
    spark = Spark()
    query = noting(spark)
    run(query, spark, query.stop)
    assert spark.done == [0]
    with pytest.raises(StoppedError, match="stopped between two batches, as requested"):
        query.require_not_stopped()


def test_stop_waits_for_the_running_batch_and_refuses_the_next() -> None:
    # Spark is busy until it asks for another batch, whose refusal ends the query without an error.
    spark = Spark(is_trigger_active=True)

    def stop_in_second(rows: Any, batch_id: int) -> None:
        if batch_id == 1:
            query.stop()
        spark.done.append(batch_id)

    query = StreamQuery(stop_in_second)
    run(query, spark)
    assert spark.done == [0, 1]


def test_failure_of_the_batch_that_a_stop_waits_for_is_raised() -> None:
    def fail(rows: Any, batch_id: int) -> None:
        query.stop()
        raise RuntimeError("the disk is full")

    query = StreamQuery(fail)
    with pytest.raises(RuntimeError, match="the disk is full"):
        run(query, Spark(is_trigger_active=True))


def test_error_of_a_query_that_is_being_stopped_is_not_raised() -> None:
    spark = Spark(batches=(), failure=StreamingQueryException("interrupted"), is_trigger_active=True)
    query = noting(spark)
    query.stop()
    run(query, spark)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_after_the_batch(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "solosolve.stream_query")
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    spark = Spark()
    query = noting(spark)
    run(query, spark, lambda: os.kill(os.getpid(), number))
    assert spark.done == [0]
    assert caplog.messages == [f"{number.name}: stopping after this batch; press Ctrl-C again to stop at once"]
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


def test_second_signal_stops_at_once() -> None:
    spark = Spark(is_trigger_active=True)
    query = noting(spark)
    query.stop()
    with pytest.raises(KeyboardInterrupt):
        query.run(_Impatient(spark))  # type: ignore[arg-type]
    assert spark.query is not None
    assert not spark.query.isActive


@dataclass
class _Impatient:
    """A writer during whose first batch the user presses Ctrl-C."""

    spark: Spark

    def foreachBatch(self, function: Callable[[Any, int], None]) -> Spark:  # noqa: N802 - Spark's name
        return self.spark.foreachBatch(lambda rows, batch_id: os.kill(os.getpid(), signal.SIGINT))


def test_query_in_another_thread_leaves_the_signals_alone() -> None:
    spark, seen = Spark(), []
    query = noting(spark)
    handler = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run, args=(query, spark, lambda: seen.append(signal.getsignal(signal.SIGTERM))))
    thread.start()
    thread.join()
    assert (spark.done, seen) == ([0, 1, 2], [handler] * 3)
