"""Complaints from a published CSV, sent to Kafka as messages at a steady rate."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from solosolve.errors import UsageError
from solosolve.kafka.client import send_messages
from solosolve.landing.files import find_landing_files
from solosolve.landing.normalise import WHITE_SPACE, parse_complaint_id
from solosolve.landing.planning import plan_landing, read_asides, read_chunks
from solosolve.names import COMPLAINT_COLUMNS, FILED_COLUMNS, RAW_TOPIC, REQUESTS_TOPIC
from solosolve.settings import Settings

_LATE_SECONDS = 0.05
"""The longest delay that a sender makes up for; more would be a burst."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Produced:
    """How many messages a topic has acknowledged, and how long that took."""

    topic: str
    message_count: int
    seconds: float


def produce(
    settings: Settings,
    topic: str,
    requests: Iterator[dict[str, Any]],
    rate: float | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    send: Callable[..., int] = send_messages,
) -> Produced:
    """Sends complaints as JSON objects, keyed by complaint id, and waits until all are acknowledged.

    Args:
        settings: The brokers and the login.
        topic: An existing topic.
        requests: Complaints, column name to value.
        rate: Messages per second, evenly spaced; None for as fast as possible.
        progress: Called with the number of messages acknowledged so far.
        send: Sends the messages, as `send_messages` does.

    Raises:
        BrokerError: No broker answers, or a message was not delivered; the error says how many were.
    """
    started = time.perf_counter()
    paced = requests if rate is None else spaced(requests, 1 / rate)
    count = send(settings, topic, map(encode_message, paced), progress)
    return Produced(topic, count, time.perf_counter() - started)


def encode_message(request: Mapping[str, Any]) -> tuple[bytes | None, bytes]:
    """The key and the value of a complaint's message: its id as text, and compact JSON in UTF-8."""
    complaint_id = request.get("complaint_id")
    return None if complaint_id is None else str(complaint_id).encode(), msgspec.json.encode(request)


def spaced(
    requests: Iterator[dict[str, Any]],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """Yields one request every `seconds`; after a long delay it does not catch up in a burst."""
    due = clock()
    for request in requests:
        now = clock()
        due = max(due, now - _LATE_SECONDS)
        if due > now:
            sleep(due - now)
        yield request
        due += seconds


def read_complaints(path: Path, topic: str) -> Iterator[dict[str, Any]]:
    """Reads complaints as the messages of a topic.

    Unreadable records are skipped, and a warning says how many.

    Args:
        path: A CSV in any published layout, plain, gzipped or zipped, or a folder of them.
        topic: RAW_TOPIC for all columns, verbatim. REQUESTS_TOPIC for the columns known when a complaint is filed: the
            id is a number if it is valid, and blank values are null.

    Raises:
        NotAComplaintFileError: There is no file, or it is not a complaint file.
        UsageError: The topic does not take complaints.
    """
    if topic not in _MESSAGES:
        raise UsageError(f"topic: found '{topic}', but complaints go to one of: {', '.join(_MESSAGES)}")
    return _read(path, _MESSAGES[topic])


def _read(path: Path, message_of: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    bad: list[str] = []
    try:
        for file in find_landing_files(str(path)).files:
            plan = plan_landing(file)
            batches = chain(read_asides(plan), read_chunks(plan, plan.chunks))
            for record in chain.from_iterable(batch.to_pylist() for batch in batches):
                if record["_reason"] is None:
                    yield message_of(record)
                else:
                    bad.append(f"{file}, line {record['_source_line']}: {record['_reason']}")
    finally:
        if bad:
            logger.warning("skipped %d unreadable records, the first: %s", len(bad), bad[0])


def _verbatim(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in COMPLAINT_COLUMNS}


def _as_request(record: Mapping[str, Any]) -> dict[str, Any]:
    # An invalid id is sent as it is, so that the stream refuses it and records why.
    complaint_id = parse_complaint_id(record["complaint_id"]) or _text_or_none(record["complaint_id"])
    return {"complaint_id": complaint_id, **{name: _text_or_none(record[name]) for name in FILED_COLUMNS}}


def _text_or_none(value: str | None) -> str | None:
    return value if value is not None and value.strip(WHITE_SPACE) else None


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    RAW_TOPIC: _verbatim,
    REQUESTS_TOPIC: _as_request,
}
