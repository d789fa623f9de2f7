"""One micro-batch: its messages scored by one model, written once, and told to the source's side."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.adapters.tables import Tables, Transaction
from solosolve.flows.stream_progress import BatchFacts
from solosolve.flows.stream_source import Source
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.transforms.predictions import (
    POSITION,
    Scoring,
    Stamp,
    build_dead_letters,
    score_messages,
    select_predictions,
)


class ScoredBatch:
    """The messages of one batch, scored once and kept in memory while they are written; a context manager."""

    def __init__(self, tables: Tables, source: Source, scoring: Scoring, messages: DataFrame, batch_id: int) -> None:
        """Plans the scoring.

        Args:
            tables: The tables.
            source: Where the messages come from.
            scoring: The model.
            messages: `topic`, `partition`, `offset`, `key`, `value`, `timestamp`.
            batch_id: The batch's number in its checkpoint.
        """
        self._tables, self._source, self._scoring = tables, source, scoring
        stamp = Stamp(datetime.now(UTC), source.name, batch_id, source.position)
        self._scored = score_messages(messages, scoring, stamp, tables.settings.max_request_bytes)
        self._predictions = select_predictions(self._scored)
        self._letters = build_dead_letters(self._scored)
        self._settled: DataFrame | None = None

    def __enter__(self) -> Self:
        self._scored.persist()
        self._beside = ThreadPoolExecutor(max_workers=1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.shutdown(cancel_futures=True)
        self._scored.unpersist()

    def leave_out_settled(self, since: datetime) -> None:
        """Leaves out the messages whose position the tables have.

        Args:
            since: Rows that are older are of another source.
        """
        is_ours = (F.col("source") == self._source.name) & (F.col("scored_at") >= F.lit(since))
        in_table = self._tables.read(PREDICTIONS).where(is_ours)
        # Both are looked up now: published beside the commit, they would be told by what the commit adds.
        self._settled = in_table.join(self._predictions, on="source_position", how="left_semi").localCheckpoint()
        self._predictions = self._predictions.join(in_table, on="source_position", how="left_anti").localCheckpoint()
        old_letters = self._tables.read(DEAD_LETTERS).where(F.col("failed_at") >= F.lit(since))
        self._letters = self._letters.join(old_letters, on=[*POSITION], how="left_anti")

    def write(self, transaction: Transaction) -> BatchFacts:
        """Appends the predictions and the dead letters, each in one commit, and publishes the predictions.

        Counting and publishing go on beside the commit, which mostly waits. So a prediction may be published before
        the table has it, and, when the process ends in between, a second time: what is published last is the table's.

        Returns:
            What the batch came to.
        """
        counting: Future[_Counts] = self._beside.submit(self._count)
        publishing = self._beside.submit(self._publish)
        self._tables.append(PREDICTIONS, self._predictions, transaction)
        written_at = datetime.now(UTC).timestamp()
        counts = counting.result()
        if counts.letters:
            self._tables.append(DEAD_LETTERS, self._letters, transaction)
        publishing.result()
        latencies = [written_at - micros / 1e6 for micros in counts.requested_micros]
        prediction_count = counts.messages - counts.letters
        return BatchFacts(
            self._scoring.model_version if prediction_count else None,
            counts.messages,
            prediction_count,
            counts.letters,
            *(latencies or (None, None)),
        )

    def _count(self) -> _Counts:
        found = self._scored.agg(
            F.count("*").alias("messages"),
            F.count("reason").alias("letters"),
            F.percentile_approx(F.unix_micros("requested_at"), [0.5, 0.01], 10_000).alias("requested"),
        ).collect()[0]
        return _Counts(found["messages"], found["letters"], tuple(found["requested"] or ()))

    def _publish(self) -> None:
        self._source.publish(self._predictions)
        if self._settled is not None:
            self._source.publish(self._settled)


@dataclass(frozen=True)
class _Counts:
    """Messages, those that could not be read, and when the median and the 1st percentile were requested."""

    messages: int
    letters: int
    requested_micros: tuple[int, ...]
