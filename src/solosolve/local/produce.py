"""Complaints as Kafka messages: read from a published CSV, and sent at a steady rate."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from solosolve.errors import UsageError
from solosolve.kafka.delivery import send_messages
from solosolve.landing.files import find_landing_files, plan_landing, read_part
from solosolve.names import COMPLAINT_COLUMNS, FILED_COLUMNS, RAW_TOPIC, REQUESTS_TOPIC
from solosolve.settings import Settings
from solosolve.transforms.rules import WHITE_SPACE

_LATE_SECONDS = 0.05
"""How far a sender that was held up may catch up: more would be a burst."""
_ID = re.compile(r"[0-9]{1,18}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Produced:
    """Messages that a topic has acknowledged, and the time it took."""

    topic: str
    message_count: int
    seconds: float


def produce(
    settings: Settings,
    topic: str,
    requests: Iterator[dict[str, Any]],
    rate: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Produced:
    """Sends complaints as JSON objects, keyed by complaint id, and waits until all are acknowledged.

    Args:
        settings: Where the brokers are.
        topic: A topic that is there.
        requests: Complaints, column name to value.
        rate: Messages a second, evenly spaced; None for as fast as possible.
        progress: Called with the number of messages acknowledged so far.

    Raises:
        BrokerError: No broker answers, or a message was not delivered; the message says how many were.
    """
    started = time.perf_counter()
    paced = requests if rate is None else spaced(requests, 1 / rate)
    count = send_messages(settings, topic, map(as_message, paced), progress)
    return Produced(topic, count, time.perf_counter() - started)


def as_message(request: Mapping[str, Any]) -> tuple[bytes | None, bytes]:
    """Key and value of a complaint's message: its id as text, and compact JSON in UTF-8."""
    complaint_id = request.get("complaint_id")
    return None if complaint_id is None else str(complaint_id).encode(), msgspec.json.encode(request)


def spaced(
    requests: Iterator[dict[str, Any]],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """Yields one request every so many seconds; what comes late is not made up for in a burst."""
    due = clock()
    for request in requests:
        now = clock()
        due = max(due, now - _LATE_SECONDS)
        if due > now:
            sleep(due - now)
        yield request
        due += seconds


def read_complaints(path: Path, topic: str) -> Iterator[dict[str, Any]]:
    """Reads complaints as messages of a topic.

    What cannot be read is left out, and a warning says how much that was.

    Args:
        path: A CSV in any published layout, plain, gzipped or zipped, or a folder of them.
        topic: RAW_TOPIC for all columns, verbatim; REQUESTS_TOPIC for what is known when a complaint is filed, the id
            as a number where it is one, null where a value is blank.

    Raises:
        NotAComplaintFileError: There is nothing to read, or it is no complaint file.
        UsageError: Complaints do not go to that topic.
    """
    if topic not in _MESSAGES:
        raise UsageError(f"topic: found '{topic}', complaints go to: {', '.join(_MESSAGES)}")
    return _read(path, _MESSAGES[topic])


def _read(path: Path, message_of: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    bad: list[str] = []
    try:
        for file in find_landing_files(str(path)):
            plan = plan_landing(file)
            batches = chain.from_iterable(read_part(plan, number) for number in range(len(plan.parts)))
            for record in chain.from_iterable(batch.to_pylist() for batch in batches):
                if record["_reason"] is None:
                    yield message_of(record)
                else:
                    bad.append(f"{file}, line {record['_source_line']}: {record['_reason']}")
    finally:
        if bad:
            logger.warning("%d records were left out, the first: %s", len(bad), bad[0])


def _verbatim(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in COMPLAINT_COLUMNS}


def _as_request(record: Mapping[str, Any]) -> dict[str, Any]:
    complaint_id = _text_or_none(record["complaint_id"])
    is_number = complaint_id is not None and _ID.fullmatch(complaint_id.strip(WHITE_SPACE))
    filed = {name: _text_or_none(record[name]) for name in FILED_COLUMNS}
    return {"complaint_id": int(record["complaint_id"]) if is_number else complaint_id, **filed}


def _text_or_none(value: str | None) -> str | None:
    return value if value is not None and value.strip(WHITE_SPACE) else None


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    RAW_TOPIC: _verbatim,
    REQUESTS_TOPIC: _as_request,
}
