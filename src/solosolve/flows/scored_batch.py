"""One micro-batch: its messages scored by one model, written once, and told to the source's side."""

from __future__ import annotations

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
    build_dead_letters,
    build_stream_predictions,
    score_messages,
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
        now = F.lit(datetime.now(UTC))
        self._scored = score_messages(messages, scoring.score, tables.settings.max_request_bytes)
        position = {
            "scored_at": now,
            "source": F.lit(source.name),
            "source_position": source.position(),
            "batch_id": F.lit(batch_id).cast("bigint"),
        }
        self._predictions = build_stream_predictions(self._scored, scoring, position)
        self._letters = build_dead_letters(self._scored, now)
        self._settled: DataFrame | None = None
        self._written_at: datetime | None = None

    def __enter__(self) -> Self:
        self._scored.persist()
        found = self._scored.agg(
            F.count("*").alias("messages"),
            F.count("reason").alias("letters"),
            # Whole seconds would hide what a stream is fast or slow by.
            F.percentile_approx(F.unix_micros("requested_at"), [0.5, 0.01], 10_000).alias("requested"),
        ).collect()[0]
        self._message_count, self._letter_count = int(found["messages"]), int(found["letters"])
        self._requested: list[int] = found["requested"] or []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scored.unpersist()

    def leave_out_settled(self, since: datetime) -> None:
        """Leaves out the messages whose position the tables have.

        Args:
            since: Rows that are older are of another source.
        """
        is_ours = (F.col("source") == self._source.name) & (F.col("scored_at") >= F.lit(since))
        in_table = self._tables.read(PREDICTIONS).where(is_ours)
        self._settled = in_table.join(self._predictions, on="source_position", how="left_semi")
        self._predictions = self._predictions.join(in_table, on="source_position", how="left_anti")
        old_letters = self._tables.read(DEAD_LETTERS).where(F.col("failed_at") >= F.lit(since))
        self._letters = self._letters.join(old_letters, on=[*POSITION], how="left_anti")

    def write(self, transaction: Transaction) -> None:
        """Appends the predictions and the dead letters, each in one commit, and publishes the predictions."""
        if self._letter_count:
            self._tables.append(DEAD_LETTERS, self._letters, transaction)
        if self._letter_count < self._message_count:
            self._tables.append(PREDICTIONS, self._predictions, transaction)
            self._written_at = datetime.now(UTC)
            self._source.publish(self._predictions)
            if self._settled is not None:
                self._source.publish(self._settled)

    def facts(self) -> BatchFacts:
        """What the batch came to."""
        median, ninety_ninth = (self._latency(place) for place in (0, 1))
        prediction_count = self._message_count - self._letter_count
        version = self._scoring.model_version if prediction_count else None
        return BatchFacts(version, self._message_count, prediction_count, self._letter_count, median, ninety_ninth)

    def _latency(self, place: int) -> float | None:
        if self._written_at is None or not self._requested:
            return None
        return self._written_at.timestamp() - self._requested[place] / 1e6
