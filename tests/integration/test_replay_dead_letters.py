from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from solosolve.errors import TableError, UsageError
from solosolve.flows.replay_dead_letters import Replayed, run
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from support.live import REQUESTED_AT, Live, request

FAILED_AT = datetime(2026, 1, 2, 4, tzinfo=UTC)
NO_COMPANY = "Object missing required field `company`"


def message(complaint_id: int, **overrides: Any) -> bytes:
    return json.dumps(request(complaint_id, **overrides)).encode()


def letter(offset: int, value: bytes | None, place: int = 1) -> tuple[Any, ...]:
    """A row of `bronze.dead_letters`."""
    return (f"requests/0/{offset}/{place}", "requests", 0, offset, b"key", value, "a reason", FAILED_AT)


def replay(live: Live, mended: dict[str, bytes] | None) -> Replayed:
    assert live.spark is not None
    return run(live.spark, live.settings, mended)


def test_mended_letter_has_one_prediction_however_often_it_is_replayed(live: Live, spark: SparkSession) -> None:
    live.add_requests([request(1)])
    live.stream()
    # Two letters of one position, one that is good by now, one that is never mended.
    letters = [letter(5, b"{"), letter(5, None, 2), letter(6, b"\xff"), letter(7, message(4)), letter(8, b"[]")]
    tables = live.tables
    tables.append(DEAD_LETTERS, spark.createDataFrame(letters, SCHEMAS[DEAD_LETTERS]))
    of_stream = live.predictions()

    mended = {
        "requests/0/5/1": message(2),
        "requests/0/5/2": message(3, requested_at=None),
        "requests/0/6/1": message(9, company=None),
    }
    still_dead = {"requests/0/6/1": "Expected `str`, got `null` - at `$.company`"}
    assert replay(live, mended) == Replayed(2, 0, still_dead)
    added = {row["source_position"]: row for row in live.predictions() if row not in of_stream}
    assert {
        letter_id: (row["complaint_id"], row["requested_at"], row["probability"], row["source"], row["batch_id"])
        for letter_id, row in added.items()
    } == {
        "requests/0/5/1": (2, REQUESTED_AT, live.expected(request(2), 1), "replay", None),
        # Without a time of its own it was requested when it failed.
        "requests/0/5/2": (3, FAILED_AT, live.expected(request(3), 1), "replay", None),
    }
    assert len(live.predictions()) == 3

    before = live.predictions()
    live.promote(2)
    assert replay(live, mended) == Replayed(0, 2, still_dead)
    assert live.predictions() == before

    with pytest.raises(UsageError, match=r"letter_id: found 'requests/0/5/3', which is no dead letter's"):
        replay(live, {"requests/0/7/1": message(4), "requests/0/5/3": message(5)})
    assert live.predictions() == before

    assert replay(live, None) == Replayed(
        1, 2,
        {
            "requests/0/6/1": "JSON is malformed: invalid character (byte 0)",
            "requests/0/8/1": "Expected `object`, got `array`",
        },
    )  # fmt: skip
    (last,) = [row for row in live.predictions() if row not in before]
    assert (last["source_position"], last["complaint_id"], last["model_version"], last["probability"]) == (
        "requests/0/7/1", 4, 2, live.expected(request(4), 2)
    )  # fmt: skip
    assert tables.read(DEAD_LETTERS).count() == len(letters)
    assert replay(live, {}) == Replayed(0, 0, {})


def test_replay_without_dead_letters_is_refused(spark: SparkSession, settings: Settings) -> None:
    live = Live(spark, settings)
    with pytest.raises(TableError, match=r"bronze\.dead_letters does not exist yet; run: solosolve run score_stream"):
        replay(live, None)
    assert not live.tables.exists(PREDICTIONS)
