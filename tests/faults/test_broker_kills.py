"""Kills and restarts the broker while a producer sends and the stream reads; sometimes the stream, too."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from solosolve.errors import BrokerError
from solosolve.kafka.client import send_messages
from solosolve.local.broker import Broker
from solosolve.names import REQUESTS_TOPIC
from support.brokers import free_port, kafka_settings, lend_jars
from support.drills import LONG, Disk, StreamProcess, assert_each_scored_once, newest, streaming
from support.live import Live, messages_of, request, with_champion
from support.topics import consume

KILLS = 20 if LONG else 1
RATE_SECONDS = 0.01
PROGRESS_SECONDS = 240

logger = logging.getLogger("drills")


@pytest.fixture
def own(broker: str, broker_home: Path, first_registry: Path, tmp_path: Path) -> Iterator[Live]:
    """A home with a champion and its own broker, to be killed."""
    lend_jars(broker_home, tmp_path / "home")
    live = with_champion(None, kafka_settings(tmp_path / "home", f"127.0.0.1:{free_port()}"), first_registry)
    Broker(live.settings).start()
    yield live
    Broker(live.settings).stop()


class Sender:
    """Sends a request every few milliseconds, however often the broker is down."""

    def __init__(self, live: Live) -> None:
        self._live, self._is_over = live, threading.Event()
        self._numbers = count(1)
        self.acknowledged = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.is_set():
            before = self.acknowledged
            try:
                send_messages(self._live.settings, REQUESTS_TOPIC, messages_of(self._requests()), self._note(before))
            except BrokerError as error:
                logger.info("the producer gave up: %s", error)
                self._is_over.wait(0.5)

    def _note(self, before: int) -> Callable[[int], None]:
        def note(acknowledged: int) -> None:
            self.acknowledged = before + acknowledged

        return note

    def _requests(self) -> Iterator[dict[str, object]]:
        while not self._is_over.wait(RATE_SECONDS):
            yield request(next(self._numbers))


class Supervised:
    """The stream as a continuous job runs it on the platform: restarted when it ends."""

    def __init__(self, live: Live, stack: ExitStack) -> None:
        self._live, self._stack = live, stack
        self.failures: list[str] = []
        self._commits = Disk(live.settings, "kafka").checkpoint.folder / "commits"
        self._stream = self._start()

    def wait_for_batches(self, more: int) -> None:
        until = (newest(self._commits) or 0) + more
        self.wait_until(lambda: (newest(self._commits) or 0) >= until)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PROGRESS_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"nothing came of it in {PROGRESS_SECONDS} s: {self._stream.output}"
            if self._stream.exit_code is not None:
                self.failures.append(f"exit code {self._stream.exit_code}: {self._stream.output}")
                logger.info("the stream ended, %s", self.failures[-1])
                self._stream = self._start()
            time.sleep(0.2)

    def kill(self) -> None:
        self._stream.kill()
        self._stream = self._start()

    def _start(self) -> StreamProcess:
        return self._stack.enter_context(streaming(self._live, "kafka"))


def asked_in(live: Live) -> Counter[int]:
    """What the topic holds: the producer cannot know whether an unacknowledged message arrived."""
    messages = consume(live.settings, REQUESTS_TOPIC)
    return Counter(json.loads(value)["complaint_id"] for _, value in messages if value is not None)


def test_killed_broker_costs_no_request_its_score(own: Live) -> None:
    chance, sender = random.Random(7), Sender(own)
    with ExitStack() as stack:
        stack.callback(sender.stop)
        stream = Supervised(own, stack)
        stream.wait_for_batches(2)
        for number in range(KILLS):
            time.sleep(chance.uniform(0, 1))
            status = Broker(own.settings).status()
            assert status is not None
            os.kill(status.pid, signal.SIGKILL)
            if number % 2:
                stream.kill()
            # Down for a moment, or for longer than any client waits.
            time.sleep(chance.uniform(0, 3) if not LONG or number % 5 else 75)
            Broker(own.settings).start()
            stream.wait_for_batches(2)
        sender.stop()
        asked = asked_in(own)
        # A batch writes its predictions, then what it keeps: the last one must be whole before the stream is stopped.
        stream.wait_until(lambda: own.kept_positions().total() >= asked.total())
    assert asked.total() >= sender.acknowledged > 0
    assert_each_scored_once(own, asked)
    logger.info("%d kills, %d requests, the stream ended %d times", KILLS, asked.total(), len(stream.failures))
    # Whenever it ended, it said why in one line.
    assert all("solosolve: " in failure and "Traceback" not in failure for failure in stream.failures), stream.failures
