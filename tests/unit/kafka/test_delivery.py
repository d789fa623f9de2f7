from __future__ import annotations

import pytest
from kafka.errors import KafkaTimeoutError

from solosolve.errors import BrokerError
from solosolve.kafka import delivery as kafka_delivery
from solosolve.kafka.delivery import send_messages
from solosolve.settings import Settings


class FakeProducer:
    """A producer whose messages are acknowledged, or refused as a list says, when their futures are asked."""

    def __init__(self, outcomes: list[Exception | None]) -> None:
        self.outcomes = iter(outcomes)
        self.on_their_way = self.most_on_their_way = 0
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def send(self, topic: str, *, value: bytes, key: bytes | None) -> FakeFuture:
        self.on_their_way += 1
        self.most_on_their_way = max(self.on_their_way, self.most_on_their_way)
        return FakeFuture(self, next(self.outcomes))


class FakeFuture:
    def __init__(self, client: FakeProducer, outcome: Exception | None) -> None:
        self.client, self.outcome = client, outcome
        self.is_done = False

    def get(self, timeout: float) -> None:
        self.is_done = True
        self.client.on_their_way -= 1
        if self.outcome is not None:
            raise self.outcome

    def succeeded(self) -> bool:
        return self.client.is_closed and self.outcome is None


def sending(monkeypatch: pytest.MonkeyPatch, outcomes: list[Exception | None]) -> FakeProducer:
    client = FakeProducer(outcomes)
    monkeypatch.setattr(kafka_delivery, "producer", lambda settings: client)
    monkeypatch.setattr(kafka_delivery, "close_producer", lambda opened: opened.close())
    return client


def test_send_messages_counts_what_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sending(monkeypatch, [None] * 5)
    progress: list[int] = []
    assert send_messages(Settings(), "t", [(b"k", b"v")] * 5, progress.append) == 5
    assert progress[-1] == 5
    assert client.is_closed


def test_send_messages_waits_while_too_many_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_delivery, "_UNACKNOWLEDGED", 3)
    client = sending(monkeypatch, [None] * 20)
    assert send_messages(Settings(), "t", [(b"k", b"v")] * 20) == 20
    assert client.most_on_their_way == 4


def test_send_messages_says_how_many_were_acknowledged_when_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    client = sending(monkeypatch, [None, None, KafkaTimeoutError("too late"), None])
    with pytest.raises(BrokerError) as caught:
        send_messages(Settings(), "t", [(b"k", b"v")] * 4)
    assert str(caught.value) == (
        "t: 3 of 4 messages were acknowledged by 127.0.0.1:9092, then: KafkaTimeoutError: too late"
    )
    assert client.is_closed
