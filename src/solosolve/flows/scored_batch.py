"""One micro-batch: its messages scored by one model, written once, and told to the source's side."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from solosolve.adapters.tables import Tables, Transaction
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
        """Predictions that the table has of these messages; None where it has not been looked at."""

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
        """Leaves out the messages that the tables have, whichever of the two they are in.

        Args:
            since: Rows that are older are of another source.
        """
        is_ours = (F.col("source") == self._source.name) & (F.col("scored_at") >= F.lit(since))
        in_table = self._tables.read(PREDICTIONS).where(is_ours)
        is_ours = (F.col("topic") == self._source.topic) & (F.col("failed_at") >= F.lit(since))
        old_letters = self._tables.read(DEAD_LETTERS).where(is_ours)
        # All is looked up now: published beside the commit, it would be told by what the commit adds.
        self._settled = in_table.join(self._predictions, on="source_position", how="left_semi").localCheckpoint()
        if self._source.has_unique_positions:
            position = position_of_message()
            settled = in_table.select("source_position").unionByName(old_letters.select(position))
            letters = self._letters.select("*", position)
            self._predictions, self._letters = (
                rows.join(settled, on="source_position", how="left_anti") for rows in (self._predictions, letters)
            )
        else:
            self._predictions = _without(self._predictions, in_table, "source_position", "complaint_id")
            message = F.xxhash64("key", "value").alias("message")
            letters = self._letters.select("*", message)
            self._letters = _without(letters, old_letters.select("*", message), *POSITION, "message").drop("message")
        self._predictions, self._letters = (rows.localCheckpoint() for rows in (self._predictions, self._letters))

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
        scored = self._scored
        if self._settled is not None:
            good = self._predictions.select("requested_at", F.lit(None).cast("string").alias("reason"))
            scored = good.unionByName(self._letters.select(F.lit(None).alias("requested_at"), "reason"))
        found = scored.agg(
            F.count("*").alias("messages"),
            F.count("reason").alias("letters"),
            F.percentile_approx(F.unix_micros("requested_at"), [0.5, 0.01], 10_000).alias("requested"),
        ).collect()[0]
        return _Counts(found["messages"], found["letters"], tuple(found["requested"] or ()))

    def _publish(self) -> None:
        self._source.publish(self._predictions)
        if self._settled is not None:
            self._source.publish(self._settled)


def _without(rows: DataFrame, there: DataFrame, *key: str) -> DataFrame:
    """The difference of two multisets: a row is left out for each row that is there with its key."""
    place = F.row_number().over(Window.partitionBy(*key).orderBy(*key))
    numbered, taken = (each.withColumn("_place", place) for each in (rows, there))
    return numbered.join(taken.select(*key, "_place"), on=[*key, "_place"], how="left_anti").drop("_place")


@dataclass(frozen=True)
class _Counts:
    """Messages, those that could not be read, and when the median and the 1st percentile were requested."""

    messages: int
    letters: int
    requested_micros: tuple[int, ...]
