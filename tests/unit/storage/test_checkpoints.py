from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solosolve.errors import CheckpointError
from solosolve.storage.checkpoints import Checkpoint
from support.checkpoints import CheckpointFolder

IDENTITY = "6e1ad4c5-8ae7-41f1-9ebe-4a2ac7b9f6b0"


def checkpoint(folder: Path, planned: int = 0, finished: int = 0) -> Checkpoint:
    """A checkpoint as Spark leaves it, with so many batches planned and finished."""
    made = CheckpointFolder(folder)
    made.start(IDENTITY)
    for number in range(planned):
        made.plan(number)
    for number in range(finished):
        made.finish(number)
    return made.checkpoint


def test_checkpoint_is_its_folder(tmp_path: Path) -> None:
    assert str(Checkpoint(tmp_path / "a")) == str(tmp_path / "a")


def test_checkpoint_that_never_was_has_nothing(tmp_path: Path) -> None:
    found = Checkpoint(tmp_path / "nowhere")
    assert (found.exists, found.unfinished_batch, found.has_finished_batches) == (False, None, False)


def test_checkpoint_exists_with_its_metadata(tmp_path: Path) -> None:
    made = checkpoint(tmp_path)
    assert made.exists
    (tmp_path / "metadata").unlink()
    assert not made.exists


def test_identity_is_the_querys(tmp_path: Path) -> None:
    assert checkpoint(tmp_path).identity == IDENTITY


@pytest.mark.parametrize("content", [None, b"", b"{", b"{}", b"[]", b'"id"', b"\xff"])
def test_identity_that_cannot_be_read_is_refused_with_its_file(tmp_path: Path, content: bytes | None) -> None:
    metadata = tmp_path / "metadata"
    if content is not None:
        metadata.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"^{re.escape(str(metadata))} cannot be read \(.*\): restore "):
        _ = Checkpoint(tmp_path).identity


@pytest.mark.parametrize(
    ("planned", "finished", "unfinished"),
    [(0, 0, None), (1, 0, 0), (1, 1, None), (2, 1, 1), (11, 11, None), (12, 11, 11), (101, 100, 100)],
)
def test_unfinished_batch_is_the_one_that_is_planned_only(
    tmp_path: Path, planned: int, finished: int, unfinished: int | None
) -> None:
    made = checkpoint(tmp_path, planned, finished)
    assert (made.unfinished_batch, made.has_finished_batches) == (unfinished, finished > 0)


def test_batches_that_spark_is_still_writing_are_not_counted(tmp_path: Path) -> None:
    made = checkpoint(tmp_path, planned=1, finished=1)
    (tmp_path / "offsets" / ".1.5b1e2d36.tmp").write_text("v1")
    (tmp_path / "offsets" / "1.compact").write_text("v1")
    assert made.unfinished_batch is None


def test_set_aside_moves_all_and_leaves_room_for_a_new_one(tmp_path: Path) -> None:
    made = checkpoint(tmp_path / "stream", planned=2, finished=1)
    aside = made.set_aside()
    prefix, stamp = aside.name.split(".set-aside-")
    moved_at = datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    assert (aside.parent, prefix) == (tmp_path, "stream")
    assert abs(datetime.now(UTC) - moved_at) < timedelta(minutes=1)
    assert (Checkpoint(aside).identity, Checkpoint(aside).unfinished_batch) == (IDENTITY, 1)
    assert not made.folder.exists()

    checkpoint(tmp_path / "stream")
    assert made.set_aside() != aside


DELTA_OFFSET = '{"sourceVersion":1,"reservoirId":"t","reservoirVersion":7,"index":%d,"isStartingVersion":%s}'


@pytest.mark.parametrize(
    ("offset", "is_finished", "position"),
    [
        (DELTA_OFFSET % (-1, "false"), True, ("t", 7)),
        (DELTA_OFFSET % (-1, "false"), False, None),
        (DELTA_OFFSET % (3, "false"), True, None),
        (DELTA_OFFSET % (-1, "true"), True, None),
        ("{}", True, None),
        ("not JSON", True, None),
    ],
    ids=["whole commit", "unfinished batch", "inside a commit", "first snapshot", "another source", "damaged"],
)
def test_delta_position_is_known_only_between_two_commits(
    tmp_path: Path, offset: str, is_finished: bool, position: tuple[str, int] | None
) -> None:
    for name, content in {"offsets": f"v1\n{{}}\n{offset}", "commits": "v1\n{}"}.items():
        (tmp_path / name).mkdir()
        if name == "offsets" or is_finished:
            (tmp_path / name / "0").write_text(content)
    assert Checkpoint(tmp_path).delta_position() == position


def test_delta_position_is_unknown_before_the_first_batch(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path).delta_position() is None
