"""The stream over a Delta table: what it scores, with which model, and what it reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from pyspark.sql import SparkSession

from solosolve.errors import ModelError
from solosolve.flows import replay_dead_letters
from solosolve.flows.score_stream import Streamed
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import CHAMPION, STREAM_PROGRESS
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from support.builders import settings_in
from support.live import ENCODER, REQUESTED_AT, Live, letter_id, request, with_champion

FIRST_COMMIT = [request(number) for number in range(1, 31)]
SECOND_COMMIT = [
    *(request(number) for number in range(31, 41)),
    request(102, company=None),
    request(103, state="N/A"),
    request(102, company=None),
]
AFTER_PROMOTION = [*(request(number) for number in range(41, 51)), request(1)]
AFTER_BROKEN_PROMOTION = [request(51)]


@dataclass(frozen=True)
class Story:
    """A home and its stream, started five times.

    Attributes:
        live: The home afterwards.
        refusal: Why it did not start while there was no champion.
        first: The run over the first two commits, one per batch.
        again: The run that found nothing new.
        promoted: The run after version 2 was promoted.
        before_repeat: The predictions when batch 2 was marked unfinished and the broken version 3 was promoted.
    """

    live: Live
    refusal: ModelError
    first: Streamed
    again: Streamed
    promoted: Streamed
    before_repeat: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(spark: SparkSession, first_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    settings = settings_in(tmp_path_factory.mktemp("story") / "home")
    live = with_champion(spark, settings, first_registry)
    live.add_requests(FIRST_COMMIT)
    live.add_requests(SECOND_COMMIT)
    add_progress_of_the_day_before_yesterday(live)
    refusal = refused_without_a_champion(live)
    first, again = live.stream(max_per_trigger=1), live.stream()

    live.promote(2)
    live.add_requests(AFTER_PROMOTION)
    promoted = live.stream()

    before_repeat = live.predictions()
    (checkpoint(live) / "commits" / "2").unlink()
    live.promote_files(empty_model(live.settings.home / "empty"), None)
    live.add_requests(AFTER_BROKEN_PROMOTION)
    live.stream()
    return Story(live, refusal, first, again, promoted, before_repeat)


def checkpoint(live: Live) -> Path:
    return live.tables.checkpoint("score_stream_delta").folder


def refused_without_a_champion(live: Live) -> ModelError:
    registry = live.registry
    champion = registry.find(CHAMPION)
    assert champion is not None
    registry.delete_alias(CHAMPION)
    with pytest.raises(ModelError) as refusal:
        live.stream()
    registry.set_alias(CHAMPION, champion)
    return refusal.value


def add_progress_of_the_day_before_yesterday(live: Live) -> None:
    old = {
        "ended_at": datetime.now(UTC) - timedelta(days=2), "checkpoint_id": "x", "batch_id": 0,
        "model_version": 1, "request_count": 1, "prediction_count": 1, "dead_letter_count": 0, "batch_seconds": 1.0,
    }  # fmt: skip
    of_both = [old | {"source": source} for source in ("delta", "kafka")]
    rows = [tuple(row.get(name) for name in SCHEMAS[STREAM_PROGRESS].names) for row in of_both]
    tables = live.tables
    tables.append(STREAM_PROGRESS, tables.spark.createDataFrame(rows, spark_schema(STREAM_PROGRESS)))


def empty_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "features.json").write_text("{}")
    return folder


def good(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (each for each in messages if each["complaint_id"] < 100)


def test_stream_without_a_champion_is_refused(story: Story) -> None:
    assert str(story.refusal) == "there is no champion model yet; run: solosolve run train_model"


def test_request_is_scored_once_with_its_position_and_model(story: Story) -> None:
    expected = Counter(
        (each["complaint_id"], REQUESTED_AT, story.live.expected(each, version), position, batch_id, version)
        for messages, position, batch_id, version in (
            (FIRST_COMMIT, "1", 0, 1),
            (SECOND_COMMIT, "2", 1, 1),
            (AFTER_PROMOTION, "3", 2, 2),
            (AFTER_BROKEN_PROMOTION, "4", 3, 2),
        )
        for each in good(messages)
    )
    names = ("complaint_id", "requested_at", "probability", "source_position", "batch_id", "model_version")
    rows = story.live.predictions()
    assert Counter(tuple(row[name] for name in names) for row in rows) == expected
    assert all(row["prediction"] == float(row["probability"] >= 0.5) for row in rows)
    same = story.live.query(
        "select distinct company, state, product, submitted_via, model_name, source from gold.predictions "
        "where complaint_id = 8"
    )
    assert same == [
        {"company": "Bank 1", "state": "CA", "product": "Mortgage", "submitted_via": "Web", "source": "delta",
         "model_name": "complaint_resolution"}
    ]  # fmt: skip


def test_run_counts_its_requests_predictions_and_dead_letters(story: Story) -> None:
    assert [story.first, story.again, story.promoted] == [Streamed(43, 40, 3), Streamed(0, 0, 0), Streamed(11, 11, 0)]


def test_request_that_cannot_be_scored_is_a_dead_letter_with_its_reason(story: Story) -> None:
    letters = story.live.query("select letter_id, key, value, reason, failed_at from bronze.dead_letters")
    values = {row["key"]: row["value"] for row in letters}
    (failed_at,) = {row["failed_at"] for row in letters}
    assert Counter((row["letter_id"], row["key"], row["reason"]) for row in letters) == Counter(
        (letter_id("bronze.inference_requests", 0, 2, failed_at, place), key, reason)
        for place, key, reason in (
            (1, b"102", "Object missing required field `company`"),
            (2, b"102", "Object missing required field `company`"),
            (3, b"103", "state: found 'N/A', expected a value"),
        )
    )
    assert json.loads(values[b"102"])["complaint_id"] == 102


def test_promotion_is_picked_up_between_batches_and_no_batch_mixes_models(story: Story) -> None:
    versions = story.live.query("select distinct batch_id, model_version from gold.predictions order by 1, 2")
    assert [(row["batch_id"], row["model_version"]) for row in versions] == [(0, 1), (1, 1), (2, 2), (3, 2)]


def test_batch_that_was_written_but_not_finished_adds_nothing_when_it_is_repeated(story: Story) -> None:
    assert [row for row in story.live.predictions() if row["batch_id"] <= 2] == story.before_repeat


def test_broken_champion_leaves_the_last_good_version_scoring(story: Story) -> None:
    (event,) = story.live.query("select model_version, event, alias, evidence from gold.model_events")
    assert (event["model_version"], event["event"], event["alias"]) == (3, "load_failed", None)
    assert json.loads(event["evidence"])["kept"] == 2


def test_progress_has_a_row_for_each_batch_and_none_of_the_stream_is_older_than_a_day(story: Story) -> None:
    (of_other,) = story.live.query("select batch_id from gold.stream_progress where source = 'kafka'")
    assert of_other["batch_id"] == 0
    rows = story.live.query("select * from gold.stream_progress where source = 'delta' order by batch_id, ended_at")
    names = ("batch_id", "model_version", "request_count", "prediction_count", "dead_letter_count", "lag", "source")
    # Batch 2 is there again as it was repeated: it read its requests, and wrote none.
    assert [tuple(row[name] for name in names) for row in rows if row["request_count"]] == [
        (0, 1, 30, 30, 0, 13, "delta"),
        (1, 1, 13, 10, 3, 0, "delta"),
        (2, 2, 11, 11, 0, 0, "delta"),
        (3, 2, 1, 1, 0, 0, "delta"),
    ]
    seconds = (rows[0]["ended_at"] - REQUESTED_AT).total_seconds()
    assert rows[0]["latency_p50_seconds"] == pytest.approx(seconds, abs=60)


def test_lag_counts_the_unread_requests_of_a_commit_that_is_divided(prepared: Live) -> None:
    prepared.add_requests([request(number) for number in range(1, 11)], files=3)
    prepared.add_requests([request(11), request(12)])
    prepared.stream(max_per_trigger=1)
    rows = prepared.query(
        "select request_count, lag from gold.stream_progress where request_count > 0 order by batch_id"
    )
    read = [row["request_count"] for row in rows]
    assert len(read) == 4
    assert [row["lag"] for row in rows] == [12 - sum(read[: number + 1]) for number in range(4)]


def test_new_stream_that_starts_from_the_latest_skips_what_is_there(prepared: Live) -> None:
    prepared.add_requests([request(1)])
    assert prepared.stream(starting="latest").request_count == 0


def test_version_that_fails_on_real_messages_gives_way_to_its_predecessor(scored: Live) -> None:
    promote_one_that_fails_on_long_narratives(scored)
    # Version 2 scores a batch before it fails on the next one.
    scored.add_requests([request(4)])
    scored.add_requests([request(5), request(22)])
    scored.stream(max_per_trigger=1)
    versions = {row["complaint_id"]: row["model_version"] for row in scored.predictions()}
    assert versions == {1: 1, 2: 1, 4: 2, 5: 1, 22: 1}
    assert scored.scored_ids().total() == 5
    (event,) = scored.query("select model_version, event, evidence from gold.model_events")
    assert (event["model_version"], event["event"]) == (2, "load_failed")
    assert json.loads(event["evidence"]) == {"error": "its result is not a probability from 0 to 1", "kept": 1}


def test_message_that_no_model_can_score_is_a_dead_letter(prepared: Live) -> None:
    promote_one_that_fails_on_long_narratives(prepared)
    prepared.add_requests([request(2), request(3, state=None), request(22), request(4)])
    prepared.add_requests([request(45), request(24)])
    prepared.stream(max_per_trigger=1)
    assert prepared.scored_ids() == Counter([2, 4, 24])
    letters = prepared.query("select key, reason from bronze.dead_letters")
    refused = "the model cannot score: its result is not a probability from 0 to 1"
    assert {row["key"]: row["reason"] for row in letters} == {
        b"3": "Object missing required field `state`", b"22": refused, b"45": refused
    }  # fmt: skip
    assert prepared.spark is not None
    again = replay_dead_letters.run(prepared.spark, prepared.settings, None)
    assert (again.added, Counter(again.still_dead.values())) == (0, Counter(row["reason"] for row in letters))


def promote_one_that_fails_on_long_narratives(live: Live) -> None:
    """Promotes a model that returns no probability for a long narrative; that of its control is short."""
    parameters = {"objective": "reg:squarederror", "max_depth": 1, "eta": 1, "nthread": 1, "base_score": 0.5}
    lengths = np.array([[50.0, 1.0]] * 50 + [[400.0, 1.0]] * 50, dtype=np.float32)
    trees = xgb.train(parameters, xgb.DMatrix(lengths, label=[0.5] * 50 + [7.0] * 50), num_boost_round=1)
    folder = live.settings.home / "too_much"
    folder.mkdir(parents=True)
    ComplaintScorer(ENCODER, trees).save(folder)
    live.promote_files(folder, None)
