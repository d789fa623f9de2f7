"""One micro-batch: its messages scored by one model, written once and published."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from solosolve.names import DEAD_LETTERS, PREDICTIONS, REQUESTS
from solosolve.storage.tables import Tables, Transaction
from solosolve.storage.write_metrics import WriteMetrics
from solosolve.streaming.binding_store import Period, is_within
from solosolve.streaming.kept_requests import keep, select_unkept
from solosolve.streaming.progress import BatchFacts
from solosolve.streaming.sources import Source
from solosolve.transforms.messages import position_of_message
from solosolve.transforms.multisets import subtract
from solosolve.transforms.predictions import Scoring
from solosolve.transforms.scored_messages import (
    Stamp,
    build_dead_letters,
    score_messages,
    select_predictions,
    select_requests,
)


class MicroBatch:
    """The messages of one batch, scored once and cached while they are written; a context manager."""

    def __init__(
        self,
        tables: Tables,
        source: Source,
        scoring: Scoring,
        messages: DataFrame,
        batch_id: int,
        scored_at: datetime,
        executor: Executor,
    ) -> None:
        """Plans the scoring.

        Args:
            tables: The tables.
            source: Where the messages come from.
            scoring: The model.
            messages: `topic`, `partition`, `offset`, `key`, `value`, `timestamp`.
            batch_id: The batch's number in its checkpoint.
            scored_at: The timestamp of every row that the batch writes: unique to the batch, and the same when it is
                repeated.
            executor: Runs the work that can overlap with a commit.
        """
        self._tables, self._source, self._scoring, self._executor = tables, source, scoring, executor
        self._time = scored_at
        stamp = Stamp(scored_at, source.name, batch_id, source.position)
        keeps, max_bytes = source.keeps_requests, tables.settings.max_request_bytes
        self._scored = score_messages(messages, scoring, stamp, max_bytes, keeps_text=keeps)
        self._predictions = select_predictions(self._scored)
        self._requests = select_requests(self._scored) if keeps else None
        self._remainder: _Remainder | None = None
        """What is still to be written of a batch that the tables may already have; None if they were not checked."""
        self._under_way: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._scored.persist()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # If another model scores this batch again, its predictions must be published after these.
        wait(self._under_way)
        self._scored.unpersist()

    def leave_out_known(self, periods: Sequence[Period]) -> None:
        """Leaves out the messages that the tables already have as predictions or dead letters.

        Args:
            periods: When rows of this source were written; positions from other periods belong to another source.
        """
        self._leave_out(is_within(periods, "scored_at"), is_within(periods, "failed_at"))

    def leave_out_earlier_attempt(self) -> None:
        """Leaves out the messages that an earlier attempt at this batch wrote, by the batch's timestamp."""
        self._leave_out(*(F.col(name) == F.lit(self._time) for name in ("scored_at", "failed_at")))

    def _leave_out(self, is_old_prediction: Column, is_old_letter: Column) -> None:
        is_of_source = F.col("source") == self._source.name
        old_predictions = self._tables.read(PREDICTIONS).where(is_of_source & is_old_prediction)
        is_of_topic = F.col("topic") == self._source.topic
        old_letters = self._tables.read(DEAD_LETTERS).where(is_of_topic & is_old_letter)
        # Evaluated now: publishing overlaps with the commit, and must not see the rows that the commit adds.
        written = old_predictions.join(self._predictions, on="source_position", how="left_semi").localCheckpoint()
        letters = build_dead_letters(self._scored)
        if self._source.has_unique_positions:
            position = position_of_message()
            positions = old_predictions.select("source_position").unionByName(old_letters.select(position))
            predictions, letters = (
                rows.join(positions, on="source_position", how="left_anti")
                for rows in (self._predictions, letters.select("*", position))
            )
        else:
            predictions, letters = _difference(self._predictions, letters, old_predictions, old_letters)
        self._predictions = predictions.localCheckpoint()
        self._remainder = _Remainder(written, letters.localCheckpoint())
        if self._requests is not None:
            requests = select_unkept(self._tables, self._requests, self._predictions, self._source.name)
            self._requests = requests.localCheckpoint()

    def write(self, transaction: Transaction | None) -> BatchFacts | None:
        """Appends the predictions, their requests and the dead letters, each in one commit, and publishes.

        Publishing overlaps with the commit, which mostly waits. So a prediction may be published before the table has
        it, and published again if the process ends before the commit: the last one published is the one in the table.

        Keeping the requests overlaps as well, in either order: a batch is finished when both tables have it, and an
        interrupted one is compared with both, so that each gets what it is missing. Until then, a prediction may be
        visible a moment before its request, or the request before it.

        Args:
            transaction: The name of all commits; None if messages already in the tables were left out.

        Returns:
            The batch's counts and latencies; None if the table already had the transaction, and Delta ignored this one.
        """
        self._under_way = [self._executor.submit(self._publish), self._executor.submit(self._keep, transaction)]
        metrics = WriteMetrics(self._rows_to_write(), *_counts())
        self._tables.append(PREDICTIONS, select_predictions(metrics.rows), transaction)
        written_at = datetime.now(UTC).timestamp()
        self._executor.submit(self._tables.preload_transactions, PREDICTIONS)
        counts = metrics.found
        # On the platform, missing counts may only be late.
        if counts is None and transaction is not None and self._tables.settings.is_local:
            return None
        if counts is None:
            counts = self._rows_to_write().agg(*_counts()).collect()[0].asDict()
        if counts["letters"]:
            letters = self._remainder.letters if self._remainder else build_dead_letters(self._scored)
            self._tables.append(DEAD_LETTERS, letters, transaction)
        for each in self._under_way:
            each.result()
        times = [counts[name] for name in ("median", "earliest")]
        latencies = [None if micros is None else written_at - micros / 1e6 for micros in times]
        prediction_count = counts["messages"] - counts["letters"]
        return BatchFacts(
            self._scoring.model_version if prediction_count else None,
            counts["messages"],
            prediction_count,
            counts["letters"],
            *latencies,
        )

    def _rows_to_write(self) -> DataFrame:
        """The predictions to write, and a row with a reason for each dead letter to write."""
        if self._remainder is None:
            return self._scored
        return self._predictions.withColumn("reason", F.lit(None).cast("string")).unionByName(
            self._remainder.letters.select("reason"), allowMissingColumns=True
        )

    def _keep(self, transaction: Transaction | None) -> None:
        if self._requests is not None:
            keep(self._tables, self._requests, transaction)
            if transaction is not None:
                self._executor.submit(self._tables.preload_transactions, REQUESTS)

    def _publish(self) -> None:
        self._source.publish(self._predictions)
        if self._remainder is not None:
            self._source.publish(self._remainder.written)


def _counts() -> tuple[Column, ...]:
    return (
        F.count("*").alias("messages"),
        F.count("reason").alias("letters"),
        *(
            # Not both in one array: before Spark 4.1, an observation cannot have an array.
            F.percentile_approx(F.unix_micros("requested_at"), percentage, 10_000).alias(name)
            for name, percentage in (("median", 0.5), ("earliest", 0.01))
        ),
    )


def _difference(
    predictions: DataFrame, letters: DataFrame, old_predictions: DataFrame, old_letters: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """Subtracts the rows in the tables from a batch whose messages share positions: a difference of multisets.

    A message may be a prediction now and a dead letter in the table, or the other way round. So a row of either kind
    that is in the table only cancels a row of the other kind that is in the batch only, by position and complaint.
    """
    place = ["source_position", "_complaint"]
    good, old_good = (
        rows.withColumn("_complaint", F.col("complaint_id").cast("string")) for rows in (predictions, old_predictions)
    )
    bad, old_bad = (
        rows.withColumns(
            {
                "source_position": F.col("offset").cast("string"),
                "_complaint": F.coalesce(F.col("key").cast("string"), F.lit("")),
                "_message": F.xxhash64("key", "value"),
            }
        )
        for rows in (letters, old_letters)
    )
    positions = good.select("source_position").unionByName(bad.select("source_position")).distinct()
    old_good, old_bad = (rows.join(positions, on="source_position", how="left_semi") for rows in (old_good, old_bad))
    new_good, only_old_good = subtract(good, old_good, *place), subtract(old_good, good, *place)
    new_bad = subtract(bad, old_bad, *place, "_message")
    only_old_bad = subtract(old_bad, bad, *place, "_message")
    return (
        subtract(new_good, only_old_bad, *place).drop("_complaint"),
        subtract(new_bad, only_old_good, *place).drop("source_position", "_complaint", "_message"),
    )


@dataclass(frozen=True)
class _Remainder:
    """The predictions of a batch that the table already has, and the dead letters still to write."""

    written: DataFrame
    letters: DataFrame
