"""Which checkpoint a table is written from: a stream goes on only from the one that it was bound to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from solosolve.errors import CheckpointError
from solosolve.names import CHECKPOINTS, Table
from solosolve.schemas import SCHEMAS
from solosolve.storage.tables import Tables, Transaction
from solosolve.streaming.query import RECOVER

logger = logging.getLogger("solosolve.binding")

_NOT_YET = ""
_EVER, _FOR_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Binding:
    """A row of `bronze.checkpoints`: from when on a stream has read a source. The newest is the one that counts.

    Attributes:
        stream: The stream's name.
        checkpoint_id: The identity of its checkpoint; empty until its first batch.
        source_id: What it reads: the table, or the topic and its cluster.
        table_ids: What it writes: Delta's ids of the tables.
        bound_at: From when on rows of the table are of this source.
        begun_at: From when on they are of this checkpoint.
        is_recovering: Whether what is in the table already has to be skipped by its position.
    """

    stream: str
    checkpoint_id: str
    source_id: str
    table_ids: str
    bound_at: datetime
    begun_at: datetime
    is_recovering: bool


class BoundStream:
    """A stream, the table that it fills and the checkpoint that it goes on from.

    `foreachBatch` repeats a batch that was cut off, and Delta tells repeated commits by the application's name and
    version. So the name is the checkpoint's identity, and a stream whose checkpoint is not the table's is refused:
    with another one the same rows would come again, or other rows would be taken for repeated ones.
    """

    def __init__(self, tables: Tables, stream: str, written: Sequence[Table], source_id: str) -> None:
        """Reads the stream's binding.

        Args:
            tables: The tables.
            stream: What the stream is called.
            written: The tables that it fills, the first one above all.
            source_id: What it reads.
        """
        self.stream = stream
        self._tables, self._written, self._table, self._source_id = tables, written, written[0], source_id
        self.checkpoint = tables.checkpoint(stream)
        self._bindings = self._find()

    @property
    def is_recovering(self) -> bool:
        """Whether what is in the table already has to be skipped by its position."""
        return self._bound is not None and self._bound.is_recovering

    def is_ours(self, column: str) -> Column:
        """Whether a row was written, at the instant in a column, while the stream read this source and no other."""
        found, following = F.lit(False), [*self._bindings[1:], None]
        for binding, after in zip(self._bindings, following, strict=False):
            end = _FOR_EVER if after is None else after.bound_at
            if binding.source_id == self._source_id:
                found |= (F.col(column) >= F.lit(binding.bound_at)) & (F.col(column) < F.lit(end))
        return found

    @property
    def has_checkpoint(self) -> bool:
        """Whether the table is written from a checkpoint."""
        return self._bound is not None and self._bound.checkpoint_id != _NOT_YET

    @property
    def begun_at(self) -> datetime:
        """From when on rows of this source are of this checkpoint."""
        return self._required().begun_at

    @property
    def checkpoint_id(self) -> str:
        """The identity that the table is bound to."""
        return self._required().checkpoint_id

    def claim(self, *, has_rows: Callable[[], bool], recover: bool) -> None:
        """Makes sure that the checkpoint is the one that the table is written from.

        Args:
            has_rows: Whether the table has rows of this stream.
            recover: Set the checkpoint aside and begin anew from the source's earliest position, skipping what the
                table has. A recovery that was cut off goes on.

        Raises:
            CheckpointError: The checkpoint is missing, is another's, or belongs to another source; the message has
                what to do.
        """
        if recover and not self._can_go_on_recovering():
            self._begin_recovery()
        elif self._bound is None:
            self._require_nothing_done(has_rows)
        else:
            self._require_own(self._bound)

    def bind(self, batch_id: int) -> None:
        """Writes the running checkpoint's identity down, in the first batch before anything else is written."""
        if self._bound is None:
            since, identity = self.checkpoint.planned_at(batch_id), self.checkpoint.identity
            self._write(Binding(self.stream, identity, self._source_id, self._table_ids(), since, since, False))
        elif self._bound.checkpoint_id == _NOT_YET:
            self._write(replace(self._bound, checkpoint_id=self.checkpoint.identity))

    def end_recovery(self) -> None:
        """Notes that everything up to the present position is in the table once."""
        if self._bound is not None and self._bound.is_recovering:
            self._write(replace(self._bound, is_recovering=False))

    def refuse_older_copy(self, batch_id: int) -> CheckpointError:
        """Sets a checkpoint aside that knows nothing of a batch which the table has.

        Going on from it, requests would be taken for those of the table's batches and be lost.

        Returns:
            What to raise.
        """
        aside = self.checkpoint.set_aside()
        return CheckpointError(
            f"{self._table} had batch {batch_id} before: {self.checkpoint} was an older copy and is now {aside.name}; "
            f"{self._advice('put the newest one in its place')}"
        )

    def transaction(self, batch_id: int) -> Transaction:
        """The name of a batch's commits."""
        return Transaction(f"{self.stream}-{self.checkpoint_id}", batch_id)

    @property
    def _bound(self) -> Binding | None:
        return self._bindings[-1] if self._bindings else None

    def _required(self) -> Binding:
        if self._bound is None:
            raise CheckpointError(f"stream {self.stream} is bound to no checkpoint yet")
        return self._bound

    def _can_go_on_recovering(self) -> bool:
        if self._bound is None or not self._bound.is_recovering:
            return False
        try:
            self._require_own(self._bound)
        except CheckpointError:
            return False
        return True

    def _begin_recovery(self) -> None:
        if self.checkpoint.folder.exists():
            logger.warning("the checkpoint was set aside as %s", self.checkpoint.set_aside())
        now, since = datetime.now(UTC), _EVER
        if self._bound is not None:
            # A clock that was wrong must not put this one before those that were.
            now = max(now, self._bound.bound_at + timedelta(microseconds=1))
            # Positions of another source say nothing about this one.
            since = self._bound.bound_at if self._bound.source_id == self._source_id else now
        self._write(Binding(self.stream, _NOT_YET, self._source_id, self._table_ids(), since, now, True))

    def _require_nothing_done(self, has_rows: Callable[[], bool]) -> None:
        if self.checkpoint.has_finished_batches or has_rows():
            raise CheckpointError(
                f"{self._table} and the checkpoint {self.checkpoint} do not belong together: {CHECKPOINTS} does not "
                f"know the stream. {self._advice('put that table back')}"
            )

    def _require_own(self, bound: Binding) -> None:
        if bound.source_id != self._source_id:
            raise CheckpointError(
                f"{self._table} was written from {bound.source_id}, found {self._source_id}: "
                f"{self._advice('use the former source')}"
            )
        if bound.checkpoint_id == _NOT_YET:
            return
        if not self.checkpoint.exists:
            advice = self._advice(f"put {self.checkpoint} back")
            raise CheckpointError(f"the checkpoint that {self._table} is written from is gone: {advice}")
        if self.checkpoint.identity != bound.checkpoint_id:
            raise CheckpointError(
                f"{self.checkpoint} is the checkpoint {self.checkpoint.identity}, {self._table} is written from "
                f"{bound.checkpoint_id}: {self._advice('put that one back')}"
            )
        if self.checkpoint.has_finished_batches and self._table_ids() != bound.table_ids:
            names = " or ".join(map(str, self._written))
            raise CheckpointError(
                f"{names} is gone or was made anew, the checkpoint is not: {self._advice('put the table back')}"
            )

    def _advice(self, otherwise: str) -> str:
        return (
            f"{otherwise}, or {RECOVER}, which reads the source from its earliest position again and skips what the "
            "table has"
        )

    def _table_ids(self) -> str:
        return " ".join(self._tables.table_id(table) for table in self._written)

    def _find(self) -> list[Binding]:
        if not self._tables.exists(CHECKPOINTS):
            return []
        rows = self._tables.read(CHECKPOINTS).where(F.col("stream") == self.stream).orderBy("bound_at").collect()
        instants = ("bound_at", "begun_at")
        return [Binding(**row.asDict() | {name: row[name].astimezone(UTC) for name in instants}) for row in rows]

    def _write(self, binding: Binding) -> None:
        row = self._tables.spark.createDataFrame([binding], SCHEMAS[CHECKPOINTS])
        where = f"stream = '{self.stream}' AND bound_at = TIMESTAMP '{binding.bound_at:%Y-%m-%d %H:%M:%S.%f} UTC'"
        self._tables.overwrite(CHECKPOINTS, row, where=where)
        self._bindings = [each for each in self._bindings if each.bound_at != binding.bound_at] + [binding]
