"""Messages sent one by one from Python, and how many of them have arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kafka.errors import KafkaError

from solosolve.errors import BrokerError
from solosolve.kafka.client import close_producer, producer
from solosolve.kafka.login import DELIVERY_MS, REQUEST_MS, reason_of
from solosolve.settings import Settings

_UNACKNOWLEDGED = 4_000
"""Messages on their way at most: kafka-python's own buffer has no bound."""


def send_messages(
    settings: Settings,
    topic: str,
    messages: Iterable[tuple[bytes | None, bytes]],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Sends messages as they come, and waits until every one is acknowledged.

    Args:
        settings: Where the brokers are.
        topic: The topic, which is there.
        messages: Keys and values; taken no faster than the brokers acknowledge them.
        progress: Called with the number of messages acknowledged so far.

    Returns:
        The number of messages.

    Raises:
        BrokerError: A message was not delivered; the message has the number of those that were.
    """
    delivery = _Delivery(progress or (lambda acknowledged: None))
    client = producer(settings)
    try:
        for key, value in messages:
            delivery.pending.append(client.send(topic, value=value, key=key))
            delivery.settle(at_most=_UNACKNOWLEDGED)
        delivery.settle(at_most=0)
    except KafkaError as error:
        close_producer(client)
        raise BrokerError(
            f"{topic}: {delivery.arrived:,} of {delivery.sent:,} messages were acknowledged by "
            f"{settings.kafka_bootstrap}, then: {reason_of(error, settings)}"
        ) from error
    finally:
        close_producer(client)
    return delivery.acknowledged


@dataclass
class _Delivery:
    """Messages on their way, in the order in which they were sent, and how many were acknowledged before them."""

    progress: Callable[[int], None]
    pending: deque[Any] = field(default_factory=deque)
    acknowledged: int = 0

    def settle(self, at_most: int) -> None:
        """Takes off what is acknowledged, waiting while there are more than `at_most`; raises what was refused."""
        before = self.acknowledged
        while self.pending and (self.pending[0].is_done or len(self.pending) > at_most):
            self.pending[0].get(timeout=(DELIVERY_MS + REQUEST_MS) / 1000)
            self.pending.popleft()
            self.acknowledged += 1
        if self.acknowledged > before:
            self.progress(self.acknowledged)

    @property
    def sent(self) -> int:
        return self.acknowledged + len(self.pending)

    @property
    def arrived(self) -> int:
        return self.acknowledged + sum(future.succeeded() for future in self.pending)
