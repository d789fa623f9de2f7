"""The stream: scores every request that arrives, once, with the current champion."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.errors import NoChampionError
from solosolve.names import (
    DEAD_LETTERS,
    PREDICTIONS,
    REQUESTS,
    SCORE_STREAM_PREFIX,
    SHADOW_PREDICTIONS,
    SourceName,
)
from solosolve.settings import Settings
from solosolve.storage.migrations import add_columns
from solosolve.storage.registry import Registry
from solosolve.storage.spark import lean_session
from solosolve.storage.tables import Tables
from solosolve.streaming.champion_provider import ChampionProvider
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.micro_batch import MicroBatch
from solosolve.streaming.progress import BatchFacts, ProgressLog
from solosolve.streaming.query import StreamQuery
from solosolve.streaming.shadow import ShadowScorer
from solosolve.streaming.sources import Source, Starting, bound_stream, source_of
from solosolve.transforms.predictions import Scoring
from solosolve.transforms.scored_messages import Stamp, failure_of_model

logger = logging.getLogger("solosolve.score_stream")

LOCK = SCORE_STREAM_PREFIX + "{source}"
"""The name of the task's lock, as a format string over its options: each source has a stream."""

CHAMPION_POLL_SECONDS = 10.0
"""Seconds between two looks for the first champion."""

_FEW = 1_000
"""Below this many messages one task is faster than several, each of which starts a worker and writes a file."""


@dataclass(frozen=True)
class StreamOptions:
    """How the stream runs.

    Attributes:
        source: Where the requests are.
        starting: Where a new stream starts.
        trigger: Minimum time between the starts of two batches, such as `1 second`; `0 seconds` for none.
        max_per_trigger: Maximum number of messages (Kafka) or files (Delta) per batch; 0 for no limit.
        available_now: Stop after scoring what was waiting at the start.
        recover: Start over from the source's earliest position, skipping what the tables already have.
    """

    source: SourceName
    starting: Starting = "earliest"
    trigger: str = "0 seconds"
    max_per_trigger: int = 0
    available_now: bool = False
    recover: bool = False


@dataclass(frozen=True)
class Streamed:
    """Counts of one run of the stream: requests read = predictions + dead letters."""

    request_count: int
    prediction_count: int
    dead_letter_count: int


def run(spark: SparkSession, settings: Settings, options: StreamOptions) -> Streamed:
    """Scores requests as they arrive until it is stopped, or with `available_now` until none is left.

    Writes `gold.predictions`, `bronze.dead_letters`, `gold.stream_progress`, `bronze.checkpoints` and, if a champion
    cannot score, `gold.model_events`. Each message ends up in one of the first two, once.

    Args:
        spark: The session.
        settings: Where tables, registry and brokers are; `max_request_bytes`.
        options: How it runs.

    Returns:
        Counts of this run.

    Raises:
        CheckpointError: The stream's checkpoint is not the one that the tables are written from.
        NoChampionError: There is no champion, and `available_now` forbids to wait for one.
        ModelError: The champion cannot score, and no other model has scored before.
        BrokerError: The brokers cannot be reached.
        StoppedError: The stream was stopped.
    """
    spark = lean_session(spark, settings)
    tables = Tables(spark, settings)
    source = source_of(options.source, tables)
    bound = bound_stream(tables, source)
    bound.claim(has_rows=lambda: _has_rows(tables, source), recover=options.recover)
    provider = ChampionProvider.open(tables)
    _await_champion(provider, waits=not options.available_now)
    for table in (PREDICTIONS, DEAD_LETTERS, REQUESTS):
        tables.create(table)
    for table in (PREDICTIONS, SHADOW_PREDICTIONS, REQUESTS):
        add_columns(tables, table)
    progress = ProgressLog(tables, source)
    spark.streams.addListener(progress)
    try:
        with ThreadPoolExecutor(max_workers=3) as executor:
            stream = _Stream(tables, source, bound, provider, progress, executor)
            stream.recover(options)
            if not (options.recover and options.available_now):
                stream.run(options)
    finally:
        progress.close()
        spark.streams.removeListener(progress)
        logger.info("%d requests = %d predictions + %d dead letters", *progress.totals)
    return Streamed(*progress.totals)


def _await_champion(provider: ChampionProvider, *, waits: bool) -> None:
    """Waits until there is a champion, so that a stream may be deployed before the first model is trained."""
    is_announced = False
    while True:
        try:
            provider.current()
            return
        except NoChampionError as error:
            if not waits:
                raise
            if not is_announced:
                logger.warning("waiting, nothing is scored: %s", error)
                is_announced = True
            time.sleep(CHAMPION_POLL_SECONDS)


def _has_rows(tables: Tables, source: Source) -> bool:
    if not tables.exists(PREDICTIONS):
        return False
    return not tables.read(PREDICTIONS).where(F.col("source") == source.name).isEmpty()


class _Stream:
    """The query of one source, whose batches are scored, written and published."""

    def __init__(
        self,
        tables: Tables,
        source: Source,
        bound: BoundStream,
        provider: ChampionProvider,
        progress: ProgressLog,
        executor: Executor,
    ) -> None:
        self._tables, self._source, self._bound = tables, source, bound
        self._provider, self._progress, self._executor = provider, progress, executor
        self._shadow = ShadowScorer(tables, Registry(tables.settings))
        self._unfinished: int | None = None
        self._previous_count = _FEW

    def recover(self, options: StreamOptions) -> None:
        """Reads up to the current position and skips what the tables have, if the stream is recovering."""
        if not self._bound.is_recovering:
            return
        # Messages that share a position must all be in one batch.
        limit = options.max_per_trigger if self._source.has_unique_positions else 0
        caught_up = replace(options, starting="earliest", available_now=True, max_per_trigger=limit)
        self.run(caught_up)
        self._bound.end_recovery()

    def run(self, options: StreamOptions) -> None:
        """Runs one query from the checkpoint until it ends.

        Raises:
            StoppedError: The stream was stopped.
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
        query = StreamQuery(self._score)
        query.run(writer, on_poll=self._progress.flush)
        query.require_not_stopped()

    def _require_newest_copy(self) -> None:
        """Refuses a checkpoint that does not know a batch in `gold.predictions`, before it plans another batch."""
        if not self._bound.has_checkpoint:
            return
        planned = self._bound.checkpoint.planned_batch
        is_ours = (F.col("source") == self._source.name) & (F.col("scored_at") >= F.lit(self._bound.begun_at))
        if not self._tables.read(PREDICTIONS).where(is_ours & (F.col("batch_id") > planned)).isEmpty():
            raise self._bound.refuse_older_copy(planned + 1)

    def _score(self, messages: DataFrame, batch_id: int) -> None:
        self._bound.bind(batch_id)
        planned_at = self._bound.checkpoint.planned_at(batch_id)
        scoring, facts = self._provider.current(planned_at), None
        while facts is None:
            try:
                facts = self._write(messages, batch_id, planned_at, scoring)
            except Exception as error:
                reason = failure_of_model(error)
                if reason is None:
                    raise
                # Nothing of the batch is committed yet, so another model can score it.
                scoring = self._provider.drop(scoring, reason)
        stamp = Stamp(planned_at, self._source.name, batch_id, self._source.position)
        self._shadow.score(messages, stamp, self._bound.transaction(batch_id))
        self._previous_count = facts.request_count
        self._progress.note(batch_id, facts, self._bound.checkpoint_id)

    def _write(self, messages: DataFrame, batch_id: int, planned_at: datetime, scoring: Scoring) -> BatchFacts:
        is_repeat, has_unique_positions = batch_id == self._unfinished, self._source.has_unique_positions
        # Delta would ignore the rows missing after an interrupted attempt if they had its transaction's name.
        transaction = None if is_repeat else self._bound.transaction(batch_id)
        # Assumed to be about as large as the previous batch: counting it would take as long as scoring it.
        if self._previous_count < _FEW:
            messages = messages.coalesce(1)
        with MicroBatch(self._tables, self._source, scoring, messages, batch_id, planned_at, self._executor) as batch:
            if self._bound.is_recovering or (is_repeat and has_unique_positions):
                batch.leave_out_known(self._bound.own_periods)
            elif is_repeat:
                batch.leave_out_earlier_attempt()
            facts = batch.write(transaction)
        if facts is None:
            raise self._bound.refuse_older_copy(batch_id)
        return facts
