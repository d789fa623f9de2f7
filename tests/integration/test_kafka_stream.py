"""The stream over a Kafka topic: positions, published predictions, and what becomes of its checkpoint."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import CheckpointError
from solosolve.flows import request_scores
from solosolve.kafka.client import cluster_id, ensure_topics, topic_identity
from solosolve.kafka.login import client_options
from solosolve.local.summary import Summary
from solosolve.names import (
    COMPLAINTS,
    DEAD_LETTERS,
    FILED_COLUMNS,
    PREDICTIONS,
    PREDICTIONS_TOPIC,
    REQUESTS,
    REQUESTS_TOPIC,
)
from solosolve.schemas import SCHEMAS
from solosolve.storage.delta_reader import DeltaReader
from solosolve.streaming.sources import KafkaSource
from support.brokers import kafka_settings
from support.builders import complaints
from support.live import Live, cut_off_at, letter_id, messages_of, request, scorer
from support.topics import Message, empty_topics, read, send

INSTANTS = ("requested_at", "scored_at")
TEXT = "consumer_complaint_narrative"


@pytest.fixture
def live(spark: SparkSession, broker: str, prepared_home: Path, tmp_path: Path) -> Live:
    """A home with a champion and empty tables, and topics without messages."""
    shutil.copytree(prepared_home, tmp_path / "home")
    settings = kafka_settings(tmp_path / "home", broker)
    empty_topics(settings)
    return Live(spark, settings, {1: scorer(1)})


def checkpoint(live: Live) -> Path:
    return live.tables.checkpoint("score_stream_kafka").folder


def ask(live: Live, *requests: dict[str, Any]) -> None:
    send(live.settings, REQUESTS_TOPIC, messages_of(requests))


def asked(live: Live) -> list[Message]:
    return read(live.settings, REQUESTS_TOPIC)


def in_table(live: Live) -> Counter[tuple[Any, ...]]:
    """The multiset of the rows of `gold.predictions`."""
    return Counter(tuple(row[name] for name in SCHEMAS[PREDICTIONS].names) for row in live.predictions())


def published(live: Live) -> Counter[tuple[Any, ...]]:
    """The multiset of published predictions as rows of the table; the key of each is its complaint."""
    messages = read(live.settings, PREDICTIONS_TOPIC)
    rows = [json.loads(message.value or b"") for message in messages]
    assert [message.key for message in messages] == [str(row["complaint_id"]).encode() for row in rows]
    typed = [
        row
        | {name: datetime.fromisoformat(row[name]) for name in INSTANTS}
        | {"date_received": date.fromisoformat(row["date_received"])}
        for row in rows
    ]
    return Counter(tuple(row.get(name) for name in SCHEMAS[PREDICTIONS].names) for row in typed)


def kept(live: Live) -> dict[str, dict[str, Any]]:
    """The request at each position; the stream kept one for each prediction."""
    rows = live.query(f"select * from {REQUESTS}")
    keys = ("complaint_id", "requested_at", "source", "source_position", "date_received")
    assert Counter(tuple(row[name] for name in keys) for row in rows) == Counter(
        tuple(row[name] for name in keys) for row in live.predictions()
    )
    return {row["source_position"]: row for row in rows}


def test_message_is_scored_once_and_published_or_is_a_dead_letter(live: Live) -> None:
    requests = [request(number) for number in range(1, 31)]
    # The same message twice is two requests.
    ask(live, *requests, requests[7])
    bad = [(b"a", b"[1]"), (b"b", None), (None, json.dumps(request(90, company=" ")).encode()), (b"c", b"\xff")]
    send(live.settings, REQUESTS_TOPIC, [*bad, (None, json.dumps(request(31)).encode())])
    done = live.stream("kafka", max_per_trigger=20)
    assert (done.request_count, done.prediction_count, done.dead_letter_count) == (36, 32, 4)
    progress = live.query("select request_count, lag, source from gold.stream_progress order by batch_id")
    assert [row["lag"] for row in progress] == [36 - progress[0]["request_count"], 0]
    assert (sum(row["request_count"] for row in progress), {row["source"] for row in progress}) == (36, {"kafka"})

    messages = asked(live)
    values = {message.position: message.value for message in messages}
    assert len(values) == 36
    letters = live.query("select * from bronze.dead_letters")
    assert Counter(
        Message(row["partition"], row["offset"], row["key"], row["value"]) for row in letters
    ) == Counter(message for message in messages if (message.key, message.value) in bad)  # fmt: skip
    assert {row["key"]: row["reason"] for row in letters} == {
        b"a": "Expected `object`, got `array`",
        b"b": "the value is null",
        None: "company: found '', expected a value",
        b"c": "JSON is malformed: invalid character (byte 0)",
    }
    assert {row["letter_id"] for row in letters} == {
        letter_id(REQUESTS_TOPIC, row["partition"], row["offset"], row["failed_at"]) for row in letters
    }

    good = {position: json.loads(value) for position, value in values.items() if value and b'"Bank ' in value}
    expected = Counter(
        (position, message["complaint_id"], live.expected(message, 1)) for position, message in good.items()
    )
    rows = live.predictions()
    assert expected == Counter((row["source_position"], row["complaint_id"], row["probability"]) for row in rows)
    assert {(row["source"], row["model_version"]) for row in rows} == {("kafka", 1)}
    assert {row["batch_id"] for row in rows} == {0, 1}
    assert published(live) == in_table(live)
    names = [name for name in FILED_COLUMNS if name != "date_received"]
    assert {position: [row[name] for name in names] for position, row in kept(live).items()} == {
        position: [message[name] for name in names] for position, message in good.items()
    }

    live.promote(2)
    ask(live, request(32), requests[0])
    assert live.stream("kafka").request_count == 2
    later = [row for row in live.predictions() if row["batch_id"] == 2]
    assert {row["complaint_id"]: (row["model_version"], row["probability"]) for row in later} == {
        number: (2, live.expected(request(number), 2)) for number in (1, 32)
    }
    assert published(live) == in_table(live)
    assert len(kept(live)) == 34


def test_interrupted_batch_is_written_once_and_published_as_the_table_has_it(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(live, *(request(number) for number in range(1, 11)), request(11, state=None))
    publish = KafkaSource.publish

    def publish_late(source: KafkaSource, predictions: DataFrame) -> None:
        """Publishes after the table was written: the two happen in either order."""
        deadline = time.monotonic() + 60
        while not live.predictions() and time.monotonic() < deadline:
            time.sleep(0.1)
        publish(source, predictions)

    # Planned, but not written.
    with monkeypatch.context() as patch, cut_off_at(PREDICTIONS, monkeypatch):
        patch.setattr(KafkaSource, "publish", lambda source, predictions: None)
        live.stream("kafka")
    assert not live.predictions()
    with monkeypatch.context() as patch:
        patch.setattr(KafkaSource, "publish", publish_late)
        live.stream("kafka")
    before = in_table(live)
    assert live.scored_ids() == Counter(range(1, 11))
    assert published(live) == before
    assert len(kept(live)) == 10

    # Written, but not finished.
    (checkpoint(live) / "commits" / "0").unlink()
    live.promote(2)
    ask(live, request(12))
    live.stream("kafka")
    added = in_table(live) - before
    assert [(row[0], row[SCHEMAS[PREDICTIONS].names.index("model_version")]) for row in added] == [(12, 2)]
    assert in_table(live) == before + added
    assert published(live) == before + before + added
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 1}]
    assert len(kept(live)) == 11


def test_request_of_an_interrupted_batch_is_kept_once(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(live, request(1), request(2, requested_at=None), request(3, state=None))
    with cut_off_at(REQUESTS, monkeypatch):
        live.stream("kafka")
    assert live.kept_positions() == Counter()
    live.stream("kafka")
    assert len(kept(live)) == 2

    # Kept, but not finished.
    (checkpoint(live) / "commits" / "0").unlink()
    ask(live, request(4))
    live.stream("kafka")
    assert len(kept(live)) == 3


def test_recovery_keeps_the_requests_that_an_earlier_release_scored(live: Live) -> None:
    ask(live, *map(request, range(1, 6)))
    live.stream("kafka")
    live.tables.delta(REQUESTS).delete("complaint_id < 4")
    shutil.rmtree(checkpoint(live))
    ask(live, request(6))
    live.stream("kafka", recover=True)
    assert {row["complaint_id"]: row[TEXT] for row in kept(live).values()} == {
        number: request(number)[TEXT] for number in range(1, 7)
    }


def test_kept_request_is_never_scored_by_the_stream_of_the_table(live: Live) -> None:
    ask(live, request(1), request(2))
    live.stream("kafka")
    live.add_requests([request(3), request(4, source="a branch")])
    ask(live, request(5))
    live.stream("kafka")
    assert live.stream("delta").request_count == 2
    assert live.stream("delta", recover=True).request_count == 0
    assert live.scored_ids() == Counter([1, 2, 3, 4, 5])
    checks = {
        check.statement: (check.left, check.right)
        for check in Summary(DeltaReader(live.settings.warehouse)).conservation
    }
    assert checks["requests in the table = their predictions + their dead letters"] == (2, 2)
    assert request_scores._waiting_in_table(live.tables).count() == 0


def test_message_that_is_read_differently_when_it_is_read_again_is_kept_once(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = {"consumer_complaint_narrative": "x" * 3_000}
    strict = Live(live.spark, live.settings.model_copy(update={"max_request_bytes": 2_000}), live.scorers)
    ask(live, request(1), request(2, **long), request(3, state=None))
    with cut_off_at(DEAD_LETTERS, monkeypatch):
        strict.stream("kafka")
    assert live.scored_ids() == Counter([1])
    # The repeated batch can read what the first attempt could not.
    live.stream("kafka")
    assert live.scored_ids() == Counter([1, 2])
    assert live.query("select count(*) as n from bronze.dead_letters") == [{"n": 1}]
    ask(live, request(4, **long))
    strict.stream("kafka")
    before = in_table(live)

    shutil.rmtree(checkpoint(live))
    ask(live, request(5), request(1))
    with pytest.raises(
        CheckpointError, match=r"is missing: put .*score_stream_kafka back, or start with --param recover=true"
    ):
        live.stream("kafka")
    assert in_table(live) == before
    # A recovery leaves a dead letter as it is, even if it could be read now.
    live.stream("kafka", recover=True)
    assert live.scored_ids() == Counter([1, 2, 5, 1])
    assert in_table(live) >= before
    letters = live.query("select * from bronze.dead_letters")
    assert len(letters) == 2
    kept(live)
    assert Counter(message.position for message in asked(live)) == Counter(
        [*(row["source_position"] for row in live.predictions()),
         *(f"{row['partition']}:{row['offset']}" for row in letters)]
    )  # fmt: skip
    assert set(published(live)) == set(in_table(live))


def test_stream_whose_unread_messages_were_deleted_is_refused_and_scores_the_others_when_recovered(live: Live) -> None:
    ask(live, request(1))
    live.stream("kafka")
    ask(live, *map(request, range(2, 22)))
    # As after the topic's retention time.
    empty_topics(live.settings)
    ask(live, *map(request, range(22, 32)))
    lost = r"were deleted from the topic before the stream read them \(.+\): start with --param recover=true"
    with pytest.raises(CheckpointError, match=lost) as refused:
        live.stream("kafka")
    assert "failOnDataLoss" not in str(refused.value)
    live.stream("kafka", recover=True)
    assert live.scored_ids() == Counter([1, *range(22, 32)])


def recreate_requests_topic(live: Live) -> None:
    with KafkaAdminClient(**client_options(live.settings)) as admin:
        admin.delete_topics([REQUESTS_TOPIC])
    deadline = time.monotonic() + 30
    while not ensure_topics(live.settings, [REQUESTS_TOPIC]) and time.monotonic() < deadline:
        time.sleep(0.2)


def test_messages_of_a_recreated_topic_are_not_taken_for_those_of_the_former_one(live: Live) -> None:
    # Both begin at the first position.
    recreate_requests_topic(live)
    former = topic_identity(live.settings, REQUESTS_TOPIC)
    ask(live, *(request(number) for number in range(1, 11)))
    live.stream("kafka")
    recreate_requests_topic(live)
    ask(live, *(request(number) for number in range(21, 51)))
    present = topic_identity(live.settings, REQUESTS_TOPIC)
    assert former != present
    # A topic of another cluster is another source, too.
    assert all(identity.endswith(f"of cluster {cluster_id(live.settings)}") for identity in (former, present))
    words = f"was written from {former}, but the stream now reads {present}: go back to the former source, or start"
    with pytest.raises(CheckpointError, match=re.escape(words)):
        live.stream("kafka")
    live.stream("kafka", recover=True)
    assert live.scored_ids() == Counter([*range(1, 11), *range(21, 51)])
    # Former and present messages share positions.
    assert live.kept_positions() == live.scored_positions()
    assert max(live.kept_positions().values()) == 2


def test_complaints_whose_scores_are_requested_get_one_prediction_each(live: Live) -> None:
    live.tables.append(
        COMPLAINTS,
        complaints(
            live.tables.spark,
            *({"complaint_id": number, "is_successful_resolution": None} for number in range(1, 51)),
            {"complaint_id": 51},
        ),
    )
    assert live.spark is not None
    request_all = partial(request_scores.run, live.spark, live.settings, "kafka", at_most=100)
    assert request_all() == 5
    # A request that is waiting is not made again.
    assert request_all() == 0
    assert live.stream("kafka").dead_letter_count == 0
    assert live.scored_ids() == Counter(range(46, 51))
    messages = {each["complaint_id"]: each["requested_at"] for each in _values(asked(live))}
    assert {row["complaint_id"]: row["requested_at"] for row in live.predictions()} == {
        number: datetime.fromisoformat(text) for number, text in messages.items()
    }
    assert request_all() == 0
    assert len(asked(live)) == 5
    assert published(live) == in_table(live)


def _values(messages: list[Message]) -> Iterator[dict[str, Any]]:
    for message in messages:
        yield json.loads(message.value or b"")
