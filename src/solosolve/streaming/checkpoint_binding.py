"""Binds a stream's tables to the checkpoint they are written from: the stream resumes from that one only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from solosolve.errors import CheckpointError
from solosolve.names import CHECKPOINTS, Table
from solosolve.storage.checkpoints import Checkpoint
from solosolve.storage.tables import Tables, Transaction
from solosolve.streaming.binding_store import Binding, BindingStore, DeltaBindingStore, Period

logger = logging.getLogger("solosolve.checkpoint_binding")

RECOVER = "start with --param recover=true (spark-submit: --recover)"
"""The remedy that every refusal names."""

_NO_CHECKPOINT = ""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class BoundStream:
    """A stream, the tables it writes and the checkpoint it resumes from.

    Spark repeats an interrupted `foreachBatch`, and Delta recognises a repeated commit by its application name and
    version. The application name contains the checkpoint's identity, so a stream whose checkpoint does not belong to
    the tables is refused: with another one it would write the same rows twice, or Delta would ignore new rows as
    repeated ones.
    """

    def __init__(
        self,
        stream: str,
        source_id: str,
        written: Sequence[Table],
        checkpoint: Checkpoint,
        store: BindingStore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Reads the stream's bindings.

        Args:
            stream: The stream's name.
            source_id: What it reads.
            written: The tables it writes; messages name the first.
            checkpoint: Its checkpoint's folder.
            store: Its bindings.
            now: The clock, in UTC.
        """
        self.stream, self.checkpoint = stream, checkpoint
        self._source_id, self._written, self._table = source_id, written, written[0]
        self._store, self._now = store, now
        self._bindings = store.read()

    @classmethod
    def open(cls, tables: Tables, stream: str, written: Sequence[Table], source_id: str) -> Self:
        """Opens a stream whose bindings and checkpoint are stored with the tables."""
        store = DeltaBindingStore(tables, stream, written)
        return cls(stream, source_id, written, tables.checkpoint(stream), store)

    @property
    def is_recovering(self) -> bool:
        """Whether messages whose position the tables already have must be skipped."""
        return self._bound is not None and self._bound.is_recovering

    @property
    def own_periods(self) -> list[Period]:
        """The periods in which the stream read this source and no other of the same name."""
        ends = [*(binding.bound_at for binding in self._bindings[1:]), None]
        return [
            Period(binding.bound_at, end)
            for binding, end in zip(self._bindings, ends, strict=False)
            if binding.source_id == self._source_id
        ]

    @property
    def has_checkpoint(self) -> bool:
        """Whether the tables are written from a checkpoint yet."""
        return self._bound is not None and self._bound.checkpoint_id != _NO_CHECKPOINT

    @property
    def begun_at(self) -> datetime:
        """Start of the period in which this checkpoint wrote this source's rows."""
        return self._require_bound().begun_at

    @property
    def checkpoint_id(self) -> str:
        """The identity of the checkpoint that the tables are written from."""
        return self._require_bound().checkpoint_id

    def claim(self, *, has_rows: Callable[[], bool], recover: bool) -> None:
        """Makes sure that the tables are written from this checkpoint.

        Args:
            has_rows: Whether the tables have rows of this stream.
            recover: Set the checkpoint aside and start over from the source's earliest position, skipping what the
                tables already have. An interrupted recovery resumes instead.

        Raises:
            CheckpointError: The checkpoint is missing, is another one, or is of another source; the message says what
                to do.
        """
        if recover and not self._can_resume_recovery():
            self._begin_recovery()
        elif self._bound is None:
            self._require_new(has_rows)
        else:
            self._require_own(self._bound)

    def bind(self, batch_id: int) -> None:
        """Records the checkpoint's identity; the first batch does so before it writes anything else."""
        if self._bound is None:
            since, identity = self.checkpoint.planned_at(batch_id), self.checkpoint.identity
            table_ids = self._store.table_ids()
            self._write(Binding(self.stream, identity, self._source_id, table_ids, since, since, False))
        elif self._bound.checkpoint_id == _NO_CHECKPOINT:
            self._write(replace(self._bound, checkpoint_id=self.checkpoint.identity))

    def end_recovery(self) -> None:
        """Records that the tables have everything up to the current position, each message once."""
        if self._bound is not None and self._bound.is_recovering:
            self._write(replace(self._bound, is_recovering=False))

    def refuse_older_copy(self, batch_id: int) -> CheckpointError:
        """Sets aside a checkpoint that does not know a batch that the tables have.

        If the stream resumed from it, Delta would take new requests for those of the known batches and drop them.

        Returns:
            The error to raise.
        """
        aside = self.checkpoint.set_aside()
        return CheckpointError(
            f"{self.checkpoint} is an older copy of the checkpoint, {self._table} already has batch {batch_id}: "
            f"it was renamed to {aside.name}; {self._advice('put the newest checkpoint in its place')}"
        )

    def transaction(self, batch_id: int) -> Transaction:
        """The name of a batch's commits."""
        return Transaction(f"{self.stream}-{self.checkpoint_id}", batch_id)

    @property
    def _bound(self) -> Binding | None:
        return self._bindings[-1] if self._bindings else None

    def _require_bound(self) -> Binding:
        if self._bound is None:
            raise CheckpointError(f"stream {self.stream} has no checkpoint yet: {CHECKPOINTS} has no row for it")
        return self._bound

    def _can_resume_recovery(self) -> bool:
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
        now, since = self._now(), _BEGINNING
        if self._bound is not None:
            # A clock that went backwards must not sort this binding before the older ones.
            now = max(now, self._bound.bound_at + timedelta(microseconds=1))
            # Positions in another source say nothing about this one.
            since = self._bound.bound_at if self._bound.source_id == self._source_id else now
        table_ids = self._store.table_ids()
        self._write(Binding(self.stream, _NO_CHECKPOINT, self._source_id, table_ids, since, now, True))

    def _require_new(self, has_rows: Callable[[], bool]) -> None:
        if self.checkpoint.has_finished_batches or has_rows():
            raise CheckpointError(
                f"{self._table} or the checkpoint {self.checkpoint} has batches of stream {self.stream}, but "
                f"{CHECKPOINTS} has no row for it: {self._advice('restore that table')}"
            )

    def _require_own(self, bound: Binding) -> None:
        if bound.source_id != self._source_id:
            raise CheckpointError(
                f"{self._table} was written from {bound.source_id}, but the stream now reads {self._source_id}: "
                f"{self._advice('go back to the former source')}"
            )
        if bound.checkpoint_id == _NO_CHECKPOINT:
            return
        if not self.checkpoint.exists:
            advice = self._advice(f"put {self.checkpoint} back")
            raise CheckpointError(f"the checkpoint that {self._table} is written from is missing: {advice}")
        if self.checkpoint.identity != bound.checkpoint_id:
            raise CheckpointError(
                f"{self.checkpoint} is the checkpoint {self.checkpoint.identity}, but {self._table} is written from "
                f"{bound.checkpoint_id}: {self._advice('put that one back')}"
            )
        if self.checkpoint.has_finished_batches and self._store.table_ids() != bound.table_ids:
            names = " or ".join(map(str, self._written))
            raise CheckpointError(
                f"{names} was deleted or recreated after {self.checkpoint} was written: "
                f"{self._advice('restore the table')}"
            )

    @staticmethod
    def _advice(remedy: str) -> str:
        return (
            f"{remedy}, or {RECOVER} to read the source again from its earliest position and skip what the tables "
            "already have"
        )

    def _write(self, binding: Binding) -> None:
        self._store.write(binding)
        self._bindings = [each for each in self._bindings if each.bound_at != binding.bound_at] + [binding]
