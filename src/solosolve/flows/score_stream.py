"""The stream: every request that arrives is scored by the present champion, once."""

from __future__ import annotations

import logging
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.spark import lean_session
from solosolve.storage.tables import Tables
from solosolve.streaming.champion_provider import LiveChampion
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.micro_batch import ScoredBatch
from solosolve.streaming.progress import BatchFacts, ProgressLog
from solosolve.streaming.query import StreamRun
from solosolve.streaming.sources import Source, Starting, bound_stream, source_of
from solosolve.transforms.predictions import Scoring, failure_of_model

logger = logging.getLogger("solosolve.score_stream")

_FEW = 1_000
"""Messages that one task scores sooner than several do, each with a start, a worker and a file of its own."""


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
        StoppedError: It was told to stop.
    """
    spark = lean_session(spark, settings)
    tables = Tables(spark, settings)
    source = source_of(options.source, tables)
    bound = bound_stream(tables, source)
    bound.claim(has_rows=lambda: _has_rows(tables, source), recover=options.recover)
    champion = LiveChampion(tables, Registry(settings))
    champion.current()
    for table in (PREDICTIONS, DEAD_LETTERS):
        tables.create(table)
    progress = ProgressLog(tables, source)
    spark.streams.addListener(progress)
    try:
        with ThreadPoolExecutor(max_workers=2) as beside:
            stream = _Stream(tables, source, bound, champion, progress, beside)
            stream.recover(options)
            if not (options.recover and options.available_now):
                stream.run(options)
    finally:
        progress.close()
        spark.streams.removeListener(progress)
        logger.info("%d requests = %d predictions + %d dead letters", *progress.totals)
    return Streamed(*progress.totals)


def _has_rows(tables: Tables, source: Source) -> bool:
    if not tables.exists(PREDICTIONS):
        return False
    return not tables.read(PREDICTIONS).where(F.col("source") == source.name).isEmpty()


class _Stream:
    """The query: batch after batch is scored, written and told."""

    def __init__(
        self,
        tables: Tables,
        source: Source,
        bound: BoundStream,
        champion: LiveChampion,
        progress: ProgressLog,
        beside: Executor,
    ) -> None:
        self._tables, self._source, self._bound = tables, source, bound
        self._champion, self._progress, self._beside = champion, progress, beside
        self._unfinished: int | None = None
        self._previous_count = _FEW

    def recover(self, options: StreamOptions) -> None:
        """Catches up with what the tables have, if the stream is to."""
        if not self._bound.is_recovering:
            return
        # Where a position is many messages', those of one must not come in two batches.
        limit = options.max_per_trigger if self._source.has_unique_positions else 0
        caught_up = replace(options, starting="earliest", available_now=True, max_per_trigger=limit)
        self.run(caught_up)
        self._bound.end_recovery()

    def run(self, options: StreamOptions) -> None:
        """Runs one query from the checkpoint on, until it ends.

        Raises:
            StoppedError: It was told to stop.
        """
        self._require_newest_copy()
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
        running.require_not_stopped()

    def _require_newest_copy(self) -> None:
        """Refuses a checkpoint that knows nothing of a batch whose predictions are there, before it plans another."""
        if not self._bound.has_checkpoint:
            return
        planned = self._bound.checkpoint.planned_batch
        is_ours = (F.col("source") == self._source.name) & (F.col("scored_at") >= F.lit(self._bound.begun_at))
        if not self._tables.read(PREDICTIONS).where(is_ours & (F.col("batch_id") > planned)).isEmpty():
            raise self._bound.refuse_older_copy(planned + 1)

    def _score(self, messages: DataFrame, batch_id: int) -> None:
        self._bound.bind(batch_id)
        scoring, facts = self._champion.current(), None
        while facts is None:
            try:
                facts = self._write(messages, batch_id, scoring)
            except Exception as error:
                reason = failure_of_model(error)
                if reason is None:
                    raise
                # Nothing of the batch is committed: it is scored again.
                scoring = self._champion.refuse(scoring, reason)
        self._previous_count = facts.request_count
        self._progress.note(batch_id, facts, self._bound.checkpoint_id)

    def _write(self, messages: DataFrame, batch_id: int, scoring: Scoring) -> BatchFacts:
        is_repeat, has_unique_positions = batch_id == self._unfinished, self._source.has_unique_positions
        # By the name of the attempt's commits, what the tables lack of them would be ignored.
        transaction = None if is_repeat else self._bound.transaction(batch_id)
        time = self._bound.checkpoint.planned_at(batch_id)
        # What comes now is taken to be as much as what came before: to count it would take as long as to score it.
        if self._previous_count < _FEW:
            messages = messages.coalesce(1)
        with ScoredBatch(self._tables, self._source, scoring, messages, batch_id, time, self._beside) as batch:
            if self._bound.is_recovering or (is_repeat and has_unique_positions):
                batch.leave_out_settled(self._bound)
            elif is_repeat:
                batch.leave_out_attempt()
            facts = batch.write(transaction)
        if facts is None:
            raise self._bound.refuse_older_copy(batch_id)
        return facts
