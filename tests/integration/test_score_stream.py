"""The stream over a Delta table, and what it does with checkpoints, models and bad requests."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from filelock import FileLock
from pyspark.sql import SparkSession

from solosolve.cli.task import run_task
from solosolve.errors import BusyError, CheckpointError, ModelError
from solosolve.flows import replay_dead_letters
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import CHECKPOINTS, DEAD_LETTERS, PREDICTIONS, STREAM_PROGRESS, Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from support.live import ENCODER, REQUESTED_AT, Live, cut_off_at, letter_id, request


def checkpoint(live: Live) -> Path:
    return live.tables.checkpoint("score_stream_delta").folder


def test_request_is_scored_once_with_its_position_and_model(live: Live) -> None:
    requests = [request(number) for number in range(1, 41)]
    live.add_requests(requests[:30])
    live.add_requests(requests[30:])
    done = live.stream()
    assert (done.request_count, done.prediction_count, done.dead_letter_count) == (40, 40, 0)
    actual = {
        (row["complaint_id"], row["requested_at"], row["probability"], row["prediction"], row["source_position"])
        for row in live.predictions()
    }
    probabilities = {each["complaint_id"]: live.expected(each, 1) for each in requests}
    assert actual == {
        (number, REQUESTED_AT, score, float(score >= 0.5), "1" if number <= 30 else "2")
        for number, score in probabilities.items()
    }
    same = live.query(
        "select distinct company, state, product, submitted_via, model_name, model_version, source, "
        "batch_id from gold.predictions where complaint_id = 8"
    )
    assert same == [
        {"company": "Bank 1", "state": "CA", "product": "Mortgage", "submitted_via": "Web", "source": "delta",
         "model_name": "complaint_resolution", "model_version": 1, "batch_id": 0}
    ]  # fmt: skip


def test_stream_again_scores_only_what_is_new(live: Live) -> None:
    live.add_requests([request(1), request(2)])
    live.stream()
    assert live.stream().request_count == 0
    live.add_requests([request(3), request(1)])
    assert live.stream().prediction_count == 2
    assert live.scored_ids() == Counter({1: 2, 2: 1, 3: 1})


def test_new_stream_from_the_latest_passes_over_what_is_there(live: Live) -> None:
    live.add_requests([request(1)])
    assert live.stream(starting="latest").request_count == 0


def test_request_that_cannot_be_scored_is_a_dead_letter_with_its_reason(live: Live) -> None:
    live.add_requests([request(1), request(2, company=None), request(3, state="N/A"), request(2, company=None)])
    done = live.stream()
    assert (done.request_count, done.prediction_count, done.dead_letter_count) == (4, 1, 3)
    letters = live.query("select letter_id, key, value, reason, failed_at from bronze.dead_letters")
    values = {row["key"]: row["value"] for row in letters}
    (failed_at,) = {row["failed_at"] for row in letters}
    assert Counter((row["letter_id"], row["key"], row["reason"]) for row in letters) == Counter(
        (letter_id("bronze.inference_requests", 0, 1, failed_at, place), key, reason)
        for place, key, reason in (
            (1, b"2", "Object missing required field `company`"),
            (2, b"2", "Object missing required field `company`"),
            (3, b"3", "state: found 'N/A', expected a value"),
        )
    )
    assert json.loads(values[b"2"])["complaint_id"] == 2


def test_batch_that_was_written_but_not_finished_adds_nothing_again(live: Live) -> None:
    live.add_requests([request(number) for number in range(1, 6)])
    live.stream()
    before = live.predictions()
    (checkpoint(live) / "commits" / "0").unlink()
    live.promote(2)
    live.stream()
    assert live.predictions() == before


def test_missing_checkpoint_is_refused_and_recovered_by_position(live: Live) -> None:
    live.add_requests([request(1), request(2), request(3, state=None)])
    live.stream()
    shutil.rmtree(checkpoint(live))
    live.add_requests([request(4)])
    with pytest.raises(
        CheckpointError, match=r"is gone: put .*score_stream_delta back, or start with --param recover=true"
    ):
        live.stream()
    assert live.scored_ids() == Counter([1, 2])
    live.stream(recover=True)
    assert live.scored_ids() == Counter([1, 2, 4])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 1}]
    live.add_requests([request(5)])
    live.stream()
    assert live.scored_ids() == Counter([1, 2, 4, 5])


@pytest.mark.parametrize("recover", [False, True], ids=["again", "recovery"])
def test_commit_that_was_divided_is_scored_whole_whatever_is_repeated(
    live: Live, monkeypatch: pytest.MonkeyPatch, recover: bool
) -> None:
    # A position is many rows': the same request twice, and several bad ones, are not one.
    numbers = [*range(1, 21), 20]
    live.add_requests([*map(request, numbers), *(request(30 + each, state=None) for each in range(8))], files=4)
    with cut_off_at(PREDICTIONS, monkeypatch, version=2):
        live.stream(max_per_trigger=1)
    assert 0 < live.scored_ids().total() < len(numbers)

    live.stream(max_per_trigger=1, recover=recover)
    assert live.scored_ids() == Counter(numbers)
    letters = live.query("select key, letter_id from bronze.dead_letters")
    assert Counter(row["key"] for row in letters) == Counter(str(30 + each).encode() for each in range(8))
    assert len({row["letter_id"] for row in letters}) == 8


@pytest.mark.parametrize("state", ["CA", None], ids=["prediction", "dead letter"])
def test_older_copy_of_a_checkpoint_is_refused_before_a_request_is_lost(live: Live, state: str | None) -> None:
    live.add_requests([request(1)])
    live.stream()
    shutil.copytree(checkpoint(live), live.settings.home / "copy")
    live.add_requests([request(2, state=state)])
    live.stream()
    shutil.rmtree(checkpoint(live))
    shutil.copytree(live.settings.home / "copy", checkpoint(live))
    live.add_requests([request(3)])
    with pytest.raises(CheckpointError, match=r"had batch 1 before: .* was an older copy and is now"):
        live.stream()
    with pytest.raises(CheckpointError, match="is gone"):
        live.stream()
    live.stream(recover=True)
    assert live.scored_ids() == Counter([1, 3] if state is None else [1, 2, 3])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": int(state is None)}]


def test_message_that_is_read_otherwise_when_its_batch_is_repeated_is_kept_once(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"consumer_complaint_narrative": "x" * 3_000}
    live.add_requests([request(1), request(2, **long), request(2), request(3, state=None)])
    strict = Live(live.spark, live.settings.model_copy(update={"max_request_bytes": 2_000}), live.scorers)
    for _ in range(2):
        with cut_off_at(DEAD_LETTERS, monkeypatch):
            strict.stream()
        assert live.scored_ids() == Counter([1, 2])
    live.stream()
    assert live.scored_ids() == Counter([1, 2, 2])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 1}]
    # And what is a dead letter stays one in a recovery, though it could be read now, and the other way round.
    live.add_requests([request(4, **long), request(5)])
    strict.stream()
    live.stream(recover=True)
    strict.stream(recover=True)
    assert live.scored_ids() == Counter([1, 2, 2, 5])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 2}]


def test_message_that_was_the_only_one_is_kept_when_its_repeated_batch_reads_it_otherwise(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.add_requests([request(1, consumer_complaint_narrative="x" * 3_000)])
    strict = Live(live.spark, live.settings.model_copy(update={"max_request_bytes": 2_000}), live.scorers)
    # Its batch has no predictions, and Delta knows the name of a commit without any.
    with cut_off_at(DEAD_LETTERS, monkeypatch):
        strict.stream()
    live.stream()
    assert live.scored_ids() == Counter([1])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 0}]


def test_requests_of_a_table_made_anew_are_not_taken_for_those_of_the_former(live: Live) -> None:
    live.add_requests([request(1), request(2)])
    live.stream()
    shutil.rmtree(live.settings.warehouse / "bronze" / "inference_requests")
    live.add_requests([request(3), request(1)])
    with pytest.raises(CheckpointError, match=r"was written from bronze\.inference_requests .*use the former source"):
        live.stream()
    live.stream(recover=True)
    assert live.scored_ids() == Counter([1, 2, 3, 1])


def test_model_that_fails_on_real_messages_is_given_up_for_the_one_before(live: Live) -> None:
    live.add_requests([request(1)])
    live.stream()
    _promote_one_that_fails_on_long_ones(live)
    # It may have scored before it fails, in another process.
    live.add_requests([request(2)])
    live.stream()
    live.add_requests([request(3), request(22)])
    live.stream()
    versions = {row["complaint_id"]: row["model_version"] for row in live.predictions()}
    assert versions == {1: 1, 2: 2, 3: 1, 22: 1}
    assert live.scored_ids().total() == 4
    (event,) = live.query("select model_version, event, evidence from gold.model_events")
    assert (event["model_version"], event["event"]) == (2, "load_failed")
    assert json.loads(event["evidence"]) == {"error": "it gives what is no probability", "kept": 1}


def test_message_that_no_model_can_score_is_a_dead_letter(spark: SparkSession, settings: Settings) -> None:
    live = Live(spark, settings)
    _promote_one_that_fails_on_long_ones(live)
    live.add_requests([request(2), request(3, state=None), request(22), request(4)])
    live.stream()
    live.add_requests([request(45), request(24)])
    live.stream()
    assert live.scored_ids() == Counter([2, 4, 24])
    letters = live.query("select key, reason from bronze.dead_letters")
    refused = "the model cannot score: it gives what is no probability"
    assert {row["key"]: row["reason"] for row in letters} == {
        b"3": "Object missing required field `state`", b"22": refused, b"45": refused
    }  # fmt: skip
    again = replay_dead_letters.run(spark, settings, None)
    assert (again.added, Counter(again.still_dead.values())) == (0, Counter(row["reason"] for row in letters))


def test_foreign_checkpoint_is_refused(live: Live) -> None:
    live.add_requests([request(1)])
    live.stream()
    metadata = checkpoint(live) / "metadata"
    metadata.write_text('{"id":"00000000-0000-0000-0000-000000000000"}')
    with pytest.raises(CheckpointError, match="is the checkpoint 00000000-"):
        live.stream()


@pytest.mark.parametrize("table", [PREDICTIONS, DEAD_LETTERS], ids=str)
def test_checkpoint_without_its_table_is_refused(live: Live, table: Table) -> None:
    live.add_requests([request(1)])
    live.stream()
    shutil.rmtree(live.settings.warehouse / table.layer / table.name)
    # Another job may have made an empty one by now.
    live.tables.create(table)
    with pytest.raises(CheckpointError, match=r"gold\.predictions or .* is gone or was made anew"):
        live.stream()
    shutil.rmtree(live.settings.warehouse / "bronze" / "checkpoints")
    with pytest.raises(CheckpointError, match="do not belong together"):
        live.stream()


def test_recovery_that_was_cut_off_goes_on_as_one(live: Live) -> None:
    live.add_requests([request(1), request(2)])
    live.stream()
    shutil.rmtree(checkpoint(live))
    broken = live.promote_files(_empty(live.settings.home / "empty"), None)
    live.stream(recover=True)
    # As if it had been cut off before its end.
    tables = live.tables
    rows = tables.read(CHECKPOINTS).toPandas().assign(is_recovering=True)
    tables.overwrite(CHECKPOINTS, tables.spark.createDataFrame(rows, SCHEMAS[CHECKPOINTS]))
    (checkpoint(live) / "commits" / "0").unlink()
    live.add_requests([request(3)])
    live.stream()
    assert live.scored_ids() == Counter([1, 2, 3])
    assert broken.version == 2


def test_recovery_that_is_asked_for_again_goes_on(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        live.add_requests([request(number)])
    live.stream(max_per_trigger=1)
    with cut_off_at(PREDICTIONS, monkeypatch, version=0):
        live.stream(recover=True)
    live.add_requests([request(4)])
    live.stream(recover=True)
    assert live.scored_ids() == Counter([1, 2, 3, 4])
    assert len(list(checkpoint(live).parent.glob("*.set-aside-*"))) == 1
    # Behind its end it is another one.
    live.stream(recover=True)
    assert len(list(checkpoint(live).parent.glob("*.set-aside-*"))) == 2
    assert live.scored_ids() == Counter([1, 2, 3, 4])


def test_second_stream_of_a_home_is_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOSOLVE_HOME", str(live.settings.home))
    lock = live.settings.home / "locks" / "score_stream_delta.task.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock), pytest.raises(BusyError, match="score_stream_delta is running in another process"):
        run_task("score_stream_delta", "local", lambda spark, settings: None)


def test_promotion_is_taken_up_between_batches_and_no_batch_mixes(live: Live) -> None:
    for first in (1, 11):
        live.add_requests([request(number) for number in range(first, first + 10)])
    live.stream()
    live.promote(2)
    live.add_requests([request(number) for number in range(21, 31)])
    live.stream()
    versions = live.query(
        "select batch_id, model_version, count(*) as n from gold.predictions group by 1, 2 order by 1"
    )
    assert versions == [
        {"batch_id": 0, "model_version": 1, "n": 20},
        {"batch_id": 1, "model_version": 2, "n": 10},
    ]
    of_second = {row["complaint_id"]: row["probability"] for row in live.predictions() if row["model_version"] == 2}
    assert of_second == {number: live.expected(request(number), 2) for number in range(21, 31)}


def test_broken_champion_leaves_the_last_good_one_scoring(live: Live) -> None:
    live.add_requests([request(1)])
    live.stream()
    broken = live.promote_files(_empty(live.settings.home / "empty"), None)
    live.add_requests([request(2)])
    live.stream()
    assert {row["complaint_id"]: row["model_version"] for row in live.predictions()} == {1: 1, 2: 1}
    event = live.query("select model_version, event, alias, evidence from gold.model_events")[0]
    assert (event["model_version"], event["event"], event["alias"]) == (broken.version, "load_failed", None)
    assert json.loads(event["evidence"])["kept"] == 1


def test_stream_without_a_champion_that_can_score_is_refused(spark: SparkSession, settings: Settings) -> None:
    live = Live(spark, settings)
    live.add_requests([request(1)])
    with pytest.raises(ModelError, match="there is no champion model; run: solosolve run train_model"):
        live.stream()
    live.promote_files(_empty(settings.home / "empty"), None)
    with pytest.raises(ModelError, match="version 1 cannot score"):
        live.stream()


def test_progress_tells_of_each_batch_and_forgets_old_ones(live: Live) -> None:
    tables = live.tables
    old = {
        "ended_at": datetime.now(UTC) - timedelta(days=2), "source": "delta", "checkpoint_id": "x", "batch_id": 0,
        "model_version": 1, "request_count": 1, "prediction_count": 1, "dead_letter_count": 0, "batch_seconds": 1.0,
    }  # fmt: skip
    columns = SCHEMAS[STREAM_PROGRESS].names
    row = tuple(old.get(name) for name in columns)
    tables.append(STREAM_PROGRESS, tables.spark.createDataFrame([row], SCHEMAS[STREAM_PROGRESS]))
    live.add_requests([request(1), request(2, state=None)])
    live.add_requests([request(3)])
    live.stream(max_per_trigger=1)
    rows = live.query("select * from gold.stream_progress order by batch_id")
    actual = [(row["batch_id"], row["model_version"], row["request_count"], row["lag"]) for row in rows]
    assert actual == [(0, 1, 2, 1), (1, 1, 1, 0)]
    assert (rows[0]["prediction_count"], rows[0]["dead_letter_count"], rows[0]["source"]) == (1, 1, "delta")
    seconds = (rows[0]["ended_at"] - REQUESTED_AT).total_seconds()
    assert rows[0]["latency_p50_seconds"] == pytest.approx(seconds, abs=60)


def _promote_one_that_fails_on_long_ones(live: Live) -> None:
    """A model that gives no probability for a long narrative; its test complaint's is short."""
    parameters = {"objective": "reg:squarederror", "max_depth": 1, "eta": 1, "nthread": 1, "base_score": 0.5}
    lengths = np.array([[50.0, 1.0]] * 50 + [[400.0, 1.0]] * 50, dtype=np.float32)
    trees = xgb.train(parameters, xgb.DMatrix(lengths, label=[0.5] * 50 + [7.0] * 50), num_boost_round=1)
    folder = live.settings.home / "too_much"
    folder.mkdir(parents=True)
    ComplaintScorer(ENCODER, trees).save(folder)
    live.promote_files(folder, None)


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "features.json").write_text("{}")
    return folder
