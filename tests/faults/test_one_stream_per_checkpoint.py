"""One process at a time on a checkpoint, which stops between two batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from solosolve.kafka.client import send_messages
from solosolve.names import REQUESTS_TOPIC
from support.drills import LONG, Disk, Window, finish, solosolve, unfinished
from support.live import Live, messages_of, request

STOPS = 10 if LONG else 1
LIMITS = {"delta": 1, "kafka": 9}
ASKED = {"delta": 6, "kafka": 54}


def run_words(source: str) -> list[str]:
    return ["run", "score_stream", "--param", f"source={source}", "--param", f"max_per_trigger={LIMITS[source]}"]


def scored_batches(live: Live) -> set[int]:
    return {row["batch_id"] for row in live.query("select distinct batch_id from gold.predictions")}


def ask(live: Live, source: str, first: int) -> None:
    """Requests enough for several batches."""
    messages = [request(number) for number in range(first, first + ASKED[source])]
    if source == "kafka":
        send_messages(live.settings, REQUESTS_TOPIC, messages_of(messages))
        return
    for message in messages:
        live.add_requests([message])


def is_writing(disk: Disk) -> bool:
    """Whether a batch with rows is being written; Delta's first may be the commit that created the table."""
    place = disk.place()
    return place.window is Window.WRITTEN and place.batch_id != 0


def assert_refused(live: Live, source: str) -> None:
    """Starts a second stream, which refuses to run."""
    with solosolve(live, *run_words(source)) as second:
        assert second.wait() == 1
    refusal = f"score_stream_{source} is running in another process on {live.settings.home}: wait until it ends"
    assert refusal in second.output
    assert "Traceback" not in second.output


@pytest.mark.parametrize(
    "source",
    [
        "delta",
        pytest.param("kafka", marks=pytest.mark.skipif(not LONG, reason="make faults: one source is enough here")),
    ],
)
def test_second_stream_is_refused_and_the_first_stops_after_a_whole_batch(
    live_of: Callable[[str], Live], source: str
) -> None:
    live = live_of(source)
    for number in range(STOPS):
        disk = Disk(live.settings, source)
        with solosolve(live, *run_words(source)) as stream:
            if number == 0:
                stream.wait_until(disk.checkpoint.folder.is_dir)
                assert_refused(live, source)
            ask(live, source, 1 + 1_000 * number)
            stream.wait_until(lambda disk=disk: is_writing(disk))
            stream.terminate()
            assert stream.wait() == 0, stream.output
        assert "SIGTERM: stopping after this batch" in stream.output
        # The batch that ran is whole; the next one may be planned, but nothing of it is written.
        assert unfinished(disk.checkpoint).isdisjoint(scored_batches(live))
        assert disk.place().window is not Window.WRITTEN
    assert max(live.scored_ids().values()) == 1
    if LONG:
        finish(live, source)
        asked = [1 + 1_000 * stop + each for stop in range(STOPS) for each in range(ASKED[source])]
        assert live.scored_ids() == Counter(asked)
