"""The stream over a Delta table after kills and lost checkpoints: every request is still scored once."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from solosolve.errors import CheckpointError
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from support.live import Live, cut_off_at, request

LONG = {"consumer_complaint_narrative": "x" * 3_000}
LONGER = {"consumer_complaint_narrative": "x" * 9_000}


def checkpoint(live: Live) -> Path:
    return live.tables.checkpoint("score_stream_delta").folder


def limited(live: Live, max_request_bytes: int) -> Live:
    """The same home with a limit on the size of a request."""
    return Live(live.spark, live.settings.model_copy(update={"max_request_bytes": max_request_bytes}), live.scorers)


def letter_count(live: Live) -> int:
    (row,) = live.query("select count(*) as n from bronze.dead_letters")
    return int(row["n"])


def test_checkpoint_of_another_stream_is_refused(scored: Live) -> None:
    (checkpoint(scored) / "metadata").write_text('{"id":"00000000-0000-0000-0000-000000000000"}')
    with pytest.raises(CheckpointError, match="is the checkpoint 00000000-"):
        scored.stream()


def test_missing_checkpoint_is_refused_and_recovered_by_position(scored: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkpoint(scored))
    scored.add_requests([request(4)])
    with pytest.raises(
        CheckpointError, match=r"is missing: put .*score_stream_delta back, or start with --param recover=true"
    ):
        scored.stream()
    assert (scored.scored_ids(), letter_count(scored)) == (Counter([1, 2]), 1)

    with cut_off_at(PREDICTIONS, monkeypatch, version=0):
        scored.stream(recover=True)
    scored.add_requests([request(5)])
    # It resumes the interrupted recovery, without being asked to.
    scored.stream()
    assert (scored.scored_ids(), letter_count(scored)) == (Counter([1, 2, 4, 5]), 1)
    assert list(checkpoint(scored).parent.glob("*.set-aside-*")) == []

    scored.stream(recover=True)
    assert (scored.scored_ids(), letter_count(scored)) == (Counter([1, 2, 4, 5]), 1)
    assert len(list(checkpoint(scored).parent.glob("*.set-aside-*"))) == 1


@pytest.mark.parametrize("recover", [False, True], ids=["repeated", "recovered"])
def test_commit_split_over_batches_is_scored_whole_after_a_kill(
    prepared: Live, monkeypatch: pytest.MonkeyPatch, recover: bool
) -> None:
    # All rows of a commit share a position: a request that is there twice, and eight bad ones, are still ten rows.
    numbers = [*range(1, 21), 20]
    prepared.add_requests([*map(request, numbers), *(request(30 + each, state=None) for each in range(8))], files=4)
    with cut_off_at(PREDICTIONS, monkeypatch, version=2):
        prepared.stream(max_per_trigger=1)
    assert 0 < prepared.scored_ids().total() < len(numbers)

    prepared.stream(max_per_trigger=1, recover=recover)
    assert prepared.scored_ids() == Counter(numbers)
    letters = prepared.query("select key, letter_id from bronze.dead_letters")
    assert Counter(row["key"] for row in letters) == Counter(str(30 + each).encode() for each in range(8))
    assert len({row["letter_id"] for row in letters}) == 8


@pytest.mark.parametrize("state", ["CA", None], ids=["prediction", "dead letter"])
def test_older_copy_of_a_checkpoint_is_refused_before_a_request_is_lost(scored: Live, state: str | None) -> None:
    shutil.copytree(checkpoint(scored), scored.settings.home / "copy")
    scored.add_requests([request(4, state=state)])
    scored.stream()
    shutil.rmtree(checkpoint(scored))
    shutil.copytree(scored.settings.home / "copy", checkpoint(scored))
    scored.add_requests([request(5)])
    with pytest.raises(CheckpointError, match=r"is an older copy .* already has batch 1: it was renamed to"):
        scored.stream()
    scored.stream(recover=True)
    assert scored.scored_ids() == Counter([1, 2, 5] if state is None else [1, 2, 4, 5])
    assert letter_count(scored) == (2 if state is None else 1)


def test_message_that_is_read_differently_when_its_batch_is_repeated_is_kept_once(
    prepared: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict, medium = limited(prepared, 2_000), limited(prepared, 5_000)
    prepared.add_requests([request(1), request(2, **LONGER), request(2), request(3, state=None)])
    for _ in range(2):
        with cut_off_at(DEAD_LETTERS, monkeypatch):
            strict.stream()
        assert prepared.scored_ids() == Counter([1, 2])
    prepared.stream()
    assert (prepared.scored_ids(), letter_count(prepared)) == (Counter([1, 2, 2]), 1)

    # A dead letter that could be read now stays one in a recovery, and a prediction that could not stays, too.
    prepared.add_requests([request(4, **LONG), request(5)])
    strict.stream()
    medium.stream(recover=True)
    assert (prepared.scored_ids(), letter_count(prepared)) == (Counter([1, 2, 2, 5]), 2)


def test_only_message_of_a_batch_is_kept_when_it_is_read_differently_in_the_repeated_batch(
    scored: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored.add_requests([request(4, **LONG)])
    # The batch has no predictions, but Delta knows its transaction all the same.
    with cut_off_at(DEAD_LETTERS, monkeypatch):
        limited(scored, 2_000).stream()
    scored.stream()
    assert (scored.scored_ids(), letter_count(scored)) == (Counter([1, 2, 4]), 1)


def test_requests_of_a_recreated_table_are_not_taken_for_those_of_the_former_one(scored: Live) -> None:
    shutil.rmtree(scored.settings.warehouse / "bronze" / "inference_requests")
    scored.add_requests([request(3), request(1)])
    with pytest.raises(CheckpointError, match=r"was written from bronze\.inference_requests .* go back to the former"):
        scored.stream()
    scored.stream(recover=True)
    assert (scored.scored_ids(), letter_count(scored)) == (Counter([1, 2, 3, 1]), 1)
