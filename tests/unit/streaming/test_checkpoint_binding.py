from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solosolve.errors import CheckpointError
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.storage.tables import Transaction
from solosolve.streaming.binding_store import Binding, Period
from solosolve.streaming.checkpoint_binding import RECOVER, BoundStream
from support.checkpoints import PLANNED_AT, CheckpointFolder

STREAM = "score_stream_kafka"
TOPIC = "requests (1) of cluster a"
OTHER_TOPIC = "requests (2) of cluster b"
FIRST, SECOND = "first-checkpoint", "second-checkpoint"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class MemoryStore:
    """`bronze.checkpoints` of one stream in memory."""

    ids: str = "predictions-1 letters-1"
    rows: dict[datetime, Binding] = field(default_factory=dict)
    writes: int = 0

    def read(self) -> list[Binding]:
        return [self.rows[bound_at] for bound_at in sorted(self.rows)]

    def write(self, binding: Binding) -> None:
        self.rows[binding.bound_at] = binding
        self.writes += 1

    def table_ids(self) -> str:
        return self.ids


@dataclass
class Home:
    """A stream's checkpoint folder and bindings, as they outlive its processes."""

    disk: CheckpointFolder
    store: MemoryStore = field(default_factory=MemoryStore)
    now: datetime = NOW
    has_rows: bool = False

    @property
    def binding(self) -> Binding:
        """The binding in force."""
        return self.store.read()[-1]

    def open(self, source_id: str = TOPIC) -> BoundStream:
        """The stream in a new process."""
        written = (PREDICTIONS, DEAD_LETTERS)
        return BoundStream(STREAM, source_id, written, self.disk.checkpoint, self.store, now=lambda: self.now)

    def start(self, source_id: str = TOPIC, *, recover: bool = False) -> BoundStream:
        """A new process up to the point where it starts its query."""
        stream = self.open(source_id)
        stream.claim(has_rows=lambda: self.has_rows, recover=recover)
        return stream

    def run(
        self, batch_id: int = 0, source_id: str = TOPIC, *, recover: bool = False, identity: str = FIRST,
        at: datetime = PLANNED_AT,
    ) -> BoundStream:  # fmt: skip
        """A new process that runs one batch."""
        stream = self.start(source_id, recover=recover)
        self.disk.start(identity)
        self.disk.plan(batch_id, at)
        stream.bind(batch_id)
        self.has_rows = True
        self.disk.finish(batch_id)
        return stream

    def set_aside(self) -> list[Path]:
        return sorted(self.disk.folder.parent.glob("*.set-aside-*"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(CheckpointFolder(tmp_path / "checkpoints" / STREAM))


@pytest.fixture
def ran(home: Home) -> Home:
    """A home whose stream has finished a batch."""
    home.run()
    return home


def refused(home: Home, *words: str, source_id: str = TOPIC) -> None:
    """The stream does not start; the message has the words and the remedy."""
    before, rows = home.set_aside(), home.store.read()
    with pytest.raises(CheckpointError) as refusal:
        home.start(source_id)
    for each in (*words, RECOVER):
        assert each in str(refusal.value)
    assert (home.set_aside(), home.store.read()) == (before, rows)


def test_first_start_writes_no_binding_before_its_first_batch(home: Home) -> None:
    stream = home.start()
    assert (home.store.writes, stream.has_checkpoint, stream.is_recovering, stream.own_periods) == (0, False, False, [])


@pytest.mark.parametrize("name", ["checkpoint_id", "begun_at"])
def test_stream_without_a_binding_has_no_checkpoint_to_name(home: Home, name: str) -> None:
    with pytest.raises(CheckpointError, match=f"stream {STREAM} has no checkpoint yet"):
        getattr(home.start(), name)


def test_first_batch_binds_the_tables_to_its_checkpoint(home: Home) -> None:
    stream = home.run()
    expected = Binding(STREAM, FIRST, TOPIC, "predictions-1 letters-1", PLANNED_AT, PLANNED_AT, False)
    assert home.store.read() == [expected]
    assert (stream.has_checkpoint, stream.checkpoint_id, stream.begun_at) == (True, FIRST, PLANNED_AT)
    assert stream.own_periods == [Period(PLANNED_AT, None)]
    assert stream.transaction(7) == Transaction(f"{STREAM}-{FIRST}", 7)


def test_later_batches_write_no_binding(ran: Home) -> None:
    stream = ran.run(1)
    stream.bind(2)
    assert (ran.store.writes, stream.checkpoint_id) == (1, FIRST)


def test_stream_that_was_killed_before_its_first_batch_wrote_anything_starts_again(home: Home) -> None:
    home.start()
    home.disk.start(FIRST)
    home.disk.plan(0)
    assert not home.start().has_checkpoint


def test_stream_that_was_killed_in_its_first_batch_keeps_its_checkpoint(home: Home) -> None:
    stream = home.start()
    home.disk.start(FIRST)
    home.disk.plan(0)
    stream.bind(0)
    assert home.start().checkpoint_id == FIRST


def test_restart_resumes_from_the_bound_checkpoint(ran: Home) -> None:
    stream = ran.start()
    assert (stream.checkpoint_id, stream.is_recovering, ran.store.writes) == (FIRST, False, 1)


def test_stream_that_has_rows_but_no_binding_is_refused(home: Home) -> None:
    home.has_rows = True
    refused(home, "bronze.checkpoints has no row for it", STREAM, "restore that table")


def test_checkpoint_with_finished_batches_but_no_binding_is_refused(ran: Home) -> None:
    ran.store.rows.clear()
    ran.has_rows = False
    refused(ran, "bronze.checkpoints has no row for it", STREAM, "restore that table")


def test_missing_checkpoint_is_refused(ran: Home) -> None:
    shutil.rmtree(ran.disk.folder)
    refused(ran, "gold.predictions is written from is missing", f"put {ran.disk.folder} back")


def test_other_checkpoint_is_refused(ran: Home) -> None:
    (ran.disk.folder / "metadata").write_text(f'{{"id":"{SECOND}"}}')
    refused(ran, f"is the checkpoint {SECOND}, but gold.predictions is written from {FIRST}", "put that one back")


def test_checkpoint_whose_identity_cannot_be_read_is_refused(ran: Home) -> None:
    (ran.disk.folder / "metadata").write_text("{")
    with pytest.raises(CheckpointError, match="metadata cannot be read"):
        ran.start()


def test_other_source_is_refused(ran: Home) -> None:
    words = f"was written from {TOPIC}, but the stream now reads {OTHER_TOPIC}"
    refused(ran, words, "go back to the former source", source_id=OTHER_TOPIC)


def test_other_source_is_refused_even_if_the_checkpoint_is_missing(ran: Home) -> None:
    shutil.rmtree(ran.disk.folder)
    refused(ran, f"but the stream now reads {OTHER_TOPIC}", source_id=OTHER_TOPIC)


@pytest.mark.parametrize("ids", ["predictions-2 letters-1", "predictions-1 letters-2"])
def test_checkpoint_whose_tables_were_recreated_is_refused(ran: Home, ids: str) -> None:
    ran.store.ids = ids
    refused(ran, "gold.predictions or bronze.dead_letters was deleted or recreated", "restore the table")


def test_tables_may_be_recreated_before_a_batch_is_finished(home: Home) -> None:
    stream = home.start()
    home.disk.start(FIRST)
    home.disk.plan(0)
    stream.bind(0)
    home.store.ids = "predictions-2 letters-2"
    assert home.start().checkpoint_id == FIRST


def test_older_copy_is_set_aside_and_then_missing(ran: Home) -> None:
    error = ran.start().refuse_older_copy(1)
    (aside,) = ran.set_aside()
    assert re.fullmatch(
        rf"{ran.disk.folder} is an older copy of the checkpoint, gold\.predictions already has batch 1: it was renamed "
        rf"to {aside.name}; put the newest checkpoint in its place, or {re.escape(RECOVER)} to read .*",
        str(error),
    )
    refused(ran, "is missing")


def test_recovery_sets_the_checkpoint_aside_and_skips_what_the_tables_have(ran: Home) -> None:
    stream = ran.start(recover=True)
    assert (len(ran.set_aside()), ran.disk.folder.exists()) == (1, False)
    assert (stream.is_recovering, stream.has_checkpoint) == (True, False)
    # All rows of this source are to be skipped, those of the former checkpoint too.
    assert stream.own_periods == [Period(PLANNED_AT, None)]
    expected = Binding(STREAM, "", TOPIC, "predictions-1 letters-1", PLANNED_AT, NOW, True)
    assert ran.store.read() == [expected]


@pytest.mark.parametrize("spoil", ["missing", "other checkpoint", "recreated tables", "older copy"])
def test_recovery_is_the_way_out_of_a_refusal(ran: Home, spoil: str) -> None:
    if spoil == "missing":
        shutil.rmtree(ran.disk.folder)
    elif spoil == "other checkpoint":
        (ran.disk.folder / "metadata").write_text(f'{{"id":"{SECOND}"}}')
    elif spoil == "recreated tables":
        ran.store.ids = "predictions-2 letters-2"
    else:
        ran.start().refuse_older_copy(1)
    ran.run(recover=True, identity="new").end_recovery()
    stream = ran.start()
    assert (stream.checkpoint_id, stream.is_recovering) == ("new", False)


def test_recovery_of_a_stream_without_a_binding_skips_every_row_of_its_source(home: Home) -> None:
    home.has_rows = True
    stream = home.start(recover=True)
    assert (stream.is_recovering, stream.own_periods) == (True, [Period(EPOCH, None)])
    assert home.binding.begun_at == NOW


def test_first_batch_of_a_recovery_binds_the_new_checkpoint(ran: Home) -> None:
    stream = ran.run(recover=True, identity=SECOND, at=NOW)
    assert (stream.checkpoint_id, stream.begun_at, stream.is_recovering) == (SECOND, NOW, True)
    assert stream.transaction(0) == Transaction(f"{STREAM}-{SECOND}", 0)
    assert len(ran.store.read()) == 1


@pytest.mark.parametrize("recover", [False, True])
def test_recovery_that_was_interrupted_before_its_first_batch_resumes(ran: Home, recover: bool) -> None:
    ran.start(recover=True)
    ran.disk.start(SECOND)
    ran.disk.plan(0)
    stream = ran.start(recover=recover)
    assert (stream.is_recovering, stream.has_checkpoint, len(ran.set_aside()), ran.store.writes) == (True, False, 1, 2)


@pytest.mark.parametrize("recover", [False, True])
def test_recovery_that_was_interrupted_between_batches_resumes(ran: Home, recover: bool) -> None:
    ran.run(recover=True, identity=SECOND)
    stream = ran.start(recover=recover)
    assert (stream.is_recovering, stream.checkpoint_id, len(ran.set_aside())) == (True, SECOND, 1)


def test_interrupted_recovery_whose_checkpoint_is_missing_starts_over_when_asked(ran: Home) -> None:
    ran.run(recover=True, identity=SECOND)
    shutil.rmtree(ran.disk.folder)
    refused(ran, "is missing")
    stream = ran.start(recover=True)
    assert (stream.is_recovering, stream.has_checkpoint, stream.own_periods) == (
        True,
        False,
        [Period(PLANNED_AT, None)],
    )


def test_recovery_that_ended_is_over_after_a_restart(ran: Home) -> None:
    stream = ran.run(recover=True, identity=SECOND)
    stream.end_recovery()
    assert not stream.is_recovering
    assert not ran.start().is_recovering


def test_recovery_that_ended_does_not_resume_but_begins_again(ran: Home) -> None:
    ran.run(recover=True, identity=SECOND).end_recovery()
    stream = ran.start(recover=True)
    assert (stream.is_recovering, stream.has_checkpoint, len(ran.set_aside())) == (True, False, 2)


def test_stream_that_is_not_recovering_has_no_recovery_to_end(ran: Home) -> None:
    ran.start().end_recovery()
    assert ran.store.writes == 1


def test_positions_of_another_source_are_not_skipped(ran: Home) -> None:
    stream = ran.start(OTHER_TOPIC, recover=True)
    assert stream.own_periods == [Period(NOW, None)]
    assert [(each.source_id, each.bound_at) for each in ran.store.read()] == [(TOPIC, PLANNED_AT), (OTHER_TOPIC, NOW)]


def test_stream_that_goes_back_to_a_former_source_skips_the_positions_of_both_its_periods(ran: Home) -> None:
    ran.run(source_id=OTHER_TOPIC, recover=True, identity=SECOND).end_recovery()
    ran.now = NOW + timedelta(days=1)
    stream = ran.start(recover=True)
    assert stream.own_periods == [Period(PLANNED_AT, NOW), Period(ran.now, None)]


def test_clock_that_went_backwards_does_not_put_a_binding_before_older_ones(ran: Home) -> None:
    ran.now = PLANNED_AT - timedelta(days=300)
    stream = ran.start(OTHER_TOPIC, recover=True)
    after = PLANNED_AT + timedelta(microseconds=1)
    assert (ran.binding.source_id, ran.binding.begun_at) == (OTHER_TOPIC, after)
    assert stream.own_periods == [Period(after, None)]
    assert ran.open().own_periods == [Period(PLANNED_AT, after)]


def test_batch_whose_plan_cannot_be_read_binds_nothing(home: Home) -> None:
    stream = home.start()
    home.disk.start(FIRST)
    with pytest.raises(CheckpointError, match="offsets/3 cannot be read"):
        stream.bind(3)
    assert home.store.writes == 0
