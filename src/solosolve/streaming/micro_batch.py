"""One micro-batch: its messages scored by one model, written once, and told to the source's side."""

from __future__ import annotations

from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.storage.tables import Tables, Transaction
from solosolve.storage.write_metrics import Observed
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.progress import BatchFacts
from solosolve.streaming.sources import Source
from solosolve.transforms.messages import position_of_message
from solosolve.transforms.predictions import Scoring, Stamp, build_dead_letters, score_messages, select_predictions


class ScoredBatch:
    """The messages of one batch, scored once and kept in memory while they are written; a context manager."""

    def __init__(
        self,
        tables: Tables,
        source: Source,
        scoring: Scoring,
        messages: DataFrame,
        batch_id: int,
        scored_at: datetime,
        beside: Executor,
    ) -> None:
        """Plans the scoring.

        Args:
            tables: The tables.
            source: Where the messages come from.
            scoring: The model.
            messages: `topic`, `partition`, `offset`, `key`, `value`, `timestamp`.
            batch_id: The batch's number in its checkpoint.
            scored_at: The time of all that it writes; no other batch's, and the same when the batch is repeated.
            beside: What need not come one behind the other goes on there.
        """
        self._tables, self._source, self._scoring, self._beside = tables, source, scoring, beside
        self._time = scored_at
        stamp = Stamp(scored_at, source.name, batch_id, source.position)
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
        self._leave_out(bound.is_ours("scored_at"), bound.is_ours("failed_at"))

    def leave_out_attempt(self) -> None:
        """Leaves out the messages that the tables have from an earlier attempt at this batch, of this batch's time."""
        self._leave_out(*(F.col(name) == F.lit(self._time) for name in ("scored_at", "failed_at")))

    def _leave_out(self, is_old_prediction: Column, is_old_letter: Column) -> None:
        is_ours = F.col("source") == self._source.name
        old_predictions = self._tables.read(PREDICTIONS).where(is_ours & is_old_prediction)
        is_ours = F.col("topic") == self._source.topic
        old_letters = self._tables.read(DEAD_LETTERS).where(is_ours & is_old_letter)
        # All is looked up now: published beside the commit, it would be told by what the commit adds.
        settled = old_predictions.join(self._predictions, on="source_position", how="left_semi").localCheckpoint()
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
        self._settled = _Settled(settled, letters.localCheckpoint())

    def write(self, transaction: Transaction | None) -> BatchFacts | None:
        """Appends the predictions and the dead letters, each in one commit, and publishes the predictions.

        Publishing goes on beside the commit, which mostly waits. So a prediction may be published before the table has
        it, and, when the process ends in between, a second time: what is published last is the table's.

        Args:
            transaction: The name of both commits; None where what the tables have was left out.

        Returns:
            What the batch came to; None when the table had the transaction before, and ignored it.
        """
        publishing = self._beside.submit(self._publish)
        self._publishing.append(publishing)
        counted = Observed(self._of_interest(), *_counts())
        self._tables.append(PREDICTIONS, select_predictions(counted.rows), transaction)
        written_at = datetime.now(UTC).timestamp()
        self._beside.submit(self._tables.look_ahead, PREDICTIONS)
        counts = counted.found
        # On the platform the counts may only be late.
        if counts is None and transaction is not None and self._tables.settings.is_local:
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


def _difference(
    predictions: DataFrame, letters: DataFrame, old_predictions: DataFrame, old_letters: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """What the tables lack of a batch whose positions are many messages' each: a difference of multisets.

    A message that was read otherwise before is of the other kind there: what is left of the one kind on one side
    answers for what is left of the other kind on the other side, by position and complaint.
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
    here = good.select("source_position").unionByName(bad.select("source_position")).distinct()
    old_good, old_bad = (rows.join(here, on="source_position", how="left_semi") for rows in (old_good, old_bad))
    new_good, lost_good = _without(good, old_good, *place), _without(old_good, good, *place)
    new_bad, lost_bad = _without(bad, old_bad, *place, "_message"), _without(old_bad, bad, *place, "_message")
    return (
        _without(new_good, lost_bad, *place).drop("_complaint"),
        _without(new_bad, lost_good, *place).drop("source_position", "_complaint", "_message"),
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
