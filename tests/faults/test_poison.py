"""Malformed messages among good ones: none stops the stream, each is kept, and a corrected one is scored once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from pyspark.sql import SparkSession

from solosolve.flows import replay_dead_letters
from solosolve.flows.replay_dead_letters import Replayed
from solosolve.kafka.client import producer
from solosolve.names import REQUESTS_TOPIC
from support.drills import LONG, finish, multiset_difference, solosolve
from support.live import Live, letter_id, request

MESSAGE_COUNT, POISON_COUNT = (50_000, 1_000) if LONG else (1_000, 40)
BATCH_SIZE = MESSAGE_COUNT // 4

Message = dict[str, Any]
Poison = Callable[[Message], bytes | None]


def with_field(**overrides: Any) -> Poison:
    return lambda good: json.dumps(good | overrides).encode()


def without(name: str) -> Poison:
    return lambda good: json.dumps({key: value for key, value in good.items() if key != name}).encode()


def with_json(name: str, text: bytes) -> Poison:
    """Adds a field whose value Python would not write as JSON; the last of two fields of one name counts."""
    return lambda good: json.dumps(good).encode()[:-1] + b', "%s": %s}' % (name.encode(), text)


POISONS: dict[str, Poison] = {
    "null": lambda good: None,
    "empty": lambda good: b"",
    "blank": lambda good: b" \n",
    "no JSON": lambda good: b"complaint 17 is late",
    "cut off": lambda good: json.dumps(good).encode()[:-20],
    "two objects": lambda good: json.dumps(good).encode() * 2,
    "UTF-16": lambda good: json.dumps(good).encode("utf-16"),
    "JSON's null": lambda good: b"null",
    "array": lambda good: json.dumps([good]).encode(),
    "id is a fraction": with_field(complaint_id=1.5),
    "id is true": with_field(complaint_id=True),
    "id is a word": with_field(complaint_id="seventeen"),
    "id is negative": with_field(complaint_id=-1),
    "id has 5000 digits": with_json("complaint_id", b"9" * 5_000),
    "company is a number": with_field(company=17),
    "company is unknown": with_field(company=" N/A "),
    "company is null": with_field(company=None),
    "no id": without("complaint_id"),
    "no narrative": without("consumer_complaint_narrative"),
    "no date": without("date_received"),
    "huge": with_field(consumer_complaint_narrative="x" * 300_000),
    "invalid UTF-8": with_json("company", b'"Bank \xff\xfe"'),
    "UTF-8 cut off": with_json("company", b'"Bank \xf0\x9f"'),
    "surrogate in UTF-8": with_json("company", b'"Bank \xed\xa0\x80"'),
    "lone high surrogate": with_field(company="Bank \ud800"),
    "lone low surrogate": with_field(consumer_complaint_narrative="They \udc00 lost it."),
    "before the Bureau": with_field(date_received="2011-06-30"),
    "first year": with_field(date_received="0001-01-01"),
    "last year": with_field(date_received="9999-12-31"),
    "no such day": with_field(date_received="2020-02-30"),
    "day is a number": with_field(date_received=20200101),
    "requested at the beginning of time": with_field(requested_at="0001-01-01T00:00:00+23:59"),
    "requested at the end of time": with_field(requested_at="9999-12-31T23:59:59-23:59"),
    "requested in no zone": with_field(requested_at="2026-01-02T03:04:05"),
    "deep array": lambda good: b"[" * 100_000,
    "deep company": with_json("company", b"[" * 50_000 + b"]" * 50_000),
    "deep unknown field": with_json("more", b"[" * 50_000 + b"]" * 50_000),
    "deep objects in an unknown field": with_json("more", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    "not a number": with_json("more", b"NaN"),
    "too big a number": with_json("complaint_id", b"1e400"),
}


def poison(number: int, good: Message) -> bytes | None:
    return list(POISONS.values())[number % len(POISONS)](good)


Place = tuple[int, int]


class Sent:
    """What the topic holds: the good complaints, and the poison by partition and offset."""

    def __init__(self) -> None:
        self.good: Counter[int] = Counter()
        self.poison: dict[Place, tuple[bytes | None, bytes | None]] = {}
        self.corrected: dict[Place, bytes] = {}


def send(client: KafkaProducer) -> Sent:
    sent, places = Sent(), []
    stride = MESSAGE_COUNT // POISON_COUNT
    for number in range(MESSAGE_COUNT):
        message = request(1 + number)
        key: bytes | None = str(1 + number).encode()
        value: bytes | None = json.dumps(message).encode()
        if number % stride == stride // 2:
            value = poison(number // stride, message)
            # The producer itself refuses a null value without a key.
            key = None if value is not None and number // stride % 2 else key
            places.append((client.send(REQUESTS_TOPIC, key=key, value=value), key, value, message))
        else:
            client.send(REQUESTS_TOPIC, key=key, value=value)
            sent.good[message["complaint_id"]] += 1
    client.flush()
    for future, key, value, message in places:
        place = future.get(timeout=60)
        sent.poison[place.partition, place.offset] = (key, value)
        sent.corrected[place.partition, place.offset] = json.dumps(message).encode()
    return sent


def replayed_ids(live: Live) -> Counter[str]:
    rows = live.query("select source_position from gold.predictions where source = 'replay'")
    return Counter(row["source_position"] for row in rows)


def score_all(live: Live) -> None:
    """Scores what the topic holds; in another process if there is time for one."""
    if LONG:
        finish(live, "kafka", max_per_trigger=BATCH_SIZE)
    else:
        live.stream("kafka", max_per_trigger=BATCH_SIZE)


def replay(live: Live, spark: SparkSession, corrected: dict[str, bytes], file: Path) -> None:
    """Replays corrected letters; with the command, as a user does, if there is time for another process."""
    if not LONG:
        replay_dead_letters.run(spark, live.settings, corrected)
        return
    file.write_text(json.dumps([{"letter_id": letter, "value": value.decode()} for letter, value in corrected.items()]))
    with solosolve(live, "deadletters", "replay", str(file)) as command:
        assert command.wait() == 0, command.output


def test_poison_stops_nothing_and_is_scored_once_when_corrected(
    live_of: Callable[[str], Live], spark: SparkSession, tmp_path: Path
) -> None:
    live = live_of("kafka")
    with producer(live.settings) as client:
        sent = send(client)
    assert len(sent.poison) == POISON_COUNT

    score_all(live)
    assert multiset_difference(live.scored_ids(), sent.good) == {}
    letters = live.query("select * from bronze.dead_letters")
    assert len(letters) == POISON_COUNT
    assert {(row["partition"], row["offset"]): (row["key"], row["value"]) for row in letters} == sent.poison
    places = {
        letter_id(REQUESTS_TOPIC, row["partition"], row["offset"], row["failed_at"]): (row["partition"], row["offset"])
        for row in letters
    }
    assert Counter(row["letter_id"] for row in letters) == Counter(places.keys())

    corrected = {letter: sent.corrected[place] for letter, place in places.items()}
    replay(live, spark, corrected, tmp_path / "corrected.json")
    assert replayed_ids(live) == Counter(places.keys())
    again = replay_dead_letters.run(spark, live.settings, corrected)
    assert again == Replayed(added=0, still_dead={})
    everyone = Counter(range(1, MESSAGE_COUNT + 1))
    assert multiset_difference(live.scored_ids(), everyone) == {}
