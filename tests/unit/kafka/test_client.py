from __future__ import annotations

import re
import threading
import time
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError

from solosolve.errors import BrokerError
from solosolve.kafka.client import cluster_id, ensure_topics, message_counts, producer, send_messages, topic_identity
from solosolve.kafka.login import Timeouts
from solosolve.settings import Settings
from support.brokers import free_port


def open_and_close_producer(settings: Settings) -> None:
    with producer(settings):
        pass


@pytest.mark.parametrize(
    "work",
    [
        cluster_id,
        open_and_close_producer,
        lambda settings: topic_identity(settings, "t"),
        lambda settings: ensure_topics(settings, ["t"]),
        lambda settings: message_counts(settings, ["t"]),
        lambda settings: send_messages(settings, "t", [(None, b"{}")]),
    ],
    ids=["cluster_id", "producer", "topic_identity", "ensure_topics", "message_counts", "send_messages"],
)
def test_broker_that_is_down_is_one_line_with_a_remedy(work: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    started = time.monotonic()
    with pytest.raises(BrokerError) as caught:
        work(Settings(kafka_bootstrap=address))
    assert time.monotonic() - started < 3
    assert re.fullmatch(
        rf"Cannot reach or log in to Kafka at {address} \(PLAINTEXT\): .*ECONNREFUSED; "
        r"to start a broker here, run: solosolve kafka start",
        str(caught.value),
    )


def test_broker_elsewhere_comes_with_no_advice_to_start_one() -> None:
    with pytest.raises(BrokerError) as caught:
        cluster_id(Settings(kafka_bootstrap="no-such-host.invalid:9092"))
    assert "solosolve kafka start" not in str(caught.value)


def test_failed_connections_leave_no_thread_running() -> None:
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(BrokerError):
            cluster_id(Settings(kafka_bootstrap=f"127.0.0.1:{free_port()}"))
    assert threading.active_count() == before


class FakeAdmin:
    """An admin client of a cluster with the topic `existing`, where others create topics too."""

    def __init__(self) -> None:
        self.codes = {"new": 0, "raced": TopicAlreadyExistsError.errno, "refused": 29}
        self.awaited: list[str] = []

    def __call__(self, settings: Settings) -> FakeAdmin:
        """Opens the client."""
        return self

    def __enter__(self) -> FakeAdmin:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def list_topics(self) -> list[str]:
        return ["existing"]

    def create_topics(self, topics: dict[str, Any], *, raise_errors: bool) -> dict[str, Any]:
        assert not raise_errors
        answers = [{"name": name, "error_code": self.codes[name], "error_message": "no"} for name in topics]
        return {"topics": answers}

    def wait_for_topics(self, topics: list[str]) -> None:
        self.awaited = topics


def test_ensure_topics_returns_the_topics_that_it_created() -> None:
    admin = FakeAdmin()
    assert ensure_topics(Settings(), ["existing", "new", "raced", "new"], open_admin=admin) == ["new"]
    assert admin.awaited == ["new", "raced"]


def test_ensure_topics_names_the_topics_that_were_refused() -> None:
    with pytest.raises(BrokerError, match=r"Kafka at 127\.0\.0\.1:9092 refused to create topics \(refused: no\)"):
        ensure_topics(Settings(), ["new", "refused"], open_admin=FakeAdmin())


class FakeProducer:
    """A producer whose messages have the given outcomes, None for an acknowledgement, once they are awaited."""

    def __init__(self, outcomes: list[Exception | None]) -> None:
        self.outcomes = iter(outcomes)
        self.in_flight = self.most_in_flight = 0
        self.is_closed = False

    def __call__(self, settings: Settings, timeouts: Timeouts) -> AbstractContextManager[FakeProducer]:
        """Opens the producer."""
        return closing(self)

    def close(self) -> None:
        self.is_closed = True

    def send(self, topic: str, *, value: bytes, key: bytes | None) -> FakeFuture:
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        return FakeFuture(self, next(self.outcomes))


class FakeFuture:
    def __init__(self, client: FakeProducer, outcome: Exception | None) -> None:
        self.client, self.outcome = client, outcome
        self.is_done = False

    def get(self, timeout: float) -> None:
        self.is_done = True
        self.client.in_flight -= 1
        if self.outcome is not None:
            raise self.outcome

    def succeeded(self) -> bool:
        return self.client.is_closed and self.outcome is None


def test_send_messages_counts_acknowledged_messages() -> None:
    client = FakeProducer([None] * 5)
    progress: list[int] = []
    assert send_messages(Settings(), "t", [(b"k", b"v")] * 5, progress.append, open_producer=client) == 5
    assert progress[-1] == 5
    assert client.is_closed


def test_send_messages_waits_while_too_many_are_in_flight() -> None:
    client = FakeProducer([None] * 20)
    assert send_messages(Settings(), "t", [(b"k", b"v")] * 20, max_in_flight=3, open_producer=client) == 20
    assert client.most_in_flight == 4


def test_send_messages_reports_how_many_arrived_before_one_failed() -> None:
    client = FakeProducer([None, None, KafkaTimeoutError("too late"), None])
    with pytest.raises(BrokerError) as caught:
        send_messages(Settings(), "t", [(b"k", b"v")] * 4, open_producer=client)
    assert str(caught.value) == (
        "t: Kafka at 127.0.0.1:9092 acknowledged 3 of 4 messages, then sending failed: KafkaTimeoutError: too late"
    )
    assert client.is_closed
