"""One micro-batch: its messages scored by one model, written once, and told to the source's side."""

from __future__ import annotations

from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.adapters.observed import Observed
from solosolve.adapters.tables import Tables, Transaction
from solosolve.flows.binding import BoundStream
from solosolve.flows.stream_progress import BatchFacts
from solosolve.flows.stream_source import Source
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.transforms.messages import position_of_message
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

    def __init__(
        self, tables: Tables, source: Source, scoring: Scoring, messages: DataFrame, batch_id: int, beside: Executor
    ) -> None:
        """Plans the scoring.

        Args:
            tables: The tables.
            source: Where the messages come from.
            scoring: The model.
            messages: `topic`, `partition`, `offset`, `key`, `value`, `timestamp`.
            batch_id: The batch's number in its checkpoint.
            beside: What need not come one behind the other goes on there.
        """
        self._tables, self._source, self._scoring, self._beside = tables, source, scoring, beside
        stamp = Stamp(datetime.now(UTC), source.name, batch_id, source.position)
        self._scored = score_messages(messages, scoring, stamp, tables.settings.max_request_bytes)
        self._predictions = select_predictions(self._scored)
        self._settled: _Settled | None = None
        """What the tables have of these messages; None where they have not been looked at."""
        self._publishing: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._scored.persist()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What another model publishes of this batch comes behind.
        wait(self._publishing)
        self._scored.unpersist()

    def leave_out_settled(self, bound: BoundStream) -> None:
        """Leaves out the messages that the tables have, whichever of the two they are in.

        Args:
            bound: Knows which rows are of this source; the positions of others say nothing.
        """
        is_ours = (F.col("source") == self._source.name) & bound.is_ours("scored_at")
        in_table = self._tables.read(PREDICTIONS).where(is_ours)
        is_ours = (F.col("topic") == self._source.topic) & bound.is_ours("failed_at")
        old_letters = self._tables.read(DEAD_LETTERS).where(is_ours)
        # All is looked up now: published beside the commit, it would be told by what the commit adds.
        settled = in_table.join(self._predictions, on="source_position", how="left_semi").localCheckpoint()
        letters = build_dead_letters(self._scored)
        if self._source.has_unique_positions:
            position = position_of_message()
            positions = in_table.select("source_position").unionByName(old_letters.select(position))
            letters = letters.select("*", position)
            predictions, letters = (
                rows.join(positions, on="source_position", how="left_anti") for rows in (self._predictions, letters)
            )
        else:
            predictions = _without(self._predictions, in_table, "source_position", "complaint_id")
            message = F.xxhash64("key", "value").alias("message")
            letters = letters.select("*", message)
            letters = _without(letters, old_letters.select("*", message), *POSITION, "message").drop("message")
        self._predictions = predictions.localCheckpoint()
        self._settled = _Settled(settled, letters.localCheckpoint())

    def write(self, transaction: Transaction, *, is_repeat: bool) -> BatchFacts | None:
        """Appends the predictions and the dead letters, each in one commit, and publishes the predictions.

        Publishing goes on beside the commit, which mostly waits. So a prediction may be published before the table has
        it, and, when the process ends in between, a second time: what is published last is the table's.

        Args:
            transaction: The name of both commits.
            is_repeat: Whether the table may have had the transaction before, and then ignores it.

        Returns:
            What the batch came to; None when the table had the transaction before and this is no repeat.
        """
        publishing = self._beside.submit(self._publish)
        self._publishing.append(publishing)
        counted = Observed(self._of_interest(), *_counts())
        self._tables.append(PREDICTIONS, select_predictions(counted.rows), transaction)
        written_at = datetime.now(UTC).timestamp()
        self._beside.submit(self._tables.look_ahead, PREDICTIONS)
        counts = counted.found
        if counts is None and not is_repeat:
            return None
        if counts is None:
            counts = self._of_interest().agg(*_counts()).collect()[0].asDict()
        if counts["letters"]:
            letters = self._settled.letters if self._settled else build_dead_letters(self._scored)
            self._tables.append(DEAD_LETTERS, letters, transaction)
        publishing.result()
        latencies = [written_at - micros / 1e6 for micros in counts["requested"] or ()]
        prediction_count = counts["messages"] - counts["letters"]
        return BatchFacts(
            self._scoring.model_version if prediction_count else None,
            counts["messages"],
            prediction_count,
            counts["letters"],
            *(latencies or (None, None)),
        )

    def _of_interest(self) -> DataFrame:
        """What is written and counted: predictions, and what has a reason."""
        if self._settled is None:
            return self._scored
        return self._predictions.withColumn("reason", F.lit(None).cast("string")).unionByName(
            self._settled.letters.select("reason"), allowMissingColumns=True
        )

    def _publish(self) -> None:
        self._source.publish(self._predictions)
        if self._settled is not None:
            self._source.publish(self._settled.predictions)


def _counts() -> tuple[Column, ...]:
    return (
        F.count("*").alias("messages"),
        F.count("reason").alias("letters"),
        F.percentile_approx(F.unix_micros("requested_at"), [0.5, 0.01], 10_000).alias("requested"),
    )


def _without(rows: DataFrame, there: DataFrame, *key: str) -> DataFrame:
    """The difference of two multisets: a row is left out for each row that is there with its key."""
    place = F.row_number().over(Window.partitionBy(*key).orderBy(*key))
    numbered, taken = (each.withColumn("_place", place) for each in (rows, there))
    return numbered.join(taken.select(*key, "_place"), on=[*key, "_place"], how="left_anti").drop("_place")


@dataclass(frozen=True)
class _Settled:
    """Predictions that the table has of a batch's messages, and the dead letters that it lacks."""

    predictions: DataFrame
    letters: DataFrame
