"""Kills the stream in the middle of its batches; every request is still scored once."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import pytest

from solosolve.kafka.client import send_messages
from solosolve.names import REQUESTS_TOPIC
from support.drills import LONG, Disk, Window, assert_each_scored_once, finish, kill_in, streaming, unfinished
from support.live import Live, messages_of, request

KILLS = 50 if LONG else 2
REQUEST_COUNT = 25_000 if LONG else 1_000
BATCH_SIZE = REQUEST_COUNT // (4 * KILLS + 4)
MID_BATCH = (Window.COMMITTED, Window.WRITTEN, Window.PLANNED)

logger = logging.getLogger("drills")


def requests() -> list[dict[str, Any]]:
    """Requests, of which the last tenth repeats complaints that were requested before."""
    return [request(1 + number % (REQUEST_COUNT * 9 // 10)) for number in range(REQUEST_COUNT)]


def ask(live: Live, source: str, messages: Sequence[dict[str, Any]]) -> None:
    if source == "kafka":
        send_messages(live.settings, REQUESTS_TOPIC, messages_of(messages))
        return
    for first in range(0, len(messages), BATCH_SIZE):
        live.add_requests(messages[first : first + BATCH_SIZE])


@pytest.mark.parametrize(
    ("source", "first_aim"),
    [
        # Without make faults, the integration tests stop this one at each step.
        pytest.param("delta", 0, id="delta", marks=pytest.mark.skipif(not LONG, reason="make faults")),
        pytest.param("kafka", 1, id="kafka"),
    ],
)
def test_killed_stream_scores_each_request_once(live_of: Callable[[str], Live], source: str, first_aim: int) -> None:
    live, chance = live_of(source), random.Random(source)
    messages = requests()
    ask(live, source, messages)
    limit = BATCH_SIZE if source == "kafka" else 1
    hits: Counter[Window] = Counter()
    for number, aim in enumerate(islice(cycle(MID_BATCH), first_aim, first_aim + KILLS), start=2):
        disk = Disk(live.settings, source)
        with streaming(live, source, max_per_trigger=limit) as stream:
            place = kill_in(stream, disk, aim, chance)
        hits[place.window] += 1
        logger.info("batch %s: aimed at '%s', was: %s", place.batch_id, aim, place.window)
        if not LONG or number % 5 == 0:
            # The batch that the next process repeats must not mix two models.
            live.promote(number)
    if LONG:
        finish(live, source)
    else:
        live.stream(source)
    assert_each_scored_once(live, Counter(message["complaint_id"] for message in messages))
    assert unfinished(Disk(live.settings, source).checkpoint) == set()
    logger.info("%s: %s", source, dict(hits))
    if LONG:
        assert min(hits[window] for window in MID_BATCH) >= 5, hits
    else:
        assert sum(hits[window] for window in MID_BATCH) >= 1, hits
