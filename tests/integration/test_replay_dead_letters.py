from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from solosolve.errors import TableError, UsageError
from solosolve.flows.replay_dead_letters import Replayed, run
from solosolve.names import DEAD_LETTERS, FEEDBACK_FILES, FEEDBACK_TOPIC, NARRATIVE, PREDICTIONS, REQUESTS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.streaming.kept_requests import KEPT_NOTE
from support.live import REQUESTED_AT, Live, request

FAILED_AT = datetime(2026, 1, 2, 4, tzinfo=UTC)
NO_COMPANY = "Object missing required field `company`"


def message(complaint_id: int, **overrides: Any) -> bytes:
    return json.dumps(request(complaint_id, **overrides)).encode()


def letter(offset: int, value: bytes | None, place: int = 1) -> tuple[Any, ...]:
    """A row of `bronze.dead_letters`."""
    return (f"requests/0/{offset}/{place}", "requests", 0, offset, b"key", value, "a reason", FAILED_AT)


def replay(live: Live, corrected: dict[str, bytes] | None) -> Replayed:
    assert live.spark is not None
    return run(live.spark, live.settings, corrected)


def test_corrected_letter_gets_one_prediction_however_often_it_is_replayed(scored: Live, spark: SparkSession) -> None:
    # Two letters at one position, one that can be scored by now, and one that is never corrected.
    letters = [letter(5, b"{"), letter(5, None, 2), letter(6, b"\xff"), letter(7, message(4)), letter(8, b"[]")]
    # Feedback is never scored, even if it could be.
    letters += [
        (f"{topic}/1", topic, 0, 1, b"", message(6), "x", FAILED_AT) for topic in (FEEDBACK_TOPIC, FEEDBACK_FILES)
    ]
    tables = scored.tables
    (of_stream,) = scored.query("select letter_id, reason from bronze.dead_letters")
    tables.append(DEAD_LETTERS, spark.createDataFrame(letters, spark_schema(DEAD_LETTERS)))
    predictions_of_stream = scored.predictions()

    corrected = {
        "requests/0/5/1": message(2),
        "requests/0/5/2": message(3, requested_at=None),
        "requests/0/6/1": message(9, company=None),
    }
    still_dead = {"requests/0/6/1": "Expected `str`, got `null` - at `$.company`"}
    assert replay(scored, corrected) == Replayed(2, still_dead)
    added = {row["source_position"]: row for row in scored.predictions() if row not in predictions_of_stream}
    assert {
        letter_id: (row["complaint_id"], row["requested_at"], row["probability"], row["source"], row["batch_id"])
        for letter_id, row in added.items()
    } == {
        "requests/0/5/1": (2, REQUESTED_AT, scored.expected(request(2), 1), "replay", None),
        # A message without a time counts as requested when it failed.
        "requests/0/5/2": (3, FAILED_AT, scored.expected(request(3), 1), "replay", None),
    }
    assert len(scored.predictions()) == len(predictions_of_stream) + 2

    before = scored.predictions()
    scored.promote(2)
    assert replay(scored, corrected) == Replayed(0, still_dead)
    assert scored.predictions() == before

    with pytest.raises(
        UsageError, match=r"no dead letter has the letter_id 'requests/0/5/3': see solosolve deadletters"
    ):
        replay(scored, {"requests/0/7/1": message(4), "requests/0/5/3": message(5)})
    assert scored.predictions() == before

    assert replay(scored, None) == Replayed(
        1,
        {
            of_stream["letter_id"]: of_stream["reason"],
            "requests/0/6/1": "JSON is malformed: invalid character (byte 0)",
            "requests/0/8/1": "Expected `object`, got `array`",
        },
    )
    (last,) = [row for row in scored.predictions() if row not in before]
    assert (last["source_position"], last["complaint_id"], last["model_version"], last["probability"]) == (
        "requests/0/7/1", 4, 2, scored.expected(request(4), 2)
    )  # fmt: skip
    assert tables.read(DEAD_LETTERS).count() == len(letters) + 1
    assert replay(scored, {}) == Replayed(0, {})
    request_of = "source_position, complaint_id, requested_at, date_received from {table} where source = 'replay'"
    scored_as, kept = (
        scored.query(f"select {request_of.format(table=table)} order by 1") for table in (PREDICTIONS, REQUESTS)
    )
    assert scored_as == kept
    assert len(kept) == 3
    notes = {
        table: {row["userMetadata"] for row in tables.delta(table).history().where("operation = 'MERGE'").collect()}
        for table in (REQUESTS, PREDICTIONS)
    }
    assert notes == {REQUESTS: {KEPT_NOTE}, PREDICTIONS: {None}}
    (text,) = scored.query(f"select {NARRATIVE} as text from {REQUESTS} where source_position = 'requests/0/7/1'")
    assert text["text"] == request(4)[NARRATIVE]


def test_replay_without_dead_letters_is_refused(spark: SparkSession, settings: Settings) -> None:
    live = Live(spark, settings)
    with pytest.raises(TableError, match=r"bronze\.dead_letters does not exist yet; run: solosolve run score_stream"):
        replay(live, None)
    assert not live.tables.exists(PREDICTIONS)
