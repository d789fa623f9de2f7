"""The stream: every request that arrives is scored by the present champion, once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.adapters.registry import Registry
from solosolve.adapters.spark import lean_session
from solosolve.adapters.tables import Tables
from solosolve.flows.binding import BoundStream
from solosolve.flows.live_champion import LiveChampion
from solosolve.flows.scored_batch import ScoredBatch
from solosolve.flows.stream_progress import ProgressLog
from solosolve.flows.stream_source import Source, Starting, source_of
from solosolve.flows.streaming import StreamRun
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.score_stream")

TASK = "score_stream"


@dataclass(frozen=True)
class StreamOptions:
    """How a stream runs.

    Attributes:
        source: delta (`bronze.inference_requests`) or kafka.
        starting: Where a new stream begins.
        trigger: The least time between the starts of two batches, as `1 second`; `0 seconds` is none.
        max_per_trigger: Messages (Kafka) or files (Delta) of one batch at most; 0 for all that there are.
        available_now: End when what is there now has been scored.
        recover: Begin anew from the source's earliest position, skipping what the tables have.
    """

    source: Literal["delta", "kafka"]
    starting: Starting = "earliest"
    trigger: str = "0 seconds"
    max_per_trigger: int = 0
    available_now: bool = False
    recover: bool = False


@dataclass(frozen=True)
class Streamed:
    """What a run of the stream did."""

    request_count: int
    prediction_count: int
    dead_letter_count: int


def run(spark: SparkSession, settings: Settings, options: StreamOptions) -> Streamed:
    """Scores requests as they arrive, until it is stopped, or until none is left with `available_now`.

    Changed are `gold.predictions`, `bronze.dead_letters`, `gold.stream_progress`, `bronze.checkpoints` and, where a
    champion cannot be loaded, `gold.model_events`. Each message is in one of the first two, once.

    Args:
        spark: The session.
        settings: Where tables, registry and brokers are; `max_request_bytes`.
        options: How.

    Returns:
        Counts of this run.

    Raises:
        CheckpointError: The stream's checkpoint is not the one that the table was written from.
        ModelError: There is no champion that can score.
        BrokerError: The brokers cannot be reached.
    """
    spark = lean_session(spark, settings)
    tables = Tables(spark, settings)
    source = source_of(options.source, tables)
    bound = BoundStream(tables, f"{TASK}_{source.name}", PREDICTIONS, source.identity())
    bound.claim(has_rows=lambda: _has_rows(tables, source), recover=options.recover)
    champion = LiveChampion(tables, Registry(settings))
    champion.current()
    for table in (PREDICTIONS, DEAD_LETTERS):
        tables.create(table)
    progress = ProgressLog(tables, source)
    stream = _Stream(tables, source, bound, champion, progress)
    spark.streams.addListener(progress)
    try:
        if stream.recover(options) and not (options.recover and options.available_now):
            stream.run(options)
    finally:
        progress.close()
        spark.streams.removeListener(progress)
    streamed = Streamed(*progress.totals)
    logger.info(
        "%d requests = %d predictions + %d dead letters",
        streamed.request_count, streamed.prediction_count, streamed.dead_letter_count,
    )  # fmt: skip
    return streamed


def _has_rows(tables: Tables, source: Source) -> bool:
    if not tables.exists(PREDICTIONS):
        return False
    return not tables.read(PREDICTIONS).where(F.col("source") == source.name).isEmpty()


class _Stream:
    """The query: batch after batch is scored, written and told."""

    def __init__(
        self, tables: Tables, source: Source, bound: BoundStream, champion: LiveChampion, progress: ProgressLog
    ) -> None:
        self._tables, self._source, self._bound = tables, source, bound
        self._champion, self._progress = champion, progress
        self._unfinished: int | None = None

    def recover(self, options: StreamOptions) -> bool:
        """Catches up with what the tables have, if the stream is to; returns False when it was stopped meanwhile."""
        if not self._bound.is_recovering:
            return True
        is_caught_up = self.run(replace(options, starting="earliest", available_now=True))
        if is_caught_up:
            self._bound.end_recovery()
        return is_caught_up

    def run(self, options: StreamOptions) -> bool:
        """Runs one query from the checkpoint on; returns False when it was stopped."""
        self._unfinished = self._bound.checkpoint.unfinished_batch
        messages = self._source.read(options.starting, options.max_per_trigger or None)
        writer = messages.writeStream.queryName(self._bound.stream)
        writer = writer.option("checkpointLocation", str(self._bound.checkpoint))
        if options.available_now:
            writer = writer.trigger(availableNow=True)
        else:
            writer = writer.trigger(processingTime=options.trigger)
        running = StreamRun(self._score)
        running.run(writer, meanwhile=self._progress.flush)
        return not running.is_stopping

    def _score(self, messages: DataFrame, batch_id: int) -> None:
        self._bound.bind()
        scoring = self._champion.current()
        with ScoredBatch(self._tables, self._source, scoring, messages, batch_id) as batch:
            if self._bound.is_recovering or batch_id == self._unfinished:
                # What was cut off, or is read again, may be in the tables already.
                batch.leave_out_settled(self._bound.bound_at)
            facts = batch.write(self._bound.transaction(batch_id))
        self._progress.note(batch_id, facts, self._bound.checkpoint_id)
